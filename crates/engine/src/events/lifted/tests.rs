use std::sync::Arc;

use arrow::array::{
    Array, AsArray, BooleanArray, MapArray, MapBuilder, MapFieldNames, StringBuilder,
    TimestampNanosecondArray,
};
use arrow::compute::{concat_batches, filter_record_batch};
use arrow::datatypes::{Schema, SchemaRef, TimeUnit};
use model::event::{Attributes, LogEvent, Origin};
use model::{TimeRange, Timestamp};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use parquet::basic::{Compression, Encoding};
use parquet::errors::ParquetError;
use store::{EventScan, FoldedText, OwnTest, Phrase, QueryError, Row, RowTest, TelemetryStore, TextPattern};

use super::*;
use crate::events::filter::RowFilter;
use crate::events::times_of;
use crate::events::write::tests::written_with;
use crate::query::without_damaged;
use crate::testing::Stored;

type Map = Vec<(String, Option<String>)>;

/// Rows with a time each and maps, some of which are null.
fn rows_of(maps: &[Option<Map>]) -> RecordBatch {
    let names = MapFieldNames { entry: "entries".into(), key: "key".into(), value: "value".into() };
    let mut builder = MapBuilder::new(Some(names), StringBuilder::new(), StringBuilder::new());
    for map in maps {
        for (key, value) in map.iter().flatten() {
            builder.keys().append_value(key);
            builder.values().append_option(value.as_ref());
        }
        builder.append(map.is_some()).expect("as many keys as values");
    }
    let attributes = builder.finish();
    let times = TimestampNanosecondArray::from_iter_values(0..maps.len() as i64).with_timezone("UTC");
    let time = DataType::Timestamp(TimeUnit::Nanosecond, Some("UTC".into()));
    let fields = vec![
        ArrowField::new("time", time, false),
        ArrowField::new("attributes", attributes.data_type().clone(), true),
    ];
    let columns: Vec<ArrayRef> = vec![Arc::new(times), Arc::new(attributes)];
    RecordBatch::try_new(Arc::new(Schema::new(fields)), columns).expect("rows")
}

/// Names that could be taken for something else.
const KEYS: [&str; 9] =
    ["", "a", "a.b", "attributes", "attributes.a", "duration_ms", "entries.key", "quoted \"'\\\n", "ключ ☃"];

fn value(chance: &mut fastrand::Rng) -> Option<String> {
    Some(match chance.u8(0..12) {
        0 => return None,
        1 => String::new(),
        2 => "-0".to_owned(),
        3 => "12.0".to_owned(),
        4 => "1e3".to_owned(),
        5 => "text".to_owned(),
        6 => "9007199254740993".to_owned(),
        7..10 => chance.i64(-1_000..1_000).to_string(),
        _ => (chance.i64(-1_000_000..1_000_000) as f64 / 1000.0).to_string(),
    })
}

/// A map of some of the keys, nearly always in order.
fn map(chance: &mut fastrand::Rng) -> Option<Map> {
    if chance.u8(0..10) == 0 {
        return None;
    }
    let often = chance.u8(0..3) > 0;
    let mut map = Map::new();
    for key in KEYS {
        if often && key.len() % 2 == 1 || chance.u8(0..4) == 0 {
            map.push((key.to_owned(), value(chance)));
        }
    }
    if chance.u8(0..20) == 0 {
        // No such maps are made, but whoever finds one keeps it.
        map.extend_from_within(..map.len() / 2);
        chance.shuffle(&mut map);
    }
    Some(map)
}

fn columns(chance: &mut fastrand::Rng) -> Vec<Column> {
    let decimals = [&["1"][..], &["0.125"], &["1.0", "2.0", "0.5"], &["1.25", "2.50"]];
    let mut columns = Vec::new();
    for key in KEYS.iter().chain(&["absent"]) {
        match chance.usize(0..decimals.len() + 4) {
            0..2 => {}
            2..4 => columns.push(Column::new("attributes", key, Kind::Text)),
            place => {
                let decimal = Decimal::of(decimals[place - 4]).expect("numbers");
                columns.push(Column::new("attributes", key, Kind::Number(decimal)));
            }
        }
    }
    columns
}

