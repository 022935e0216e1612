//! Samples in the text format 0.0.4, as federation has them.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use model::labels::METRIC_NAME;
use model::{Labels, Sample};
use promql::write_value;

/// The label that a scrape sets by itself where it is not said. An empty one keeps it from doing so.
const INSTANCE: &str = "instance";

/// Writes samples that are sorted by name. Series without a name are left out; each has the `external` labels that it
/// has not itself.
pub(super) fn write(samples: &[(Labels, Sample)], external: &BTreeMap<String, String>) -> String {
    let mut text = String::new();
    let mut family = "";
    for (labels, sample) in samples {
        let name = labels.metric_name();
        if name.is_empty() {
            continue;
        }
        let is_plain = is_plain(name, true);
        if name != family {
            family = name;
            text.push_str("# TYPE ");
            if is_plain {
                text.push_str(name);
            } else {
                quoted(name, &mut text);
            }
            text.push_str(" untyped\n");
        }
        if is_plain {
            text.push_str(name);
        }
        text.push('{');
        let mut first = true;
        let mut comma = |text: &mut String| {
            if !std::mem::take(&mut first) {
                text.push(',');
            }
        };
        if !is_plain {
            comma(&mut text);
            quoted(name, &mut text);
        }
        for (label, value) in labels.iter().filter(|(label, _)| *label != METRIC_NAME) {
            comma(&mut text);
            pair(label, value, &mut text);
        }
        for (label, value) in external.iter().filter(|(label, _)| labels.get(label).is_none()) {
            comma(&mut text);
            pair(label, value, &mut text);
        }
        if labels.get(INSTANCE).is_none() && !external.contains_key(INSTANCE) {
            comma(&mut text);
            pair(INSTANCE, "", &mut text);
        }
        text.push_str("} ");
        write_value(sample.value, &mut text);
        // Writing to a string cannot fail.
        _ = writeln!(text, " {}", sample.time_ms);
    }
    text
}

fn pair(label: &str, value: &str, text: &mut String) {
    if is_plain(label, false) {
        text.push_str(label);
    } else {
        quoted(label, text);
    }
    text.push('=');
    quoted(value, text);
}

/// Whether a name can stand without quotes.
fn is_plain(name: &str, colons: bool) -> bool {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || colons && byte == b':';
    name.bytes().all(fits) && !name.starts_with(|first: char| first.is_ascii_digit())
}

fn quoted(value: &str, text: &mut String) {
    text.push('"');
    for letter in value.chars() {
        match letter {
            '\\' => text.push_str("\\\\"),
            '"' => text.push_str("\\\""),
            '\n' => text.push_str("\\n"),
            letter => text.push(letter),
        }
    }
    text.push('"');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn families_have_a_type_and_names_of_any_kind_are_written() {
        let sample = |value| Sample { time_ms: 1500, value };
        let all = [
            (Labels::metric("a", &[("instance", "x:1"), ("job", "q\"\\\n")]), sample(1.5)),
            (Labels::metric("a", &[("job", "z")]), sample(f64::INFINITY)),
            (Labels::metric("b.c", &[("d.e", "1")]), sample(f64::NAN)),
            (Labels::metric("job:c:sum", &[]), sample(-0.0)),
            (Labels::from_pairs([("nameless", "1")]), sample(1.0)),
        ];
        let expected = "# TYPE a untyped\n\
            a{instance=\"x:1\",job=\"q\\\"\\\\\\n\"} 1.5 1500\n\
            a{job=\"z\",instance=\"\"} +Inf 1500\n\
            # TYPE \"b.c\" untyped\n\
            {\"b.c\",\"d.e\"=\"1\",instance=\"\"} NaN 1500\n\
            # TYPE job:c:sum untyped\n\
            job:c:sum{instance=\"\"} -0 1500\n";
        assert_eq!(write(&all, &BTreeMap::new()), expected);
    }

    #[test]
    fn a_series_has_the_external_labels_that_it_has_not_itself() {
        let external = |pairs: &[(&str, &str)]| {
            pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
        };
        let all = [(Labels::metric("a", &[("site", "own")]), Sample { time_ms: 1, value: 2.0 })];
        let written = write(&all, &external(&[("replica", "1"), ("site", "x")]));
        assert_eq!(written, "# TYPE a untyped\na{site=\"own\",replica=\"1\",instance=\"\"} 2 1\n");
        let written = write(&all, &external(&[("instance", "i")]));
        assert_eq!(written, "# TYPE a untyped\na{site=\"own\",instance=\"i\"} 2 1\n");
    }
}
