//! What is in the fixtures, and how today's code writes it. A recipe whose format has changed gets a new
//! name and makes a new fixture; it never makes an old one again.

use std::path::Path;

use ::model::event::{
    Attributes, AuditCategory, AuditOutcome, Capability, ComponentAction, ExitCause, Flaw, JobAction, Level,
    LogEvent, SpanKind, SpanStatus, StageAction, StageStatus, WorkerAction,
};
use ::model::histogram::{Buckets, CUSTOM_SCHEMA, ResetHint, Span};
use ::model::{Histogram, Labels, MetricBatch, NO_START, STALE_NAN, Sample, SampleRun, Timestamp};
use arrow::array::{
    Array, ArrayRef, BooleanArray, Float64Array, Int64Array, RecordBatch, StringArray,
    TimestampNanosecondArray, UInt64Array, new_null_array,
};
use arrow::datatypes::{DataType, Field};
use std::sync::Arc;
use store::{Batch, EventBatch, Row, Table};

use super::content::{Content, rollups_of};
use super::open_small;
use crate::fixture::{Open, T0, deploy};

const HOUR: i64 = 3_600_000;

/// Writes a store into a directory, and says what is in it.
type Recipe = fn(&Path) -> String;

/// By the name of the fixture: what it is about, and the version of its format.
pub(super) const RECIPES: &[(&str, Recipe)] = &[
    ("wal-2", wal),
    ("metrics-block-2", metrics_block),
    ("wal-2-histograms", wal_histograms),
    ("metrics-block-2-histograms", block_histograms),
    ("wal-2-starts", wal_starts),
    ("metrics-block-2-starts", block_starts),
    ("event-file-2", event_file),
    ("event-file-1-exemplars", exemplars),
    ("event-file-2-records", records),
    ("event-file-2-audit", audit),
    ("event-file-3-ids", ids),
    ("event-file-4-lifted", lifted),
    ("catalog-6", catalog),
];

/// An open store, and what has been put into it.
struct Filled {
    store: Open,
    content: Content,
}

impl Filled {
    fn new(dir: &Path) -> Self {
        Self { store: open_small(dir), content: Content::default() }
    }

    fn put(&mut self, metrics: MetricBatch, events: Vec<EventBatch>) {
        self.content.add(&metrics);
        events.iter().for_each(|events| self.content.add_rows(events));
        self.store.append(Batch { metrics, events }).expect("appended");
    }

    fn checkpoint(&self) {
        self.store.engine.checkpoint().expect("files are written");
    }

    fn end(self) -> String {
        // A shutdown would write a long log to files.
        drop(self.store);
        self.content.text()
    }
}

/// Several segments: metrics alone, then both, with series defined anew in each, late samples and doubles.
fn wal(dir: &Path) -> String {
    let mut filled = Filled::new(dir);
    for round in 0..10 {
        let mut metrics = MetricBatch::new();
        short_series(&mut metrics, T0 + round * 15_000);
        if round % 4 == 3 {
            // One that comes late, and one at a time that has a sample.
            metrics.push_one(&Labels::metric("late", &[]), T0 - round * 1_000, 0.25);
            metrics.push_one(&Labels::metric("late", &[]), T0, round as f64);
        }
        let events = |table: &Table| rows(*table, T0 + round * 15_000, round % 2 == 0);
        let tables = if round < 8 { &[][..] } else { &first_tables() };
        filled.put(metrics, tables.iter().map(events).collect());
    }
    filled.put(MetricBatch::new(), vec![rows(Table::Requests, T0 + HOUR, true)]);
    filled.end()
}

