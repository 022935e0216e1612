use std::sync::Arc;

use arrow::compute::filter_record_batch;
use store::{
    EventScan, FilterOp, FoldedText, OwnTest, Phrase, Row, RowTest, Table, Test, TextPattern, schema,
};

use super::*;
use crate::testing::deploys;

fn rows_left(scan: &EventScan) -> Result<Vec<i64>, QueryError> {
    rows_left_of(&deploys(&[0, 1, 2, 3, 4, 5]), scan)
}

fn rows_left_of(rows: &RecordBatch, scan: &EventScan) -> Result<Vec<i64>, QueryError> {
    let filter = RowFilter::new(&schema(scan.table), scan.filters.clone())?;
    let rows = filter_record_batch(rows, &filter.mask(rows, scan.range).expect("kernels")).expect("kernels");
    Ok(times_of(&rows).expect("times").values().iter().map(|time| time / 1_000_000).collect())
}

fn all_rows() -> EventScan {
    EventScan::new(Table::Deploys, TimeRange::ALL, 100)
}

#[test]
fn conditions_select_rows_and_null_satisfies_none() {
    let cases = [
        (all_rows().with("service", FilterOp::Equal, "service-1"), vec![1, 4]),
        (all_rows().with("service", FilterOp::NotEqual, "service-1"), vec![0, 2, 3, 5]),
        (all_rows().with("service", FilterOp::AtLeast, "service-1"), vec![1, 2, 4, 5]),
        (all_rows().with("service", FilterOp::Less, "service-1"), vec![0, 3]),
        (all_rows().with("service", FilterOp::AtMost, "service-1"), vec![0, 1, 3, 4]),
        (all_rows().with("service", FilterOp::Greater, "service-1"), vec![2, 5]),
        (all_rows().with("event_id", FilterOp::Contains, "3"), vec![3]),
        (all_rows().with("event_id", FilterOp::ContainsWords, "3"), vec![]),
        (all_rows().with("service", FilterOp::ContainsWords, "2"), vec![2, 5]),
        (all_rows().with("environment", FilterOp::NotEqual, "test"), vec![0, 2, 4]),
        (all_rows().with("url", FilterOp::NotEqual, "x"), vec![]),
        (
            all_rows().with("service", FilterOp::Equal, "service-1").with("event_id", FilterOp::Equal, "e4"),
            vec![4],
        ),
    ];
    for (scan, expected) in cases {
        assert_eq!(rows_left(&scan).expect("valid"), expected, "{:?}", scan.filters);
    }
}

#[test]
fn a_column_that_does_not_exist_or_does_not_fit_is_invalid() {
    let cases = [
        all_rows().with("colour", FilterOp::Equal, "red"),
        all_rows().with("service", FilterOp::Equal, 1.0),
        all_rows().with("time", FilterOp::Equal, 1.0),
        all_rows().with("attributes", FilterOp::Contains, "a"),
        all_rows().with("service", FilterOp::Equal, 1u64),
        all_rows().with("service", FilterOp::Equal, model::Timestamp::MIN),
        all_rows().matching(Predicate::column("attributes", Test::Exists)),
        all_rows().matching(Predicate::attribute("service", "a", Test::Exists)),
        all_rows().matching(Predicate::attribute("attributes", "a", Test::equal(1.0))),
        all_rows().matching(Predicate::column("colour", Test::Exists).opposite()),
        all_rows().matching(Predicate::Own(OwnTest(Arc::new(OfIds(vec!["colour"], ""))))),
    ];
    for scan in cases {
        assert!(matches!(rows_left(&scan), Err(QueryError::Invalid(_))), "{:?}", scan.filters);
    }
}

/// Rows whose id ends so.
#[derive(Debug)]
struct OfIds(Vec<&'static str>, &'static str);

impl RowTest for OfIds {
    fn columns(&self) -> Vec<&str> {
        self.0.clone()
    }

    fn mask(&self, rows: &RecordBatch) -> Result<BooleanArray, ArrowError> {
        let ids = rows.column_by_name("event_id").map(arrow::array::AsArray::as_string::<i32>);
        Ok((0..rows.num_rows())
            .map(|row| Some(ids.is_some_and(|ids| ids.value(row).ends_with(self.1))))
            .collect())
    }
}

fn service(number: u8) -> Predicate {
    Predicate::column("service", Test::equal(format!("service-{number}")))
}

fn environment() -> Predicate {
    Predicate::column("environment", Test::Exists)
}

