use model::{TimeRange, Timestamp};

use crate::{Query, Schema};

/// Minutes after eight o'clock; nothing where the range is open.
fn range(text: &str) -> (Option<i64>, Option<i64>) {
    let eight = Timestamp::parse_rfc3339("2025-08-01T08:00:00Z").expect("a time");
    let query = Query::parse(text, &Schema::logs(), eight).expect("read");
    let TimeRange { start, end } = query.time_range();
    let minutes = |time: Timestamp, open: Timestamp| {
        (time != open).then(|| (time.as_nanos() - eight.as_nanos()).div_euclid(60_000_000_000))
    };
    (minutes(start, Timestamp::MIN), minutes(end, Timestamp::MAX))
}

#[test]
fn what_a_query_says_of_the_time_bounds_the_search() {
    let cases = [
        ("a", (None, None)),
        ("time>=-15m a", (Some(-15), None)),
        ("time>-15m time<=now", (Some(-15), Some(0))),
        // One nanosecond before a minute lies in the minute before.
        ("time<-5m", (None, Some(-6))),
        ("time:2025-08-01T07:30:00Z", (Some(-30), Some(-30))),
        ("time:2025-08-01", (Some(-480), Some(959))),
        ("time:[-1h TO -30m}", (Some(-60), Some(-31))),
        ("time:-1h..now", (Some(-60), Some(0))),
        ("time>-1h time>-15m", (Some(-15), None)),
        ("time:-1h..-50m OR time:-10m..now", (Some(-60), Some(0))),
        ("time>-1h OR a", (None, None)),
        ("-time<-1h", (None, None)),
        ("time!=now", (None, None)),
        ("observed_time>-15m", (None, None)),
        ("timestamp>=-15m", (Some(-15), None)),
        ("time:*", (None, None)),
        ("time>now time<-1h", (Some(0), Some(-61))),
    ];
    for (text, expected) in cases {
        assert_eq!(range(text), expected, "{text}");
    }
}

#[test]
fn schemas_without_a_clock_bound_nothing() {
    let schema = Schema::new().with("time", crate::Kind::Time);
    let query = Query::parse("time>-15m", &schema, Timestamp::from_millis(0)).expect("read");
    assert_eq!(query.time_range(), TimeRange::ALL);
}
