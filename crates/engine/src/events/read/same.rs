//! Columns that have one and the same text wherever they are read: that of a service, of a library, of a version. Where
//! the least and the greatest value of a page are the same, the page index says what is in it. For a few rows the text is
//! taken from there, which spares a reader, its codec and a page.

use std::iter;
use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, StringArray};
use arrow::datatypes::{DataType, FieldRef, Schema};
use arrow::error::ArrowError;
use parquet::arrow::arrow_reader::{ArrowReaderMetadata, RowSelection};
use parquet::file::page_index::column_index::ColumnIndexMetaData;

use super::few::MAX_ROWS;
use super::pages::{Ranges, of_leaf, rows_of_page};
use super::prune::{leaf, rows_of};

/// Columns that are not read, with the text that all rows have in them.
#[derive(Default)]
pub(super) struct Same(Vec<(FieldRef, String)>);

impl Same {
    /// Takes those of some columns that have one text in all selected rows of the only row group of a footer. At least one
    /// column is left, by which rows are counted.
    pub(super) fn taken_from(
        columns: &mut Vec<&str>,
        footer: &ArrowReaderMetadata,
        rows: &RowSelection,
    ) -> Self {
        if rows.row_count() > MAX_ROWS {
            return Self::default();
        }
        let rows = Ranges::of(rows);
        let same: Vec<_> = columns.iter().filter_map(|column| text_of(footer, column, &rows)).collect();
        if same.len() >= columns.len() {
            return Self::default();
        }
        columns.retain(|column| same.iter().all(|(field, _)| field.name() != column));
        Self(same)
    }

    /// Rows with these columns.
    pub(super) fn added_to(&self, rows: RecordBatch) -> Result<RecordBatch, ArrowError> {
        if self.0.is_empty() {
            return Ok(rows);
        }
        let mut fields = rows.schema_ref().fields().to_vec();
        let mut columns = rows.columns().to_vec();
        for (field, text) in &self.0 {
            let texts = iter::repeat_n(text.as_str(), rows.num_rows());
            let texts: ArrayRef = Arc::new(StringArray::from_iter_values(texts));
            fields.push(Arc::clone(field));
            columns.push(texts);
        }
        RecordBatch::try_new(Arc::new(Schema::new(fields)), columns)
    }
}

/// The text that a column has in all of some rows, as far as its pages tell.
fn text_of(footer: &ArrowReaderMetadata, column: &str, rows: &Ranges) -> Option<(FieldRef, String)> {
    let field = footer.schema().fields().iter().find(|field| field.name() == column)?;
    let (index, pages) = of_leaf(footer, leaf(footer, column)?)?;
    let ColumnIndexMetaData::BYTE_ARRAY(index) = index else { return None };
    if *field.data_type() != DataType::Utf8 || index.num_pages() != pages.len() as u64 {
        return None;
    }
    let all = rows_of(footer.metadata().row_group(0));
    let with_rows = (0..pages.len()).filter(|page| rows.overlap(&rows_of_page(pages, *page, all)));
    let mut texts = with_rows.map(|page| {
        // Bounds may be cut, but all values lie between them.
        let least = index.min_value(page).filter(|_| index.null_count(page) == Some(0))?;
        (index.max_value(page) == Some(least)).then_some(least)
    });
    let first = texts.next()??;
    if !texts.all(|text| text == Some(first)) {
        return None;
    }
    Some((Arc::clone(field), std::str::from_utf8(first).ok()?.to_owned()))
}
