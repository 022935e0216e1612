//! Messages clustered by template: what varies from record to record becomes a place, and records that then say the
//! same are one pattern.
//!
//! While rows go by, each message is masked ([`mask`]): numbers, ids, addresses, paths and what stands in quotes become
//! typed places. Records of the same masked message are one form, of which only sums are kept. When all have gone by,
//! or there are many, forms are handed to a prefix tree ([`tree`]), the most frequent first, which joins those that
//! differ in few words. So the order in which rows come changes nothing about the answer, unless there are more forms
//! than are kept.

mod mask;
mod tree;

use std::borrow::Cow;
use std::collections::HashMap;

use arrow::array::RecordBatch;
use model::Timestamp;
use search::{Datum, Level};
use store::{Cancel, Table, TelemetryStore};

use crate::audits::{columns_in, in_table};
use crate::fields::{Holds, Source};
use crate::page::id_of;
use crate::values::{First, Values};
use crate::{Error, Search};
use mask::masked;
use tree::Tree;

/// The most patterns of an answer.
pub const MAX_PATTERNS: usize = 1_000;
/// The most templates that are told apart.
const MAX_TEMPLATES: usize = 2_000;
/// The most forms, and their bytes, that are kept before they are handed on.
const MAX_FORMS: usize = 10_000;
const MAX_FORM_BYTES: usize = 4 << 20;
/// The most bytes of an example.
const MAX_EXAMPLE_BYTES: usize = 1_024;

/// Columns that tell a record from others of its time, in the order of [`crate::id_of_log`].
const ID_COLUMNS: [&str; 9] = [
    "event_id",
    "message",
    "event_name",
    "trace_id",
    "span_id",
    "service",
    "host",
    "service_instance_id",
    "job_id",
];

/// Messages by template.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Patterns {
    /// Those that most records have first.
    pub items: Vec<Pattern>,
    /// How many templates there are, of those that were told apart.
    pub distinct: u64,
    /// How many records have templates that are not among the items.
    pub other: u64,
    /// How many records have no message.
    pub without: u64,
    /// How many records there are.
    pub total: u64,
    /// Whether all templates were told apart.
    pub is_exact: bool,
}

/// One template, and the records that have it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pattern {
    /// Its words, with places for what varies.
    pub template: String,
    /// How many records have it.
    pub count: u64,
    /// When the first of them was.
    pub first_seen: Timestamp,
    /// When the last of them was.
    pub last_seen: Timestamp,
    /// How many of them have each level, those with none left out, the least level first.
    pub levels: Vec<(Level, u64)>,
    /// The last of them.
    pub example: Example,
}

/// A record that stands for others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Example {
    /// When it was.
    pub time: Timestamp,
    /// What tells it from others of its time ([`crate::id_of_log`]).
    pub id: u64,
    /// What it says, cut if it is long.
    pub message: String,
}

/// The messages of what a search finds, by template, `most` of them.
pub fn patterns(
    store: &dyn TelemetryStore,
    search: &Search,
    most: usize,
    cancel: &Cancel,
) -> Result<Patterns, Error> {
    let mut clusters = Clusters::new(MAX_FORMS, MAX_TEMPLATES);
    if !search.is_empty() {
        let columns = |table| {
            let all = ["time", "level"].into_iter().chain(ID_COLUMNS);
            columns_in(table, all.map(|column| Source::Column(column, Holds::Text)))
        };
        let mut add = |table, rows: &RecordBatch| {
            clusters.add_rows(table, rows);
            Ok(())
        };
        search.selection().each(store, columns, cancel, &mut add)?;
    }
    Ok(clusters.finish(most.min(MAX_PATTERNS)))
}

/// A record as it is counted.
struct Counted<'a> {
    time: Timestamp,
    level: Option<Level>,
    message: &'a str,
    /// What tells it from others of its time, if that is asked for.
    id: &'a dyn Fn() -> u64,
}

/// What the records of a form or a template sum up to.
#[derive(Clone, Debug)]
struct Sum {
    count: u64,
    first: Timestamp,
    /// By the place of the level among all.
    levels: [u64; Level::ALL.len()],
    example: Example,
}

impl Sum {
    fn of(record: &Counted<'_>) -> Self {
        let example = Example { time: record.time, id: (record.id)(), message: example(record.message) };
        let mut sum = Self { count: 0, first: record.time, levels: [0; Level::ALL.len()], example };
        sum.count(record);
        sum
    }

    fn add(&mut self, record: &Counted<'_>) {
        self.count(record);
        if record.time < self.example.time {
            return;
        }
        let id = (record.id)();
        if (record.time, id) > (self.example.time, self.example.id) {
            self.example = Example { time: record.time, id, message: example(record.message) };
        }
    }

