//! Answers to statements of SQL: as one JSON document, or as rows in the format of a file.

use std::io::Write;
use std::str::FromStr;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use serde_json::{Value, json};
use store::{QueryError, SqlRows, SqlSummary, type_name};

use crate::json::JsonRows;
use crate::{Format, RowWriter, WriteError};

/// Bytes of JSON that are written at once.
const PIECE_BYTES: usize = 32 << 10;

/// The form of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AnswerFormat {
    /// `{"columns":[…],"rows":[[…],…],"truncated":false,"statistics":{…}}`
    Json,
    /// Rows alone.
    Rows(Format),
}

impl AnswerFormat {
    /// Its media type.
    pub const fn media_type(self) -> &'static str {
        match self {
            Self::Json => "application/json",
            Self::Rows(format) => format.media_type(),
        }
    }
}

impl FromStr for AnswerFormat {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "json" => Ok(Self::Json),
            text => text.parse().map(Self::Rows).map_err(|_| "give json, csv, ndjson, arrow or parquet"),
        }
    }
}

/// Writes an answer to an output, while it is made.
pub struct AnswerWriter<W: Write + Send> {
    format: AnswerFormat,
    state: State<W>,
    failed: Option<WriteError>,
}

enum State<W: Write + Send> {
    New(W),
    Json {
        output: W,
        rows: JsonRows,
        pending: Vec<u8>,
    },
    Rows(RowWriter<W>),
    /// An error has taken the output.
    Broken,
}

impl<W: Write + Send> AnswerWriter<W> {
    /// An answer that has not begun.
    pub fn new(format: AnswerFormat, output: W) -> Self {
        Self { format, state: State::New(output), failed: None }
    }

    /// Why writing failed, if that ended the query.
    pub fn take_failure(&mut self) -> Option<WriteError> {
        self.failed.take()
    }

    /// Ends the answer, and gives back the output.
    pub fn finish(self, summary: &SqlSummary) -> Result<W, WriteError> {
        match self.state {
            State::New(output) => Ok(output),
            State::Json { mut output, mut pending, .. } => {
                let end = json!({ "truncated": summary.is_truncated, "statistics": statistics(summary) });
                let end = end.to_string();
                pending.extend_from_slice(b"],");
                // The members alone.
                pending.extend_from_slice(&end.as_bytes()[1..]);
                output.write_all(&pending).map_err(WriteError::Output)?;
                Ok(output)
            }
            State::Rows(writer) => writer.finish(),
            State::Broken => Err(WriteError::Output(std::io::ErrorKind::BrokenPipe.into())),
        }
    }

    fn begun(&self, output: W, schema: &SchemaRef) -> Result<State<W>, WriteError> {
        Ok(match self.format {
            AnswerFormat::Json => {
                let columns = schema.fields().iter();
                let columns: Vec<Value> = columns
                    .map(|field| json!({ "name": field.name(), "type": type_name(field.data_type()) }))
                    .collect();
                let pending = format!("{{\"columns\":{},\"rows\":[", Value::Array(columns)).into_bytes();
                State::Json { output, rows: JsonRows::new(schema), pending }
            }
            AnswerFormat::Rows(format) => State::Rows(RowWriter::new(format, schema, output)?),
        })
    }

    fn keep(&mut self, result: Result<(), WriteError>) -> Result<(), QueryError> {
        result.map_err(|error| {
            self.failed = Some(error);
            QueryError::Stopped("the rows could not be written")
        })
    }
}

impl<W: Write + Send> SqlRows for AnswerWriter<W> {
    fn begin(&mut self, schema: &SchemaRef) -> Result<(), QueryError> {
        // These have one place for each name.
        let is_by_name =
            matches!(self.format, AnswerFormat::Rows(Format::Ndjson | Format::Parquet | Format::Arrow));
        if let Some(twice) = is_by_name.then(|| named_twice(schema)).flatten() {
            return Err(QueryError::Invalid(format!(
                "two columns are called `{twice}`: give one another name with AS"
            )));
        }
        let State::New(output) = std::mem::replace(&mut self.state, State::Broken) else { return Ok(()) };
        let begun = self.begun(output, schema).map(|state| self.state = state);
        self.keep(begun)
    }

    fn rows(&mut self, batch: &RecordBatch) -> Result<(), QueryError> {
        let written = match &mut self.state {
            State::Json { output, rows, pending } => rows.write(batch, pending).and_then(|()| {
                if pending.len() >= PIECE_BYTES {
                    output.write_all(pending).map_err(WriteError::Output)?;
                    pending.clear();
                }
                Ok(())
            }),
            State::Rows(writer) => writer.write(batch),
            State::New(_) | State::Broken => Ok(()),
        };
        self.keep(written)
    }
}

fn named_twice(schema: &SchemaRef) -> Option<&str> {
    let mut names: Vec<&str> = schema.fields().iter().map(|field| field.name().as_str()).collect();
    names.sort_unstable();
    names.windows(2).find(|pair| pair[0] == pair[1]).map(|pair| pair[0])
}

