//! Which ids rows in memory may have: for each column of ids a filter, made when somebody first asks for one. Rows of a head
//! are compared with an id one by one otherwise, and hundreds of thousands of them take longer than all files.

use std::sync::OnceLock;

use arrow::array::{Array, AsArray, RecordBatch};
use store::{Condition, Field, FilterOp, Predicate, Scalar, Table, Test};
use xxhash_rust::xxh3::xxh3_64;

/// Bits for each row. With two of them set for each value, one id in some seventy that is not there seems to be.
const BITS_A_ROW: usize = 16;
/// Fewer rows are as quickly compared.
const LEAST_ROWS: usize = 128;

/// Filters of some rows, by column of ids. Rows take hundreds of bytes each, a filter two.
#[derive(Debug)]
pub(crate) struct SeenIds {
    columns: &'static [&'static str],
    filters: Box<[OnceLock<Filter>]>,
}

impl SeenIds {
    /// For rows of a table.
    pub(super) fn of(table: Table) -> Self {
        let columns = table.id_columns();
        Self { columns, filters: columns.iter().map(|_| OnceLock::new()).collect() }
    }

    /// Whether one of these rows can satisfy a predicate, as far as ids tell that rows must have.
    pub(super) fn let_hold(&self, rows: &RecordBatch, predicate: &Predicate) -> bool {
        match predicate {
            Predicate::Is(Condition {
                field: Field::Column(name),
                test: Test::Compare(FilterOp::Equal, Scalar::Text(text)),
            }) => self.may_have(rows, name, text),
            Predicate::All(parts) => parts.iter().all(|part| self.let_hold(rows, part)),
            Predicate::Any(parts) => parts.iter().any(|part| self.let_hold(rows, part)),
            Predicate::Is(_) | Predicate::Not(_) | Predicate::Own(_) => true,
        }
    }

    fn may_have(&self, rows: &RecordBatch, column: &str, id: &str) -> bool {
        let Some(place) = self.columns.iter().position(|known| *known == column) else { return true };
        // Where nobody has one, none is that one.
        let Some(ids) = rows.column_by_name(column) else { return false };
        let Some(ids) = ids.as_string_opt::<i32>() else { return true };
        if ids.len() < LEAST_ROWS {
            return true;
        }
        self.filters[place].get_or_init(|| Filter::of(ids.iter().flatten(), ids.len())).has(id)
    }
}

/// A bloom filter.
#[derive(Debug)]
struct Filter(Box<[u64]>);

impl Filter {
    fn of<'a>(ids: impl Iterator<Item = &'a str>, rows: usize) -> Self {
        let words = (rows * BITS_A_ROW).next_power_of_two() / u64::BITS as usize;
        let mut bits = vec![0; words.max(1)];
        for id in ids {
            for (word, bit) in places(id, bits.len()) {
                bits[word] |= bit;
            }
        }
        Self(bits.into())
    }

    fn has(&self, id: &str) -> bool {
        places(id, self.0.len()).into_iter().all(|(word, bit)| self.0[word] & bit != 0)
    }
}

/// The bits of an id in a filter of so many words, a power of two.
fn places(id: &str, words: usize) -> [(usize, u64); 2] {
    let hash = xxh3_64(id.as_bytes());
    [hash, hash >> 32].map(|hash| ((hash >> 6) as usize & (words - 1), 1 << (hash & 63)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::logs;

    #[test]
    fn no_id_that_is_there_is_passed_over_and_few_others_seem_to_be() {
        let id = |number: usize| format!("{number:032x}");
        let ids: Vec<String> = (0..1_000).map(id).collect();
        let pairs: Vec<(Option<&str>, Option<&str>)> =
            ids.iter().map(|id| (Some(id.as_str()), None)).collect();
        let rows = logs(0, &pairs);
        let seen = SeenIds::of(Table::Logs);
        let is = |column: &'static str, id: &str| {
            Predicate::column(column, Test::Compare(FilterOp::Equal, id.into()))
        };
        assert!((0..1_000).all(|number| seen.let_hold(&rows, &is("trace_id", &id(number)))));
        let seem =
            (1_000..11_000).filter(|number| seen.let_hold(&rows, &is("trace_id", &id(*number)))).count();
        assert!((1..400).contains(&seem), "{seem} of 10,000");
        let nobodys =
            (1_000..).map(id).find(|id| !seen.let_hold(&rows, &is("trace_id", id))).expect("one of many");
        let (known, none) = (is("trace_id", &ids[7]), is("trace_id", &nobodys));
        assert!(!seen.let_hold(&rows, &is("job_id", "j")), "no row has a job");
        assert!(seen.let_hold(&rows, &is("message", "m")), "no column of ids");
        assert!(seen.let_hold(&rows, &Predicate::Any(vec![none.clone(), known.clone()])));
        assert!(!seen.let_hold(&rows, &Predicate::Any(vec![none.clone(), none.clone()])));
        assert!(!seen.let_hold(&rows, &Predicate::All(vec![known.clone(), none.clone()])));
        assert!(seen.let_hold(&rows, &Predicate::Not(Box::new(none))), "opposites are asked of rows");
        let few = logs(0, &pairs[..10]);
        assert!(SeenIds::of(Table::Logs).let_hold(&few, &is("trace_id", &nobodys)), "few rows are compared");
    }
}
