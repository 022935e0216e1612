//! Messages as senders write them.

use model::event::{Event, Flaw, Flaws, Level, LogEvent};
use model::{TimeRange, Timestamp};

use super::*;
use crate::otlp::rows::RowLimits;

/// Noon of the 30th of November 2026.
fn noon() -> Timestamp {
    time("2026-11-30T12:00:00Z")
}

fn time(text: &str) -> Timestamp {
    Timestamp::parse_rfc3339(text).expect("a time")
}

/// A message that came at `noon` from 192.0.2.7, whose clocks are `offset` seconds ahead.
fn read_at(message: &[u8], offset_seconds: i32) -> LogEvent {
    let limits = RowLimits::default();
    let options = Options {
        offset_seconds,
        times: TimeRange::new(time("2026-11-23T12:00:00Z"), time("2026-11-30T12:10:00Z")),
    };
    let mut records = Records::new(&limits, options);
    let received = Received { time: noon(), peer: "192.0.2.7", is_cut: false };
    let flaws = records.take(message, &received);
    let mut events = records.finish();
    let Some(Event::Log(log)) = events.pop() else { panic!("no record of a log: {events:?}") };
    assert_eq!((log.flaws, events.len()), (flaws, 0));
    *log
}

fn read(message: &str) -> LogEvent {
    read_at(message.as_bytes(), 0)
}

/// Time, host, application, process id and text.
type Parts<'a> = (&'a str, &'a str, Option<&'a str>, Option<u64>, &'a str);

#[track_caller]
fn assert_parts(message: &str, expected: Parts<'_>) -> LogEvent {
    let log = read(message);
    let (at, host, app, pid, text) = expected;
    assert_eq!(log.time, time(at), "{message}");
    assert_eq!(log.origin.host.as_deref(), Some(host), "{message}");
    assert_eq!((log.origin.service.as_deref(), log.origin.pid), (app, pid), "{message}");
    assert_eq!(log.message.as_deref().unwrap_or_default(), text, "{message}");
    log
}

fn attributes(log: &LogEvent) -> Vec<(&str, &str)> {
    log.attributes.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect()
}

#[test]
fn a_message_of_rfc_5424_is_read_field_by_field() {
    let log = assert_parts(
        "<165>1 2026-11-30T11:59:58.000003-00:30 mill-3.example.org ocr 4711 ID47 \
         [page@32473 number=\"3\" title=\"a \\\"b\\\" \\] \\\\ \\n\"][empty@1] \u{feff}page took long: é",
        ("2026-11-30T12:00:00Z", "mill-3.example.org", Some("ocr"), Some(4711), "page took long: é"),
    );
    assert!(log.flaws.contains(Flaw::NoTime), "half an hour ahead is a fault of a clock");
    let log = assert_parts(
        "<165>1 2026-11-30T11:29:58.000003-00:30 mill-3.example.org ocr 4711 ID47 \
         [page@32473 number=\"3\" title=\"a \\\"b\\\" \\] \\\\ \\n\"][empty@1] \u{feff}page took long: é",
        ("2026-11-30T11:59:58.000003Z", "mill-3.example.org", Some("ocr"), Some(4711), "page took long: é"),
    );
    assert_eq!(log.observed_time, Some(noon()));
    assert_eq!(
        (log.level, log.severity_number, log.severity_text.as_deref()),
        (Some(Level::Info), Some(10), Some("notice"))
    );
    let expected = [
        ("empty@1", ""),
        ("network.peer.address", "192.0.2.7"),
        ("page@32473.number", "3"),
        ("page@32473.title", "a \"b\" ] \\ \\n"),
        ("syslog.facility", "local4"),
        ("syslog.msgid", "ID47"),
    ];
    assert_eq!(attributes(&log), expected);
    assert_eq!((log.flaws, log.event_id), (Flaws::NONE, None));
}

