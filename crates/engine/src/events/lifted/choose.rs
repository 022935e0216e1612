//! Which attributes are lifted: those that are in many rows. It is decided by a part of the rows, or by what is lifted in
//! the files that others are made of; what comes afterwards is written whatever it is.

use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap, HashSet};

use arrow::array::{Array, AsArray, MapArray, RecordBatch, StringArray};
use store::Table;

use super::decimal::Decimal;
use super::{Column, Kind, Lifted};

/// Of fewer rows maps are quickly read, and more columns would take more than the rows.
const MIN_ROWS: usize = 1_000;
/// About how many rows are looked at.
const SAMPLE_ROWS: usize = 4_096;
/// One row in so many has an attribute that is lifted.
const FEW: usize = 16;
/// The most attributes of a map that are lifted: each has pages, statistics and a dictionary of its own.
const MAX_COLUMNS: usize = 24;
/// The longest name of one, in bytes.
const MAX_KEY_BYTES: usize = 128;
/// The most names that are told apart.
const MAX_KEYS: usize = 4_096;
/// Where there is another number in every so manieth value only, a dictionary of texts takes less than numbers.
const REPEATED: usize = 16;

/// Those of a file of these rows.
pub(super) fn of_rows(table: Table, rows: &[&RecordBatch]) -> Vec<Column> {
    let all: usize = rows.iter().map(|rows| rows.num_rows()).sum();
    if all < MIN_ROWS {
        return Vec::new();
    }
    let step = all.div_ceil(SAMPLE_ROWS);
    let of_map = |map: &&'static str| Sample { map, rows, step }.columns(all.div_ceil(step));
    table.attribute_columns().iter().flat_map(of_map).collect()
}

/// Those of a file of the rows of others: what is lifted in files that together have enough of the rows; where nothing
/// is lifted in most, what the first rows have.
pub(super) fn of_files(table: Table, files: &[(u64, Lifted)], first: &RecordBatch) -> Vec<Column> {
    let all: u64 = files.iter().map(|(rows, _)| rows).sum();
    if all < MIN_ROWS as u64 {
        return Vec::new();
    }
    let nothing: u64 = files.iter().filter(|(_, lifted)| lifted.maps.is_empty()).map(|(rows, _)| rows).sum();
    let of_first = if nothing > all / 2 { of_rows(table, &[first]) } else { Vec::new() };
    let of_map = |map: &&'static str| {
        let mut known: BTreeMap<&str, (u64, Kind)> = BTreeMap::new();
        for (rows, lifted) in files {
            for column in lifted.columns().filter(|column| column.map == **map) {
                let known = known.entry(&column.key).or_insert((0, column.kind));
                *known = (known.0 + rows, known.1.joined(column.kind));
            }
        }
        known.retain(|_, (rows, _)| *rows >= all / FEW as u64);
        let mut columns: Vec<(u64, Column)> =
            known.into_iter().map(|(key, (rows, kind))| (rows, Column::new(map, key, kind))).collect();
        // The first of them, in the order of their names where as many rows have them.
        columns.sort_by_key(|(rows, _)| Reverse(*rows));
        let mut columns: Vec<Column> = columns.into_iter().map(|(_, column)| column).collect();
        for column in of_first.iter().filter(|column| column.map == **map) {
            if !columns.iter().any(|known| known.key == column.key) {
                columns.push(column.clone());
            }
        }
        bounded(columns)
    };
    table.attribute_columns().iter().flat_map(of_map).collect()
}

/// The first ones, in the order of their names.
fn bounded(mut columns: Vec<Column>) -> Vec<Column> {
    columns.truncate(MAX_COLUMNS);
    columns.sort_by(|a, b| a.key.cmp(&b.key));
    columns
}

impl Kind {
    /// What has the values of both.
    fn joined(self, other: Self) -> Self {
        match (self, other) {
            (Self::Number(one), Self::Number(other)) => one.joined(other).map_or(Self::Text, Self::Number),
            _ => Self::Text,
        }
    }

