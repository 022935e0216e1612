use std::borrow::Cow;
use std::iter;

use arrow::array::{ArrayRef, AsArray, UInt64Array};
use arrow::datatypes::TimestampNanosecondType;
use model::Timestamp;
use model::event::LogEvent;
use parquet::basic::{Compression, Type};
use store::{Cancel, EventPass, EventScan, FilterOp, Predicate, Row, Table, TelemetryStore, Test, schema};

use super::pages::Ranges;
use super::prune::leaf;
use super::*;
use crate::events::footer::of_group;
use crate::events::write::tests::{written, written_of, written_with};
use crate::events::{ids, lifted};
use crate::testing::{Stored, deploys, logs};

fn compared(column: &'static str, op: FilterOp, value: &str) -> Predicate {
    Predicate::column(column, Test::Compare(op, value.into()))
}

fn filter(predicate: Predicate) -> RowFilter {
    RowFilter::new(&schema(Table::Deploys), [predicate]).expect("columns of the table")
}

fn condition(column: &'static str, op: FilterOp, value: &str) -> RowFilter {
    filter(compared(column, op, value))
}

#[test]
fn row_groups_and_pages_are_passed_over_by_their_bounds() {
    let rows: Vec<i64> = (1_000_000..1_160_000).collect();
    let (input, footer) = written(|file| file.push(&deploys(&rows)).expect("taken"));
    let nothing = Lifted::default();
    let may_match = |group, filter: &RowFilter| {
        left_of(&input, &footer, &nothing, group, filter, TimeRange::ALL).expect("read").is_some()
    };
    let newer = condition("event_id", FilterOp::AtLeast, "e1140000");
    assert_eq!([may_match(0, &newer), may_match(1, &newer)], [false, true]);
    let older = condition("event_id", FilterOp::Less, "e1000003");
    assert_eq!([may_match(0, &older), may_match(1, &older)], [true, false]);
    let everywhere = condition("service", FilterOp::Equal, "service-1");
    assert!(may_match(0, &everywhere) && may_match(1, &everywhere));
    let null = condition("url", FilterOp::NotEqual, "x");
    assert!(!may_match(0, &null), "all are null");
    let either = |one, other| filter(Predicate::Any(vec![one, other]));
    let old = || compared("event_id", FilterOp::Less, "e1000003");
    let new = || compared("event_id", FilterOp::AtLeast, "e1159990");
    let nowhere = || compared("event_id", FilterOp::Equal, "f");
    assert_eq!([0, 1].map(|group| may_match(group, &either(old(), nowhere()))), [true, false]);
    assert_eq!([0, 1].map(|group| may_match(group, &either(new(), old()))), [true, true]);
    assert!(!may_match(0, &either(nowhere(), nowhere())));
    assert!(may_match(0, &filter(nowhere().opposite())));
    let left = left_of(&input, &footer, &nothing, 0, &either(new(), old()), TimeRange::ALL).expect("read");
    assert_eq!(left.map(|left| left.parts().to_vec()), Some(vec![old()]), "it says what is not known yet");

    let first = of_group(&footer, &input, 0).expect("a footer");
    let pages = |filter| pages_that_may_match(&first, filter).expect("indexes");
    assert_eq!(pages(&everywhere), None);
    let pages = pages(&older).expect("a part of the rows");
    let selected = pages.row_count();
    assert!((3..20_000).contains(&selected), "{selected}");
    assert!(!pages.iter().next().expect("rows").skip, "the first rows are among them");
    let middle = || compared("event_id", FilterOp::Equal, "e1060000");
    let both = pages_that_may_match(&first, &either(old(), middle())).expect("indexes");
    let both = both.expect("a part of the rows").row_count();
    assert!((selected + 1..40_000).contains(&both), "{both}");
    let unknown = either(old(), compared("service", FilterOp::Contains, "x"));
    assert_eq!(pages_that_may_match(&first, &unknown).expect("indexes"), None);
}

