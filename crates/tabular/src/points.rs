//! Series as rows: one for each point, with a column for each label.

use std::collections::BTreeSet;
use std::sync::Arc;

use arrow::array::{
    ArrayRef, Float64Array, MapBuilder, MapFieldNames, RecordBatch, StringArray, StringBuilder,
    StringDictionaryBuilder, TimestampMillisecondArray,
};
use arrow::datatypes::{DataType, Field, Fields, Int32Type, Schema, SchemaRef, TimeUnit};
use model::labels::METRIC_NAME;
use model::{Labels, is_stale};
use store::{QueryError, SeriesBuffer};

use crate::histogram::json;

/// The most labels that become a column each; with more there is one column `labels`, a map.
pub const MAX_LABEL_COLUMNS: usize = 128;

/// Rows of a batch.
const BATCH_ROWS: usize = 16 * 1024;
/// The most labels of the series in one batch: few points each must not make a batch large.
const BATCH_SERIES: usize = 4 * 1024;
/// Names that a column for a label cannot have: ours, and the one that the archive's folders add.
const TAKEN: [&str; 5] = ["time", "value", "name", "histogram", "day"];
/// The column that holds all labels when they are too many.
const LABELS: &str = "labels";

/// What columns the points of some series have.
#[derive(Clone, Debug)]
pub struct PointTable {
    schema: SchemaRef,
    /// The label of each column after the first four, ascending; `None` when one map holds them all.
    labels: Option<Vec<String>>,
}

impl PointTable {
    /// A table for series that have no labels but these.
    ///
    /// A label is the column of its name. Where that is taken (`time`, `value`, `name`, `histogram`, `day`, or a label
    /// that differs in case alone, which DuckDB does not tell apart) `label_` stands before it.
    pub fn new(label_names: impl IntoIterator<Item = String>) -> Self {
        let names: BTreeSet<String> = label_names.into_iter().filter(|name| name != METRIC_NAME).collect();
        let mut fields = vec![
            Field::new("time", DataType::Timestamp(TimeUnit::Millisecond, Some("UTC".into())), false),
            Field::new("value", DataType::Float64, false),
            Field::new("name", text(), false),
            Field::new("histogram", DataType::Utf8, true),
        ];
        if names.len() > MAX_LABEL_COLUMNS {
            fields.push(Field::new(LABELS, map_type(), false));
            return Self { schema: Arc::new(Schema::new(fields)), labels: None };
        }
        let mut taken: BTreeSet<String> = TAKEN.iter().map(|name| (*name).to_owned()).collect();
        // A label that has its own name for itself keeps it, whatever others are called.
        taken.extend(names.iter().map(|name| name.to_lowercase()));
        let mut seen = BTreeSet::new();
        for name in &names {
            let lower = name.to_lowercase();
            let is_free = !TAKEN.contains(&lower.as_str()) && seen.insert(lower);
            let column = if is_free { name.clone() } else { free_name(name, &mut taken) };
            fields.push(Field::new(column, text(), true));
        }
        Self { schema: Arc::new(Schema::new(fields)), labels: Some(names.into_iter().collect()) }
    }

    /// The schema of its rows.
    pub fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    fn batch(
        &self,
        times: &[i64],
        values: &[f64],
        histograms: StringArray,
        runs: &[Run],
    ) -> Result<RecordBatch, QueryError> {
        let mut columns: Vec<ArrayRef> = vec![
            Arc::new(TimestampMillisecondArray::from(times.to_vec()).with_timezone("UTC")),
            Arc::new(Float64Array::from(values.to_vec())),
            texts(runs, |labels| Some(labels.metric_name())),
            Arc::new(histograms),
        ];
        match &self.labels {
            None => columns.push(map(runs)?),
            Some(names) => {
                for run in runs {
                    self.check(&run.labels)?;
                }
                columns.extend(names.iter().map(|name| texts(runs, |labels| labels.get(name))));
            }
        }
        RecordBatch::try_new(self.schema(), columns).map_err(|error| unfit(Box::new(error)))
    }

    /// Series come while others are written; one with a label that nobody knew has no column.
    fn check(&self, labels: &Labels) -> Result<(), QueryError> {
        let Some(known) = &self.labels else { return Ok(()) };
        let is_known = |name: &str| {
            name == METRIC_NAME || known.binary_search_by(|known| known.as_str().cmp(name)).is_ok()
        };
        match labels.iter().find(|(name, _)| !is_known(name)) {
            None => Ok(()),
            Some((name, _)) => Err(unfit(
                format!("the label `{name}` came up while the rows were written; begin once more").into(),
            )),
        }
    }
}