#[test]
fn maps_come_back_from_a_file_as_they_were_whatever_is_lifted() {
    let mut chance = fastrand::Rng::with_seed(11);
    for round in 0..200 {
        let maps: Vec<Option<Map>> = (0..chance.usize(1..60)).map(|_| map(&mut chance)).collect();
        let rows = rows_of(&maps);
        let lifted = columns(&mut chance);
        let (from, count) = (chance.usize(0..maps.len()), maps.len());
        let (input, footer) = written_with(Table::Logs, rows.schema(), lifted.clone(), |file| {
            // Parts of batches begin somewhere in what holds their maps.
            file.push(&rows.slice(0, from)).expect("taken");
            file.push(&rows.slice(from, count - from)).expect("taken");
        });
        let told = Lifted::of(&footer).expect("its metadata");
        assert_eq!(told.columns().count(), lifted.len());
        for column in told.columns() {
            let name = column.name();
            let parquet = footer.metadata().row_group(0).columns().iter();
            let parquet = parquet.filter(|chunk| chunk.column_path().parts() == [name.clone()]);
            assert_eq!(parquet.count(), 1, "{name:?}");
        }
        let reader = ParquetRecordBatchReaderBuilder::new_with_metadata(input, footer).with_batch_size(17);
        let batches =
            reader.build().expect("a reader").map(|rows| rows.and_then(|rows| told.remade(rows, |_| true)));
        let batches = batches.collect::<Result<Vec<_>, _>>().expect("read");
        assert_eq!(concat_batches(&rows.schema(), &batches).expect("one schema"), rows, "round {round}");
    }
}

#[test]
fn a_value_that_would_not_come_back_stays_in_its_map_and_the_column_says_so() {
    let of = |values: &[(&str, Option<&str>)]| -> Option<Map> {
        Some(values.iter().map(|(key, value)| ((*key).to_owned(), value.map(str::to_owned))).collect())
    };
    let maps: Vec<Option<Map>> = vec![
        of(&[("n", Some("1.5")), ("other", Some("x")), ("t", Some("1.50"))]),
        of(&[("n", Some("1.50"))]),
        of(&[]),
        None,
        of(&[("null", None), ("t", Some(""))]),
        of(&[("z", Some("2")), ("a", Some("1"))]),
    ];
    let number = Kind::Number(Decimal::of(&["0.5"]).expect("a number"));
    let column = |key, kind| Column::new("attributes", key, kind);
    let lifted = vec![
        column("t", Kind::Text),
        column("n", number),
        column("null", Kind::Text),
        column("z", Kind::Text),
        Column::new("resource_attributes", "n", number),
    ];
    let rows = rows_of(&maps);
    let mut lifting = Lifting::new(rows.schema_ref(), lifted);
    let split = lifting.split(&rows).expect("split");
    let names: Vec<&str> = split.schema_ref().fields().iter().map(|field| field.name().as_str()).collect();
    let expected = ["time", "attributes", "attributes.n", "attributes.null", "attributes.t", "attributes.z"];
    assert_eq!(names, expected);
    let rest = split.column(1).as_map();
    let lengths: Vec<Option<i32>> =
        (0..6).map(|row| rest.is_valid(row).then(|| rest.value_length(row))).collect();
    assert_eq!(lengths, [Some(1), Some(1), Some(0), None, Some(1), Some(2)]);
    let numbers: Vec<Option<i64>> =
        split.column(2).as_primitive::<arrow::datatypes::Int64Type>().iter().collect();
    assert_eq!(numbers, [Some(15), None, None, None, None, None]);
    let told =
        told::read(lifting.to_metadata().map(|pair| vec![pair]).as_ref(), split.schema_ref()).expect("read");
    let whole: Vec<(&str, bool)> =
        told.columns().map(|column| (column.key.as_str(), column.is_whole)).collect();
    assert_eq!(whole, [("n", false), ("null", false), ("t", true), ("z", false)]);
    assert_eq!(told.remade(split, |_| true).expect("remade"), rows);
}

