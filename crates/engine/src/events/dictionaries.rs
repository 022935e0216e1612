//! Texts that are read as dictionaries. Where a row group has all values of a column in a dictionary, a condition on it is
//! asked of each different value once, and no texts are made of rows that only go by.

use std::collections::BTreeSet;
use std::sync::Arc;

use arrow::datatypes::{DataType, FieldRef, Schema};
use parquet::arrow::arrow_reader::{ArrowReaderMetadata, ArrowReaderOptions};
use parquet::basic::Encoding;
use parquet::errors::ParquetError;
use parquet::file::metadata::ColumnChunkMetaData;
use store::{Field, Predicate};

use crate::events::filter::RowFilter;

/// A footer of one row group by which columns that only conditions of `filter` look at are read as dictionaries where they
/// are some. What is `answered` stays texts.
pub(super) fn for_conditions(
    footer: ArrowReaderMetadata,
    filter: &RowFilter,
    answered: &[&str],
) -> Result<ArrowReaderMetadata, ParquetError> {
    let mut asked = Asked::default();
    filter.parts().iter().for_each(|part| asked.gather(part));
    let names = asked.alone(answered);
    let group = footer.metadata().row_group(0);
    let is_dictionary = |field: &FieldRef| {
        let name = field.name().as_str();
        *field.data_type() == DataType::Utf8
            && names.contains(name)
            && group
                .columns()
                .iter()
                .any(|column| column.column_path().parts() == [name] && has_only_one(column))
    };
    if !footer.schema().fields().iter().any(is_dictionary) {
        return Ok(footer);
    }
    let dictionary = DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::Utf8));
    let fields = footer.schema().fields().iter().map(|field| {
        if is_dictionary(field) {
            Arc::new(field.as_ref().clone().with_data_type(dictionary.clone()))
        } else {
            Arc::clone(field)
        }
    });
    let schema = Schema::new_with_metadata(fields.collect::<Vec<_>>(), footer.schema().metadata().clone());
    let options = ArrowReaderOptions::new().with_schema(Arc::new(schema));
    ArrowReaderMetadata::try_new(Arc::clone(footer.metadata()), options)
}

/// Whether all values of a column are in its dictionary.
fn has_only_one(column: &ColumnChunkMetaData) -> bool {
    column.dictionary_page_offset().is_some()
        && column.page_encoding_stats_mask().is_some_and(|encodings| {
            encodings.is_only(Encoding::RLE_DICTIONARY) || encodings.is_only(Encoding::PLAIN_DICTIONARY)
        })
}

/// What a filter looks at.
#[derive(Default)]
struct Asked<'a> {
    /// Columns that conditions are on.
    columns: BTreeSet<&'a str>,
    /// Columns that others than conditions on them look at.
    otherwise: BTreeSet<&'a str>,
}

impl<'a> Asked<'a> {
    fn gather(&mut self, predicate: &'a Predicate) {
        match predicate {
            Predicate::All(parts) | Predicate::Any(parts) => parts.iter().for_each(|part| self.gather(part)),
            Predicate::Not(part) => self.gather(part),
            Predicate::Is(condition) => {
                let column = condition.field.column();
                match condition.field {
                    Field::Column(_) => self.columns.insert(column),
                    Field::Attribute { .. } => self.otherwise.insert(column),
                };
            }
            Predicate::Own(test) => self.otherwise.extend(test.0.columns()),
        }
    }

    /// The columns that only conditions look at.
    fn alone(mut self, answered: &[&str]) -> BTreeSet<&'a str> {
        self.columns.retain(|column| !self.otherwise.contains(column) && !answered.contains(column));
        self.columns
    }
}

#[cfg(test)]
mod tests {
    use arrow::array::{BooleanArray, RecordBatch};
    use parquet::arrow::ProjectionMask;
    use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
    use store::{FilterOp, Table, Test, schema};

    use super::*;
    use crate::events::filter::mask_of;
    use crate::events::footer::of_group;
    use crate::events::lifted::Lifted;
    use crate::events::write::tests::written;
    use crate::sums::CheckedFile;
    use crate::testing::deploys;

    const ROWS: i64 = 20_000;

    fn file() -> (CheckedFile, ArrowReaderMetadata) {
        let (input, footer) = written(|file| {
            file.push(&deploys(&(0..ROWS).collect::<Vec<_>>())).expect("taken");
        });
        let footer = of_group(&footer, &input, 0).expect("a footer");
        (input, footer)
    }

    fn filter(predicate: Predicate) -> RowFilter {
        RowFilter::new(&schema(Table::Deploys), [predicate]).expect("columns of the table")
    }

    fn is(column: &'static str, op: FilterOp, value: &str) -> Predicate {
        Predicate::column(column, Test::Compare(op, value.into()))
    }

    fn rows(input: &CheckedFile, footer: ArrowReaderMetadata) -> Vec<RecordBatch> {
        let all = ProjectionMask::all();
        let reader = ParquetRecordBatchReaderBuilder::new_with_metadata(input.clone(), footer);
        let reader = reader.with_projection(all).with_batch_size(1_000).build().expect("a reader");
        reader.collect::<Result<_, _>>().expect("rows")
    }

    fn type_of<'f>(footer: &'f ArrowReaderMetadata, column: &str) -> &'f DataType {
        footer.schema().field_with_name(column).expect("a column").data_type()
    }

    #[test]
    fn columns_that_are_only_asked_are_read_as_dictionaries_and_answer_the_same() {
        let (input, plain) = file();
        let tests = [
            is("service", FilterOp::Equal, "service-1"),
            is("service", FilterOp::NotEqual, "service-1"),
            is("service", FilterOp::Greater, "service-0"),
            is("service", FilterOp::Contains, "ice-2"),
            is("environment", FilterOp::Equal, "production"),
            is("environment", FilterOp::Equal, "production").opposite(),
            Predicate::column("environment", Test::Exists),
            Predicate::column("environment", Test::Exists).opposite(),
            Predicate::Any(vec![
                is("environment", FilterOp::NotEqual, "production"),
                is("service", FilterOp::Equal, "service-2"),
            ]),
        ];
        let masks = |footer: &ArrowReaderMetadata, predicate: &Predicate| -> Vec<BooleanArray> {
            let mask = |rows| mask_of(predicate, &rows, &Lifted::default()).expect("a mask");
            rows(&input, footer.clone()).into_iter().map(mask).collect()
        };
        for predicate in tests {
            let filter = filter(predicate.clone());
            let footer = for_conditions(plain.clone(), &filter, &[]).expect("a footer");
            assert_ne!(footer.schema(), plain.schema(), "{predicate:?}");
            assert_eq!(masks(&footer, &predicate), masks(&plain, &predicate), "{predicate:?}");
        }
    }

    #[test]
    fn what_is_answered_or_has_many_values_stays_text() {
        let (_, plain) = file();
        let both = filter(Predicate::All(vec![
            is("service", FilterOp::Equal, "service-1"),
            is("event_id", FilterOp::Greater, "e5"),
        ]));
        let footer = for_conditions(plain.clone(), &both, &["time"]).expect("a footer");
        assert!(matches!(type_of(&footer, "service"), DataType::Dictionary(..)));
        assert_eq!(type_of(&footer, "event_id"), &DataType::Utf8, "each is another");
        assert_eq!(type_of(&footer, "environment"), &DataType::Utf8, "nobody asks");
        let footer = for_conditions(plain.clone(), &both, &["time", "service"]).expect("a footer");
        assert_eq!(footer.schema(), plain.schema());
    }
}
