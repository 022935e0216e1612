//! Tests that the store has no conditions for, made of rows by the language's own evaluator: numbers, durations and
//! sizes in attributes, which are texts to the store.

use arrow::array::{BooleanArray, RecordBatch};
use arrow::error::ArrowError;
use search::Test;
use store::RowTest;

use crate::fields::Source;
use crate::values::Values;

/// A test of one value.
#[derive(Debug)]
pub(crate) struct Rest {
    source: Source,
    test: Test,
}

impl Rest {
    pub(crate) const fn new(source: Source, test: Test) -> Self {
        Self { source, test }
    }
}

impl RowTest for Rest {
    fn columns(&self) -> Vec<&str> {
        vec![self.source.column()]
    }

    fn attribute(&self, _column: &str) -> Option<&str> {
        // It looks at one column.
        match &self.source {
            Source::Attribute(_, key) => Some(key),
            Source::Column(..) | Source::Labelled(..) => None,
        }
    }

    fn mask(&self, rows: &RecordBatch) -> Result<BooleanArray, ArrowError> {
        let values = Values::of(rows, &self.source);
        let holds = |row| values.get(row).is_some_and(|value| self.test.holds(&value));
        Ok((0..rows.num_rows()).map(|row| Some(holds(row))).collect())
    }
}