#[test]
fn what_is_looked_at_says_which_columns_are_read() {
    let schema = rows_of(&[]).schema();
    let lifting = Lifting::new(
        &schema,
        vec![
            Column::new("attributes", "whole", Kind::Text),
            Column { is_whole: false, ..Column::new("attributes", "part", Kind::Text) },
        ],
    );
    let pair = lifting.to_metadata().expect("something is lifted");
    let told = told::read(Some(&vec![pair]), lifting.schema()).expect("read");
    let entries =
        |keys: &[&str]| Entries::all().only("attributes", keys.iter().map(|key| (*key).to_owned()).collect());
    let cases = [
        (Entries::all(), vec!["attributes.part", "attributes.whole", "attributes"]),
        (entries(&["whole"]), vec!["attributes.whole"]),
        (entries(&["part"]), vec!["attributes.part", "attributes"]),
        (entries(&["none"]), vec!["attributes"]),
        (entries(&["none", "whole"]), vec!["attributes.whole", "attributes"]),
    ];
    for (entries, expected) in cases {
        assert_eq!(told.columns_of("attributes", &entries), expected, "{entries:?}");
        assert_eq!(told.columns_of("time", &entries), ["time"]);
    }
    assert_eq!(Lifted::default().columns_of("attributes", &entries(&["whole"])), ["attributes"]);
}

/// A store of logs.
struct Logs(Stored);

/// A record with attributes whose names and values follow from its number.
fn log(number: i64, chance: &mut fastrand::Rng) -> LogEvent {
    let mut attributes = Attributes::from([
        ("duration_ms".to_owned(), (chance.i64(0..100_000) as f64 / 100.0).to_string()),
        ("size".to_owned(), chance.i64(-50..5_000).to_string()),
        ("status".to_owned(), (200 + number % 5).to_string()),
        ("user.name".to_owned(), format!("Name {} of \"users\"", number % 300)),
    ]);
    match number % 40 {
        0 => _ = attributes.insert("size".to_owned(), "unknown size".to_owned()),
        1 => _ = attributes.remove("duration_ms"),
        2 => attributes.clear(),
        3..=6 => _ = attributes.insert("seldom".to_owned(), number.to_string()),
        8 => _ = attributes.insert("very seldom".to_owned(), "x".to_owned()),
        _ => {}
    }
    let resource_attributes = Attributes::from([("node".to_owned(), format!("node-{}", number % 3))]);
    let origin = Arc::new(Origin { resource_attributes, ..Origin::default() });
    LogEvent { attributes, ..LogEvent::new(Timestamp::from_millis(number), origin) }
}

fn logs(numbers: std::ops::Range<i64>) -> RecordBatch {
    let mut chance = fastrand::Rng::with_seed(numbers.start as u64);
    let rows: Vec<LogEvent> = numbers.map(|number| log(number, &mut chance)).collect();
    LogEvent::to_batch(&rows).expect("rows of one table")
}

impl Logs {
    /// What is lifted in the files.
    fn lifted(&self) -> Vec<Vec<Column>> {
        let of_file = |footer: &ArrowReaderMetadata| {
            Lifted::of(footer).expect("its metadata").columns().cloned().collect()
        };
        self.0.footers().iter().map(of_file).collect()
    }

    fn scanned(&self, scan: &EventScan) -> Vec<LogEvent> {
        let batches = self.0.engine.scan(scan).expect("scanned");
        batches.iter().flat_map(|rows| LogEvent::from_batch(rows).expect("rows of the table")).collect()
    }

    fn rows(&self) -> Vec<LogEvent> {
        self.scanned(&EventScan::new(Table::Logs, TimeRange::ALL, usize::MAX))
    }

    fn times(&self, predicate: &Predicate) -> Vec<i64> {
        let scan = EventScan::new(Table::Logs, TimeRange::ALL, usize::MAX).matching(predicate.clone());
        self.scanned(&scan).iter().map(|row| row.time.as_nanos() / 1_000_000).collect()
    }
}

/// Names, whether there are numbers, and whether all values are in the column.
fn told_of(columns: &[Column]) -> Vec<(String, bool, bool)> {
    let is_number = |column: &Column| matches!(column.kind, Kind::Number(_));
    columns.iter().map(|column| (column.name(), is_number(column), column.is_whole)).collect()
}

fn expected(columns: &[(&str, bool, bool)]) -> Vec<(String, bool, bool)> {
    columns.iter().map(|(name, is_number, is_whole)| ((*name).to_owned(), *is_number, *is_whole)).collect()
}