/// A block with chunks of every codec, one of several chunks, and one that ends in staleness.
fn metrics_block(dir: &Path) -> String {
    let mut filled = Filled::new(dir);
    let mut metrics = MetricBatch::new();
    for step in 0..4 {
        short_series(&mut metrics, T0 + step * 15_000);
    }
    let mut series = |name: &str, samples: Vec<(i64, f64)>| {
        let samples: Vec<Sample> =
            samples.into_iter().map(|(time_ms, value)| Sample { time_ms, value }).collect();
        metrics.push(Labels::metric(name, &[("instance", "a:1")]).as_ref(), &samples);
    };
    let regular = |step: i64| T0 + step * 15_000;
    // Jitter of some milliseconds, the same on every machine.
    let jittered = |step: i64| regular(step) + step * step % 7 - 3;
    series("constant_of_several_chunks", (0..9_000).map(|step| (regular(step), 1.0)).collect());
    series("integer_short", (0..40).map(|step| (regular(step), (step * step) as f64 - 100.0)).collect());
    series("float_short", (0..40).map(|step| (jittered(step), step as f64 / 10.0)).collect());
    series("integer_pco", (0..500).map(|step| (regular(step), (step * 17 % 101) as f64)).collect());
    series("float_pco_irregular", (0..500).map(|step| (jittered(step), 20.0 + step as f64 / 8.0)).collect());
    let random = |step: i64| f64::from_bits((step as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15));
    series("any_bits", (0..500).map(|step| (jittered(step), random(step))).collect());
    filled.put(metrics, Vec::new());
    filled.checkpoint();
    filled.end()
}

/// Segments in which samples are histograms: with whole counts and with others, of every kind, and numbers between them.
fn wal_histograms(dir: &Path) -> String {
    let mut filled = Filled::new(dir);
    for round in 0..6 {
        let mut metrics = MetricBatch::new();
        histograms(&mut metrics, round);
        filled.put(metrics, Vec::new());
    }
    filled.end()
}

/// A block with the same, and its rollups when it is merged.
fn block_histograms(dir: &Path) -> String {
    let mut filled = Filled::new(dir);
    let mut metrics = MetricBatch::new();
    (0..600).for_each(|round| histograms(&mut metrics, round));
    filled.put(metrics, Vec::new());
    filled.checkpoint();
    filled.end()
}

fn histograms(metrics: &mut MetricBatch, round: i64) {
    let time = T0 + round * 15_000;
    let counts = |many: u32| (0..many).map(|count| f64::from(count) + round as f64).collect::<Vec<_>>();
    let span = |offset: i32, length: u32| Span { offset, length };
    let exponential = Histogram {
        schema: 3,
        zero_threshold: 1e-3,
        zero_count: 2.0,
        count: 30.0 + round as f64,
        sum: round as f64 * 1.5,
        positive: Buckets { spans: vec![span(-4, 2), span(3, 3)], counts: counts(5) },
        negative: Buckets { spans: vec![span(1, 1)], counts: counts(1) },
        ..Histogram::default()
    };
    let gauge =
        Histogram { count: 0.5, zero_count: f64::NAN, reset: ResetHint::Gauge, ..exponential.clone() };
    let custom = Histogram {
        schema: CUSTOM_SCHEMA,
        count: 3.0,
        positive: Buckets { spans: vec![span(0, 3)], counts: counts(3) },
        custom_bounds: vec![0.1, 1.0],
        reset: ResetHint::NotReset,
        ..Histogram::default()
    };
    for (name, histogram) in [("exponential", exponential), ("gauge", gauge), ("custom", custom)] {
        let value = metrics.histogram(&histogram);
        metrics.push_one(&Labels::metric(name, &[("job", "a")]), time, value);
    }
    let mixed = match round % 3 {
        0 => metrics.histogram(&Histogram { reset: ResetHint::Reset, ..Histogram::default() }),
        1 => round as f64,
        _ => STALE_NAN,
    };
    metrics.push_one(&Labels::metric("mixed", &[]), time, mixed);
}

/// Segments in which samples say since when they count, and others that do not.
fn wal_starts(dir: &Path) -> String {
    let mut filled = Filled::new(dir);
    for round in 0..8 {
        let mut metrics = MetricBatch::new();
        starts(&mut metrics, round);
        if round == 6 {
            // One that comes late, of a start of its own.
            let late = [Sample { time_ms: T0 + 7_000, value: 0.5 }];
            let run = SampleRun { samples: &late, starts: &[T0 + 1] };
            metrics.push_run(Labels::metric("restarted", &[]).as_ref(), run);
        }
        filled.put(metrics, Vec::new());
    }
    filled.end()
}

/// A block with the same, and with chunks that have no start, one from some sample on, and one all the time.
fn block_starts(dir: &Path) -> String {
    let mut filled = Filled::new(dir);
    let mut metrics = MetricBatch::new();
    (0..120).for_each(|round| starts(&mut metrics, round));
    let samples: Vec<Sample> =
        (0..5_000).map(|step| Sample { time_ms: T0 + step * 15_000, value: 1.0 }).collect();
    let told: Vec<i64> = (0..5_000).map(|step| if step < 2_000 { NO_START } else { T0 + 1 }).collect();
    metrics.push_run(Labels::metric("long", &[]).as_ref(), SampleRun { samples: &samples, starts: &told });
    filled.put(metrics, Vec::new());
    filled.checkpoint();
    filled.end()
}

