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

/// What of texts is found to be of a key by one who sees them in their order.
fn taken(texts: &[&str]) -> Vec<Option<String>> {
    let mut run = KeyRun::default();
    texts.iter().map(|text| run.see(text).map(|range| text[range].to_owned())).collect()
}

#[test]
fn lines_after_a_beginning_are_of_the_key_up_to_its_end() {
    for width in [64, 70, 76] {
        let full = base64(width);
        let line = full.as_str();
        let texts = [line, BEGIN, line, line, "8Hw==", END, line, "done"];
        let expected =
            [None, None, Some(full.clone()), Some(full.clone()), Some("8Hw==".to_owned()), None, None, None];
        assert_eq!(taken(&texts), expected, "{width}");
    }
}

#[test]
fn what_a_logger_puts_before_each_line_stays() {
    let (begin, first) = (format!("12:00 INFO key: {BEGIN}"), format!("12:00 INFO key: {}", base64(64)));
    let texts = [begin.as_str(), first.as_str(), "12:00 INFO key: AAb=", "12:00 INFO done"];
    assert_eq!(taken(&texts), [None, Some(base64(64)), Some("AAb=".to_owned()), None]);
}

#[test]
fn headers_and_what_others_write_lie_between_lines_of_a_key_but_not_many() {
    let full = base64(64);
    let line = full.as_str();
    let mut texts = vec![BEGIN, "Proc-Type: 4,ENCRYPTED", "", "GET /x 200", line, "GET /y 200", line];
    let expected = [None, None, None, None, Some(full.clone()), None, Some(full.clone())];
    assert_eq!(taken(&texts), expected);
    texts.truncate(1);
    texts.extend(std::iter::repeat_n("GET /x 200", usize::from(MAX_OTHERS) + 1));
    texts.push(line);
    assert!(taken(&texts).iter().all(Option::is_none));
}

#[test]
fn base64_alone_and_after_a_sentence_is_no_key_and_sums_are_none_after_a_beginning() {
    let (full, sum) = (base64(64), "0123456789abcdef".repeat(4));
    let sentence = format!("expected {BEGIN} but found nothing");
    let layer = format!("layer sha256:{sum}");
    let line = full.as_str();
    for texts in [[line, line, line], [sentence.as_str(), line, line], [BEGIN, layer.as_str(), sum.as_str()]]
    {
        assert!(taken(&texts).iter().all(Option::is_none), "{texts:?}");
    }
}

#[test]
fn a_text_of_many_lines_goes_on_with_a_key() {
    let text = format!("  {0}\n  {0}\n", base64(64));
    assert_eq!(taken(&[BEGIN, &text])[1].as_deref(), Some(text[2..].trim_end()));
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
