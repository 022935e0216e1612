//! Rows as JSON arrays, each value in the order of the columns.

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use arrow::json::writer::{EncoderOptions, NullableEncoder, make_encoder};

use crate::WriteError;
use crate::plain::{self, Maps};
use crate::writer::TIME_FORMAT;

/// Writes rows behind each other, with commas between them. NaN and the infinities are null.
pub(crate) struct JsonRows {
    schema: SchemaRef,
    options: EncoderOptions,
    is_first: bool,
}

impl JsonRows {
    /// Of rows that have `schema`.
    pub(crate) fn new(schema: &SchemaRef) -> Self {
        let options = EncoderOptions::default().with_timestamp_tz_format(TIME_FORMAT.to_owned());
        Self { schema: plain::schema(schema, Maps::Kept), options, is_first: true }
    }

    /// Appends the rows.
    pub(crate) fn write(&mut self, rows: &RecordBatch, into: &mut Vec<u8>) -> Result<(), WriteError> {
        let rows = plain::rows(rows, &self.schema)?;
        let columns = rows.columns().iter().zip(self.schema.fields());
        let encoders: Result<Vec<NullableEncoder<'_>>, _> =
            columns.map(|(column, field)| make_encoder(field, column, &self.options)).collect();
        let mut encoders = encoders?;
        for row in 0..rows.num_rows() {
            into.extend_from_slice(if self.is_first { b"[" } else { b",\n[" });
            self.is_first = false;
            for (place, encoder) in encoders.iter_mut().enumerate() {
                if place > 0 {
                    into.push(b',');
                }
                if encoder.is_null(row) {
                    into.extend_from_slice(b"null");
                } else {
                    encoder.encode(row, into);
                }
            }
            into.push(b']');
        }
        Ok(())
    }
}
