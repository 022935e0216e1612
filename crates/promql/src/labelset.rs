//! Label algebra: parts of label sets, made without touching strings.

use std::fmt::Write as _;

use model::labels::METRIC_NAME;
use model::{Labels, LabelsRef};

/// Which labels of a set count.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum LabelFilter {
    /// Only these.
    Only(Vec<String>),
    /// All but these and what describes the metric: its name, type and unit.
    Without(Vec<String>),
}

impl LabelFilter {
    pub(crate) fn keeps(&self, name: &str) -> bool {
        match self {
            Self::Only(names) => names.iter().any(|listed| listed == name),
            Self::Without(names) => !is_metadata(name) && !names.iter().any(|listed| listed == name),
        }
    }

    /// The part of the set that counts, in its canonical bytes.
    pub(crate) fn write_key(&self, labels: LabelsRef<'_>, key: &mut Vec<u8>) {
        write_filtered(labels, key, |name| self.keeps(name));
    }

    /// The part of the set that counts.
    pub(crate) fn apply(&self, labels: LabelsRef<'_>) -> Labels {
        filtered(labels, |name| self.keeps(name))
    }
}

/// Copies the labels that `keep` lets pass. The source is sorted, so the copy is canonical.
fn write_filtered(labels: LabelsRef<'_>, key: &mut Vec<u8>, keep: impl Fn(&str) -> bool) {
    key.clear();
    for (name, value) in labels.iter().filter(|(name, _)| keep(name)) {
        for text in [name, value] {
            let length = u16::try_from(text.len()).expect("labels hold texts of at most u16::MAX bytes");
            key.extend_from_slice(&length.to_le_bytes());
            key.extend_from_slice(text.as_bytes());
        }
    }
}

pub(crate) fn filtered(labels: LabelsRef<'_>, keep: impl Fn(&str) -> bool) -> Labels {
    let mut bytes = Vec::new();
    write_filtered(labels, &mut bytes, keep);
    LabelsRef::from_canonical(&bytes).to_owned()
}

/// Whether a label says what a metric is and not which series: the name, and with type and unit labels
/// (Prometheus' proposal PROM-39) these.
pub(crate) fn is_metadata(name: &str) -> bool {
    matches!(name, METRIC_NAME | "__type__" | "__unit__")
}

/// What is left of a set whose values are no longer those of the metric.
pub(crate) fn without_name(labels: &Labels) -> Labels {
    if !labels.iter().any(|(name, _)| is_metadata(name)) {
        return labels.clone();
    }
    filtered(labels.as_ref(), |name| !is_metadata(name))
}

/// The set with the name among the labels, as Prometheus writes sets in error messages.
pub(crate) fn describe(labels: &Labels) -> String {
    let mut text = String::from("{");
    for (name, value) in labels.iter() {
        let separator = if text.len() > 1 { ", " } else { "" };
        write!(text, "{separator}{name}={value:?}").expect("writing to a String cannot fail");
    }
    text.push('}');
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_of_sets_are_canonical_sets() {
        let labels = Labels::metric("up", &[("job", "a"), ("zone", "z")]);
        let cases = [
            (LabelFilter::Only(vec!["zone".into(), "missing".into()]), Labels::from_pairs([("zone", "z")])),
            (LabelFilter::Only(vec!["__name__".into()]), Labels::metric("up", &[])),
            (LabelFilter::Without(vec!["zone".into()]), Labels::from_pairs([("job", "a")])),
        ];
        for (filter, expected) in cases {
            assert_eq!(filter.apply(labels.as_ref()), expected, "{filter:?}");
        }
        assert_eq!(without_name(&labels), Labels::from_pairs([("job", "a"), ("zone", "z")]));
        assert_eq!(describe(&labels), r#"{__name__="up", job="a", zone="z"}"#);
    }
}