fn starts(metrics: &mut MetricBatch, round: i64) {
    let time_ms = T0 + round * 15_000;
    let mut put = |name: &str, value: f64, start_ms: i64| {
        let run = SampleRun { samples: &[Sample { time_ms, value }], starts: &[start_ms] };
        metrics.push_run(Labels::metric(name, &[]).as_ref(), run);
    };
    put("of_old", round as f64, T0 - HOUR);
    put("restarted", (round % 4) as f64, T0 + (round - round % 4) * 15_000 - 5);
    put("difference", 3.0, time_ms - 15_000);
    put("told_later", round as f64, if (4..=100).contains(&round) { T0 - 1 } else { NO_START });
    put("ended", if round % 3 == 2 { STALE_NAN } else { round as f64 }, T0 - 7);
    put("untold", round as f64, NO_START);
    let value = metrics.histogram(&Histogram { count: round as f64, ..Histogram::default() });
    let run = SampleRun { samples: &[Sample { time_ms, value }], starts: &[T0 - 9] };
    metrics.push_run(Labels::metric("histogram", &[]).as_ref(), run);
}

/// A file of each table: rows of which every column holds something, and rows with as few as may be.
fn event_file(dir: &Path) -> String {
    let mut filled = Filled::new(dir);
    for step in 0..3 {
        let events = |table: &Table| rows(*table, T0 + step * 60_000, step % 2 == 0);
        filled.put(MetricBatch::new(), first_tables().iter().map(events).collect());
    }
    filled.checkpoint();
    filled.end()
}

/// A table that came later, in the log and in a file.
fn exemplars(dir: &Path) -> String {
    later_table(dir, Table::Exemplars)
}

/// The same of what is audited.
fn audit(dir: &Path) -> String {
    later_table(dir, Table::AuditEvents)
}

fn later_table(dir: &Path, table: Table) -> String {
    let mut filled = Filled::new(dir);
    for step in 0..3 {
        filled.put(MetricBatch::new(), vec![rows(table, T0 + step * 60_000, step % 2 == 0)]);
        if step == 1 {
            filled.checkpoint();
        }
    }
    filled.end()
}

/// Records of logs and spans, in the log and in files.
fn records(dir: &Path) -> String {
    let mut filled = Filled::new(dir);
    for step in 0..3 {
        let events = |table: Table| rows(table, T0 + step * 60_000, step % 2 == 0);
        filled.put(MetricBatch::new(), vec![events(Table::Logs), events(Table::Spans)]);
        if step == 1 {
            filled.checkpoint();
        }
    }
    filled.end()
}

/// Records of logs and spans whose ids are hexadecimal digits, in two files and in the log, and some with other ids in
/// the file between these.
fn ids(dir: &Path) -> String {
    let mut filled = Filled::new(dir);
    for step in 0..4 {
        let events = |table: Table| {
            let rows = rows(table, T0 + step * 60_000, step != 3);
            if step == 1 { rows } else { with_ids(rows) }
        };
        filled.put(MetricBatch::new(), vec![events(Table::Logs), events(Table::Spans)]);
        if step < 3 {
            filled.checkpoint();
        }
    }
    filled.end()
}

/// Records of logs in a file in which attributes have columns of their own, in one of so few records that they have none,
/// and in the log.
fn lifted(dir: &Path) -> String {
    let mut filled = Filled::new(dir);
    for (step, count) in [(0, 1_000), (1, 20), (2, 20)] {
        filled.put(MetricBatch::new(), vec![with_attributes(T0 + step * 60_000, count)]);
        if step < 2 {
            filled.checkpoint();
        }
    }
    filled.end()
}

