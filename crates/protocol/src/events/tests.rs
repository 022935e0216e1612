//! Decoding of events through [`decode`], the documentation's examples, and the published schema.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use model::event::StageStatus;
use proptest::prelude::*;
use serde_json::json;

use super::*;

const NOW: Timestamp = Timestamp::from_millis(1_754_083_800_000);

fn docs() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs")
}

fn decode_all(body: &str) -> Vec<Result<Event, Rejected>> {
    decode(body.as_bytes(), NOW).expect("JSON").events
}

fn decode_one(value: &Value) -> Result<Event, String> {
    let mut events = decode_all(&value.to_string());
    assert_eq!(events.len(), 1);
    events.remove(0).map_err(|rejected| rejected.reason)
}

fn job(value: &Value) -> model::event::JobEvent {
    match decode_one(value) {
        Ok(Event::Job(event)) => *event,
        other => panic!("not a job: {other:?}"),
    }
}

#[test]
fn every_example_in_the_documentation_is_an_event_of_its_type() {
    let text = std::fs::read_to_string(docs().join("events.md")).expect("docs/events.md");
    let examples: Vec<&str> = text.lines().filter(|line| line.starts_with("{\"type\"")).collect();
    let mut types = BTreeSet::new();
    for example in examples {
        let value: Value = serde_json::from_str(example).expect("JSON");
        let event = decode_one(&value).expect(example);
        let name = value["type"].as_str().expect("type").to_owned();
        insta::assert_debug_snapshot!(name.replace('.', "_"), event);
        types.insert(name);
    }
    let all: BTreeSet<String> = EventType::all().iter().map(|kind| kind.as_str().to_owned()).collect();
    assert_eq!(types, all, "each type has one example");
}

/// To bring the published schema up to date: `WATCHKEEPER_BLESS=1 cargo nextest run -p protocol schema`.
#[test]
fn the_published_schema_is_that_of_the_types() {
    let path = docs().join("schema/events.schema.json");
    let generated = serde_json::to_string_pretty(&schema()).expect("JSON") + "\n";
    if std::env::var_os("WATCHKEEPER_BLESS").is_some() {
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("folder");
        std::fs::write(&path, &generated).expect("written");
    }
    let published = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(published == generated, "docs/schema/events.schema.json is out of date: WATCHKEEPER_BLESS=1");
}

#[test]
fn a_body_is_an_array_an_object_or_lines_by_its_content() {
    let event = r#"{"type":"job.started","job_id":1}"#;
    let cases = [
        (format!("[{event},{event}]"), 2),
        (event.to_owned(), 1),
        (format!("{event}\n{event}\r\n\n{event}\n"), 3),
        ("{\n  \"type\": \"job.started\",\n  \"job_id\": 1\n}\n".to_owned(), 1),
        (format!("\u{feff} {event}"), 1),
        ("[]".to_owned(), 0),
    ];
    for (body, count) in cases {
        let events = decode_all(&body);
        assert_eq!(events.iter().filter(|event| event.is_ok()).count(), count, "{body}");
        assert_eq!(events.len(), count, "{body}");
    }
}

#[test]
fn a_body_without_events_is_an_error() {
    assert!(matches!(decode(b" \n", NOW), Err(BodyError::Empty)));
    for body in ["[{\"type\":", "hello", "{\"type\": \"job.started\",\n\"job_id\":", "[1] [2]"] {
        assert!(matches!(decode(body.as_bytes(), NOW), Err(BodyError::NotJson(_))), "{body}");
    }
    let many = format!("[{}0]", "0,".repeat(MAX_EVENTS));
    assert!(matches!(decode(many.as_bytes(), NOW), Err(BodyError::TooMany { count: 10_001 })));
    let lines = "{}\n".repeat(MAX_EVENTS + 2);
    assert!(matches!(decode(lines.as_bytes(), NOW), Err(BodyError::TooMany { count: 10_002 })));
}

