//! Requests as shippers send them.

use std::sync::Arc;

use model::event::{Event, Flaw, Flaws, Level, LogEvent};
use testkit::protobuf::Message;

use super::*;

const NOW: Timestamp = Timestamp::from_millis(1_754_083_800_000);
/// A moment before.
const THEN: i64 = 1_754_083_799_123_456_789;

fn read(encoding: Encoding, body: &[u8], tenant: Option<&str>) -> Result<Rows, LokiError> {
    decode(encoding, body, &Context { limits: &RowLimits::default(), now: NOW, tenant })
}

#[track_caller]
fn logs(rows: Result<Rows, LokiError>) -> Vec<LogEvent> {
    let rows = rows.expect("a request");
    assert_eq!((rows.rejected, rows.reasons.as_slice()), (0, &[][..]));
    rows.events
        .into_iter()
        .map(|event| if let Event::Log(log) = event { *log } else { panic!("no record of a log: {event:?}") })
        .collect()
}

fn json(text: &str) -> Vec<LogEvent> {
    logs(read(Encoding::Json, text.as_bytes(), None))
}

fn stamp(nanos: i64) -> Message {
    let (seconds, nanos) = (nanos.div_euclid(1_000_000_000), nanos.rem_euclid(1_000_000_000));
    Message::new().number(1, seconds.cast_unsigned()).number(2, nanos.cast_unsigned())
}

fn entry(nanos: i64, line: &str, metadata: &[(&str, &str)]) -> Message {
    let entry = Message::new().message(1, &stamp(nanos)).text(2, line);
    metadata
        .iter()
        .fold(entry, |entry, (name, value)| entry.message(3, &Message::new().text(1, name).text(2, value)))
}

fn stream(labels: &str, entries: &[Message]) -> Message {
    // Behind the entries, as nobody sends it and everybody may.
    entries
        .iter()
        .fold(Message::new(), |stream, entry| stream.message(2, entry))
        .text(1, labels)
        .number(3, 99)
}

fn request(streams: &[Message]) -> Vec<u8> {
    let request = streams.iter().fold(Message::new(), |request, stream| request.message(1, stream));
    unpack(&request.snappy(), 1 << 20).expect("a snappy block")
}

#[test]
fn lines_are_records_with_what_their_labels_and_metadata_say_from_either_encoding() {
    let labels = r#"{job="docs/ocr", service_name="ocr", host="gpu-1", level="info", env="prod", job_id="j1", region="eu"}"#;
    let trace = "4BF92F3577B34DA6A3CE929D0E0E4736";
    let metadata = [("detected_level", "warn"), ("trace_id", trace), ("page", "3"), ("user_id", "u")];
    let protobuf =
        request(&[stream(labels, &[entry(THEN, "page 3: é", &metadata), entry(THEN + 1, "next", &[])])]);
    let text = format!(
        r#"{{"streams":[{{"values":[["{THEN}","page 3: \u00e9",{{"detected_level":"warn","trace_id":"{trace}","page":3,"user_id":"u","none":null}}],["{}","next"]],
            "stream":{{"job":"docs/ocr","service_name":"ocr","host":"gpu-1","level":"info","env":"prod","job_id":"j1","region":"eu"}}}}]}}"#,
        THEN + 1
    );
    for (encoding, body) in [(Encoding::Protobuf, protobuf.as_slice()), (Encoding::Json, text.as_bytes())] {
        let found = logs(read(encoding, body, Some("acme")));
        let [first, second] = &found[..] else { panic!("two lines: {found:?}") };
        assert_eq!((first.time.as_nanos(), first.observed_time), (THEN, Some(NOW)));
        assert_eq!(first.message.as_deref(), Some("page 3: é"));
        assert_eq!((first.level, first.severity_text.as_deref()), (Some(Level::Warn), Some("warn")));
        assert_eq!(first.trace_id.as_deref(), Some(trace.to_lowercase().as_str()));
        let conventions = &first.conventions;
        assert_eq!((conventions.job_id.as_deref(), conventions.user_id.as_deref()), (Some("j1"), Some("u")));
        assert_eq!(conventions.tenant.as_deref(), Some("acme"));
        assert_eq!(first.attributes, [("page".to_owned(), "3".to_owned())].into());
        let origin = &first.origin;
        assert_eq!((origin.service.as_deref(), origin.host.as_deref()), (Some("ocr"), Some("gpu-1")));
        assert_eq!(origin.environment.as_deref(), Some("prod"));
        let rest =
            [("job", "docs/ocr"), ("region", "eu")].map(|(name, value)| (name.to_owned(), value.to_owned()));
        assert_eq!(origin.resource_attributes, rest.into());
        assert_eq!((second.level, second.message.as_deref()), (Some(Level::Info), Some("next")));
        assert_eq!((second.conventions.user_id.as_deref(), second.attributes.len()), (None, 0));
        assert!(Arc::ptr_eq(origin, &second.origin), "a stream has one origin");
        assert_eq!(first.flaws, Flaws::NONE);
    }
}