#[test]
fn conditions_are_joined_and_what_has_no_value_satisfies_their_opposites() {
    let own = |end| Predicate::Own(OwnTest(Arc::new(OfIds(vec!["event_id"], end))));
    let production = || Predicate::column("environment", Test::equal("production"));
    let cases = [
        (Predicate::everything(), vec![0, 1, 2, 3, 4, 5]),
        (Predicate::nothing(), vec![]),
        (Predicate::nothing().opposite(), vec![0, 1, 2, 3, 4, 5]),
        (Predicate::Any(vec![service(0), service(1)]), vec![0, 1, 3, 4]),
        (Predicate::Any(vec![service(0), service(1)]).opposite(), vec![2, 5]),
        (Predicate::All(vec![service(0), production()]), vec![0]),
        (Predicate::All(vec![service(0), production()]).opposite(), vec![1, 2, 3, 4, 5]),
        (production(), vec![0, 2, 4]),
        (production().opposite(), vec![1, 3, 5]),
        (production().opposite().opposite(), vec![0, 2, 4]),
        (environment().opposite(), vec![1, 3, 5]),
        (Predicate::column("url", Test::equal("x")).opposite(), vec![0, 1, 2, 3, 4, 5]),
        (Predicate::Any(vec![own("4"), service(2)]), vec![2, 4, 5]),
        (Predicate::All(vec![own("4").opposite(), service(1)]), vec![1]),
    ];
    for (predicate, expected) in cases {
        let scan = all_rows().matching(predicate.clone());
        assert_eq!(rows_left(&scan).expect("valid"), expected, "{predicate:?}");
    }
}

#[test]
fn texts_times_and_attributes_are_tested() {
    let rows: Vec<_> = (0..4)
        .map(|number| model::event::DeployEvent {
            time: model::Timestamp::from_millis(number),
            event_id: format!("e{number}"),
            service: "OCR".into(),
            version: "1".into(),
            environment: None,
            description: (number > 0).then(|| format!("Timed OUT after {number}s")),
            url: None,
            attributes: (0..number).map(|key| (format!("k{key}"), format!("V-{number}"))).collect(),
        })
        .collect();
    let rows = model::event::DeployEvent::to_batch(&rows).expect("rows");
    let pattern = |text: &str| TextPattern::new(regex::Regex::new(text).expect("a pattern"), []);
    let of = |key: &str, test| Predicate::attribute("attributes", key, test);
    let text = |test| Predicate::column("description", test);
    let cases = [
        (text(Test::Words(Phrase::of("timed out"))), vec![1, 2, 3]),
        (text(Test::Words(Phrase::of("time"))), vec![]),
        (text(Test::Contains(FoldedText::new("OUT AFTER 2"))), vec![2]),
        (text(Test::Matches(pattern("[13]s$"))), vec![1, 3]),
        (Predicate::column("time", Test::equal(model::Timestamp::from_millis(2))), vec![2]),
        (of("k0", Test::Exists), vec![1, 2, 3]),
        (of("k2", Test::Exists), vec![3]),
        (of("k9", Test::Exists), vec![]),
        (of("k1", Test::Exists).opposite(), vec![0, 1]),
        (of("k1", Test::equal("V-2")), vec![2]),
        (of("k1", Test::Words(Phrase::of("v"))), vec![2, 3]),
    ];
    for (predicate, expected) in cases {
        let scan = all_rows().matching(predicate.clone());
        assert_eq!(rows_left_of(&rows, &scan).expect("valid"), expected, "{predicate:?}");
        // Parts of batches begin somewhere in what holds their attributes.
        let part: Vec<i64> = expected.iter().copied().filter(|time| *time >= 2).collect();
        assert_eq!(rows_left_of(&rows.slice(2, 2), &scan).expect("valid"), part, "{predicate:?}");
    }
}

#[test]
fn what_is_left_of_a_filter_is_what_conditions_that_may_hold_still_say() {
    let filter = |predicate| RowFilter::new(&schema(Table::Deploys), [predicate]).expect("valid");
    let never = |column: &'static str| {
        move |condition: &Condition| {
            let is_never = condition.field.column() == column;
            Ok::<_, ()>(if is_never { Predicate::nothing() } else { Predicate::Is(condition.clone()) })
        }
    };
    let left = |predicate, column| {
        filter(predicate).replaced(&mut never(column)).expect("no error").map(|left| left.parts().to_vec())
    };
    let all = |parts: &[Predicate]| Predicate::All(parts.to_vec());
    let any = |parts: &[Predicate]| Predicate::Any(parts.to_vec());
    assert_eq!(left(all(&[service(0), environment()]), "service"), None);
    assert_eq!(left(any(&[service(0), environment()]), "service"), Some(vec![environment()]));
    assert_eq!(left(any(&[service(0), service(1)]), "service"), None);
    assert_eq!(left(service(0).opposite(), "service"), Some(vec![]));
    assert_eq!(left(all(&[service(0).opposite(), environment()]), "service"), Some(vec![environment()]));
    assert_eq!(left(any(&[service(0).opposite(), environment()]), "service"), Some(vec![]));
    assert_eq!(
        left(any(&[all(&[service(0), environment()]), service(1)]).opposite(), "environment"),
        Some(vec![service(1).opposite()])
    );
    assert_eq!(left(Predicate::nothing(), "url"), None);
    assert!(filter(Predicate::everything()).is_everything());
}
