use std::sync::Arc;

use model::Timestamp;
use model::event::Origin;

use super::*;

const BEGIN: &str = concat!("-----BEGIN ", "PRIVATE KEY-----");
const END: &str = "-----END PRIVATE KEY-----";

/// A line of a key, so wide.
fn base64(width: usize) -> String {
    "MIIEvQIBADANBgkqhkiG9w0B+/".chars().cycle().take(width).collect()
}

/// Records of a host.
fn records(host: &str, texts: &[&str]) -> Vec<Event> {
    let origin = Arc::new(Origin { host: Some(host.to_owned()), ..Origin::default() });
    let log = |text: &&str| LogEvent {
        message: Some((*text).to_owned()),
        ..LogEvent::new(Timestamp::default(), Arc::clone(&origin))
    };
    texts.iter().map(|text| Event::Log(Box::new(log(text)))).collect()
}

fn indexes(lines: &KeyLines, events: &[Event], now: Instant) -> Vec<usize> {
    lines.find(Source::Syslog, events, now).parts.into_keys().collect()
}

#[test]
fn a_stream_is_within_its_key_in_later_batches_and_others_are_not() {
    let (lines, now, full) = (KeyLines::default(), Instant::now(), base64(64));
    assert!(indexes(&lines, &records("a", &["x", BEGIN]), now).is_empty());
    let mut both = records("a", &[&full, END, &full]);
    both.extend(records("b", &[&full]));
    assert_eq!(indexes(&lines, &both, now), [0]);
    assert!(lines.streams.lock().is_empty(), "its end was seen");
}

#[test]
fn a_stream_that_says_nothing_for_long_is_forgotten_and_so_is_one_of_too_many() {
    let (lines, now, full) = (KeyLines::default(), Instant::now(), base64(64));
    assert!(indexes(&lines, &records("a", &[BEGIN]), now).is_empty());
    assert!(indexes(&lines, &records("a", &[&full]), now + REMEMBERED).is_empty());
    let begins = |number: usize| {
        let found = lines.find(Source::Syslog, &records(&number.to_string(), &[BEGIN]), now);
        assert!(found.parts.is_empty());
        found.forgotten
    };
    assert!((0..MAX_STREAMS).map(begins).all(|forgotten| forgotten == 0));
    assert_eq!((begins(MAX_STREAMS), begins(MAX_STREAMS)), (1, 0));
    assert_eq!(lines.streams.lock().len(), MAX_STREAMS);
}

#[test]
fn lines_before_an_end_are_of_a_key_where_its_beginning_is_not_there() {
    let (lines, now, full) = (KeyLines::default(), Instant::now(), base64(64));
    let mixed = |texts: &[&str]| indexes(&lines, &records("a", texts), now);
    assert_eq!(mixed(&["start", &full, &full, "8Hw==", END, &full]), [1, 2, 3]);
    assert_eq!(mixed(&[&full, "x y.", "ok", END]), [] as [usize; 0]);
    let mut apart = records("a", &[&full]);
    apart.extend(records("b", &[&full, END]));
    assert_eq!(indexes(&lines, &apart, now), [1]);
    let framed = [full.as_str(), "8Hw==", END].map(|line| format!("{{\"msg\":\"{line}\",\"line\":12}}"));
    assert_eq!(mixed(&framed.each_ref().map(String::as_str)), [0, 1]);
}

#[test]
fn a_key_whose_newest_line_comes_first_is_one() {
    let (lines, now, full) = (KeyLines::default(), Instant::now(), base64(64));
    let texts = ["x", END, "8Hw==", &full, "GET /x 200", &full, BEGIN, "y"];
    assert_eq!(indexes(&lines, &records("a", &texts), now), [2, 3, 5]);
    // Another that begins after it is looked at all the same.
    let two = [END, &full, BEGIN, &full, END, &full];
    assert_eq!(indexes(&lines, &records("b", &two), now), [1, 3]);
}

#[test]
fn a_key_goes_on_in_the_file_that_takes_the_place_of_another() {
    let (lines, now, full) = (KeyLines::default(), Instant::now(), base64(64));
    let of_file = |path: &str, id: &str, service: &str, text: &str| {
        let origin = Origin {
            service: Some(service.to_owned()),
            resource_attributes: [(PATH.to_owned(), path.to_owned())].into(),
            ..Origin::default()
        };
        let log = LogEvent {
            message: Some(text.to_owned()),
            event_id: Some(id.to_owned()),
            ..LogEvent::new(Timestamp::default(), Arc::new(origin))
        };
        Event::Log(Box::new(log))
    };
    let find = |event: Event| lines.find(Source::LogFile, &[event], now).parts.len();
    assert_eq!(find(of_file("/a.log", "file:1:40", "a", BEGIN)), 0);
    assert_eq!(find(of_file("/b.log", "file:2:65", "a", &full)), 0);
    assert_eq!(find(of_file("/a.log", "file:3:65", "b", &full)), 1);
}
