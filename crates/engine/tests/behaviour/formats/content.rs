//! What a store holds, as text. Samples stand in runs: the time of the first, the step to the next in
//! milliseconds, how many there are, and the bits of the value that all of them have. Of a row stand the
//! columns that hold something, so that a table may get more columns.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::time::Duration;

use ::model::{MetricBatch, TimeRange, Timestamp};
use arrow::array::{Array, AsArray, RecordBatch};
use arrow::datatypes::{DataType, Float64Type, Int64Type, TimestampNanosecondType, UInt64Type};
use store::{Cancel, EventBatch, EventScan, RollupBuffer, RollupPart, SelectRequest, Table, TelemetryStore};

use crate::fixture::{Open, Series, T0, told};

/// What was put into a store.
#[derive(Default)]
pub(super) struct Content {
    series: BTreeMap<String, BTreeMap<i64, u64>>,
    rows: BTreeMap<Table, Vec<String>>,
    pub(super) set_aside: u64,
    /// As [`rollups_of`] writes them.
    pub(super) rollups: String,
}

impl Content {
    /// Of two samples at one time the first stays.
    pub(super) fn add(&mut self, metrics: &MetricBatch) {
        for (labels, run) in metrics.runs() {
            let series = self.series.entry(labels.to_string()).or_default();
            for (sample, start_ms) in run.iter() {
                let told = told(sample.value, metrics.histograms(), start_ms);
                series.entry(sample.time_ms).or_insert(told);
            }
        }
    }

    /// Rows come in ascending order of time.
    pub(super) fn add_rows(&mut self, events: &EventBatch) {
        self.rows.entry(events.table).or_default().extend(lines(&events.rows));
    }

    pub(super) fn text(&self) -> String {
        let mut series = Series::new();
        for (labels, samples) in &self.series {
            series.insert(labels.clone(), samples.iter().map(|(time, bits)| (*time, *bits)).collect());
        }
        text(&series, &self.rows, self.set_aside) + &self.rollups
    }
}

/// What is in a store.
pub(super) fn content_of(store: &Open) -> String {
    let series = store.all();
    let mut rows = BTreeMap::new();
    for table in Table::ALL {
        let scan = EventScan::new(*table, TimeRange::ALL, 100_000);
        let batches = store.engine.scan(&scan).expect("a scan");
        let all: Vec<String> = batches.iter().flat_map(lines).collect();
        if !all.is_empty() {
            rows.insert(*table, all);
        }
    }
    text(&series, &rows, store.engine.stats().quarantined_files) + &rollups_of(store)
}

/// What rollups say of the days around which tests put their data.
pub(super) fn rollups_of(store: &Open) -> String {
    const DAY: i64 = 24 * 3_600_000;
    let (from, to) = (Timestamp::from_millis(T0 - 2 * DAY), Timestamp::from_millis(T0 + 2 * DAY));
    let range = TimeRange::new(from, to);
    let request = SelectRequest {
        matchers: Vec::new(),
        range,
        values: None,
        max_samples: u64::MAX,
        cancel: Cancel::never(),
    };
    let mut text = String::new();
    for (minutes, part) in [5, 60].into_iter().flat_map(|minutes| RollupPart::ALL.map(|part| (minutes, part)))
    {
        let opened =
            store.engine.rollups(&request, Duration::from_secs(minutes * 60), &[part]).expect("a query");
        let Some(mut cursor) = opened else { continue };
        let mut series = RollupBuffer::default();
        while cursor.next_series(&mut series).expect("a series") {
            writeln!(text, "rollup {part:?} of {minutes} min {}", series.labels).expect("a string");
            let bits = series.parts[0].iter().map(|value| value.to_bits());
            let samples: Vec<(i64, u64)> = series.times_ms.iter().copied().zip(bits).collect();
            for (first, step, count, bits) in runs(&samples) {
                writeln!(text, "  {first} +{step} x{count} {bits:016x}").expect("a string");
            }
        }
    }
    text
}

fn text(series: &Series, rows: &BTreeMap<Table, Vec<String>>, set_aside: u64) -> String {
    let mut text = format!("{set_aside} files are set aside\n");
    for (labels, samples) in series {
        writeln!(text, "series {labels}").expect("a string");
        for (first, step, count, bits) in runs(samples) {
            writeln!(text, "  {first} +{step} x{count} {bits:016x}").expect("a string");
        }
    }
    for (table, lines) in rows {
        writeln!(text, "rows of {}", table.name()).expect("a string");
        for line in lines {
            writeln!(text, " {line}").expect("a string");
        }
    }
    text
}

fn runs(samples: &[(i64, u64)]) -> Vec<(i64, i64, usize, u64)> {
    let mut runs: Vec<(i64, i64, usize, u64)> = Vec::new();
    let mut last = 0;
    for (time, bits) in samples.iter().copied() {
        match runs.last_mut() {
            Some((_, step, count, same)) if *same == bits && (*count == 1 || *step == time - last) => {
                *step = time - last;
                *count += 1;
            }
            _ => runs.push((time, 0, 1, bits)),
        }
        last = time;
    }
    runs
}

fn lines(rows: &RecordBatch) -> Vec<String> {
    let schema = rows.schema();
    let line = |row: usize| {
        let mut line = String::new();
        for (field, column) in schema.fields().iter().zip(rows.columns()) {
            if column.is_valid(row) {
                let value = value(column.as_ref(), row);
                write!(line, " {}={value}", field.name()).expect("a string");
            }
        }
        line
    };
    (0..rows.num_rows()).map(line).collect()
}

fn value(column: &dyn Array, row: usize) -> String {
    match column.data_type() {
        DataType::UInt64 => column.as_primitive::<UInt64Type>().value(row).to_string(),
        DataType::Int64 => column.as_primitive::<Int64Type>().value(row).to_string(),
        DataType::Float64 => format!("{:?}", column.as_primitive::<Float64Type>().value(row)),
        DataType::Boolean => column.as_boolean().value(row).to_string(),
        DataType::Utf8 => format!("{:?}", column.as_string::<i32>().value(row)),
        DataType::Timestamp(..) => column.as_primitive::<TimestampNanosecondType>().value(row).to_string(),
        DataType::Map(..) => {
            let entries = column.as_map().value(row);
            let text = |column: usize, entry| value(entries.column(column).as_ref(), entry);
            let pairs: Vec<String> =
                (0..entries.len()).map(|entry| format!("{}:{}", text(0, entry), text(1, entry))).collect();
            format!("{{{}}}", pairs.join(","))
        }
        other => panic!("a column of a type that no table has: {other}"),
    }
}