#[test]
fn values_of_rfc_5424_may_be_nil_and_names_that_all_share_have_their_columns() {
    let log = assert_parts("<14>1 - - - - - -", ("2026-11-30T12:00:00Z", "192.0.2.7", None, None, ""));
    assert_eq!((log.message, log.flaws), (None, [Flaw::NoTime].into_iter().collect()));
    assert_eq!(log.attributes.keys().map(String::as_str).collect::<Vec<_>>(), ["syslog.facility"]);
    let trace = "4bf92f3577b34da6a3ce929d0e0e4736";
    let log = read(&format!(
        "<11>1 2026-11-30T12:00:00Z h worker main - [wk@1 job_id=\"j1\" trace_id=\"{trace}\" span_id=\"x\"] failed"
    ));
    assert_eq!(log.conventions.job_id.as_deref(), Some("j1"));
    assert_eq!((log.trace_id.as_deref(), log.span_id), (Some(trace), None));
    assert_eq!(log.attributes.get("wk@1.span_id").map(String::as_str), Some("x"), "an id that is none stays");
    assert_eq!(log.attributes.get("syslog.procid").map(String::as_str), Some("main"));
    assert_eq!((log.level, log.flaws), (Some(Level::Error), Flaws::NONE));
}

#[test]
fn messages_of_old_are_read_in_all_their_variants() {
    let at = "2026-11-30T11:58:07Z";
    let cases: &[(&str, Parts<'_>)] = &[
        (
            "<30>Nov 30 11:58:07 mill-3 cron[42]: (root) CMD (run)",
            (at, "mill-3", Some("cron"), Some(42), "(root) CMD (run)"),
        ),
        ("<30>Nov 30 11:58:07 cron[42]: no host", (at, "192.0.2.7", Some("cron"), Some(42), "no host")),
        (
            "<30>nov 30 11:58:07 mill-3 kernel: [  1.5] usb: new",
            (at, "mill-3", Some("kernel"), None, "[  1.5] usb: new"),
        ),
        (
            "<30>Nov 30 11:58:07 10.0.0.5 su(pam_unix)[9]: opened",
            (at, "10.0.0.5", Some("su(pam_unix)"), Some(9), "opened"),
        ),
        (
            "<30>Nov 30 11:58:07 fe80::1 /usr/bin/app[3] no colon",
            (at, "fe80::1", Some("/usr/bin/app"), Some(3), "no colon"),
        ),
        ("<30>Nov 30 11:58:07 mill-3 no tag at all", (at, "mill-3", None, None, "no tag at all")),
        ("<30>Nov 30 11:58:07 mill-3 http://x/ was asked", (at, "mill-3", None, None, "http://x/ was asked")),
        ("<30>Nov 30 11:58:07 'quoted' text", (at, "192.0.2.7", None, None, "'quoted' text")),
        ("<30>Nov 30 11:58:07 CRON: in capitals", (at, "192.0.2.7", Some("CRON"), None, "in capitals")),
        ("<30>Nov 30 11:58:07 alone", (at, "192.0.2.7", None, None, "alone")),
        ("<30>Nov 30 2026 11:58:07 mill-3 a: year before", (at, "mill-3", Some("a"), None, "year before")),
        ("<30>Nov 30 11:58:07 2026 mill-3 a: year behind", (at, "mill-3", Some("a"), None, "year behind")),
        (
            "<30>2026-11-30T12:58:07+01:00 mill-3 a[1]: as relays write it",
            (at, "mill-3", Some("a"), Some(1), "as relays write it"),
        ),
        ("<30>2026-11-30 11:58:07 mill-3 a: in two words", (at, "mill-3", Some("a"), None, "in two words")),
        ("<30>a[7]: no time", ("2026-11-30T12:00:00Z", "192.0.2.7", Some("a"), Some(7), "no time")),
        ("<30>only a text", ("2026-11-30T12:00:00Z", "192.0.2.7", None, None, "only a text")),
        (
            "<30>date=2026-11-30 devname=\"fw\" x: y",
            ("2026-11-30T12:00:00Z", "192.0.2.7", None, None, "date=2026-11-30 devname=\"fw\" x: y"),
        ),
        ("<30>Nov 30 11:58:07 mill-3 a: ends\r\n", (at, "mill-3", Some("a"), None, "ends")),
    ];
    for (message, expected) in cases {
        let log = assert_parts(message, *expected);
        assert!(!log.flaws.contains(Flaw::Format), "{message}");
        assert_eq!(log.flaws.contains(Flaw::NoTime), expected.0 != at, "{message}");
        assert_eq!((log.level, log.attributes["syslog.facility"].as_str()), (Some(Level::Info), "daemon"));
    }
}

#[test]
fn what_routers_write_before_and_behind_the_time_is_understood() {
    let at = "2026-11-30T11:58:07.250Z";
    let whole = "2026-11-30T11:58:07Z";
    let cases: &[(&str, &str, &str)] = &[
        ("<189>29: *Nov 30 11:58:07.250: %SYS-5-CONFIG_I: Configured", at, "192.0.2.7"),
        ("<189>000029: edge-1: Nov 30 11:58:07.250 UTC: %SYS-5-CONFIG_I: Configured", at, "edge-1"),
        ("<189>: 2026 Nov 30 11:58:07.250 UTC: %SYS-5-CONFIG_I: Configured", at, "192.0.2.7"),
        ("<189>Nov 30 2026 11:58:07: %SYS-5-CONFIG_I: Configured", whole, "192.0.2.7"),
        ("<189>Nov 30 11:58:07 fw-1 : %SYS-5-CONFIG_I: Configured", whole, "fw-1"),
    ];
    for (message, at, host) in cases {
        let log = assert_parts(message, (at, host, None, None, "Configured"));
        assert_eq!(log.attributes["syslog.msgid"], "SYS-5-CONFIG_I", "{message}");
        assert_eq!(log.flaws, Flaws::NONE, "{message}");
    }
}

#[test]
fn a_time_without_a_year_is_that_nearest_to_now_on_the_clock_of_its_sender() {
    let clock = |now, seconds| Clock {
        now: time(now),
        offset: jiff::tz::Offset::from_seconds(seconds).expect("an offset"),
    };
    let cases = [
        ("2026-11-30T12:00:00Z", 0, "Nov 30 11:58:07 h", "2026-11-30T11:58:07Z"),
        ("2027-01-01T00:00:05Z", 0, "Dec 31 23:59:58 h", "2026-12-31T23:59:58Z"),
        ("2026-12-31T23:59:58Z", 0, "Jan  1 00:00:01 h", "2027-01-01T00:00:01Z"),
        ("2026-11-30T12:00:00Z", 7200, "Nov 30 13:58:07 h", "2026-11-30T11:58:07Z"),
        ("2026-12-31T23:30:00Z", 3600, "Jan  1 00:29:59 h", "2026-12-31T23:29:59Z"),
        ("2028-03-01T00:00:00Z", 0, "Feb 29 10:00:00 h", "2028-02-29T10:00:00Z"),
        ("2026-11-30T12:00:00Z", 7200, "2026-11-30T13:00:00 h", "2026-11-30T11:00:00Z"),
        ("2026-11-30T12:00:00Z", 7200, "Nov 30 11:00:00 UTC: x", "2026-11-30T11:00:00Z"),
        ("2026-11-30T12:00:00Z", 0, "Nov 30 11:59:60 h", "2026-11-30T11:59:59Z"),
    ];
    for (now, offset, text, expected) in cases {
        let found = stamp::read(text, clock(now, offset)).map(|(time, ..)| time);
        assert_eq!(found, Some(time(expected)), "{text} at {now}");
    }
    for text in [
        "Nov 31 10:00:00 h",
        "Nov 30 24:00:00 h",
        "Nov 30 10:00 h",
        "Nov x 10:00:00 h",
        "Now 1 1:1:1",
        "Feb 29 2026 1:1:1",
    ] {
        assert!(stamp::read(text, clock("2026-11-30T12:00:00Z", 0)).is_none(), "{text}");
    }
}

#[test]
fn a_clock_that_cannot_be_right_does_not_lose_the_message() {
    for message in
        ["<30>Mar  1 00:00:12 r1 a: just started", "<30>1 1993-03-01T00:00:12Z r1 a - - - just started"]
    {
        let log = assert_parts(message, ("2026-11-30T12:00:00Z", "r1", Some("a"), None, "just started"));
        assert_eq!(log.flaws, [Flaw::NoTime].into_iter().collect(), "{message}");
    }
}

#[test]
fn what_cannot_be_read_is_kept_as_a_text_that_says_so() {
    let cases = [
        ("a line of a program", "a line of a program", None),
        ("<999>Nov 30 11:58:07 h a: b", "<999>Nov 30 11:58:07 h a: b", None),
        ("<34>1 2026-11-30T11:00:00Z host", "1 2026-11-30T11:00:00Z host", Some(Level::Fatal)),
        ("<34>1 2026-11-30T11:00:00Z h a - - [broken", "[broken", Some(Level::Fatal)),
        ("<34>1 2026-11-30T11:00:00Z h a - - [x y=z] t", "[x y=z] t", Some(Level::Fatal)),
        ("<34>1 yesterday h a - - - t", "t", Some(Level::Fatal)),
    ];
    for (message, text, level) in cases {
        let log = read(message);
        assert_eq!((log.message.as_deref(), log.level), (Some(text), level), "{message}");
        assert!(log.flaws.contains(Flaw::Format), "{message}");
    }
    let log = read("Nov 30 11:58:07 mill-3 a[1]: no priority");
    assert_eq!((log.origin.service.as_deref(), log.message.as_deref()), (Some("a"), Some("no priority")));
    assert_eq!(log.flaws, [Flaw::Format].into_iter().collect());
    let log = read_at(b"<13>h\xff\xfe: x", 0);
    assert_eq!(log.message.as_deref(), Some("x"));
}

#[test]
fn messages_of_one_sender_share_their_origin() {
    let limits = RowLimits::default();
    let options = Options { offset_seconds: 0, times: TimeRange::ALL };
    let mut records = Records::new(&limits, options);
    let received = Received { time: noon(), peer: "::1", is_cut: true };
    for text in ["one", "two"] {
        let flaws = records.take(format!("<13>a[1]: {text}").as_bytes(), &received);
        assert!(flaws.contains(Flaw::Text));
    }
    let events = records.finish();
    let [Event::Log(one), Event::Log(two)] = &events[..] else { panic!("two records: {events:?}") };
    assert!(std::sync::Arc::ptr_eq(&one.origin, &two.origin));
}

/// What comes out of a stream that comes in pieces of `size` bytes: texts, and whether they are cut.
fn frames(stream: &[u8], size: usize, max_bytes: usize) -> Vec<(String, bool)> {
    let mut framer = Framer::new(max_bytes);
    let mut all = Vec::new();
    let mut each =
        |frame: Frame<'_>| all.push((String::from_utf8_lossy(frame.bytes).into_owned(), frame.is_cut));
    for piece in stream.chunks(size) {
        framer.push(piece, &mut each);
    }
    framer.finish(&mut each);
    all
}

#[test]
fn both_framings_are_told_apart_message_by_message_however_the_stream_is_cut() {
    let cases: &[(&str, &[(&str, bool)])] = &[
        ("<1>a\n<2>b\r\n\n<3>c", &[("<1>a", false), ("<2>b", false), ("<3>c", false)]),
        ("4 <1>a6 <2>b\nc\n5 <3>d\n", &[("<1>a", false), ("<2>b\nc", false), ("<3>d", false)]),
        ("4 <1>a<2>line\n12 <3>123456789", &[("<1>a", false), ("<2>line", false), ("<3>123456789", false)]),
        ("12 apples\n2026-11-30 x\n7", &[("12 apples", false), ("2026-11-30 x", false), ("7", false)]),
        ("12345678 <1>x\n0 <1>x\n", &[("12345678 <1>x", false), ("0 <1>x", false)]),
        ("9 <1>ab", &[("<1>ab", true)]),
        ("<1>a\0\n\0<2>b\0", &[("<1>a", false), ("<2>b", false)]),
        ("<1>123456789012345678\n<2>b\n", &[("<1>1234567890123", true), ("<2>b", false)]),
        ("20 <1>12345678901234567<2>b\n", &[("<1>1234567890123", true), ("<2>b", false)]),
        ("", &[]),
    ];
    for (stream, expected) in cases {
        for size in 1..=stream.len().max(1) {
            let found = frames(stream.as_bytes(), size, 16);
            let found: Vec<(&str, bool)> = found.iter().map(|(text, cut)| (text.as_str(), *cut)).collect();
            assert_eq!(found, *expected, "{stream:?} in pieces of {size}");
        }
    }
}