#[test]
fn a_body_whose_values_take_too_much_memory_is_refused_before_they_are_made() {
    let many = format!("[{{\"attributes\": {{\"a\": [{}0]}}}}]", "0,".repeat(1 << 20));
    assert!(matches!(decode(many.as_bytes(), NOW), Err(BodyError::TooLarge { .. })));
    let objects = format!("[[{}{{}}]]", "{\"a\":0},".repeat(200_000));
    assert!(matches!(decode(objects.as_bytes(), NOW), Err(BodyError::TooLarge { .. })));
    // A text that does not end is one until the end of its line.
    let lines = format!("\"\n{{\"attributes\": [{}0]}}", "0,".repeat(1 << 20));
    assert!(matches!(decode(lines.as_bytes(), NOW), Err(BodyError::TooLarge { .. })));
    let text = json!([{ "type": "job.completed", "job_id": 7, "error_message": "\\\",{[".repeat(1 << 19) }]);
    assert_eq!(decode_all(&text.to_string()).len(), 1, "signs in texts are no values");
    let budget = Budget::new(|bytes| bytes < 10_000);
    let event = r#"{"type": "job.completed", "job_id": 7}"#;
    assert!(decode_within(event.as_bytes(), NOW, &budget).is_ok());
    let events = format!("{event}\n").repeat(10);
    assert!(matches!(decode_within(events.as_bytes(), NOW, &budget), Err(BodyError::NoRoom)));
}

#[test]
fn a_malformed_event_is_rejected_by_index_and_the_others_go_on() {
    let body = "{\"type\":\"job.started\",\"job_id\":1}\n{\"type\":\n{\"type\":\"job.started\",\"job_id\":2}";
    let events = decode_all(body);
    assert!(events[0].is_ok() && events[2].is_ok());
    let rejected = events[1].as_ref().expect_err("broken line");
    assert_eq!(rejected.index, 1);
    assert!(rejected.reason.contains("not a JSON object"), "{rejected}");
}

#[test]
fn a_reason_names_the_field_and_says_what_to_do() {
    let cases = [
        (json!(7), "an event is a JSON object"),
        (json!({}), "no `type`: add one of job.submitted"),
        (json!({"type": 1}), "`type` is a text"),
        (json!({"type": "job.finished"}), "no event type `job.finished`; use one of job.submitted"),
        (json!({"type": "job.started"}), "job.started needs the field `job_id` (or `task_id`)"),
        (json!({"type": "job.started", "job_id": ""}), "needs the field `job_id`"),
        (
            json!({"type": "job.started", "job_id": 1, "cpu_time": "fast"}),
            "`cpu_time`: invalid value: string \"fast\", expected a number from 0 to 1e15",
        ),
        (json!({"type": "job.started", "job_id": 1, "cpu_time": -1}), "`cpu_time`: invalid value"),
        // A few of these would make a sum infinite, and an average no number.
        (json!({"type": "job.started", "job_id": 1, "cpu_time": 1e300}), "`cpu_time`: invalid value"),
        (json!({"type": "job.started", "job_id": 1, "retry_count": 1.5}), "`retry_count`"),
        (json!({"type": "job.started", "job_id": 1, "started_at": "yesterday"}), "expected a time: RFC 3339"),
        (json!({"type": "job.started", "job_id": 1, "time": true}), "`time`"),
        (json!({"type": "job.started", "job_id": [1]}), "`job_id`: invalid type: sequence"),
        (json!({"type": "job.progress", "job_id": 1, "progress": 40}), "expected a number from 0 to 1"),
        (json!({"type": "stage.started", "job_id": 1}), "stage.started needs the field `stage`"),
        (json!({"type": "stage.finished", "job_id": 1, "stage": "a", "status": "fine"}), "`status`"),
        (json!({"type": "worker.heartbeat"}), "needs the field `worker_id`"),
        (
            json!({"type": "request.finished", "path": "/", "method": "GET", "status_code": 42, "process_time": 1}),
            "100 to 599",
        ),
        (
            json!({"type": "request.finished", "path": "/", "method": "GET", "status_code": 200}),
            "`process_time` (seconds)",
        ),
        (json!({"type": "llm.call", "model": "m"}), "`duration_seconds`"),
        (json!({"type": "deploy.finished", "service": "s"}), "`version`"),
    ];
    for (value, expected) in cases {
        let reason = match decode_one(&value) {
            Err(reason) => reason,
            Ok(event) => panic!("{value} was taken as {event:?}"),
        };
        assert!(reason.contains(expected), "{value}\n  {reason}\n  {expected}");
    }
}

