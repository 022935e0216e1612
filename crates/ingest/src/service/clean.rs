//! What is redacted of an event and of the labels of a series, and how it is counted.
//!
//! Which texts an event has is in [`crate::texts`]; what is found in a text, and what becomes of it, in
//! [`crate::Redactor`]. Here is what each kind of place can do without: an attribute or a label can go as a whole, of a
//! text a part, and a name must stay one.

use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use model::event::{Attributes, Event};
use model::labels::METRIC_NAME;
use model::pem::plain_base64;
use model::{Labels, LabelsRef, MetricBatch};

use super::Ingest;
use crate::key_lines::FoundLines;
use crate::redact::{Location, PlainNames};
use crate::texts::{self, Place};
use crate::{Action, Source};

/// What stands in the place of a name that was dropped.
const NO_NAME: &str = "[redacted:text]";
/// Base64 from this length on is looked for within other texts; a short line of a key could be a word.
const LINE_BYTES: usize = 40;
/// How many lines of a key in one message are looked for in the rest of its record: one looks for each in all texts.
const MAX_REPEATED: usize = 64;

/// Redacts what comes from a source, for a table.
#[derive(Clone, Copy)]
pub(super) struct Cleaner<'a> {
    ingest: &'a Ingest,
    source: Source,
    at: Location<'a>,
}

impl<'a> Cleaner<'a> {
    /// For a table, or for labels of series.
    pub(super) fn new(ingest: &'a Ingest, source: Source, table: &'a str) -> Self {
        Self { ingest, source, at: Location { table, field: "" } }
    }

    /// An id stays as it is, unless a rule names it, or it is one of a person.
    pub(super) fn id(&self, field: &str, id: &mut String) {
        let (redactor, at) = (&self.ingest.redactor, self.at.field(field));
        if redactor.is_named(at) {
            self.name(field, id);
        } else if let Some(cleaned) = redactor.clean_id(at, id, |who, what| self.count(who, what)) {
            *id = if cleaned.text.is_empty() { NO_NAME.to_owned() } else { cleaned.text };
        }
    }

    /// A name cannot be without a text.
    pub(super) fn name(&self, field: &str, name: &mut String) {
        let at = self.at.field(field);
        if let Some(cleaned) = self.ingest.redactor.clean(at, name, |who, what| self.count(who, what)) {
            *name = if cleaned.text.is_empty() { NO_NAME.to_owned() } else { cleaned.text };
        }
    }

    /// A text is cut to its limit, and redacted; whether it was cut.
    pub(super) fn text(&self, field: &str, text: &mut String) -> bool {
        // Cut first: what looks for secrets must not be run over a text of any size. A secret across the cut is half
        // gone, and what is left of it is still found by most detectors.
        let limit = self.ingest.limits.max_text_bytes;
        let mut is_cut = cut(text, limit);
        let at = self.at.field(field);
        if let Some(cleaned) = self.ingest.redactor.clean(at, text, |who, what| self.count(who, what)) {
            *text = cleaned.text;
            // What stands for secrets may be longer than they were.
            is_cut |= cut(text, limit);
        }
        is_cut
    }

    /// Attributes are redacted by their names, in their values and in their names; whether a value was cut. `plain`
    /// knows names of which there is nothing to be seen to.
    pub(super) fn attributes(&self, attributes: &mut Attributes, plain: &mut PlainNames<'_>) -> bool {
        let (redactor, limit) = (&self.ingest.redactor, self.ingest.limits.max_text_bytes);
        let count = |who: &str, what| self.count(who, what);
        // Names that go, and those that come in their place. Nearly always there are none, and the map stays as it is.
        let mut gone = Vec::new();
        let mut is_cut = false;
        for (name, value) in attributes.iter_mut() {
            is_cut |= cut(value, limit);
            let (at, is_plain) = (self.at.field(name), plain.hold(name));
            let cleaned = if is_plain {
                redactor.clean(at, value, count)
            } else {
                redactor.clean_value(at, value, count)
            };
            if let Some(cleaned) = cleaned {
                if cleaned.dropped {
                    gone.push((name.clone(), None));
                    continue;
                }
                *value = cleaned.text;
                is_cut |= cut(value, limit);
            }
            if is_plain {
                continue;
            }
            if let Some(cleaned) = redactor.clean(at, name, count) {
                gone.push((name.clone(), (!cleaned.dropped).then_some(cleaned.text)));
            }
        }
        rename(attributes, gone);
        is_cut
    }

