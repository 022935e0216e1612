use std::collections::BTreeMap;
use std::time::Duration;

use model::Timestamp;

use crate::{Datum, Level, Query, Record, Schema, Scope};

/// A log record.
struct Line {
    fields: BTreeMap<&'static str, Datum<'static>>,
    own: BTreeMap<&'static str, Datum<'static>>,
    resource: BTreeMap<&'static str, Datum<'static>>,
}

impl Record for Line {
    fn field(&self, name: &str) -> Option<Datum<'_>> {
        self.fields.get(name).cloned()
    }

    fn attribute(&self, scope: Scope, name: &str) -> Option<Datum<'_>> {
        match scope {
            Scope::Record => self.own.get(name).cloned(),
            Scope::Resource => self.resource.get(name).cloned(),
            Scope::Any => self.own.get(name).or_else(|| self.resource.get(name)).cloned(),
        }
    }
}

fn line() -> Line {
    let fields: [(&str, Datum<'static>); 9] = [
        ("message", "Job-7 timed out after 5.5s: GET /api/v1/jobs (FÜR alle)".into()),
        ("service", "ocr".into()),
        ("level", Datum::Level(Level::Error)),
        ("duration", Datum::Duration(Duration::from_millis(5_500))),
        ("http.response.status_code", Datum::Number(503.0)),
        ("http.request.body.size", Datum::Bytes(2_000_000)),
        ("time", Datum::Time(Timestamp::parse_rfc3339("2025-08-01T11:50:00Z").expect("a time"))),
        ("trace_id", "4bf92f3577b34da6a3ce929d0e0e4736".into()),
        ("exception.message", "connection refused".into()),
    ];
    let own: [(&str, Datum<'static>); 4] = [
        ("team", "acme-7".into()),
        ("attempts", "12".into()),
        ("waited", "250ms".into()),
        ("size", Datum::Number(5.0)),
    ];
    let resource: [(&str, Datum<'static>); 2] = [("team", "nobody".into()), ("zone", "eu-1".into())];
    Line { fields: fields.into(), own: own.into(), resource: resource.into() }
}

fn finds(text: &str) -> bool {
    let now = Timestamp::parse_rfc3339("2025-08-01T12:00:00Z").expect("a time");
    match Query::parse(text, &Schema::logs(), now) {
        Ok(query) => query.matches(&line()),
        Err(error) => panic!("{text}: {error}"),
    }
}

fn all_find(queries: &[&str]) {
    for query in queries {
        assert!(finds(query), "{query}");
        assert!(!finds(&format!("-({query})")), "{query}");
    }
}

fn none_finds(queries: &[&str]) {
    for query in queries {
        assert!(!finds(query), "{query}");
        assert!(finds(&format!("-({query})")), "{query}");
    }
}

#[test]
fn words_are_found_whole_and_whatever_their_case() {
    all_find(&["timed", "TIMED", "job", "7", "für", "FÜR", "api", "5s", "5.5s", "job-7", "refused"]);
    none_finds(&["time", "tim", "ou", "obs", "ür", "job7", "ocr"]);
}

#[test]
fn phrases_are_words_at_once_behind_each_other() {
    all_find(&[
        "\"timed out\"",
        "\"Timed, OUT!\"",
        "\"7 timed out after 5\"",
        "\"/api/v1/jobs\"",
        "\"jobs für alle\"",
        "message:\"timed out\"",
    ]);
    none_finds(&[
        "\"out timed\"",
        "\"timed after\"",
        "\"alle connection\"",
        "\"timed out after 5 5s GET api v1 jobs x\"",
    ]);
}

#[test]
fn wildcards_stay_within_a_word_of_a_text_and_cover_other_values() {
    all_find(&[
        "tim*",
        "*ut",
        "t?med",
        "T*D",
        "f?r",
        "job-*",
        "\"timed\" o*",
        "message:*ob*",
        "service:o*",
        "service:?cr",
        "trace_id:4bf92f*",
        "trace_id:4BF92F*",
    ]);
    none_finds(&[
        "timed*out",
        "timed?",
        "????????",
        "job-*-out",
        "service:c*",
        "service:OC*",
        "message=*timed",
    ]);
}

#[test]
fn patterns_match_anywhere_in_a_value() {
    all_find(&[
        "/timed? out/",
        "/GET \\/api/",
        "/^Job/",
        "/job/i",
        "message:/5\\.5s/",
        "service:/^ocr$/",
        "service:/c/",
    ]);
    none_finds(&["/JOB/", "/^timed/", "service:/^c/", "level:error /x{3}/"]);
}

#[test]
fn values_are_compared_by_their_kind() {
    all_find(&[
        "level:error",
        "level>=warn",
        "level<fatal",
        "level:[warn TO error]",
        "level!=warn",
        "duration>5s",
        "duration>=5.5s",
        "duration:1s..1m",
        "duration:[5500ms TO 5500ms]",
        "http.response.status_code:>=500",
        "http.response.status_code:503",
        "http.response.status_code:500..599",
        "http.request.body.size:2MB",
        "http.request.body.size>1MiB",
        "time>-15m",
        "time:2025-08-01",
        "time:[-1h TO now]",
        "service:ocr",
        "service:(asr OR ocr)",
        "service=ocr",
        "service>=nothing",
    ]);
    none_finds(&[
        "level:warn",
        "level>error",
        "level:{error TO fatal]",
        "duration>5500ms",
        "duration:{5500ms TO 6s]",
        "duration:[1s TO 5500ms}",
        "http.response.status_code<500",
        "time>-5m",
        "time>2025-08-01",
        "service:OCR",
        "service:(asr OR llm)",
        "message=timed",
    ]);
}

#[test]
fn attributes_are_read_as_what_they_are_compared_with() {
    all_find(&[
        "team:acme-7",
        "attributes.team:acme-7",
        "resource.team:nobody",
        "zone:eu-1",
        "attempts>5",
        "attempts:1..20",
        "attempts:12",
        "attempts>\"1\"",
        "waited>0.2s",
        "waited:200ms..1s",
        "size:5",
        "size>4",
        "team>acme",
        "team:/me-/",
    ]);
    none_finds(&[
        "team:nobody",
        "team:acme",
        "attributes.zone:eu-1",
        "attempts>5s",
        "waited>5",
        "attempts>\"2\"",
        "size:5.0",
    ]);
}

#[test]
fn what_a_record_lacks_satisfies_nothing_but_a_negation() {
    all_find(&["team:*", "service:*", "_exists_:zone", "colour!=red", "-colour:red", "span_id!=*"]);
    none_finds(&["colour:*", "colour:red", "colour>5", "span_id:*", "observed_time<now", "colour:/./"]);
}

#[test]
fn parts_are_joined_as_they_are_written() {
    assert!(finds(""));
    all_find(&[
        "*",
        "level:error service:ocr \"timed out\" -retry duration>5s trace_id:4bf92f3577b34da6a3ce929d0e0e4736",
        "nothing OR timed",
        "nothing OR timed out",
        "(nothing OR timed) -nothing",
        "NOT nothing AND timed",
    ]);
    none_finds(&["nothing", "timed nothing", "nothing OR timed nothing", "-timed", "NOT (timed OR nothing)"]);
}