#[test]
fn rows_are_the_same_once_they_are_in_files_and_once_these_are_merged() {
    let stored = Logs(Stored::new());
    let parts = [logs(0..3_000), logs(3_000..3_500), logs(3_500..6_000)];
    let before: Vec<LogEvent> =
        parts.iter().flat_map(|rows| LogEvent::from_batch(rows).expect("rows of the table")).collect();
    parts.into_iter().for_each(|rows| stored.0.write(Table::Logs, rows));
    assert_eq!(stored.rows(), before);
    let lifted = stored.lifted();
    let of_many = expected(&[
        ("attributes.duration_ms", true, true),
        ("attributes.seldom", true, true),
        ("attributes.size", true, false),
        ("attributes.status", false, true),
        ("attributes.user.name", false, true),
        ("resource_attributes.node", false, true),
    ]);
    assert_eq!(told_of(&lifted[0]), of_many);
    assert!(lifted[1].is_empty(), "there are too few rows");
    assert_eq!(told_of(&lifted[2]), of_many);
    let far = Timestamp::from_millis(3 * 86_400_000);
    assert_eq!(stored.0.engine.compact_days(far).expect("merged"), 3);
    assert_eq!(stored.rows(), before);
    let merged = stored.lifted();
    assert_eq!(merged.iter().map(|columns| told_of(columns)).collect::<Vec<_>>(), [of_many]);
}

#[test]
fn files_in_which_nothing_is_lifted_are_merged_to_one_in_which_something_is() {
    let stored = Logs(Stored::new());
    let parts = [logs(0..900), logs(900..1_800), logs(1_800..2_000)];
    let before: Vec<LogEvent> =
        parts.iter().flat_map(|rows| LogEvent::from_batch(rows).expect("rows of the table")).collect();
    parts.into_iter().for_each(|rows| stored.0.write(Table::Logs, rows));
    assert!(stored.lifted().iter().all(Vec::is_empty));
    let far = Timestamp::from_millis(3 * 86_400_000);
    assert_eq!(stored.0.engine.compact_days(far).expect("merged"), 3);
    assert_eq!(stored.rows(), before);
    let names: Vec<String> = stored.lifted().iter().flatten().map(Column::name).collect();
    assert!(names.contains(&"attributes.duration_ms".to_owned()), "{names:?}");
}