fn statistics(summary: &SqlSummary) -> Value {
    json!({
        "rows": summary.rows,
        "rows_read": summary.rows_read,
        "row_groups_read": summary.row_groups_read,
        "row_groups_passed_over": summary.row_groups_passed_over,
        "planning_seconds": summary.planning.as_secs_f64(),
        "seconds": summary.total.as_secs_f64(),
    })
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{
        ArrayRef, BooleanArray, Float64Array, Int64Array, MapBuilder, NullArray, StringArray, StringBuilder,
        TimestampNanosecondArray, TimestampSecondArray,
    };

    use super::*;

    fn rows() -> RecordBatch {
        let mut attributes = MapBuilder::new(None, StringBuilder::new(), StringBuilder::new());
        attributes.keys().append_value("a\"b");
        attributes.values().append_value("c");
        attributes.append(true).expect("a map");
        attributes.append(true).expect("an empty map");
        let columns: Vec<(&str, ArrayRef)> = vec![
            ("number", Arc::new(Int64Array::from(vec![Some(1), None]))),
            ("text", Arc::new(StringArray::from(vec!["a\n\"", ""]))),
            ("share", Arc::new(Float64Array::from(vec![0.5, f64::NAN]))),
            ("is", Arc::new(BooleanArray::from(vec![true, false]))),
            ("at", Arc::new(TimestampNanosecondArray::from(vec![1_500_000_000, 0]).with_timezone("UTC"))),
            ("second", Arc::new(TimestampSecondArray::from(vec![1, 0]).with_timezone("UTC"))),
            ("attributes", Arc::new(attributes.finish())),
            ("nothing", Arc::new(NullArray::new(2))),
        ];
        RecordBatch::try_from_iter_with_nullable(
            columns.into_iter().map(|(name, column)| (name, column, true)),
        )
        .expect("rows")
    }

    #[test]
    fn an_answer_in_json_has_columns_rows_and_what_it_was_made_of() {
        let rows = rows();
        let mut answer = AnswerWriter::new(AnswerFormat::Json, Vec::new());
        answer.begin(&rows.schema()).expect("begun");
        answer.rows(&rows.slice(0, 1)).expect("written");
        answer.rows(&rows.slice(1, 1)).expect("written");
        let summary = SqlSummary { rows: 2, is_truncated: true, ..SqlSummary::default() };
        let text = answer.finish(&summary).expect("finished");
        let read: Value = serde_json::from_slice(&text).expect("JSON");
        assert_eq!(
            read["rows"],
            json!([
                [1, "a\n\"", 0.5, true, "1970-01-01T00:00:01.500Z", "1970-01-01T00:00:01Z", {"a\"b": "c"}, null],
                [null, "", null, false, "1970-01-01T00:00:00Z", "1970-01-01T00:00:00Z", {}, null],
            ])
        );
        let types: Vec<&str> = read["columns"]
            .as_array()
            .expect("columns")
            .iter()
            .map(|column| column["type"].as_str().expect("a type"))
            .collect();
        let expected =
            ["bigint", "text", "double", "boolean", "timestamp", "timestamp", "map(text, text)", "null"];
        assert_eq!(types, expected);
        assert_eq!((&read["truncated"], &read["statistics"]["rows"]), (&json!(true), &json!(2)));
    }

    #[test]
    fn an_answer_without_rows_is_whole_in_every_form() {
        let schema = rows().schema();
        let formats =
            [AnswerFormat::Json, AnswerFormat::Rows(Format::Csv), AnswerFormat::Rows(Format::Ndjson)];
        let texts = formats.map(|format| {
            let mut answer = AnswerWriter::new(format, Vec::new());
            answer.begin(&schema).expect("begun");
            String::from_utf8(answer.finish(&SqlSummary::default()).expect("finished")).expect("a text")
        });
        assert!(
            texts[0].contains("\"rows\":[],\"statistics\"") || texts[0].contains("\"rows\":[],\"truncated\"")
        );
        assert!(texts[1].starts_with("number,text,share"), "{}", texts[1]);
        assert_eq!(texts[2], "");
    }

    #[test]
    fn two_columns_of_one_name_are_refused_where_names_count() {
        let column: ArrayRef = Arc::new(Int64Array::from(vec![1]));
        let field = || arrow::datatypes::Field::new("a", column.data_type().clone(), true);
        let schema: SchemaRef = Arc::new(arrow::datatypes::Schema::new(vec![field(), field()]));
        let begin = |format| AnswerWriter::new(format, Vec::new()).begin(&schema);
        assert!(begin(AnswerFormat::Json).is_ok() && begin(AnswerFormat::Rows(Format::Csv)).is_ok());
        for format in [Format::Ndjson, Format::Parquet, Format::Arrow] {
            let refused = begin(AnswerFormat::Rows(format));
            assert!(matches!(&refused, Err(QueryError::Invalid(why)) if why.contains("AS")), "{refused:?}");
        }
    }
}