    /// Whether the labels of all series stay as they are. Those of most have been looked at before: whether they have is
    /// asked for all together, so that the memory that answers is waited for once and not for each.
    pub(super) fn are_all_clean(&self, batch: &MetricBatch) -> bool {
        let hashes: Vec<u64> = batch.iter().map(|(labels, _)| labels.hash64()).collect();
        let known = &self.ingest.clean_series;
        hashes.iter().all(|hash| known.holds(*hash))
            || batch.iter().zip(&hashes).all(|((labels, _), hash)| self.is_clean(labels, *hash))
    }

    fn is_clean(&self, labels: LabelsRef<'_>, hash: u64) -> bool {
        if self.ingest.clean_series.holds(hash) {
            return true;
        }
        let redactor = &self.ingest.redactor;
        let is_clean = values(labels)
            .all(|(name, value)| redactor.clean_value(self.at.field(name), value, |_, _| ()).is_none());
        if is_clean {
            self.ingest.clean_series.put(hash);
        }
        is_clean
    }

    /// Labels of a series as they may be stored; `None` when they stay as they are.
    pub(super) fn labels(&self, labels: LabelsRef<'_>) -> Option<Labels> {
        if self.is_clean(labels, labels.hash64()) {
            return None;
        }
        let mut builder = labels.to_owned().to_builder();
        for (name, value) in values(labels) {
            let at = self.at.field(name);
            match self.ingest.redactor.clean_value(at, value, |who, what| self.count(who, what)) {
                Some(cleaned) if cleaned.dropped => _ = builder.remove(name),
                Some(cleaned) => _ = builder.set(name, cleaned.text),
                None => {}
            }
        }
        Some(builder.build())
    }

    fn count(&self, detector: &str, action: Action) {
        self.ingest.account.redacted(self.source, detector, action);
    }
}

impl Ingest {
    /// Redacts lines of private keys that are messages of their own. Before all else: which of them are some is told by
    /// what stands around them as it came.
    pub(super) fn clean_key_lines(&self, source: Source, events: &mut [Event]) {
        if !self.redactor.finds_keys() {
            return;
        }
        let FoundLines { parts, forgotten } = self.key_lines.find(source, events, Instant::now());
        self.account.forgot_keys(forgotten);
        for (index, parts) in parts {
            if let Some(event) = events.get_mut(index) {
                self.clean_key_line(source, event, &parts);
            }
        }
    }

    /// Redacts parts of a message that are of a key, and where else the record has them: a line of JSON is the message, and
    /// what it says are attributes.
    fn clean_key_line(&self, source: Source, event: &mut Event, parts: &[Range<usize>]) {
        let Event::Log(log) = event else { return };
        let Some(message) = &mut log.message else { return };
        let (redactor, at) = (&self.redactor, Location::LOG_MESSAGE);
        let secrets: Vec<(String, String)> = parts
            .iter()
            .flat_map(|part| message[part.clone()].split_whitespace())
            .take(MAX_REPEATED)
            .map(|line| {
                let secret = plain_base64(line);
                let replacement = redactor.found_key_part(at, &secret, 0..secret.len()).replacement;
                (secret, replacement)
            })
            .collect();
        let count = |who: &str, what| self.account.redacted(source, who, what);
        let Some(cleaned) = redactor.clean_key_parts(at, message, parts, count) else { return };
        *message = cleaned.text;
        let clean_within = |text: &mut String| {
            for (secret, replacement) in &secrets {
                if secret.len() >= LINE_BYTES && text.contains(secret.as_str()) {
                    *text = text.replace(secret.as_str(), replacement);
                }
            }
        };
        let clean_value = |value: &mut String| match secrets.iter().find(|(secret, _)| *secret == *value) {
            Some((_, replacement)) => value.clone_from(replacement),
            None => clean_within(value),
        };
        texts::visit(event, |place| match place {
            Place::Name(_, text) | Place::Text(_, text) => clean_within(text),
            Place::Labels(attributes) | Place::Attributes(attributes) => {
                attributes.values_mut().for_each(clean_value);
            }
            Place::Id(..) | Place::OptionalId(..) => {}
        });
    }
}

