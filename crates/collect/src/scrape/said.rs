//! What one target says of its families: as long as it says so, and within bounds.

use std::collections::HashMap;

use model::MetricMetadata;

/// The most families of a target.
const MAX_FAMILIES: usize = 20_000;
/// The longest name of a family, in bytes.
const MAX_NAME_BYTES: usize = 512;
/// The longest text that is kept, in bytes; longer ones are cut.
const MAX_TEXT_BYTES: usize = 1_024;
/// The most bytes of all names and texts of a target.
const MAX_BYTES: usize = 1 << 20;

/// What is known of the families of one target.
#[derive(Default)]
pub(super) struct Said {
    families: HashMap<String, Family>,
    bytes: usize,
    /// Scrapes that were read, counted from 1.
    scrape: u64,
}

struct Family {
    metadata: MetricMetadata,
    seen: u64,
}

impl Said {
    /// Takes in what a scrape shows, and forgets what it does not show. Gives what is new, or has changed.
    pub(super) fn take(&mut self, shown: &[MetricMetadata]) -> Vec<MetricMetadata> {
        self.scrape += 1;
        let scrape = self.scrape;
        for said in shown {
            if let Some(known) = self.families.get_mut(&said.family) {
                known.seen = scrape;
            }
        }
        // First, so that what is new has their room.
        self.families.retain(|_, known| {
            let stays = known.seen == scrape;
            if !stays {
                self.bytes -= size(&known.metadata);
            }
            stays
        });
        shown.iter().filter_map(|said| self.add(said)).collect()
    }

    /// Adds what is not known yet, and gives it back.
    fn add(&mut self, said: &MetricMetadata) -> Option<MetricMetadata> {
        let known = self.families.get(&said.family).map(|known| &known.metadata);
        let (help, unit) = (cut(&said.help), cut(&said.unit));
        if known.is_some_and(|known| known.kind == said.kind && known.help == help && known.unit == unit) {
            return None;
        }
        let new = MetricMetadata {
            family: said.family.clone(),
            kind: said.kind,
            help: help.to_owned(),
            unit: unit.to_owned(),
        };
        let bytes = self.bytes - known.map_or(0, size) + size(&new);
        let has_place = known.is_some() || self.families.len() < MAX_FAMILIES;
        if said.family.len() > MAX_NAME_BYTES || bytes > MAX_BYTES || !has_place {
            return None;
        }
        self.bytes = bytes;
        self.families.insert(said.family.clone(), Family { metadata: new.clone(), seen: self.scrape });
        Some(new)
    }

    /// All of it, by name.
    pub(super) fn all(&self) -> Vec<MetricMetadata> {
        let mut all: Vec<MetricMetadata> =
            self.families.values().map(|known| known.metadata.clone()).collect();
        all.sort_by(|a, b| a.family.cmp(&b.family));
        all
    }
}

fn size(metadata: &MetricMetadata) -> usize {
    metadata.family.len() + metadata.help.len() + metadata.unit.len()
}

fn cut(text: &str) -> &str {
    &text[..text.floor_char_boundary(MAX_TEXT_BYTES)]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn family(name: &str, help: &str) -> MetricMetadata {
        MetricMetadata { family: name.to_owned(), help: help.to_owned(), ..MetricMetadata::default() }
    }

    fn names(said: &Said) -> Vec<String> {
        said.all().into_iter().map(|one| one.family).collect()
    }

    #[test]
    fn a_family_that_is_no_longer_shown_is_forgotten_and_its_room_with_it() {
        let mut said = Said::default();
        assert_eq!(said.take(&[family("a", "1"), family("b", "1")]).len(), 2);
        assert_eq!(said.take(&[family("b", "1"), family("c", "1")]), [family("c", "1")]);
        assert_eq!(names(&said), ["b", "c"]);
        assert_eq!(said.take(&[]), []);
        assert_eq!((names(&said), said.bytes), (Vec::<String>::new(), 0));
    }

    #[test]
    fn texts_are_cut_and_what_is_cut_is_no_news_again() {
        let mut said = Said::default();
        let long = family("a", &"é".repeat(MAX_TEXT_BYTES));
        assert_eq!(said.take(std::slice::from_ref(&long))[0].help.len(), MAX_TEXT_BYTES);
        assert_eq!(said.take(&[long]), []);
        assert_eq!(said.take(&[family("a", "short")]).len(), 1);
        assert_eq!(said.bytes, "ashort".len());
    }

    #[test]
    fn there_is_a_bound_of_names_of_families_and_of_bytes() {
        let mut said = Said::default();
        assert_eq!(said.take(&[family(&"n".repeat(MAX_NAME_BYTES + 1), "")]), []);
        let many = |help: &str| -> Vec<MetricMetadata> {
            (0..MAX_FAMILIES + 10).map(|number| family(&number.to_string(), help)).collect()
        };
        said.take(&many("x"));
        assert_eq!(said.all().len(), MAX_FAMILIES);
        said.take(&[]);
        said.take(&many(&"x".repeat(MAX_TEXT_BYTES)));
        assert!(said.bytes <= MAX_BYTES && said.bytes > MAX_BYTES - 2 * MAX_TEXT_BYTES, "{}", said.bytes);
    }
}