#[test]
fn ids_that_are_bytes_are_passed_over_by_bounds_by_bloom_filters_and_by_pages() {
    let id = |number: u32| format!("ab{number:030x}");
    let texts: Vec<String> = (0..40_000).step_by(2).map(id).collect();
    let pairs: Vec<(Option<&str>, Option<&str>)> = texts.iter().map(|id| (Some(id.as_str()), None)).collect();
    let rows = logs(0, &pairs);
    let columns = ids::schema_of_rows(Table::Logs, rows.schema(), [&rows]);
    let (input, footer) = written_of(Table::Logs, columns, |file| file.push(&rows).expect("taken"));
    let nothing = Lifted::default();
    let column = leaf(&footer, "trace_id").expect("a column of the file");
    let column = footer.metadata().row_group(0).column(column);
    assert_eq!(
        (column.column_type(), column.compression()),
        (Type::FIXED_LEN_BYTE_ARRAY, Compression::UNCOMPRESSED)
    );

    let filter = |op, text: &str| {
        RowFilter::new(&schema(Table::Logs), [compared("trace_id", op, text)]).expect("valid")
    };
    let may_match = |op, text: &str| {
        let filter = filter(op, text);
        left_of(&input, &footer, &nothing, 0, &filter, TimeRange::ALL).expect("read").is_some()
    };
    let (first, last) = (id(0), id(39_998));
    let by_bounds = [
        (FilterOp::AtLeast, last.as_str(), true),
        (FilterOp::Greater, last.as_str(), false),
        (FilterOp::AtMost, first.as_str(), true),
        (FilterOp::Less, first.as_str(), false),
        (FilterOp::AtLeast, "ab", true),
        (FilterOp::AtLeast, "ac", false),
        (FilterOp::AtMost, "ab", false),
        (FilterOp::Equal, "ac000000000000000000000000000000", false),
        (FilterOp::NotEqual, "ac", true),
    ];
    for (op, text, expected) in by_bounds {
        assert_eq!(may_match(op, text), expected, "{op:?} {text}");
    }
    for number in (0..200).map(|number| number * 200) {
        assert!(may_match(FilterOp::Equal, &id(number)), "{number} is there");
        assert!(!may_match(FilterOp::Equal, &id(number).to_uppercase()), "{number}, not as it is written");
        assert!(!may_match(FilterOp::Equal, &id(number)[..31]), "a part of {number}");
    }
    let absent = (0..200).map(|number| id(number * 200 + 1));
    let seem_there = absent.filter(|id| may_match(FilterOp::Equal, id)).count();
    assert!(seem_there < 20, "{seem_there} of 200 that are not there seem to be");

    let group = of_group(&footer, &input, 0).expect("a footer");
    let pages = pages_that_may_match(&group, &filter(FilterOp::Equal, &id(20_000))).expect("indexes");
    let selected = pages.expect("a part of the rows").row_count();
    assert!((1..10_000).contains(&selected), "{selected}");
}

#[test]
fn batches_are_small_where_maps_get_long_names_back() {
    let name = |place: usize| format!("{place:02}{}", "x".repeat(120));
    let rows: Vec<LogEvent> = (0..2_000)
        .map(|number| LogEvent {
            attributes: (0..20).map(|place| (name(place), "v".to_owned())).collect(),
            ..LogEvent::new(Timestamp::from_millis(number), Arc::default())
        })
        .collect();
    let rows = LogEvent::to_batch(&rows).expect("rows of one table");
    let lifted = lifted::of_rows(Table::Logs, [&rows]);
    let (_, footer) =
        written_with(Table::Logs, rows.schema(), lifted, |file| file.push(&rows).expect("taken"));
    let lifted = Lifted::of(&footer).expect("its metadata");
    let group = footer.metadata().row_group(0);
    let bytes_a_row = 20 * name(0).len();
    let count = batch_rows(group, &ProjectionMask::all(), &lifted);
    assert!(count * bytes_a_row <= BATCH_BYTES, "{count}");
    let time = ProjectionMask::roots(footer.parquet_schema(), [0]);
    assert_eq!(batch_rows(group, &time, &lifted), BATCH_ROWS, "no maps are read");
}

