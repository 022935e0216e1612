//! Sets of labels that lines have, found while rows go by. How many are told apart is bounded: what has more is refused.

use std::collections::{BTreeMap, HashMap};

use arrow::array::RecordBatch;
use search::Datum;
use store::{Cancel, QueryError, Table, TelemetryStore};

use crate::audits::{Columns, columns_in, in_table};
use crate::fields::{Holds, Source, Sources, label};
use crate::values::First;
use crate::{Error, Selection};

/// Labels with their values. One without a value is not there.
pub type Labels = BTreeMap<String, String>;

/// The most bytes of all sets together.
const MAX_BYTES: usize = 16 << 20;

/// A set of labels.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Set {
    /// The labels.
    pub labels: Labels,
    /// How many lines have it.
    pub count: u64,
}

/// The sets of these labels that the selected lines have, `most` of them.
pub fn sets(
    store: &dyn TelemetryStore,
    selection: &Selection,
    labels: &[&str],
    most: usize,
    cancel: &Cancel,
) -> Result<Vec<Set>, Error> {
    let mut sets = Sets::new(labels.iter().copied(), most);
    let mut counts: Vec<u64> = Vec::new();
    if !selection.is_empty() {
        let columns = sets.columns(["time"]);
        let mut add = |table, rows: &RecordBatch| {
            sets.each(table, rows, |_, place| {
                if place == counts.len() {
                    counts.push(0);
                }
                counts[place] += 1;
            })
        };
        selection.each(store, columns, cancel, &mut add)?;
    }
    let found = sets.into_labels().into_iter().zip(counts);
    Ok(found.map(|(labels, count)| Set { labels, count }).collect())
}

/// Sets in the making, each with a place.
pub(crate) struct Sets {
    labels: Vec<(String, Sources)>,
    /// The place of each set, by its values in one text.
    places: HashMap<Vec<u8>, usize>,
    found: Vec<Labels>,
    bytes: usize,
    most: usize,
}

impl Sets {
    pub(crate) fn new<'a>(labels: impl Iterator<Item = &'a str>, most: usize) -> Self {
        let labels = labels.map(|name| (name.to_owned(), label(name))).collect();
        Self { labels, places: HashMap::new(), found: Vec::new(), bytes: 0, most }
    }

    /// The columns of each table that are looked at, with some others.
    pub(crate) fn columns<const N: usize>(
        &self,
        others: [&'static str; N],
    ) -> impl Fn(Table) -> Columns + use<N> {
        let others = others.map(|column| Source::Column(column, Holds::Text));
        let own = self.labels.iter().flat_map(|(_, sources)| sources.iter().cloned());
        let all: Sources = own.chain(others).collect();
        move |table| columns_in(table, all.iter().cloned())
    }

    /// Hands out each row with the place of its set. A new set has the place behind all others.
    pub(crate) fn each(
        &mut self,
        table: Table,
        rows: &RecordBatch,
        mut hand_out: impl FnMut(usize, usize),
    ) -> Result<(), QueryError> {
        let Self { labels, places, found, bytes, most } = self;
        let sources: Vec<Sources> =
            labels.iter().map(|(_, sources)| in_table(table, sources.clone())).collect();
        let values: Vec<First<'_>> = sources.iter().map(|sources| First::of(rows, sources)).collect();
        let mut key = Vec::new();
        for row in 0..rows.num_rows() {
            key.clear();
            values.iter().for_each(|values| push(&mut key, first(values, row).as_ref()));
            if let Some(place) = places.get(&key) {
                hand_out(row, *place);
                continue;
            }
            *bytes += key.len();
            if found.len() >= *most || *bytes > MAX_BYTES {
                return Err(too_many(found.len()));
            }
            let texts = values.iter().map(|values| first(values, row).map(|value| value.text().into_owned()));
            let named = labels.iter().zip(texts);
            let set = named.filter_map(|((name, _), text)| Some((name.clone(), text?))).collect();
            places.insert(key.clone(), found.len());
            hand_out(row, found.len());
            found.push(set);
        }
        Ok(())
    }

    /// The sets in the order of their places.
    pub(crate) fn into_labels(self) -> Vec<Labels> {
        self.found
    }
}

/// The value of a label: the first that there is, unless that is empty.
fn first<'a>(values: &First<'a>, row: usize) -> Option<Datum<'a>> {
    let value = values.get(row)?;
    let is_empty = matches!(&value, Datum::Text(text) if text.is_empty());
    (!is_empty).then_some(value)
}

/// A length in front parts a value from what comes behind it.
fn push(key: &mut Vec<u8>, value: Option<&Datum<'_>>) {
    let Some(value) = value else {
        key.extend(u64::MAX.to_le_bytes());
        return;
    };
    let text = value.text();
    key.extend((text.len() as u64).to_le_bytes());
    key.extend(text.as_bytes());
}

fn too_many(found: usize) -> QueryError {
    QueryError::LimitReached(format!(
        "the lines have more than {found} different sets of labels; select fewer of them, ask for a shorter time or a \
         larger step, or sum by fewer labels"
    ))
}