    fn count(&mut self, record: &Counted<'_>) {
        self.count += 1;
        self.first = self.first.min(record.time);
        if let Some(level) = record.level {
            self.levels[level as usize] += 1;
        }
    }

    fn join(&mut self, other: Self) {
        self.count += other.count;
        self.first = self.first.min(other.first);
        for (own, more) in self.levels.iter_mut().zip(other.levels) {
            *own += more;
        }
        if (other.example.time, other.example.id) > (self.example.time, self.example.id) {
            self.example = other.example;
        }
    }

    fn finish(self, template: String) -> Pattern {
        let levels = Level::ALL.into_iter().zip(self.levels).filter(|(_, count)| *count > 0).collect();
        Pattern {
            template,
            count: self.count,
            first_seen: self.first,
            last_seen: self.example.time,
            levels,
            example: self.example,
        }
    }
}

/// The beginning of a message.
fn example(message: &str) -> String {
    message[..message.floor_char_boundary(MAX_EXAMPLE_BYTES)].to_owned()
}

fn text<'a>(values: &First<'a>, row: usize) -> Option<Cow<'a, str>> {
    match values.get(row) {
        Some(Datum::Text(text)) => Some(text),
        _ => None,
    }
}

/// Patterns in the making.
struct Clusters {
    forms: HashMap<String, Sum>,
    form_bytes: usize,
    max_forms: usize,
    tree: Tree<Sum>,
    beyond: u64,
    without: u64,
    total: u64,
    /// Where messages are masked, kept so that no memory is asked for each.
    masked: String,
}

impl Clusters {
    fn new(max_forms: usize, max_templates: usize) -> Self {
        Self {
            forms: HashMap::new(),
            form_bytes: 0,
            max_forms,
            tree: Tree::new(max_templates),
            beyond: 0,
            without: 0,
            total: 0,
            masked: String::new(),
        }
    }

    fn add_rows(&mut self, table: Table, rows: &RecordBatch) {
        let time = Source::Column("time", Holds::Time);
        let level = in_table(table, vec![Source::Column("level", Holds::Level)]);
        let texts = ID_COLUMNS.map(|column| in_table(table, vec![Source::Column(column, Holds::Text)]));
        let (times, levels) = (Values::of(rows, &time), First::of(rows, &level));
        let texts = texts.each_ref().map(|sources| First::of(rows, sources));
        for row in 0..rows.num_rows() {
            let Some(Datum::Time(time)) = times.get(row) else { continue };
            let level = match levels.get(row) {
                Some(Datum::Level(level)) => Some(level),
                Some(Datum::Text(name)) => Level::parse(&name),
                _ => None,
            };
            let message = text(&texts[1], row);
            let id = || {
                let parts = texts.each_ref().map(|values| text(values, row));
                id_of(parts.each_ref().map(Option::as_deref))
            };
            self.total += 1;
            match message.as_deref().filter(|message| !message.trim().is_empty()) {
                Some(message) => self.add(&Counted { time, level, message, id: &id }),
                None => self.without += 1,
            }
        }
    }

    fn add(&mut self, record: &Counted<'_>) {
        masked(record.message, &mut self.masked);
        if let Some(sum) = self.forms.get_mut(&self.masked) {
            return sum.add(record);
        }
        if self.forms.len() >= self.max_forms || self.form_bytes + self.masked.len() > MAX_FORM_BYTES {
            self.hand_on();
        }
        self.form_bytes += self.masked.len();
        self.forms.insert(self.masked.clone(), Sum::of(record));
    }

    /// Hands all forms to the tree.
    fn hand_on(&mut self) {
        let mut forms: Vec<(String, Sum)> = std::mem::take(&mut self.forms).into_iter().collect();
        self.form_bytes = 0;
        forms.sort_by(|(a, a_sum), (b, b_sum)| (b_sum.count, a).cmp(&(a_sum.count, b)));
        for (form, sum) in forms {
            let count = sum.count;
            if !self.tree.add(&form, sum, Sum::join) {
                self.beyond += count;
            }
        }
    }

    fn finish(mut self, most: usize) -> Patterns {
        self.hand_on();
        let templates = self.tree.into_templates(Sum::join);
        let mut items: Vec<Pattern> =
            templates.into_iter().map(|(template, sum)| sum.finish(template)).collect();
        let distinct = items.len() as u64;
        items.sort_by(|a, b| (b.count, &a.template).cmp(&(a.count, &b.template)));
        let cut = items.split_off(items.len().min(most));
        let other = self.beyond + cut.iter().map(|pattern| pattern.count).sum::<u64>();
        Patterns {
            items,
            distinct,
            other,
            without: self.without,
            total: self.total,
            is_exact: self.beyond == 0,
        }
    }
}

#[cfg(test)]
mod tests;