#[test]
fn a_long_text_is_not_quoted_whole_in_a_reason() {
    let value = json!({"type": "job.started", "job_id": 1, "cpu_time": "x".repeat(100_000)});
    assert!(decode_one(&value).expect_err("wrong").len() <= 1_200);
}

#[test]
fn the_time_is_the_first_that_is_given() {
    let base = json!({"type": "job.completed", "job_id": 1});
    let cases = [
        (json!({"time": 1, "completed_at": 2, "timestamp": 3}), 1_000),
        (json!({"completed_at": 2, "timestamp": 3}), 2_000),
        (json!({"timestamp": "1970-01-01T00:00:03"}), 3_000),
        (json!({}), NOW.as_millis()),
        (json!({"time": null, "timestamp": 1_754_083_800_123_u64}), 1_754_083_800_123),
    ];
    for (extra, millis) in cases {
        let mut value = base.clone();
        value.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
        assert_eq!(job(&value).time.as_millis(), millis, "{value}");
    }
}

#[test]
fn an_event_without_an_id_gets_one_from_its_content_if_it_says_when_it_happened() {
    let id = |value: &Value, now| match &decode(value.to_string().as_bytes(), now).expect("JSON").events[0] {
        Ok(event) => event.event_id().expect("an id").into_owned(),
        Err(rejected) => panic!("{rejected}"),
    };
    let later = Timestamp::from_millis(NOW.as_millis() + 1);
    let timed = json!({"type": "job.started", "job_id": 1, "started_at": 5});
    assert_eq!(id(&timed, NOW), id(&timed, later));
    let other = json!({"type": "job.started", "job_id": 2, "started_at": 5});
    assert_ne!(id(&timed, NOW), id(&other, NOW));
    let timeless = json!({"type": "worker.heartbeat", "worker_id": 1});
    assert_ne!(id(&timeless, NOW), id(&timeless, later), "a later heartbeat is another heartbeat");
    let twice = decode_all(&json!([timeless, timeless]).to_string());
    assert_ne!(twice[0].as_ref().unwrap().event_id(), twice[1].as_ref().unwrap().event_id());
    assert_eq!(id(&json!({"type": "worker.heartbeat", "worker_id": 1, "event_id": 9}), NOW), "9");
}

#[test]
fn durations_give_the_times_that_they_imply() {
    let event =
        job(&json!({"type": "job.completed", "job_id": 1, "completed_at": 100, "processing_time": 30,
        "total_time": 40, "queue_wait_time": 5}));
    let seconds = |time: Option<Timestamp>| time.map(Timestamp::as_secs_f64);
    assert_eq!((seconds(event.started_at), seconds(event.submitted_at)), (Some(70.0), Some(60.0)));
    let event = job(&json!({"type": "job.started", "job_id": 1, "time": 100, "queue_wait_time": 5}));
    assert_eq!((event.started_at, seconds(event.submitted_at)), (None, Some(95.0)));
    let unmeasured = job(&json!({"type": "job.completed", "job_id": 1, "time": 100, "processing_time": 0.0,
        "total_time": 0.0, "memory_peak": 0.0}));
    assert_eq!(
        (unmeasured.started_at, unmeasured.submitted_at, unmeasured.memory_peak_bytes),
        (None, None, None)
    );
}

