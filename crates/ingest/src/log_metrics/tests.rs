use std::collections::BTreeMap;

use model::event::{Event, Level, LogEvent, Origin};
use prometheus::Registry;

use super::*;

fn settings(rules: Vec<LogMetricRule>) -> LogMetricsSettings {
    LogMetricsSettings { shipped: rules.is_empty(), rules, ..LogMetricsSettings::default() }
}

fn log(service: &str, level: Option<Level>, message: &str) -> Event {
    let origin = Origin { service: Some(service.to_owned()), ..Origin::default() };
    let mut log = LogEvent::new(Timestamp::now(), Arc::new(origin));
    (log.level, log.message) = (level, Some(message.to_owned()));
    Event::Log(Box::new(log))
}

/// The newest value of each series.
fn told(metrics: &LogMetrics) -> BTreeMap<String, f64> {
    let batch = metrics.told(Timestamp::now().after(Duration::from_secs(1)));
    let newest =
        batch.iter().filter_map(|(labels, samples)| Some((labels.to_string(), samples.last()?.value)));
    newest.collect()
}

fn counted(settings: &LogMetricsSettings, events: &[Event]) -> BTreeMap<String, f64> {
    let metrics = LogMetrics::new(settings, &Registry::new()).expect("rules").expect("some");
    metrics.on_events(events);
    told(&metrics)
}

