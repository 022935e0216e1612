use arrow::array::BooleanArray;
use arrow::compute::filter_record_batch;
use model::event::LogEvent;
use model::{TimeRange, Timestamp};
use parquet::arrow::arrow_reader::ArrowReaderMetadata;
use store::{
    EventScan, FilterOp, FoldedText, OwnTest, Phrase, Predicate, Row, RowTest, TelemetryStore, Test,
    TextPattern,
};

use super::*;
use crate::events::filter::RowFilter;
use crate::events::times_of;
use crate::testing::{Stored, logs};

const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";
const OTHER: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const SPAN: &str = "00f067aa0ba902b7";

/// A store of logs.
struct Logs(Stored);

impl Logs {
    /// What the files have in a column.
    fn types(&self, column: &str) -> Vec<Option<DataType>> {
        let of_file = |footer: ArrowReaderMetadata| {
            footer.schema().field_with_name(column).ok().map(|field| field.data_type().clone())
        };
        self.0.footers().into_iter().map(of_file).collect()
    }

    fn scanned(&self, scan: &EventScan) -> Vec<LogEvent> {
        let batches = self.0.engine.scan(scan).expect("scanned");
        batches.iter().flat_map(|rows| LogEvent::from_batch(rows).expect("rows of the table")).collect()
    }

    fn rows(&self) -> Vec<LogEvent> {
        self.scanned(&EventScan::new(Table::Logs, TimeRange::ALL, usize::MAX))
    }
}

fn bytes(size: i32) -> Option<DataType> {
    Some(DataType::FixedSizeBinary(size))
}

#[test]
fn bytes_become_the_texts_that_they_were_made_of() {
    let (zeros, ones) = ("0".repeat(32), "f".repeat(32));
    let texts = [Some(TRACE), None, Some(OTHER), Some(zeros.as_str()), Some(ones.as_str()), None];
    let texts = StringArray::from(texts.to_vec());
    let ids = bytes_of(&texts, 16).expect("ids");
    assert_eq!(&ids.value(0)[..3], &[0x0a, 0xf7, 0x65]);
    assert_eq!(texts_of(&ids).expect("texts"), texts);
    assert_eq!(texts_of(&ids.slice(1, 3)).expect("texts"), texts.slice(1, 3));
    assert_eq!(bytes_of(&texts.slice(1, 3), 16).expect("ids"), ids.slice(1, 3));
    for byte in 0..=u8::MAX {
        let text = format!("{byte:02x}");
        assert_eq!(parsed(&text, 1), Some(vec![byte]));
        let of_one = FixedSizeBinaryArray::new(1, Buffer::from_vec(vec![byte]), None);
        assert_eq!(texts_of(&of_one).expect("texts").value(0), text);
    }
}

#[test]
fn what_is_not_in_lower_case_and_of_the_length_is_no_id() {
    let others = (0..128u8).map(char::from).filter(|other| !"0123456789abcdef".contains(*other));
    let mut texts: Vec<String> = others.map(|other| format!("{other}{}", &TRACE[1..])).collect();
    texts.extend(["", "0a", &TRACE[1..], &TRACE[2..]].map(str::to_owned));
    texts.extend([format!("{TRACE}0"), format!("{TRACE}00"), TRACE.to_uppercase(), "ä".repeat(16)]);
    for text in texts {
        assert!(!is_id(&text, 32), "{text:?}");
        assert_eq!(parsed(&text, 16), None, "{text:?}");
        assert!(bytes_of(&StringArray::from(vec![text.as_str()]), 16).is_err(), "{text:?}");
    }
    assert!(is_id(TRACE, 32) && is_id(SPAN, 16));
    assert_eq!(parsed("", 0), None);
}

#[test]
fn ids_are_bytes_in_files_and_texts_for_whoever_reads() {
    let stored = Logs(Stored::new());
    stored.0.append(Table::Logs, logs(0, &[(Some(TRACE), Some(SPAN)), (None, None), (Some(OTHER), None)]));
    stored.0.append(Table::Logs, logs(100, &[(None, Some(SPAN))]));
    let before = stored.rows();
    let ids: Vec<_> = before.iter().map(|row| (row.trace_id.as_deref(), row.span_id.as_deref())).collect();
    let expected = [(Some(TRACE), Some(SPAN)), (None, None), (Some(OTHER), None), (None, Some(SPAN))];
    assert_eq!(ids, expected);
    stored.0.engine.checkpoint().expect("written");
    assert_eq!((stored.types("trace_id"), stored.types("span_id")), (vec![bytes(16)], vec![bytes(8)]));
    assert_eq!(stored.rows(), before);
}

#[test]
fn a_column_with_one_text_that_is_no_id_stays_text() {
    let upper = SPAN.to_uppercase();
    for other in ["", "x", &SPAN[1..], upper.as_str(), TRACE] {
        let stored = Logs(Stored::new());
        stored.0.append(Table::Logs, logs(0, &[(Some(TRACE), Some(SPAN)), (Some(OTHER), Some(other))]));
        let before = stored.rows();
        stored.0.engine.checkpoint().expect("written");
        let types = (stored.types("trace_id"), stored.types("span_id"));
        assert_eq!(types, (vec![bytes(16)], vec![Some(DataType::Utf8)]), "{other:?}");
        assert_eq!(stored.rows(), before, "{other:?}");
    }
}