#[test]
fn attributes_in_columns_of_their_own_are_passed_over_by_bounds_by_words_and_by_pages() {
    let rows: Vec<LogEvent> = (0..60_000)
        .map(|number| {
            let attributes =
                [("ms", format!("{}", f64::from(number) / 8.0)), ("name", format!("name {number:06}"))];
            let attributes = attributes.map(|(key, value)| (key.to_owned(), value)).into();
            LogEvent { attributes, ..LogEvent::new(Timestamp::from_millis(number.into()), Arc::default()) }
        })
        .collect();
    let rows = LogEvent::to_batch(&rows).expect("rows of one table");
    let lifted = lifted::of_rows(Table::Logs, [&rows]);
    let (input, footer) =
        written_with(Table::Logs, rows.schema(), lifted, |file| file.push(&rows).expect("taken"));
    let lifted = Lifted::of(&footer).expect("its metadata");
    let left = |key: &str, op, text: &str| {
        let predicate = Predicate::attribute("attributes", key, Test::Compare(op, text.into()));
        let filter = RowFilter::new(&schema(Table::Logs), [predicate]).expect("valid");
        left_of(&input, &footer, &lifted, 0, &filter, TimeRange::ALL).expect("read")
    };
    let cases = [
        ("ms", FilterOp::Equal, "0.125", true),
        ("ms", FilterOp::Equal, "7499.875", true),
        ("ms", FilterOp::Equal, "7500", false),
        ("ms", FilterOp::Equal, "-0.125", false),
        ("ms", FilterOp::Equal, "0.1250", false),
        ("ms", FilterOp::Equal, "name", false),
        ("ms", FilterOp::NotEqual, "name", true),
        ("ms", FilterOp::AtLeast, "9", true),
        ("name", FilterOp::AtLeast, "name 059999", true),
        ("name", FilterOp::Greater, "name 059999", false),
        ("name", FilterOp::Less, "name 0", false),
        ("name", FilterOp::Equal, "name 030000", true),
        ("name", FilterOp::Equal, "name 03000x", false),
        ("none", FilterOp::NotEqual, "a", false),
    ];
    for (key, op, text, expected) in cases {
        assert_eq!(left(key, op, text).is_some(), expected, "{key} {op:?} {text}");
    }

    let group = of_group(&footer, &input, 0).expect("a footer");
    for (key, text) in [("ms", "3750"), ("name", "name 030000")] {
        let filter = left(key, FilterOp::Equal, text).expect("it is there");
        assert_eq!(
            filter.parts().iter().flat_map(Predicate::columns).collect::<Vec<_>>(),
            [format!("attributes.{key}")],
            "nothing else is read"
        );
        let pages = pages_that_may_match(&group, &filter).expect("indexes");
        let selected = pages.expect("a part of the rows").row_count();
        assert!((1..30_000).contains(&selected), "{selected} of {key}");
    }
}

/// An id of a trace, in no order.
fn trace(number: u32) -> String {
    format!("{:032x}", u128::from(number + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835))
}

/// A file of one row group of records, each of another trace but for one that has none.
fn traces(count: u32, without: Option<usize>) -> (CheckedFile, ArrowReaderMetadata) {
    let texts: Vec<String> = (0..count).map(trace).collect();
    let ids = texts.iter().enumerate().map(|(row, id)| ((Some(row) != without).then_some(id.as_str()), None));
    let rows = logs(0, &ids.collect::<Vec<_>>());
    let columns = ids::schema_of_rows(Table::Logs, rows.schema(), [&rows]);
    let (input, footer) = written_of(Table::Logs, columns, |file| file.push(&rows).expect("taken"));
    let footer = of_group(&footer, &input, 0).expect("a footer");
    (input, footer)
}

fn only(rows: Range<usize>, of: usize) -> RowSelection {
    RowSelection::from_consecutive_ranges(iter::once(rows), of)
}