#[test]
fn the_shipped_rules_count_what_the_guides_look_for_with_grep() {
    let info = Some(Level::Info);
    let mut thrown = log("ocr", Some(Level::Error), "job failed");
    if let Event::Log(log) = &mut thrown {
        log.conventions.exception_type = Some("ValueError".to_owned());
    }
    let told = counted(
        &settings(Vec::new()),
        &[
            log("ocr", info, "Job 7 completed in 12.5s"),
            log("ocr", info, "Task extraction completed in 250 ms"),
            log("ocr", info, "completed in 2 minutes"),
            log("ocr", info, "completed in time"),
            log("ocr", info, "no error at all"),
            log("ocr", None, "ERROR: worker has crashed"),
            thrown,
        ],
    );
    let value = |series: &str| told.get(series).copied();
    assert_eq!(value(r#"log_completed_seconds_count{service="ocr"}"#), Some(3.0));
    assert_eq!(value(r#"log_completed_seconds_sum{service="ocr"}"#), Some(132.75));
    assert_eq!(value(r#"log_completed_seconds_bucket{le="0.25", service="ocr"}"#), Some(1.0));
    assert_eq!(value(r#"log_completed_seconds_bucket{le="30", service="ocr"}"#), Some(2.0));
    assert_eq!(value(r#"log_completed_seconds_bucket{le="+Inf", service="ocr"}"#), Some(3.0));
    assert_eq!(value(r#"log_errors_total{service="ocr"}"#), Some(2.0));
    assert_eq!(value(r#"log_crashes_total{service="ocr"}"#), Some(1.0));
    assert_eq!(value(r#"log_exceptions_total{service="ocr"}"#), Some(1.0));
}

#[test]
fn durations_are_read_with_their_units_and_what_is_none_is_counted_as_unread() {
    let taken = [
        ("1,234 ms", 1.234),
        ("12us", 12e-6),
        ("12 \u{b5}s", 12e-6),
        ("1m30s", 90.0),
        ("1h 2m 3s", 3723.0),
        ("1 hour, 5 minutes", 3900.0),
        ("2d 5h", 190_800.0),
        ("1e3 ms", 1.0),
        ("1.5 Minutes.", 90.0),
        ("7", 7.0),
        ("12.5.", 12.5),
        ("1500.25", 1500.25),
        ("3 s, with 2 retries", 3.0),
    ];
    let unread =
        ["00:01:30", "10 pages", "2025", "1,234", "1.2.3", "5 steps", "12 monkeys", "3 s, 5 s faster"];
    let done = |text: &str| log("ocr", Some(Level::Info), &format!("Job 7 completed in {text}"));
    for (text, seconds) in taken {
        let told = counted(&settings(Vec::new()), &[done(text)]);
        let sum = told.get(r#"log_completed_seconds_sum{service="ocr"}"#).copied();
        assert!(sum.is_some_and(|sum| (sum - seconds).abs() < 1e-9), "{text}: {sum:?}");
    }
    let registry = Registry::new();
    let metrics = LogMetrics::new(&settings(Vec::new()), &registry).expect("rules").expect("some");
    let events: Vec<Event> = unread.into_iter().map(done).collect();
    metrics.on_events(&events);
    assert!(metrics.told(Timestamp::now()).is_empty(), "none is counted");
    let unread_total = metrics.unread.with_label_values(&["log_completed_seconds"]).get();
    assert_eq!(unread_total, unread.len() as u64);
}

#[test]
fn a_rule_of_ones_own_counts_by_groups_services_and_levels() {
    let rule = LogMetricRule {
        name: "log_retried_bytes_total".to_owned(),
        pattern: Some(r"retry (?<queue>\w+) (?<bytes>\S+) bytes".to_owned()),
        value: Some("bytes".to_owned()),
        labels: vec!["queue".to_owned(), "level".to_owned()],
        services: vec!["ocr".to_owned()],
        level: Some("warn".to_owned()),
        ..LogMetricRule::default()
    };
    let told = counted(
        &settings(vec![rule]),
        &[
            log("ocr", Some(Level::Warn), "retry llm 10 bytes"),
            log("ocr", Some(Level::Warn), "retry llm 2.5 bytes"),
            log("ocr", Some(Level::Warn), "retry llm many bytes"),
            log("ocr", Some(Level::Info), "retry llm 10 bytes"),
            log("api", Some(Level::Warn), "retry llm 10 bytes"),
        ],
    );
    let expected = [(r#"log_retried_bytes_total{level="warn", queue="llm"}"#.to_owned(), 12.5)];
    assert_eq!(told, expected.into());
}

#[test]
fn label_sets_are_bounded_and_what_is_beyond_is_counted_as_other() {
    let rule = LogMetricRule {
        name: "log_jobs_total".to_owned(),
        pattern: Some(r"job (?<job>\d+)".to_owned()),
        labels: vec!["job".to_owned()],
        ..LogMetricRule::default()
    };
    let events: Vec<Event> = (0..10).map(|job| log("a", None, &format!("job {job}"))).collect();
    let told = counted(&LogMetricsSettings { max_series: 3, ..settings(vec![rule]) }, &events);
    assert_eq!(told.len(), 4);
    assert_eq!(told.get(r#"log_jobs_total{job="other"}"#), Some(&7.0));
}

#[test]
fn a_series_begins_at_zero_and_says_since_when_it_counts() {
    let metrics = LogMetrics::new(&settings(Vec::new()), &Registry::new()).expect("rules").expect("some");
    metrics.on_events(&[log("a", Some(Level::Error), "no")]);
    let later = Timestamp::now().after(Duration::from_secs(1));
    let first = metrics.told(later);
    let (_, run) = first.runs().next().expect("a series");
    assert_eq!(run.samples.iter().map(|sample| sample.value).collect::<Vec<_>>(), [0.0, 1.0]);
    assert!(run.starts.iter().all(|start| *start == run.samples[0].time_ms));
    // It was not stored.
    let again = metrics.told(later);
    let (_, run) = again.runs().next().expect("a series");
    assert_eq!(run.samples.iter().map(|sample| sample.value).collect::<Vec<_>>(), [0.0, 1.0]);
    // What comes while it is on its way is not stored with it.
    metrics.on_events(&[log("b", Some(Level::Error), "no")]);
    metrics.settle();
    let second = metrics.told(later.after(Duration::from_secs(1)));
    let lengths: BTreeMap<String, usize> =
        second.iter().map(|(labels, samples)| (labels.to_string(), samples.len())).collect();
    assert_eq!(lengths.get(r#"log_errors_total{service="a"}"#), Some(&1));
    assert_eq!(lengths.get(r#"log_errors_total{service="b"}"#), Some(&2));
}

#[tokio::test(flavor = "multi_thread")]
async fn much_text_is_counted_as_little_is() {
    let metrics = LogMetrics::new(&settings(Vec::new()), &Registry::new()).expect("rules").expect("some");
    let said = format!("{} and a crash", "x".repeat(INLINE_BYTES / 100));
    let events: Vec<Event> = (0..MAX_FOUND + 10).map(|_| log("a", None, &said)).collect();
    let counting = Arc::clone(&metrics);
    tokio::spawn(async move { counting.on_events(&events) }).await.expect("it counts");
    let crashes = told(&metrics).get(r#"log_crashes_total{service="a"}"#).copied();
    assert_eq!(crashes, Some((MAX_FOUND + 10) as f64));
}

#[test]
fn rules_that_could_count_nothing_are_refused() {
    let named = |name: &str| LogMetricRule { name: name.to_owned(), ..LogMetricRule::default() };
    let with = |pattern: &str| LogMetricRule { pattern: Some(pattern.to_owned()), ..named("a_total") };
    let wrong = [
        (named("a-b"), "is not the name of a metric"),
        (named("a_total"), "neither a `pattern` nor a `level`"),
        (with("("), "is not a regular expression"),
        (LogMetricRule { value: Some("x".to_owned()), ..with("a") }, "no group `x`"),
        (LogMetricRule { labels: vec!["x".to_owned()], ..with("a") }, "no group `x`"),
        (LogMetricRule { kind: LogMetricKind::Histogram, ..with("a") }, "needs a `value`"),
        (LogMetricRule { level: Some("bad".to_owned()), ..with("a") }, "has a `level` that is none"),
        (LogMetricRule { buckets: vec![2.0, 1.0], ..with("a") }, "ascend"),
    ];
    for (rule, expected) in wrong {
        let error = settings(vec![rule]).check().expect_err(expected).to_string();
        assert!(error.contains(expected), "{error}");
    }
    let twice = settings(vec![with("a"), with("b")]).check();
    assert!(matches!(twice, Err(LogMetricsError::Twice(_))));
}
