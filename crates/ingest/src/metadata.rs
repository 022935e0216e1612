//! What is known of metrics: kind, meaning and unit of each family, within a bound, in memory. Senders say it again
//! and again, so a restart costs a minute of it.

use std::collections::BTreeMap;
use std::sync::Arc;

use model::MetricMetadata;
use parking_lot::RwLock;

/// The most families of which something is known.
const MAX_FAMILIES: usize = 20_000;
/// The most that is known of one: targets can differ.
const MAX_VARIANTS: usize = 8;
/// The longest text that is kept, in bytes; longer ones are cut.
const MAX_TEXT_BYTES: usize = 1_024;
/// The longest name of a family, in bytes.
const MAX_NAME_BYTES: usize = 512;
/// The most bytes of all texts together.
const MAX_BYTES: usize = 16 << 20;

/// What is known of metrics; the newest comes last.
#[derive(Default)]
pub(crate) struct MetadataStore {
    state: RwLock<State>,
}

#[derive(Default)]
struct State {
    families: BTreeMap<Arc<str>, Vec<MetricMetadata>>,
    bytes: usize,
}

impl MetadataStore {
    /// Takes some in; how many there was no room for.
    pub(crate) fn put(&self, all: Vec<MetricMetadata>) -> u64 {
        // Nearly all is known already.
        let mut new: Vec<MetricMetadata> = {
            let state = self.state.read();
            all.into_iter().map(cut).filter(|metadata| !state.knows(metadata)).collect()
        };
        if new.is_empty() {
            return 0;
        }
        let mut state = self.state.write();
        new.drain(..).filter(|metadata| !state.add(metadata)).count() as u64
    }

    /// What is known of a family, or of all; of `limit` families at most and of each `limit_per_family` at most.
    pub(crate) fn get(
        &self,
        family: Option<&str>,
        limit: usize,
        limit_per_family: usize,
    ) -> Vec<(Arc<str>, Vec<MetricMetadata>)> {
        let state = self.state.read();
        let of = |(name, variants): (&Arc<str>, &Vec<MetricMetadata>)| {
            let variants = variants.iter().take(limit_per_family).cloned().collect();
            (Arc::clone(name), variants)
        };
        match family {
            Some(family) => state.families.get_key_value(family).map(of).into_iter().take(limit).collect(),
            None => state.families.iter().map(of).take(limit).collect(),
        }
    }
}

impl State {
    fn knows(&self, metadata: &MetricMetadata) -> bool {
        self.families.get(metadata.family.as_str()).is_some_and(|variants| variants.contains(metadata))
    }

    /// Adds what is not known yet; `false` when there is no room for it.
    fn add(&mut self, metadata: &MetricMetadata) -> bool {
        if self.knows(metadata) {
            return true;
        }
        let size = metadata.family.len() + metadata.help.len() + metadata.unit.len();
        let is_new = !self.families.contains_key(metadata.family.as_str());
        if metadata.family.len() > MAX_NAME_BYTES
            || self.bytes + size > MAX_BYTES
            || is_new && self.families.len() >= MAX_FAMILIES
        {
            return false;
        }
        let variants = self.families.entry(metadata.family.as_str().into()).or_default();
        if variants.len() >= MAX_VARIANTS {
            let oldest = variants.remove(0);
            self.bytes -= oldest.family.len() + oldest.help.len() + oldest.unit.len();
        }
        variants.push(metadata.clone());
        self.bytes += size;
        true
    }
}

fn cut(mut metadata: MetricMetadata) -> MetricMetadata {
    for text in [&mut metadata.help, &mut metadata.unit] {
        text.truncate(text.floor_char_boundary(MAX_TEXT_BYTES));
    }
    metadata
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(family: &str, help: &str) -> MetricMetadata {
        MetricMetadata { family: family.to_owned(), help: help.to_owned(), ..MetricMetadata::default() }
    }

    #[test]
    fn each_thing_is_known_once_and_of_a_family_the_newest_stay() {
        let store = MetadataStore::default();
        assert_eq!(store.put(vec![said("a", "1"), said("b", "1"), said("a", "1")]), 0);
        let helps = |family: Option<&str>, limit, per_family| -> Vec<(String, Vec<String>)> {
            let found = store.get(family, limit, per_family);
            found
                .into_iter()
                .map(|(name, all)| (name.to_string(), all.into_iter().map(|one| one.help).collect()))
                .collect()
        };
        let of = |name: &str, helps: &[&str]| {
            (name.to_owned(), helps.iter().map(|help| (*help).to_owned()).collect::<Vec<_>>())
        };
        assert_eq!(helps(None, 10, 10), [of("a", &["1"]), of("b", &["1"])]);
        assert_eq!(helps(None, 1, 10), [of("a", &["1"])]);
        assert_eq!(helps(Some("c"), 10, 10), []);
        let more: Vec<MetricMetadata> = (2..20).map(|number| said("a", &number.to_string())).collect();
        assert_eq!(store.put(more), 0);
        assert_eq!(helps(Some("a"), 10, 2), [of("a", &["12", "13"])]);
        assert_eq!(helps(Some("a"), 10, 100)[0].1.len(), MAX_VARIANTS);
    }

    #[test]
    fn there_is_a_bound_of_names_of_families_and_of_bytes() {
        let store = MetadataStore::default();
        assert_eq!(store.put(vec![said(&"n".repeat(MAX_NAME_BYTES + 1), "")]), 1);
        let long = "é".repeat(MAX_TEXT_BYTES);
        let many: Vec<MetricMetadata> =
            (0..MAX_FAMILIES + 10).map(|number| said(&number.to_string(), &long)).collect();
        let refused = store.put(many);
        let kept = store.get(None, usize::MAX, 1);
        assert_eq!(kept.len() as u64 + refused, MAX_FAMILIES as u64 + 10);
        let bytes: usize = kept.iter().map(|(name, all)| name.len() + all[0].help.len()).sum();
        assert!(bytes <= MAX_BYTES && bytes > MAX_BYTES - 2 * MAX_TEXT_BYTES, "{bytes}");
        let few = MetadataStore::default();
        let many: Vec<MetricMetadata> =
            (0..MAX_FAMILIES + 10).map(|number| said(&number.to_string(), "x")).collect();
        assert_eq!(few.put(many), 10);
    }
}