#[test]
fn an_id_is_looked_for_in_the_bytes_of_pages() {
    let (input, footer) = traces(20_000, None);
    let found = |id: &str, rows: Range<usize>| {
        let predicate = compared("trace_id", FilterOp::Equal, id);
        let rows = only(rows, 20_000);
        rows_that_may_have(&input, &footer, &predicate, &rows).expect("read").expect("ids as they are")
    };
    for row in (0..20_000_u32).step_by(499).chain([19_999]) {
        let place = row as usize..row as usize + 1;
        assert_eq!(found(&trace(row), 0..20_000), only(place.clone(), 20_000), "{row}");
        assert_eq!(found(&trace(row), place.clone()), only(place, 20_000), "{row} alone");
    }
    assert!(!found(&trace(20_000), 0..20_000).selects_any(), "nobody has it");
    assert!(!found(&trace(19_999), 0..10).selects_any(), "its page is not asked for");
    let between = format!("{}{}", &trace(7)[16..], &trace(8)[..16]);
    assert!(!found(&between, 0..20_000).selects_any(), "the end of one id and the begin of the next");

    let all = only(0..20_000, 20_000);
    let others = [
        compared("trace_id", FilterOp::Equal, "none"),
        compared("trace_id", FilterOp::Equal, &trace(1).to_uppercase()),
        compared("trace_id", FilterOp::NotEqual, &trace(1)),
        compared("trace_id", FilterOp::Equal, &trace(1)).opposite(),
        compared("message", FilterOp::Equal, &trace(1)),
    ];
    for other in others {
        assert_eq!(rows_that_may_have(&input, &footer, &other, &all).expect("read"), None, "{other:?}");
    }
    let (input, footer) = written(|file| file.push(&deploys(&(0..100).collect::<Vec<_>>())).expect("taken"));
    let footer = of_group(&footer, &input, 0).expect("a footer");
    let packed = compared("event_id", FilterOp::Equal, "e5");
    assert_eq!(rows_that_may_have(&input, &footer, &packed, &only(0..100, 100)).expect("read"), None);
}

#[test]
fn an_id_is_looked_for_in_all_rows_of_a_page_in_which_one_has_none() {
    let (input, footer) = traces(20_000, Some(3));
    let found = |row: u32| {
        let predicate = compared("trace_id", FilterOp::Equal, &trace(row));
        let rows = only(0..20_000, 20_000);
        rows_that_may_have(&input, &footer, &predicate, &rows).expect("read").expect("ids as they are")
    };
    let page = found(1);
    assert!(page.row_count() > 3 && Ranges::of(&page).overlap(&(0..1)), "{page:?}");
    assert_eq!((found(0), found(4)), (page.clone(), page), "rows of the page");
    assert_eq!(found(19_999), only(19_999..20_000, 20_000), "a row of a page in which all have one");
}