fn unfit(source: Box<dyn std::error::Error + Send + Sync>) -> QueryError {
    QueryError::Storage { doing: "making rows of series".to_owned(), source }
}

/// Texts of which most occur often: they are written once a batch.
fn text() -> DataType {
    DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::Utf8))
}

fn map_type() -> DataType {
    let entries = vec![Field::new("key", DataType::Utf8, false), Field::new("value", DataType::Utf8, true)];
    DataType::Map(Arc::new(Field::new("entries", DataType::Struct(Fields::from(entries)), false)), false)
}

fn free_name(name: &str, taken: &mut BTreeSet<String>) -> String {
    let mut column = format!("label_{name}");
    while !taken.insert(column.to_lowercase()) {
        column.insert_str(0, "label_");
    }
    column
}

fn texts<'a>(runs: &'a [Run], get: impl Fn(&'a Labels) -> Option<&'a str>) -> ArrayRef {
    let mut builder = StringDictionaryBuilder::<Int32Type>::new();
    for run in runs {
        match get(&run.labels) {
            Some(text) => builder.append_values(text, run.points),
            None => builder.append_nulls(run.points),
        }
    }
    Arc::new(builder.finish())
}

fn map(runs: &[Run]) -> Result<ArrayRef, QueryError> {
    let names = MapFieldNames { entry: "entries".into(), key: "key".into(), value: "value".into() };
    let mut builder = MapBuilder::new(Some(names), StringBuilder::new(), StringBuilder::new());
    for run in runs {
        for _ in 0..run.points {
            for (name, value) in run.labels.iter().filter(|(name, _)| *name != METRIC_NAME) {
                builder.keys().append_value(name);
                builder.values().append_value(value);
            }
            builder.append(true).map_err(|error| unfit(Box::new(error)))?;
        }
    }
    Ok(Arc::new(builder.finish()))
}

/// Neighbouring points of one series.
struct Run {
    labels: Labels,
    points: usize,
}

/// Gathers points of series into batches of rows.
pub struct Points<'a> {
    table: &'a PointTable,
    times: Vec<i64>,
    values: Vec<f64>,
    /// Of points that are histograms, what they are.
    histograms: StringBuilder,
    runs: Vec<Run>,
}

impl<'a> Points<'a> {
    /// Nothing yet.
    pub fn new(table: &'a PointTable) -> Self {
        let histograms = StringBuilder::new();
        Self { table, times: Vec::new(), values: Vec::new(), histograms, runs: Vec::new() }
    }

    /// Adds the points of a series; batches that are full go to `each`. Staleness markers are left out:
    /// they say that a series has ended, and are no values. A histogram has NaN for its value, and is a text in JSON
    /// beside it.
    pub fn push(
        &mut self,
        series: &SeriesBuffer,
        each: &mut dyn FnMut(RecordBatch) -> Result<(), QueryError>,
    ) -> Result<(), QueryError> {
        let mut begun = false;
        for (time, value) in series.times_ms.iter().zip(&series.values) {
            if is_stale(*value) {
                continue;
            }
            if self.times.len() >= BATCH_ROWS || (!begun && self.runs.len() >= BATCH_SERIES) {
                self.flush(each)?;
                begun = false;
            }
            match self.runs.last_mut().filter(|_| begun) {
                Some(run) => run.points += 1,
                None => self.runs.push(Run { labels: series.labels.clone(), points: 1 }),
            }
            begun = true;
            self.times.push(*time);
            match series.histograms.of(*value) {
                None => {
                    self.values.push(*value);
                    self.histograms.append_null();
                }
                Some(histogram) => {
                    self.values.push(f64::NAN);
                    self.histograms.append_option(histogram.ok().as_ref().map(json));
                }
            }
        }
        Ok(())
    }