#[test]
fn sizes_in_megabytes_and_in_bytes_are_bytes() {
    for (field, value) in [("memory_peak", 2.0), ("memory_peak_mb", 2.0), ("memory_peak_bytes", 2_097_152.0)]
    {
        let event = job(&json!({"type": "job.completed", "job_id": 1, field: value}));
        assert_eq!(event.memory_peak_bytes, Some(2 << 20), "{field}");
    }
    let stage =
        decode_one(&json!({"type": "stage.finished", "job_id": 1, "stage": "s", "memory_delta_mb": -1.5}));
    assert!(matches!(stage, Ok(Event::Stage(stage)) if stage.memory_delta_bytes == Some(-1_572_864)));
}

#[test]
fn a_stage_that_ends_with_an_error_has_failed() {
    let status = |extra: Value| {
        let mut value =
            json!({"type": "stage.finished", "job_id": 1, "stage": "s", "started_at": 10, "time": 12});
        value.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
        match decode_one(&value) {
            Ok(Event::Stage(stage)) => (stage.status, stage.duration_seconds),
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(status(json!({})), (Some(StageStatus::Completed), Some(2.0)));
    assert_eq!(status(json!({"error": "no"})), (Some(StageStatus::Failed), Some(2.0)));
    assert_eq!(
        status(json!({"status": "success", "duration_ms": 1500})),
        (Some(StageStatus::Completed), Some(1.5))
    );
    assert_eq!(status(json!({"status": "completed_empty"})).0, Some(StageStatus::CompletedEmpty));
}

#[test]
fn usages_are_percentages_even_when_they_are_small() {
    let worker = decode_one(&json!({"type": "worker.heartbeat", "worker_id": "w", "cpu_usage": 0.9,
        "queues": "a, b,,c", "is_online": false}));
    let Ok(Event::Worker(worker)) = worker else { panic!("{worker:?}") };
    assert_eq!(worker.cpu_percent, Some(0.9));
    assert_eq!(worker.queues.as_deref(), Some("a,b,c"));
    assert_eq!(worker.attributes.get("is_online").map(String::as_str), Some("false"));
}

#[test]
fn unknown_fields_become_attributes_up_to_a_bound() {
    let mut value = json!({"type": "job.started", "job_id": 1, "attributes": {"zone": "a", "gone": null},
        "zone": "b", "depth": {"x": [1]}});
    assert_eq!(
        job(&value).attributes,
        [("zone".to_owned(), "a".to_owned()), ("depth".to_owned(), "{\"x\":[1]}".to_owned())].into()
    );
    for index in 0..100 {
        value[format!("field{index}")] = json!(index);
    }
    let decoded = decode(value.to_string().as_bytes(), NOW).expect("JSON");
    assert_eq!(decoded.dropped_attributes, 102 - 64);
    assert!(matches!(&decoded.events[0], Ok(Event::Job(job)) if job.attributes.len() == 64));
}

proptest! {
    #[test]
    fn hostile_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..256)) {
        let _ = decode(&bytes, NOW);
    }

    #[test]
    fn any_value_in_any_field_is_taken_or_rejected(
        kind in 0..16usize,
        fields in proptest::collection::btree_map(
            prop::sample::select(vec![
                "job_id", "stage", "component", "worker_id", "time", "started_at", "completed_at", "progress",
                "retry_count", "memory_peak", "memory_delta_mb", "queue_wait_time", "total_time", "status",
                "queues", "status_code", "process_time", "path", "method", "model", "attributes", "event_id",
            ]),
            prop_oneof![
                any::<f64>().prop_map(|number| json!(number)), any::<i64>().prop_map(|number| json!(number)),
                any::<u64>().prop_map(|number| json!(number)), ".{0,12}".prop_map(|text| json!(text)),
                any::<bool>().prop_map(|value| json!(value)), Just(json!(null)), Just(json!({"a": [1]})),
            ],
            0..12,
        ),
    ) {
        let mut value = json!(fields);
        value["type"] = json!(EventType::all()[kind].as_str());
        let decoded = decode(value.to_string().as_bytes(), NOW).expect("JSON");
        prop_assert_eq!(decoded.events.len(), 1);
    }
}
