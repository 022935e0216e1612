use std::sync::Arc;

use arrow::array::StringArray;
use parquet::arrow::arrow_reader::ArrowReaderMetadata;
use parquet::file::metadata::RowGroupMetaData;
use store::{Condition, Field, FilterOp, Test};

use super::*;
use crate::sums::CheckedFile;
use crate::testing::deploys;
use crate::vfs::Disk;

/// Writes a file of deploys and opens it.
pub(crate) fn written(write: impl FnOnce(&mut EventWriter)) -> (CheckedFile, ArrowReaderMetadata) {
    written_of(Table::Deploys, store::schema(Table::Deploys), write)
}

/// Writes a file of a table and opens it.
pub(crate) fn written_of(
    table: Table,
    schema: SchemaRef,
    write: impl FnOnce(&mut EventWriter),
) -> (CheckedFile, ArrowReaderMetadata) {
    written_with(table, schema, Vec::new(), write)
}

/// Writes a file of a table with these attributes in columns of their own and opens it.
pub(crate) fn written_with(
    table: Table,
    schema: SchemaRef,
    lifted: Vec<lifted::Column>,
    write: impl FnOnce(&mut EventWriter),
) -> (CheckedFile, ArrowReaderMetadata) {
    let dir = tempfile::tempdir().expect("dir");
    let path = dir.path().join("rows.parquet");
    let mut writer = EventWriter::create(&Disk, &path, table, schema, lifted).expect("created");
    write(&mut writer);
    let written = writer.finish().expect("written");
    let file = Disk.open(&path).expect("open");
    let input = CheckedFile::new(file, Arc::new(written.sums), &path, Arc::default()).expect("its size");
    let footer = ArrowReaderMetadata::load(&input, Default::default()).expect("a footer");
    assert_eq!(written.rows, footer.metadata().file_metadata().num_rows() as u64);
    (input, footer)
}

/// Rows that all have one description.
fn described(times_ms: std::ops::Range<i64>, text: &str) -> RecordBatch {
    let rows = deploys(&times_ms.collect::<Vec<_>>());
    let place = rows.schema().index_of("description").expect("a column of the table");
    let mut columns = rows.columns().to_vec();
    columns[place] = Arc::new(StringArray::from(vec![text; rows.num_rows()]));
    RecordBatch::try_new(rows.schema(), columns).expect("the same schema")
}

#[test]
fn only_columns_of_ids_get_bloom_filters_and_only_texts_get_filters_of_words() {
    let parts = [Part::new(Table::Deploys, deploys(&[3, 1, 2]), TimeRange::ALL)];
    let (_, footer) = written(|file| file.push_unsorted(&parts).expect("taken"));
    let columns = footer.metadata().row_group(0).columns().iter();
    let with_bloom: Vec<String> = columns
        .filter(|column| column.bloom_filter_offset().is_some())
        .map(|column| column.column_path().string())
        .collect();
    assert_eq!(with_bloom, Table::Deploys.id_columns());
    for field in store::schema(Table::Deploys).fields() {
        let is_text = Table::Deploys.text_columns().contains(&field.name().as_str());
        assert_eq!(tokens::Places::of(&footer, field.name()).is_some(), is_text, "{}", field.name());
    }
}

#[test]
fn row_groups_fill_up_over_batches_and_each_has_filters_of_its_own_words() {
    let (input, footer) = written(|file| {
        for part in 0..4 {
            let times = part * 40_000..(part + 1) * 40_000;
            file.push(&described(times, &format!("part {part}"))).expect("taken");
        }
    });
    let groups = footer.metadata().row_groups().iter();
    let rows: Vec<i64> = groups.map(RowGroupMetaData::num_rows).collect();
    assert_eq!(rows, [ROW_GROUP_ROWS as i64, 160_000 - ROW_GROUP_ROWS as i64]);
    let places = tokens::Places::of(&footer, "description").expect("filters");
    let may_have = |group, word: &str| {
        let test = Test::Compare(FilterOp::ContainsWords, word.into());
        let condition = Condition { field: Field::Column("description".into()), test };
        places.may_hold(&input, group, &condition).expect("read")
    };
    for part in 0..4 {
        let word = part.to_string();
        assert!(may_have(0, &word), "the first group has rows of all");
        assert_eq!(may_have(1, &word), part == 3, "{part}");
    }
}

#[test]
fn rows_out_of_order_are_refused() {
    written(|file| {
        file.push(&deploys(&[5, 5, 7])).expect("taken");
        assert!(file.push(&deploys(&[8, 6])).is_err(), "not by time");
        assert!(file.push(&deploys(&[6])).is_err(), "before what is there");
        file.push(&deploys(&[7])).expect("taken");
    });
}