    /// What has such texts.
    fn of(texts: &[&str]) -> Self {
        match Decimal::of(texts) {
            Some(decimal) if is_varied(texts) => Self::Number(decimal),
            _ => Self::Text,
        }
    }
}

fn is_varied(texts: &[&str]) -> bool {
    let distinct: HashSet<&str> = texts.iter().copied().collect();
    distinct.len() > texts.len() / REPEATED
}

/// Each so manieth of some rows, and one of their maps.
struct Sample<'r> {
    map: &'static str,
    rows: &'r [&'r RecordBatch],
    step: usize,
}

impl Sample<'_> {
    /// What is lifted, of so many rows that are looked at.
    fn columns(&self, rows: usize) -> Vec<Column> {
        let mut counts: HashMap<&str, usize> = HashMap::new();
        self.each(|key, _| {
            if let Some(count) = counts.get_mut(key) {
                *count += 1;
            } else if counts.len() < MAX_KEYS && key.len() <= MAX_KEY_BYTES {
                counts.insert(key, 1);
            }
        });
        let mut frequent: Vec<(&str, usize)> =
            counts.into_iter().filter(|(_, count)| *count >= rows.div_ceil(FEW)).collect();
        frequent.sort_unstable_by_key(|(key, count)| (Reverse(*count), *key));
        frequent.truncate(MAX_COLUMNS);
        let mut values: HashMap<&str, Vec<&str>> =
            frequent.iter().map(|(key, count)| (*key, Vec::with_capacity(*count))).collect();
        self.each(|key, value| {
            if let Some(values) = values.get_mut(key) {
                values.push(value);
            }
        });
        let column = |(key, _): (&str, usize)| {
            Column::new(self.map, key, Kind::of(values.get(key).map_or(&[][..], Vec::as_slice)))
        };
        bounded(frequent.into_iter().map(column).collect())
    }

    /// Hands each name and value of the rows that are looked at to `each`.
    fn each<'s>(&'s self, mut each: impl FnMut(&'s str, &'s str)) {
        let mut before = 0usize;
        for rows in self.rows {
            let first = before.next_multiple_of(self.step) - before;
            before += rows.num_rows();
            let map = rows.column_by_name(self.map).and_then(AsArray::as_map_opt);
            let Some((map, keys, values)) = map.and_then(texts) else { continue };
            for row in (first..rows.num_rows()).step_by(self.step).filter(|row| map.is_valid(*row)) {
                let offsets = map.value_offsets();
                for entry in offsets[row] as usize..offsets[row + 1] as usize {
                    if values.is_valid(entry) {
                        each(keys.value(entry), values.value(entry));
                    }
                }
            }
        }
    }
}