    /// Gives what is gathered to `each`.
    pub fn flush(
        &mut self,
        each: &mut dyn FnMut(RecordBatch) -> Result<(), QueryError>,
    ) -> Result<(), QueryError> {
        if self.times.is_empty() {
            return Ok(());
        }
        let histograms = self.histograms.finish();
        let batch = self.table.batch(&self.times, &self.values, histograms, &self.runs)?;
        self.times.clear();
        self.values.clear();
        self.runs.clear();
        each(batch)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow::array::{Array, AsArray};
    use arrow::datatypes::Float64Type;

    fn columns(labels: &[&str]) -> Vec<String> {
        let table = PointTable::new(labels.iter().map(|name| (*name).to_owned()));
        table.schema().fields().iter().skip(4).map(|field| field.name().clone()).collect()
    }

    #[test]
    fn a_label_whose_name_is_taken_gets_another_one() {
        assert_eq!(columns(&["__name__", "zone", "job"]), ["job", "zone"]);
        assert_eq!(columns(&["name", "day", "Time"]), ["label_Time", "label_day", "label_name"]);
        assert_eq!(columns(&["name", "label_name"]), ["label_name", "label_label_name"]);
        assert_eq!(columns(&["Job", "job"]), ["Job", "label_job"]);
    }

    #[test]
    fn too_many_labels_are_one_map() {
        let names: Vec<String> = (0..=MAX_LABEL_COLUMNS).map(|number| format!("l{number}")).collect();
        let table = PointTable::new(names.clone());
        assert_eq!(table.schema().fields().len(), 5);
        assert_eq!(table.schema().field(4).name(), "labels");
        let series = SeriesBuffer {
            labels: Labels::metric("up", &[("l7", "a\n\"b"), ("l9", "")]),
            times_ms: vec![1, 2],
            values: vec![1.0, model::STALE_NAN],
            ..SeriesBuffer::default()
        };
        let mut rows = Vec::new();
        let mut each = |batch: RecordBatch| {
            rows.push(batch);
            Ok(())
        };
        let mut points = Points::new(&table);
        points.push(&series, &mut each).expect("fits");
        points.flush(&mut each).expect("fits");
        assert_eq!(rows.iter().map(RecordBatch::num_rows).sum::<usize>(), 1, "a marker is no value");
        assert_eq!(PointTable::new(names.into_iter().skip(1)).schema().fields().len(), 4 + MAX_LABEL_COLUMNS);
    }

    #[test]
    fn a_histogram_is_a_text_beside_a_value_that_is_none() {
        let mut series = SeriesBuffer { labels: Labels::metric("h", &[]), ..SeriesBuffer::default() };
        let histogram = series.histograms.push(&model::Histogram { sum: 2.5, ..Default::default() });
        series.times_ms = vec![1, 2];
        series.values = vec![histogram, 7.0];
        let table = PointTable::new(Vec::new());
        let mut points = Points::new(&table);
        let mut rows = Vec::new();
        let mut each = |batch: RecordBatch| {
            rows.push(batch);
            Ok(())
        };
        points.push(&series, &mut each).expect("fits");
        points.flush(&mut each).expect("fits");
        let texts = rows[0].column(3).as_string::<i32>();
        assert!(texts.value(0).contains(r#""sum":2.5"#) && texts.is_null(1), "{texts:?}");
        let values = rows[0].column(1).as_primitive::<Float64Type>();
        assert!(values.value(0).is_nan() && values.value(1) == 7.0);
    }

    #[test]
    fn long_series_and_many_series_are_cut_into_batches_and_nothing_is_lost() {
        let table = PointTable::new(["n".to_owned()]);
        let mut rows = Vec::new();
        let mut each = |batch: RecordBatch| {
            rows.push(batch);
            Ok(())
        };
        let mut points = Points::new(&table);
        let long = SeriesBuffer {
            labels: Labels::metric("a", &[("n", "x")]),
            times_ms: (0..40_000).collect(),
            values: (0..40_000).map(f64::from).collect(),
            ..SeriesBuffer::default()
        };
        points.push(&long, &mut each).expect("fits");
        for number in 0..10_000 {
            let short = SeriesBuffer {
                labels: Labels::metric("b", &[("n", &number.to_string())]),
                times_ms: vec![7],
                values: vec![f64::NAN],
                ..SeriesBuffer::default()
            };
            points.push(&short, &mut each).expect("fits");
        }
        points.flush(&mut each).expect("fits");
        assert_eq!(rows.iter().map(RecordBatch::num_rows).sum::<usize>(), 50_000);
        assert!(rows.iter().all(|batch| batch.num_rows() <= BATCH_ROWS));
        let stranger = SeriesBuffer {
            labels: Labels::metric("c", &[("other", "x")]),
            times_ms: vec![1],
            values: vec![1.0],
            ..SeriesBuffer::default()
        };
        points.push(&stranger, &mut |_| Ok(())).expect("gathered");
        assert!(points.flush(&mut |_| Ok(())).is_err(), "there is no column for it");
    }
}