#[test]
fn merged_files_have_bytes_where_all_that_have_the_column_had_them() {
    let ids = |time| logs(time, &[(Some(TRACE), None), (None, None), (Some(OTHER), None)]);
    let texts = |time| logs(time, &[(Some("x"), None), (Some(TRACE), None)]);
    let nothing = |time| logs(time, &[(None, None)]);
    let text = || Some(DataType::Utf8);
    // Rows of the one come between those of the other, too.
    let cases = [
        (vec![ids(0), ids(1)], vec![bytes(16), bytes(16)], bytes(16)),
        (vec![ids(0), texts(1)], vec![bytes(16), text()], text()),
        (vec![texts(0), ids(10), ids(11)], vec![text(), bytes(16), bytes(16)], text()),
        (vec![ids(0), nothing(1), ids(2)], vec![bytes(16), None, bytes(16)], bytes(16)),
        (vec![nothing(0), nothing(1)], vec![None, None], None),
    ];
    for (number, (files, types, merged)) in cases.into_iter().enumerate() {
        let stored = Logs(Stored::new());
        let count = files.len();
        files.into_iter().for_each(|rows| stored.0.write(Table::Logs, rows));
        assert_eq!(stored.types("trace_id"), types, "case {number}");
        let before = stored.rows();
        let far = Timestamp::from_millis(3 * 86_400_000);
        assert_eq!(stored.0.engine.compact_days(far).expect("merged"), count, "case {number}");
        assert_eq!(stored.types("trace_id"), vec![merged], "case {number}");
        assert_eq!(stored.rows(), before, "case {number}");
    }
}

/// Rows whose trace begins so.
#[derive(Debug)]
struct Begins(&'static str);

impl RowTest for Begins {
    fn columns(&self) -> Vec<&str> {
        vec!["trace_id"]
    }

    fn mask(&self, rows: &RecordBatch) -> Result<BooleanArray, ArrowError> {
        let ids = rows.column_by_name("trace_id").map(AsArray::as_string::<i32>);
        let begins = |ids: &StringArray, row| ids.is_valid(row) && ids.value(row).starts_with(self.0);
        Ok((0..rows.num_rows()).map(|row| Some(ids.is_some_and(|ids| begins(ids, row)))).collect())
    }
}

#[test]
fn conditions_hold_for_the_same_rows_whether_ids_are_bytes_or_texts() {
    let (low, high) = ("0".repeat(32), "f".repeat(32));
    let (low, high) = (low.as_str(), high.as_str());
    let ids = [Some(TRACE), None, Some(OTHER), Some(low), Some(TRACE), Some(high)];
    let rows = logs(0, &ids.map(|id| (id, None)));
    let stored = Logs(Stored::new());
    stored.0.write(Table::Logs, rows.clone());
    assert_eq!(stored.types("trace_id"), [bytes(16)]);
    let times = |predicate: &Predicate| {
        let scan = EventScan::new(Table::Logs, TimeRange::ALL, usize::MAX).matching(predicate.clone());
        let rows = stored.scanned(&scan);
        rows.iter().map(|row| row.time.as_nanos() / 1_000_000).collect::<Vec<_>>()
    };
    let column = |test| Predicate::column("trace_id", test);
    let upper = TRACE.to_uppercase();
    let upper = upper.as_str();
    let pattern = TextPattern::new(regex::Regex::new("^0af.*c$").expect("a pattern"), []);
    let known = [
        (column(Test::equal(TRACE)), vec![0, 4]),
        (column(Test::equal(upper)), vec![]),
        (column(Test::equal(&TRACE[..31])), vec![]),
        (column(Test::equal(SPAN)), vec![]),
        (column(Test::Compare(FilterOp::NotEqual, TRACE.into())), vec![2, 3, 5]),
        (column(Test::Compare(FilterOp::NotEqual, "x".into())), vec![0, 2, 3, 4, 5]),
        (column(Test::Compare(FilterOp::Less, OTHER.into())), vec![0, 3, 4]),
        (column(Test::Compare(FilterOp::AtLeast, "4".into())), vec![2, 5]),
        (column(Test::Compare(FilterOp::Contains, "5191".into())), vec![0, 4]),
        (column(Test::Contains(FoldedText::new("AF76"))), vec![0, 4]),
        (column(Test::Words(Phrase::of(upper))), vec![0, 4]),
        (column(Test::Matches(pattern)), vec![0, 4]),
        (column(Test::Exists), vec![0, 2, 3, 4, 5]),
        (column(Test::Exists).opposite(), vec![1]),
        (Predicate::Any(vec![column(Test::equal(OTHER)), column(Test::equal(high))]), vec![2, 5]),
        (Predicate::Own(OwnTest(Arc::new(Begins("0")))), vec![0, 3, 4]),
        (Predicate::Own(OwnTest(Arc::new(Begins("0")))).opposite(), vec![1, 2, 5]),
    ];
    for (predicate, expected) in &known {
        assert_eq!(times(predicate), *expected, "{predicate:?}");
    }
    let ops = [
        FilterOp::Equal,
        FilterOp::NotEqual,
        FilterOp::AtLeast,
        FilterOp::Greater,
        FilterOp::AtMost,
        FilterOp::Less,
        FilterOp::Contains,
        FilterOp::ContainsWords,
    ];
    let absent = TRACE.replace("af", "ae");
    let absent = absent.as_str();
    for text in [TRACE, OTHER, low, high, absent, upper, &TRACE[..20], &OTHER[1..], "", "g", "4", "A"] {
        for predicate in ops.map(|op| column(Test::Compare(op, text.into()))) {
            for predicate in [predicate.clone(), predicate.opposite()] {
                let filter = RowFilter::new(&store::schema(Table::Logs), [predicate.clone()]).expect("valid");
                let mask = filter.mask(&rows, TimeRange::ALL).expect("kernels");
                let left = filter_record_batch(&rows, &mask).expect("kernels");
                let of_texts: Vec<i64> =
                    times_of(&left).expect("times").values().iter().map(|time| time / 1_000_000).collect();
                assert_eq!(times(&predicate), of_texts, "{predicate:?}");
            }
        }
    }
}
