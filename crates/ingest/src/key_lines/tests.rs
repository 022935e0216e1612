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
    lines.find(Source::Syslog, events, now).into_keys().collect()
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
    for number in 0..=MAX_STREAMS {
        assert!(indexes(&lines, &records(&number.to_string(), &[BEGIN]), now).is_empty());
    }
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
}