/// So many records with attributes that most have, numbers, some that are none, and names of every kind.
fn with_attributes(time_ms: i64, count: i64) -> EventBatch {
    let log = |row: i64| {
        let number = (row * 7_919 % 10_007) as f64;
        let mut attributes = Attributes::from([
            ("ms".to_owned(), (number / 8.0).to_string()),
            ("point".to_owned(), format!("{:.1}", number / 4.0)),
            ("size".to_owned(), number.to_string()),
            ("a \"name\".ü".to_owned(), format!("text {}", row % 5)),
        ]);
        match row % 50 {
            0 => _ = attributes.insert("size".to_owned(), "unknown".to_owned()),
            1 => attributes.clear(),
            2 => _ = attributes.insert("seldom".to_owned(), String::new()),
            _ => {}
        }
        let time = Timestamp::from_millis(time_ms + row * 10);
        LogEvent { attributes, ..LogEvent::new(time, Arc::default()) }
    };
    let rows: Vec<LogEvent> = (0..count).map(log).collect();
    EventBatch { table: Table::Logs, rows: LogEvent::to_batch(&rows).expect("rows of the table") }
}

/// The same rows with hexadecimal digits for ids.
fn with_ids(EventBatch { table, rows }: EventBatch) -> EventBatch {
    let mut columns = rows.columns().to_vec();
    for (nth, (name, digits)) in table.hex_columns().iter().enumerate() {
        let place = rows.schema().index_of(name).expect("a column of the table");
        let id = |row: usize| {
            let value = (nth + 7 * row + 1) as u128 * 0x9e37_79b9_7f4a_7c15_f39c_0c8d;
            format!("{value:032x}")[32 - usize::from(*digits)..].to_owned()
        };
        let ids = (0..rows.num_rows()).map(|row| columns[place].is_valid(row).then(|| id(row)));
        columns[place] = Arc::new(ids.collect::<StringArray>());
    }
    EventBatch { table, rows: RecordBatch::try_new(rows.schema(), columns).expect("the same schema") }
}

/// The tables that there were when the first fixtures were made. Those that came later have their own.
fn first_tables() -> Vec<Table> {
    let later = [Table::Exemplars, Table::Logs, Table::Spans, Table::AuditEvents];
    Table::ALL.iter().copied().filter(|table| !later.contains(table)).collect()
}

/// Files as flushed, files that were merged, a file that was set aside, and a log above the watermark.
fn catalog(dir: &Path) -> String {
    let mut filled = Filled::new(dir);
    for day in 0..2 {
        for hour in 0..3 {
            let time = T0 + (day * 24 + hour) * HOUR;
            let mut metrics = MetricBatch::new();
            // Each file has one sample that another file had before it.
            metrics.push_one(&Labels::metric("up", &[]), time - HOUR * hour, (day * 24 + hour) as f64);
            metrics.push_one(&Labels::metric("up", &[]), time + 1, (day * 24 + hour) as f64);
            filled.put(metrics, vec![rows(Table::Deploys, time, true)]);
            filled.checkpoint();
        }
        if day == 0 {
            let later = Timestamp::from_millis(T0 + 30 * HOUR);
            assert_eq!(filled.store.engine.compact(later).expect("merged"), 6);
        }
    }
    let before = filled.content.text();
    let mut lost = MetricBatch::new();
    lost.push_one(&Labels::metric("lost", &[]), T0 + 50 * HOUR, 1.0);
    filled.store.append(lost).expect("appended");
    filled.checkpoint();
    let damaged = super::files(&dir.join("metrics"), ".chunks.parquet").pop().expect("a file");
    let mut bytes = std::fs::read(&damaged).expect("read");
    bytes[40] ^= 1;
    std::fs::write(&damaged, bytes).expect("damaged");
    filled.content.set_aside = 1;
    assert_eq!(filled.store.all().len(), 1, "it is set aside when it is read");
    assert_ne!(before, filled.content.text());
    let mut metrics = MetricBatch::new();
    metrics.push_one(&Labels::metric("up", &[]), T0 + 60 * HOUR, 60.0);
    filled.put(metrics, Vec::new());
    filled.content.rollups = rollups_of(&filled.store);
    assert!(filled.content.rollups.contains("rollup"), "a day was rolled up");
    filled.end()
}

/// A sample of each kind of value at `time`, in series whose labels are of any kind too.
fn short_series(metrics: &mut MetricBatch, time: i64) {
    let values = [
        ("one", 1.0),
        ("minus_zero", -0.0),
        ("stale", STALE_NAN),
        ("nan", f64::NAN),
        ("infinity", f64::NEG_INFINITY),
        ("large_integer", 9_007_199_254_740_992.0),
        ("small", f64::MIN_POSITIVE / 4.0),
        ("time", time as f64 / 1000.0),
    ];
    for (name, value) in values {
        let labels: &[(&str, &str)] =
            if name == "one" { &[] } else { &[("job", "täglich \"x\"\n"), ("path", "/a\\b")] };
        metrics.push_one(&Labels::metric(name, labels), time, value);
    }
}