#[test]
fn columns_are_left_out_where_the_pages_of_rows_have_only_nulls() {
    let rows: Vec<LogEvent> = (0..45_000)
        .map(|number| {
            let is_late = number >= 21_000;
            LogEvent {
                event_name: is_late.then(|| format!("event {number}")),
                attributes: is_late.then(|| ("ms".to_owned(), number.to_string())).into_iter().collect(),
                ..LogEvent::new(Timestamp::from_millis(number), Arc::default())
            }
        })
        .collect();
    let rows = LogEvent::to_batch(&rows).expect("rows of one table");
    let lifted = lifted::of_rows(Table::Logs, [&rows]);
    let (input, footer) =
        written_with(Table::Logs, rows.schema(), lifted, |file| file.push(&rows).expect("taken"));
    let footer = of_group(&footer, &input, 0).expect("a footer");
    let left =
        |columns: &[&'static str], rows| that_say_something(&footer, columns.to_vec(), &only(rows, 45_000));

    let all = ["time", "event_name", "attributes", "attributes.ms"];
    assert_eq!(left(&all, 100..101), ["time", "attributes"]);
    assert_eq!(left(&all, 44_000..44_001), all);
    assert_eq!(left(&all, 100..44_000), all, "some of the rows have them");
    let without_map = ["time", "attributes.ms"];
    assert_eq!(left(&without_map, 100..101), without_map, "it says that there is a map");
    assert_eq!(left(&["event_name"], 100..101), ["event_name"], "rows need a column");
}

#[test]
fn records_are_found_by_an_id_with_all_that_they_have() {
    let records: Vec<LogEvent> = (0..30_000)
        .map(|number: u32| {
            let is_late = number >= 21_000;
            LogEvent {
                // Each trace has two records far from each other, some have none.
                trace_id: (!number.is_multiple_of(7)).then(|| trace(number % 15_000)),
                event_name: is_late.then(|| "late".to_owned()),
                message: Some(format!("record {number}")),
                attributes: is_late.then(|| ("ms".to_owned(), number.to_string())).into_iter().collect(),
                ..LogEvent::new(Timestamp::from_millis(number.into()), Arc::default())
            }
        })
        .collect();
    let stored = Stored::new();
    for part in records.chunks(24_000) {
        stored.write(Table::Logs, LogEvent::to_batch(part).expect("rows of one table"));
    }
    assert_eq!(stored.files().len(), 2);
    let found = |scan: &EventScan| -> Vec<LogEvent> {
        let batches = stored.engine.scan(scan).expect("scanned");
        batches.iter().flat_map(|rows| LogEvent::from_batch(rows).expect("rows of the table")).collect()
    };
    let with = |id: &str, range: TimeRange| -> Vec<LogEvent> {
        let is_it =
            |record: &&LogEvent| record.trace_id.as_deref() == Some(id) && range.contains(record.time);
        records.iter().filter(is_it).cloned().collect()
    };
    let after = |millis| TimeRange::new(Timestamp::from_millis(millis), Timestamp::MAX);
    for number in (0..15_000).step_by(1_499).chain([7_500, 14_999]) {
        let id = trace(number);
        // The second time footers of row groups are those that are kept.
        for _ in 0..2 {
            for range in [TimeRange::ALL, after(9_000), after(26_000)] {
                let expected = with(&id, range);
                let scan =
                    EventScan::new(Table::Logs, range, 1_000).with("trace_id", FilterOp::Equal, id.as_str());
                assert_eq!(found(&scan), expected, "{number} in {range:?}");
                let newest: Vec<LogEvent> = expected.into_iter().rev().take(1).collect();
                let scan = EventScan { limit: 1, ..scan }.newest_first();
                assert_eq!(found(&scan), newest, "the newest of {number} in {range:?}");
            }
        }
    }
    let two = Predicate::Any(vec![
        compared("trace_id", FilterOp::Equal, &trace(1)),
        compared("trace_id", FilterOp::Equal, &trace(8_000)),
    ]);
    let scan = EventScan::new(Table::Logs, TimeRange::ALL, 1_000).matching(two);
    let mut expected = [with(&trace(1), TimeRange::ALL), with(&trace(8_000), TimeRange::ALL)].concat();
    expected.sort_by_key(|record| record.time);
    assert!(expected.len() >= 3, "{expected:?}");
    assert_eq!(found(&scan), expected);
    let late = scan.with("event_name", FilterOp::Equal, "late");
    expected.retain(|record| record.event_name.is_some());
    assert_eq!(found(&late), expected);

    // Conditions on columns that nobody wants to see.
    let pass = EventPass {
        table: Table::Logs,
        range: TimeRange::ALL,
        filters: vec![
            compared("trace_id", FilterOp::Equal, &trace(8_000)),
            compared("event_name", FilterOp::Equal, "late"),
        ],
        columns: Cow::Borrowed(&["time"]),
        entries: Entries::all(),
        cancel: Cancel::never(),
    };
    let mut times = Vec::new();
    let mut note_times = |rows: &RecordBatch| {
        let column = rows.column_by_name("time").expect("what was asked for");
        times.extend_from_slice(column.as_primitive::<TimestampNanosecondType>().values());
        Ok(())
    };
    stored.engine.each_batch(&pass, &mut note_times).expect("read");
    assert_eq!(times, [Timestamp::from_millis(23_000).as_nanos()]);

    let nobodys =
        EventScan::new(Table::Logs, TimeRange::ALL, 1).with("trace_id", FilterOp::Equal, trace(15_000));
    assert!(found(&nobodys).is_empty());
}

#[test]
fn texts_that_are_the_same_in_all_rows_of_a_page_are_not_read() {
    let rows: Vec<LogEvent> = (0..60_000)
        .map(|number| LogEvent {
            event_name: Some(if number < 25_000 { "early" } else { "late" }.to_owned()),
            severity_text: (number != 100).then(|| "INFO".to_owned()),
            message: Some(format!("{}{}", "x".repeat(80), number)),
            ..LogEvent::new(Timestamp::from_millis(number), Arc::default())
        })
        .collect();
    let rows = LogEvent::to_batch(&rows).expect("rows of one table");
    let (input, footer) = written_of(Table::Logs, rows.schema(), |file| file.push(&rows).expect("taken"));
    let footer = of_group(&footer, &input, 0).expect("a footer");
    let left = |columns: &[&'static str], rows: Range<usize>| {
        let mut columns = columns.to_vec();
        let same = Same::taken_from(&mut columns, &footer, &only(rows, 60_000));
        let times =
            RecordBatch::try_from_iter([("time", Arc::new(UInt64Array::from(vec![1, 2])) as ArrayRef)]);
        let added = same.added_to(times.expect("a column")).expect("rows");
        let text = |name| {
            let texts = added.column_by_name(name)?.as_string::<i32>();
            Some(texts.iter().map(|text| text.expect("a text").to_owned()).collect::<Vec<_>>())
        };
        (columns, text("event_name"), text("severity_text"))
    };
    let twice = |text: &str| Some(vec![text.to_owned(); 2]);
    let all = ["time", "event_name", "severity_text", "message"];
    // The first page has a null among its levels, the page of row 25,000 has both names.
    assert_eq!(left(&all, 7..8), (vec!["time", "severity_text", "message"], twice("early"), None));
    assert_eq!(left(&all, 25_000..25_001), (vec!["time", "event_name", "message"], None, twice("INFO")));
    assert_eq!(left(&all, 55_000..55_900), (vec!["time", "message"], twice("late"), twice("INFO")));
    assert_eq!(left(&all, 7..55_000), (all.to_vec(), None, None), "many rows are read");
    assert_eq!(left(&["event_name"], 7..8), (vec!["event_name"], None, None), "rows need a column");
}

#[test]
fn few_rows_are_those_that_parquets_reader_finds() {
    let rows: Vec<LogEvent> = (0..30_000_i64)
        .map(|number| LogEvent {
            severity_text: (number % 3 != 0).then(|| "INFO".to_owned()),
            message: Some(format!("{} {number}", "x".repeat(number as usize % 90))),
            attributes: (0..number % 4).map(|key| (format!("key {key}"), format!("{number}"))).collect(),
            trace_id: (number % 2 == 0).then(|| trace(number as u32)),
            ..LogEvent::new(Timestamp::from_millis(number), Arc::default())
        })
        .collect();
    let rows = LogEvent::to_batch(&rows).expect("rows of one table");
    let columns = ids::schema_of_rows(Table::Logs, rows.schema(), [&rows]);
    let (input, footer) = written_of(Table::Logs, columns, |file| file.push(&rows).expect("taken"));
    let footer = of_group(&footer, &input, 0).expect("a footer");
    let alone = |row: usize| vec![row..row + 1, row + 2..row + 3];
    let scattered: Vec<Range<usize>> = (0..300).map(|place| place * 97..place * 97 + 1 + place % 3).collect();
    let selections = [alone(0), alone(29_997), alone(8_190), vec![3..4, 20_000..20_500], scattered];
    let some = ["time", "severity_text", "trace_id"].map(|name| leaf(&footer, name).expect("a column"));
    let projections = [
        ProjectionMask::all(),
        ProjectionMask::leaves(footer.parquet_schema(), some),
        ProjectionMask::columns(footer.parquet_schema(), ["message", "attributes"]),
    ];
    for (ranges, columns) in
        selections.iter().flat_map(|ranges| iter::zip(iter::repeat(ranges), &projections))
    {
        let rows = RowSelection::from_consecutive_ranges(ranges.iter().cloned(), 30_000);
        let reader = ParquetRecordBatchReaderBuilder::new_with_metadata(input.clone(), footer.clone())
            .with_row_selection(rows.clone())
            .with_batch_size(rows.row_count())
            .with_projection(columns.clone());
        let expected: Vec<RecordBatch> =
            reader.build().expect("a reader").collect::<Result<_, _>>().expect("rows");
        let found = few_rows(&input, &footer, columns.clone(), rows.clone()).expect("a reader");
        let found: Vec<RecordBatch> = found.collect::<Result<_, _>>().expect("rows");
        assert_eq!(found.iter().map(RecordBatch::num_rows).sum::<usize>(), rows.row_count(), "{ranges:?}");
        assert!(found == expected, "{ranges:?}");
    }
}