fn texts(map: &MapArray) -> Option<(&MapArray, &StringArray, &StringArray)> {
    Some((map, map.keys().as_string_opt::<i32>()?, map.values().as_string_opt::<i32>()?))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use model::Timestamp;
    use model::event::{Attributes, LogEvent, Origin};
    use store::Row;

    use super::*;

    fn rows(count: usize, attributes: impl Fn(usize) -> Vec<(&'static str, String)>) -> RecordBatch {
        let origin = Arc::new(Origin::default());
        let rows: Vec<LogEvent> = (0..count)
            .map(|row| LogEvent {
                attributes: attributes(row)
                    .into_iter()
                    .map(|(key, value)| (key.to_owned(), value))
                    .collect::<Attributes>(),
                ..LogEvent::new(Timestamp::from_millis(row as i64), Arc::clone(&origin))
            })
            .collect();
        LogEvent::to_batch(&rows).expect("rows of one table")
    }

    fn told(columns: &[Column]) -> Vec<(&str, bool)> {
        columns.iter().map(|column| (column.key.as_str(), matches!(column.kind, Kind::Number(_)))).collect()
    }

    #[test]
    fn what_many_rows_have_is_lifted_and_varied_numbers_are_numbers() {
        let long = "x".repeat(MAX_KEY_BYTES + 1);
        let long: &'static str = Box::leak(long.into_boxed_str());
        let rows = rows(10_000, |row| {
            let mut attributes = vec![
                ("duration_ms", format!("{}", row as f64 / 8.0)),
                ("status", format!("{}", 200 + row % 5)),
                ("name", format!("name {row}")),
                (long, "1".to_owned()),
            ];
            attributes.extend((row % 8 == 0).then(|| ("often", "a".to_owned())));
            attributes.extend((row % 40 == 0).then(|| ("seldom", "a".to_owned())));
            attributes
        });
        let columns = of_rows(Table::Logs, &[&rows]);
        let expected = [("duration_ms", true), ("name", false), ("often", false), ("status", false)];
        assert_eq!(told(&columns), expected);
        // The same rows in parts, some of them shorter than a step.
        let parts: Vec<RecordBatch> = (0..2_000).map(|part| rows.slice(part * 5, 5)).collect();
        assert_eq!(of_rows(Table::Logs, &parts.iter().collect::<Vec<_>>()), columns);
        assert!(of_rows(Table::Logs, &[&rows.slice(0, MIN_ROWS - 1)]).is_empty());
        assert!(of_rows(Table::Deploys, &[&rows]).is_empty(), "nobody looks for attributes there");
    }

    #[test]
    fn of_many_names_the_most_frequent_are_lifted() {
        let names: Vec<&'static str> =
            (0..40).map(|name| &*Box::leak(format!("k{name:02}").into_boxed_str())).collect();
        let rows = rows(2_000, |row| {
            let has = |name: &usize| row % 40 >= *name;
            (0..40).filter(has).map(|name| (names[name], "a".to_owned())).collect()
        });
        let columns = of_rows(Table::Logs, &[&rows]);
        let keys: Vec<&str> = columns.iter().map(|column| column.key.as_str()).collect();
        assert_eq!(keys, names[..MAX_COLUMNS]);
    }

    fn lifted(columns: &[Column]) -> Lifted {
        let schema = store::schema(Table::Logs);
        let mut fields = schema.fields().to_vec();
        fields.extend(columns.iter().map(|column| Arc::new(column.field())));
        let pair = super::super::told::written(columns.iter());
        let schema = Arc::new(arrow::datatypes::Schema::new(fields));
        super::super::told::read(pair.map(|pair| vec![pair]).as_ref(), &schema).expect("read")
    }

    #[test]
    fn a_merged_file_has_what_many_rows_of_others_have_as_what_both_can_be() {
        let decimal = |texts: &[&str]| Kind::Number(Decimal::of(texts).expect("numbers"));
        let column = |key: &str, kind| Column::new("attributes", key, kind);
        let (whole, small, pointed) = (decimal(&["1"]), decimal(&["0.125"]), decimal(&["1.0", "2.0"]));
        let one = lifted(&[
            column("both", whole),
            column("mixed", whole),
            column("pointed", whole),
            column("once", Kind::Text),
        ]);
        let other = lifted(&[column("both", small), column("mixed", Kind::Text), column("pointed", pointed)]);
        let seldom = lifted(&[column("seldom", Kind::Text)]);
        let first = rows(2_000, |row| vec![("first", format!("{row}"))]);
        let files = [(5_000, one), (5_000, other), (100, seldom)];
        let expected = [
            column("both", small),
            column("mixed", Kind::Text),
            column("once", Kind::Text),
            column("pointed", Kind::Text),
        ];
        assert_eq!(of_files(Table::Logs, &files, &first), expected);
        let nothing = [(9_000, Lifted::default()), files[0].clone()];
        let columns = of_files(Table::Logs, &nothing, &first);
        assert_eq!(
            told(&columns),
            [("both", true), ("first", true), ("mixed", true), ("once", false), ("pointed", true)]
        );
        assert!(of_files(Table::Logs, &[(999, files[0].1.clone())], &first).is_empty());
    }
}