/// Two rows at and after `time_ms`; `full` when every column is to hold something.
fn rows(table: Table, time_ms: i64, full: bool) -> EventBatch {
    let schema = store::schema(table);
    let columns = schema.fields().iter().map(|field| column(table, field, time_ms, full)).collect();
    EventBatch { table, rows: RecordBatch::try_new(schema, columns).expect("rows of the table") }
}

fn column(table: Table, field: &Field, time_ms: i64, full: bool) -> ArrayRef {
    let number = time_ms - T0;
    if field.is_nullable() && !full {
        return new_null_array(field.data_type(), 2);
    }
    let nanos = if field.name() == "time" { time_ms * 1_000_000 + 1 } else { time_ms * 1_000_000 - 5 };
    match field.data_type() {
        DataType::UInt64 => Arc::new(UInt64Array::from(vec![u64::MAX >> 12, number.unsigned_abs()])),
        DataType::Int64 => Arc::new(Int64Array::from(vec![-number, 1 << 40])),
        DataType::Float64 => Arc::new(Float64Array::from(vec![number as f64 / 7.0, -0.0])),
        DataType::Boolean => Arc::new(BooleanArray::from(vec![number % 2 == 0, false])),
        DataType::Timestamp(..) => {
            let times = TimestampNanosecondArray::from(vec![nanos, nanos + 1]);
            Arc::new(times.with_data_type(field.data_type().clone()))
        }
        DataType::Utf8 => Arc::new(StringArray::from(
            (0..2).map(|row| text(table, field.name(), number, row)).collect::<Vec<_>>(),
        )),
        DataType::Map(..) => {
            let attributes = [Attributes::from([("k".to_owned(), format!("ü{number}"))]), Attributes::new()];
            let rows: Vec<_> = attributes
                .into_iter()
                .map(|attributes| ::model::event::DeployEvent { attributes, ..deploy(T0) })
                .collect();
            let batch = ::model::event::DeployEvent::to_batch(&rows).expect("rows");
            Arc::clone(batch.column_by_name("attributes").expect("a column"))
        }
        other => panic!("a column of a type that no table has: {other}"),
    }
}

/// A text of a column: one of its names where the column is an enum.
fn text(table: Table, column: &str, number: i64, row: usize) -> String {
    let nth = |names: Vec<&'static str>| names[(number as usize / 1000 + row) % names.len()].to_owned();
    macro_rules! names {
        ($type:ty) => {
            nth(<$type>::ALL.iter().map(|name| name.as_str()).collect())
        };
    }
    match (table, column) {
        (Table::JobEvents, "action") => names!(JobAction),
        (Table::StageEvents, "action") => names!(StageAction),
        (Table::StageEvents, "status") => names!(StageStatus),
        (Table::ComponentEvents, "action") => names!(ComponentAction),
        (Table::WorkerEvents, "action") => names!(WorkerAction),
        (Table::WorkerEvents, "capability") => names!(Capability),
        (Table::AuditEvents, "category") => names!(AuditCategory),
        (Table::AuditEvents, "outcome") => names!(AuditOutcome),
        (Table::Exits, "cause") => names!(ExitCause),
        (Table::Logs, "level") => names!(Level),
        // Those that there were when the fixtures were made.
        (Table::Logs | Table::Spans, "flaws") => {
            let since = |flaw: &&Flaw| matches!(flaw, Flaw::Severity | Flaw::Values);
            nth(Flaw::ALL.iter().filter(|flaw| !since(flaw)).map(|flaw| flaw.as_str()).collect())
        }
        (Table::Spans, "kind") => names!(SpanKind),
        (Table::Spans, "status") => names!(SpanStatus),
        (Table::Spans, "events") => format!(r#"[{{"name":"{number}.{row} „x“","attributes":{{"k":"v"}}}}]"#),
        (Table::Spans, "links") => format!(r#"[{{"trace_id":"{number}.{row}","trace_flags":1}}]"#),
        _ => format!("{column} {number}.{row} „x\"\n"),
    }
}