#[test]
fn the_service_is_the_first_of_its_names_whatever_their_order() {
    let cases = [
        (r#"{"job":"j","app":"a","service_name":"s","container":"c"}"#, Some("s")),
        (r#"{"container":"c","app":"a","job":"j"}"#, Some("a")),
        (r#"{"container":"c","job":"j"}"#, Some("j")),
        (r#"{"container":"c"}"#, Some("c")),
        (r#"{"filename":"/var/log/x"}"#, None),
    ];
    for (labels, service) in cases {
        let found = json(&format!(r#"{{"streams":[{{"stream":{labels},"values":[["{THEN}","x"]]}}]}}"#));
        assert_eq!(found[0].origin.service.as_deref(), service, "{labels}");
    }
}

#[test]
fn the_level_is_the_first_of_its_names_and_other_words_stay() {
    let cases = [
        (r#"{"severity":"ERR","detected_level":"info"}"#, Some(Level::Error), Some("detected_level")),
        (r#"{"detected_level":"info","level":"error"}"#, Some(Level::Error), Some("detected_level")),
        (r#"{"detected_level":"error","level":"error"}"#, Some(Level::Error), None),
        (r#"{"level":"unknown","detected_level":"debug"}"#, Some(Level::Debug), None),
        (r#"{"severity_number":"17"}"#, Some(Level::Error), None),
        (r#"{"severity_number":"99"}"#, None, Some("severity_number")),
        (r#"{"level":"loud"}"#, None, None),
    ];
    for (metadata, level, left) in cases {
        let found =
            json(&format!(r#"{{"streams":[{{"stream":{{}},"values":[["{THEN}","x",{metadata}]]}}]}}"#));
        assert_eq!(found[0].level, level, "{metadata}");
        assert_eq!(found[0].attributes.keys().next().map(String::as_str), left, "{metadata}");
    }
}

#[test]
fn a_request_that_is_sent_again_has_the_same_ids_and_equal_lines_have_ids_of_their_own() {
    let same = entry(THEN, "same", &[]);
    let lines = [same.clone(), entry(THEN, "other", &[]), same.clone(), entry(THEN + 1, "same", &[])];
    let body = request(&[
        stream("{a=\"1\"}", &lines),
        stream("{a=\"2\"}", std::slice::from_ref(&same)),
        stream("{a=\"1\"}", &[same]),
    ]);
    let ids = |tenant| -> Vec<String> {
        let found = logs(read(Encoding::Protobuf, &body, tenant));
        found.into_iter().map(|log| log.event_id.expect("an id")).collect()
    };
    let first = ids(None);
    assert_eq!(first, ids(None));
    let distinct: std::collections::HashSet<_> = first.iter().collect();
    assert_eq!((first.len(), distinct.len()), (6, 6), "{first:?}");
    assert!(ids(Some("b")).iter().all(|id| !first.contains(id)), "what two tenants send are two things");
}

#[test]
fn a_line_without_a_time_is_marked_and_one_with_an_impossible_time_is_rejected() {
    let body = request(&[stream("{}", &[Message::new().text(2, "now"), entry(i64::MAX, "last", &[])])]);
    let found = logs(read(Encoding::Protobuf, &body, None));
    assert_eq!((found[0].time, found[0].event_id.clone()), (NOW, None));
    assert_eq!(found[0].flaws, [Flaw::NoTime].into_iter().collect());
    assert_eq!(found[1].time.as_nanos(), i64::MAX);
    let far = Message::new().message(1, &Message::new().number(1, u64::MAX >> 1)).text(2, "far");
    let rows = read(Encoding::Protobuf, &request(&[stream("{}", &[far])]), None).expect("a request");
    assert_eq!((rows.rejected, rows.events.len()), (1, 0));
    assert_eq!(rows.reasons.as_slice(), [rows::TOO_FAR_OUT]);
    let text = r#"{"streams":[{"stream":{},"values":[["soon","x"],["2025-08-01T21:30:00Z","y"],[1754083799123456789,"z"]]}]}"#;
    let rows = read(Encoding::Json, text.as_bytes(), None).expect("a request");
    assert_eq!((rows.rejected, rows.events.len()), (1, 2));
    let times: Vec<i64> = rows.events.iter().map(|event| event.time().as_nanos()).collect();
    assert_eq!(times, [NOW.as_nanos(), THEN]);
}

#[test]
fn lines_of_a_stream_whose_labels_cannot_be_read_are_rejected_and_others_are_kept() {
    let body = request(&[
        stream("{job=api}", &[entry(THEN, "a", &[]), entry(THEN, "b", &[])]),
        stream("{job=\"api\"}", &[entry(THEN, "c", &[])]),
    ]);
    let rows = read(Encoding::Protobuf, &body, None).expect("a request");
    assert_eq!((rows.rejected, rows.events.len(), rows.reasons.as_slice().len()), (2, 1, 1));
    assert!(rows.reasons.as_slice()[0].contains("{job=api}"), "{:?}", rows.reasons);
}

#[test]
fn what_is_too_much_is_cut_or_rejected() {
    let limits =
        RowLimits { max_text_bytes: 10, max_attributes: 2, max_bytes: 10_000, ..RowLimits::default() };
    let metadata: Vec<(String, String)> = (0..5).map(|n| (format!("k{n}"), "v".to_owned())).collect();
    let metadata: Vec<(&str, &str)> =
        metadata.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let lines: Vec<Message> =
        (0..100).map(|n| entry(THEN + n, "a line that is too long", &metadata)).collect();
    let body = request(&[stream("{a=\"1\",b=\"2\",c=\"3\"}", &lines)]);
    let rows = decode(Encoding::Protobuf, &body, &Context { limits: &limits, now: NOW, tenant: None });
    let rows = rows.expect("a request");
    assert!((1..15).contains(&rows.events.len()), "{}", rows.events.len());
    assert_eq!(rows.events.len() as u64 + rows.rejected, 100);
    let Event::Log(log) = &rows.events[0] else { panic!("no record of a log") };
    assert!(log.message.as_ref().is_some_and(|text| text.len() <= 10 && text.ends_with('…')));
    assert_eq!((log.attributes.len(), log.dropped_attributes), (2, Some(3)));
    assert_eq!((log.origin.resource_attributes.len(), log.origin.dropped_resource_attributes), (2, Some(1)));
    assert_eq!(log.flaws, [Flaw::Text, Flaw::Attributes].into_iter().collect());
}

#[test]
fn what_follows_once_there_is_no_room_is_rejected_unseen_but_must_be_a_request() {
    let limits = RowLimits { max_bytes: 10_000, ..RowLimits::default() };
    let context = Context { limits: &limits, now: NOW, tenant: None };
    let large = "x".repeat(12_000);
    // A line that would be rejected for its time, if it were looked at.
    let body = |end: &str| {
        format!(
            r#"{{"streams":[{{"stream":{{}},"values":[["1","{large}"],["99999999999999999999","b"],["3","c"{end}]]}}]}}"#
        )
    };
    let rows = decode(Encoding::Json, body("").as_bytes(), &context).expect("a request");
    assert_eq!((rows.events.len(), rows.rejected, rows.rejected_over_memory), (0, 3, 3));
    let [reason] = rows.reasons.as_slice() else { panic!("one reason: {:?}", rows.reasons) };
    assert!(reason.contains("10000 bytes"), "{reason}");
    let wrong = decode(Encoding::Json, body(r#","no metadata""#).as_bytes(), &context);
    let said = wrong.map(|_| ()).expect_err("what is wrong there makes the request wrong").to_string();
    assert!(said.contains("streams[0].values[2]"), "{said}");
}

#[test]
fn a_request_that_is_none_is_told_where() {
    let json =
        |text: &str| read(Encoding::Json, text.as_bytes(), None).map(|_| ()).expect_err(text).to_string();
    let cases = [
        ("{\"streams\":[", "EOF"),
        ("[]", "expected"),
        ("{}", "no `streams`"),
        ("{\"streams\":{}}", "expected a list"),
        ("{\"streams\":[1]}", "streams[0]: "),
        ("{\"streams\":[{\"stream\":[]}]}", "streams[0].stream: "),
        (
            "{\"streams\":[{},{\"values\":[[\"1\",\"a\"],[\"1\"]]}]}",
            "streams[1].values[1]: expected a time and a line",
        ),
        ("{\"streams\":[{\"values\":[[\"1\",2]]}]}", "streams[0].values[0]: the line is no text"),
        ("{\"streams\":[{\"values\":[[\"1\",\"a\",\"b\"]]}]}", "streams[0].values[0]: "),
        ("\u{1f600}", "expected value"),
    ];
    for (text, expected) in cases {
        let said = json(text);
        assert!(said.contains(expected), "{text}: {said}");
    }
    assert!(read(Encoding::Json, b"\xff", None).is_err());
    for body in [&b"\x0a"[..], b"\x0a\x05", b"\x08\x01", b"\x0a\x02\x12\x05"] {
        assert!(matches!(read(Encoding::Protobuf, body, None), Err(LokiError::Protobuf(_))), "{body:?}");
    }
    assert!(logs(read(Encoding::Protobuf, b"", None)).is_empty());
    let block = Message::new().bytes(9, &vec![0; 100_000]).snappy();
    assert!(matches!(unpack(&block, 1000), Err(LokiError::TooLarge { limit: 1000, .. })));
    assert!(matches!(unpack(b"no block", 1000), Err(LokiError::Snappy(_) | LokiError::TooLarge { .. })));
}

#[test]
fn texts_that_are_not_utf_8_are_kept_as_far_as_they_are() {
    let line = Message::new().message(1, &stamp(THEN)).bytes(2, b"caf\xe9");
    let found = logs(read(Encoding::Protobuf, &request(&[stream("{}", &[line])]), None));
    assert_eq!(found[0].message.as_deref(), Some("caf\u{fffd}"));
}

/// One line with its labels and its metadata.
fn line(labels: &serde_json::Value, line: &str, metadata: &serde_json::Value) -> LogEvent {
    let values = serde_json::json!([[THEN.to_string(), line, metadata]]);
    let body = serde_json::json!({ "streams": [{ "stream": labels, "values": values }] });
    json(&body.to_string()).pop().expect("a line")
}

#[test]
fn lines_say_their_level_and_more_themselves_and_are_kept_as_they_were_sent() {
    let none = serde_json::json!({});
    let trace = "4bf92f3577b34da6a3ce929d0e0e4736";
    let of_json = format!(
        r#"{{"ts":"2020-01-01T00:00:00Z","level":"error","msg":"lost","trace_id":"{trace}","job_id":"j1","http":{{"colour":"red"}},"logger":"app.db","service":"ocr"}}"#
    );
    type Case<'c> = (&'c str, Option<Level>, &'c [(&'c str, &'c str)]);
    let cases: [Case<'_>; 6] = [
        (
            &of_json,
            Some(Level::Error),
            &[("http.colour", "red"), ("logger", "app.db"), ("service.name", "ocr")],
        ),
        ("level=warn msg=\"slow page\" page=3", Some(Level::Warn), &[("page", "3")]),
        ("2026-11-30 08:00:00,123 ERROR connection lost", Some(Level::Error), &[]),
        ("\u{1b}[31mERROR\u{1b}[0m connection lost", Some(Level::Error), &[]),
        (
            "10.0.0.1 - - [30/Nov/2026:08:00:00 +0000] \"GET /x HTTP/1.1\" 503 12",
            None,
            &[("client.address", "10.0.0.1"), ("http.response.body.size", "12")],
        ),
        ("an error that is only words", None, &[]),
    ];
    for (text, level, attributes) in cases {
        let log = line(&serde_json::json!({ "filename": "/var/log/a" }), text, &none);
        assert_eq!((log.message.as_deref(), log.level), (Some(text), level), "{text}");
        assert_eq!((log.time.as_nanos(), log.flaws), (THEN, Flaws::NONE), "the shipper knows when: {text}");
        let attributes: model::event::Attributes =
            attributes.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        assert_eq!(log.attributes, attributes, "{text}");
    }
    let log = line(&serde_json::json!({ "app": "ocr" }), &of_json, &none);
    assert_eq!((log.trace_id.as_deref(), log.conventions.job_id.as_deref()), (Some(trace), Some("j1")));
    assert_eq!(log.severity_text.as_deref(), Some("error"));
    assert!(!log.attributes.contains_key("service.name"), "that is where it comes from");
    let access = line(&none, cases[4].0, &none);
    assert_eq!(access.conventions.http_status_code, Some(503));
}

#[test]
fn what_labels_and_metadata_say_holds_before_what_the_line_says() {
    let labels = serde_json::json!({ "level": "info", "job_id": "of the label" });
    let metadata = serde_json::json!({ "colour": "of the metadata" });
    let text = r#"{"level":"error","job_id":"j1","colour":"red","shape":"round"}"#;
    let log = line(&labels, text, &metadata);
    assert_eq!((log.level, log.severity_text.as_deref()), (Some(Level::Info), Some("info")));
    assert_eq!(log.conventions.job_id.as_deref(), Some("of the label"));
    let expected = [("colour", "of the metadata"), ("shape", "round")];
    assert_eq!(log.attributes, expected.map(|(name, value)| (name.to_owned(), value.to_owned())).into());
    assert_eq!((log.dropped_attributes, log.flaws), (None, Flaws::NONE), "nothing of the line is lost");
}

#[test]
fn lines_that_are_cut_are_not_read_and_what_they_say_has_bounds() {
    let many: String = (0..9).map(|n| format!("\"k{n}\":1,")).collect();
    let text = format!("{{{many}\"level\":\"error\"}}");
    let body = |text: &str| {
        serde_json::json!({ "streams": [{ "stream": {}, "values": [[THEN.to_string(), text]] }] }).to_string()
    };
    let read = |limits: &RowLimits| {
        let context = Context { limits, now: NOW, tenant: None };
        logs(decode(Encoding::Json, body(&text).as_bytes(), &context)).pop().expect("a line")
    };
    let log = read(&RowLimits { max_text_bytes: text.len() - 1, ..RowLimits::default() });
    assert_eq!((log.level, log.attributes.len()), (None, 0));
    assert_eq!(log.flaws, [Flaw::Text].into_iter().collect());
    let log = read(&RowLimits { max_attributes: 4, ..RowLimits::default() });
    assert_eq!((log.level, log.attributes.len(), log.dropped_attributes), (Some(Level::Error), 4, Some(5)));
}