/// The labels but for the metric's name.
fn values(labels: LabelsRef<'_>) -> impl Iterator<Item = (&str, &str)> {
    labels.iter().filter(|(name, _)| *name != METRIC_NAME)
}

/// Cuts a text that is too long; whether it was.
pub(super) fn cut(text: &mut String, limit: usize) -> bool {
    let is_too_long = text.len() > limit;
    if is_too_long {
        text.truncate(text.floor_char_boundary(limit));
        text.push('…');
    }
    is_too_long
}

/// Lets attributes go, or gives them other names. All go before one comes: what is free then is free for all.
fn rename(attributes: &mut Attributes, gone: Vec<(String, Option<String>)>) {
    let mut coming = Vec::new();
    for (before, name) in gone {
        coming.extend(name.zip(attributes.remove(&before)));
    }
    for (name, value) in coming {
        attributes.insert(free_name(attributes, name), value);
    }
}

/// The name, with a number when there is such an attribute already.
fn free_name(attributes: &Attributes, name: String) -> String {
    if !attributes.contains_key(&name) {
        return name;
    }
    // There are finitely many attributes: one of the numbers is free.
    (2..).map(|number| format!("{name}_{number}")).find(|name| !attributes.contains_key(name)).unwrap_or(name)
}

/// How many series are remembered to be clean: a mebibyte of hashes.
const REMEMBERED_SERIES: usize = 1 << 17;

/// Hashes of the labels of series that stay as they are, the newest of those that share a place. A series that was
/// forgotten is looked at again.
pub(super) struct CleanSeries(Vec<AtomicU64>);

impl Default for CleanSeries {
    fn default() -> Self {
        Self((0..REMEMBERED_SERIES).map(|_| AtomicU64::new(0)).collect())
    }
}

impl CleanSeries {
    fn place(&self, hash: u64) -> &AtomicU64 {
        // Truncation is meant: the low bits say where.
        &self.0[hash as usize % REMEMBERED_SERIES]
    }

    fn holds(&self, hash: u64) -> bool {
        hash != 0 && self.place(hash).load(Ordering::Relaxed) == hash
    }

    fn put(&self, hash: u64) {
        self.place(hash).store(hash, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_series_is_remembered_until_another_takes_its_place() {
        let clean = CleanSeries::default();
        let (one, other) = (5, 5 + REMEMBERED_SERIES as u64);
        assert!(!clean.holds(one) && !clean.holds(0));
        clean.put(one);
        assert!(clean.holds(one) && !clean.holds(other));
        clean.put(other);
        assert!(clean.holds(other) && !clean.holds(one));
    }

    #[test]
    fn attributes_that_go_leave_their_names_to_others() {
        let all = [("a", "1"), ("b", "2"), ("c", "3"), ("d", "4")];
        let mut attributes: Attributes = all.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
        let gone = [("a", None), ("b", Some("a")), ("c", Some("a")), ("x", Some("y"))];
        let gone =
            gone.map(|(name, other): (_, Option<&str>)| (String::from(name), other.map(str::to_owned)));
        rename(&mut attributes, gone.into());
        let left: Vec<_> = attributes.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        assert_eq!(left, [("a", "2"), ("a_2", "3"), ("d", "4")]);
    }

    #[test]
    fn attributes_that_come_to_have_one_name_are_all_kept() {
        let mut attributes: Attributes = [("a".to_owned(), String::new())].into();
        for expected in ["a_2", "a_3"] {
            let name = free_name(&attributes, "a".to_owned());
            assert_eq!(name, expected);
            attributes.insert(name, String::new());
        }
    }
}