/// Rows in which an attribute has so many bytes at least, or any of them has.
#[derive(Debug)]
struct Long(Option<&'static str>, usize);

impl RowTest for Long {
    fn columns(&self) -> Vec<&str> {
        vec!["attributes"]
    }

    fn attribute(&self, _column: &str) -> Option<&str> {
        self.0
    }

    fn mask(&self, rows: &RecordBatch) -> Result<BooleanArray, ArrowError> {
        let maps: Option<&MapArray> = rows.column_by_name("attributes").map(AsArray::as_map);
        let is_long = |row: usize| {
            let Some(maps) = maps.filter(|maps| maps.is_valid(row)) else { return false };
            let entries = maps.value(row);
            let (keys, values) = (entries.column(0).as_string::<i32>(), entries.column(1).as_string::<i32>());
            (0..keys.len()).any(|entry| {
                self.0.is_none_or(|key| key == keys.value(entry)) && values.value(entry).len() >= self.1
            })
        };
        Ok((0..rows.num_rows()).map(|row| Some(is_long(row))).collect())
    }
}

fn any_test(chance: &mut fastrand::Rng) -> Test {
    const OPS: [FilterOp; 8] = [
        FilterOp::Equal,
        FilterOp::NotEqual,
        FilterOp::AtLeast,
        FilterOp::Greater,
        FilterOp::AtMost,
        FilterOp::Less,
        FilterOp::Contains,
        FilterOp::ContainsWords,
    ];
    const TEXTS: [&str; 14] = [
        "",
        "0",
        "200",
        "204",
        "12.5",
        "12.50",
        "-7",
        "-0",
        "unknown size",
        "unknown",
        "Name 7 of \"users\"",
        "users",
        "node-1",
        "x",
    ];
    let text = match chance.u8(0..3) {
        0 => (chance.i64(0..100_000) as f64 / 100.0).to_string(),
        1 => chance.i64(-50..5_000).to_string(),
        _ => TEXTS[chance.usize(0..TEXTS.len())].to_owned(),
    };
    match chance.u8(0..12) {
        0 => Test::Exists,
        1 => Test::Words(Phrase::of(&text)),
        2 => Test::Contains(FoldedText::new(&text.to_uppercase())),
        3 => Test::Matches(TextPattern::new(regex::Regex::new("[3-5]$").expect("a pattern"), [])),
        place => Test::Compare(OPS[usize::from(place - 4)], text.as_str().into()),
    }
}

fn predicate(chance: &mut fastrand::Rng, depth: u8) -> Predicate {
    const ATTRIBUTES: [&str; 8] =
        ["duration_ms", "size", "status", "user.name", "seldom", "very seldom", "none", ""];
    let parts =
        |chance: &mut fastrand::Rng| (0..chance.u8(1..4)).map(|_| predicate(chance, depth - 1)).collect();
    match chance.u8(0..10) {
        0 if depth > 0 => Predicate::All(parts(chance)),
        1 | 2 if depth > 0 => Predicate::Any(parts(chance)),
        3 if depth > 0 => predicate(chance, depth - 1).opposite(),
        4 => Predicate::attribute("resource_attributes", "node", any_test(chance)),
        5 => {
            let keys = [None, Some("duration_ms"), Some("size"), Some("very seldom")];
            Predicate::Own(OwnTest(Arc::new(Long(keys[chance.usize(0..keys.len())], chance.usize(1..8)))))
        }
        _ => {
            let key = ATTRIBUTES[chance.usize(0..ATTRIBUTES.len())];
            Predicate::attribute("attributes", key, any_test(chance))
        }
    }
}

#[test]
fn conditions_hold_for_the_same_rows_whether_attributes_are_lifted_or_not() {
    let rows = logs(0..4_000);
    let stored = Logs(Stored::new());
    stored.0.write(Table::Logs, rows.clone());
    assert_eq!(stored.lifted()[0].len(), 6);
    let schema = store::schema(Table::Logs);
    let rows = store::conform(&rows, &schema).expect("columns of the table");
    let mut chance = fastrand::Rng::with_seed(5);
    let mut found = 0;
    for _ in 0..400 {
        let predicate = predicate(&mut chance, 2);
        let filter = RowFilter::new(&schema, [predicate.clone()]).expect("valid");
        let mask = filter.mask(&rows, TimeRange::ALL).expect("kernels");
        let left = filter_record_batch(&rows, &mask).expect("kernels");
        let expected: Vec<i64> =
            times_of(&left).expect("times").values().iter().map(|time| time / 1_000_000).collect();
        assert_eq!(stored.times(&predicate), expected, "{predicate:?}");
        found += usize::from(!expected.is_empty());
    }
    assert!(found > 100, "only {found} of the predicates hold for any row");
}

#[test]
fn columns_of_numbers_are_written_as_their_differences() {
    let rows = logs(0..2_000);
    let lifted = of_rows(Table::Logs, [&rows]);
    let (_, footer) =
        written_with(Table::Logs, rows.schema(), lifted, |file| file.push(&rows).expect("taken"));
    let columns = footer.metadata().row_group(0).columns();
    let column = |name: &str| {
        columns.iter().find(|column| column.column_path().parts() == [name.to_owned()]).expect("a column")
    };
    let numbers = column("attributes.duration_ms");
    assert_eq!(numbers.compression(), Compression::UNCOMPRESSED);
    assert!(numbers.encodings().any(|encoding| encoding == Encoding::DELTA_BINARY_PACKED));
    assert!(numbers.dictionary_page_offset().is_none());
    assert!(column("attributes.status").dictionary_page_offset().is_some());
}

#[test]
fn a_file_that_says_what_is_not_known_is_an_error_and_is_not_set_aside() {
    let schema: SchemaRef = rows_of(&[]).schema();
    let pair = parquet::file::metadata::KeyValue::new(
        "watchkeeper.lifted".to_owned(),
        r#"{"version":2,"columns":[]}"#.to_owned(),
    );
    let error = told::read(Some(&vec![pair]), &schema).expect_err("another version");
    let text = error.to_string();
    assert!(text.contains("version 2") && text.contains("watchkeeper.lifted"), "{text}");

    let stored = Logs(Stored::new());
    stored.0.write(Table::Logs, logs(0..100));
    let rows = stored.rows();
    let core = stored.0.engine.core();
    let view = core.view();
    let file = &view.files[0];
    let read = without_damaged::<()>(core, file, Err(error.into()));
    assert!(matches!(read, Err(QueryError::Storage { .. })), "{read:?}");
    assert!(!file.is_quarantined());
    assert_eq!(stored.rows(), rows);
    // Of all else that cannot be read it is known that it is wrong.
    let read = without_damaged::<()>(core, file, Err(ParquetError::General("no rows".to_owned()).into()));
    assert!(matches!(read, Ok(None)), "{read:?}");
    assert!(file.is_quarantined());
}
