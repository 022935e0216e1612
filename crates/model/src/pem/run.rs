//! Where a stream of texts is within a private key whose lines come one by one.

use std::ops::Range;

use super::frame::Frame;
use super::{is_key_header, key_marks, key_part, key_parts, leaves_key_open, may_have_key_mark};

/// How many other records may stand between two lines of a key: others write to the same stream.
const MAX_OTHERS: u8 = 8;
/// How many lines at the end of a key may be short: its last one, and its sum.
const MAX_SHORT: u8 = 2;

/// How far a stream of texts is in a private key whose lines come one by one.
#[derive(Clone, Debug, Default)]
pub struct KeyRun {
    open: Option<Open>,
}

/// A key that has begun.
#[derive(Clone, Debug, Default)]
struct Open {
    /// Where the base64 stood in the last line that was as long as those of keys.
    column: Option<usize>,
    /// What stood around it.
    frame: Option<Frame>,
    /// Shorter ones since then.
    short: u8,
    /// Texts without a part of it since one had some.
    others: u8,
}

impl KeyRun {
    /// Within a key whose beginning was not seen.
    pub fn within() -> Self {
        Self { open: Some(Open::default()) }
    }

    /// Takes the next text of the stream, and says which parts of it belong to a key that began before. A text with a mark
    /// can be known by itself.
    pub fn see(&mut self, text: &str) -> Vec<Range<usize>> {
        if may_have_key_mark(text) && key_marks(text).next().is_some() {
            self.open = leaves_key_open(text).then(Open::default);
            return Vec::new();
        }
        let Some(open) = &mut self.open else { return Vec::new() };
        let taken = open.take(text);
        if taken.is_empty() && open.is_over_after(text) {
            self.open = None;
        }
        taken
    }

    /// Whether a key has begun that may go on.
    pub fn is_open(&self) -> bool {
        self.open.is_some()
    }
}

impl Open {
    /// The parts of a text that are of the key; lines that only blanks stand between are one.
    fn take(&mut self, text: &str) -> Vec<Range<usize>> {
        let mut taken: Vec<Range<usize>> = Vec::new();
        let mut next = 0;
        for line in text.split_inclusive('\n') {
            let begin = next;
            next += line.len();
            for part in self.take_line(line) {
                let part = begin + part.start..begin + part.end;
                match taken.last_mut() {
                    Some(last) if text[last.end..part.start].trim().is_empty() => last.end = part.end,
                    _ => taken.push(part),
                }
            }
        }
        if !taken.is_empty() {
            self.others = 0;
        }
        taken
    }

    fn take_line(&mut self, line: &str) -> Vec<Range<usize>> {
        let parts = key_parts(line);
        if let Some(part) = parts.last() {
            (self.column, self.short) = (Some(part.start), 0);
            self.frame = Frame::around(line, part);
            return parts;
        }
        let Some(short) = self.short_part(line) else { return parts };
        self.short += 1;
        vec![short]
    }

    /// The part of a line that could be one of the last of the key, by where it stands.
    fn short_part(&self, line: &str) -> Option<Range<usize>> {
        let column = self.column.filter(|_| self.short < MAX_SHORT)?;
        let at_end = key_part(line).filter(|part| part.is_whole || part.range.start == column);
        let framed = || self.frame.as_ref().and_then(|frame| frame.inner(line));
        at_end.map(|part| part.range).or_else(framed)
    }

    /// Whether the key cannot be thought to go on after a text that has nothing of it.
    fn is_over_after(&mut self, text: &str) -> bool {
        if !text.trim().is_empty() && !is_key_header(text) {
            self.others += 1;
        }
        self.others > MAX_OTHERS
    }
}

#[cfg(test)]
mod tests {
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
        let one = |text: &&str| {
            let parts = run.see(text);
            assert!(parts.len() < 2, "{text}");
            parts.first().map(|part| text[part.clone()].to_owned())
        };
        texts.iter().map(one).collect()
    }

    #[test]
    fn lines_after_a_beginning_are_of_the_key_up_to_its_end() {
        for width in [64, 70, 76] {
            let full = base64(width);
            let line = full.as_str();
            let texts = [line, BEGIN, line, line, "8Hw==", END, line, "done"];
            let expected = [
                None,
                None,
                Some(full.clone()),
                Some(full.clone()),
                Some("8Hw==".to_owned()),
                None,
                None,
                None,
            ];
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
    fn lines_are_of_the_key_whatever_stands_around_each() {
        let frames = [
            ("{\"level\":\"info\",\"msg\":\"", "\",\"caller\":\"key.go:12\"}"),
            ("{\"log\":\"", "\\n\",\"stream\":\"stdout\"}"),
            ("level=info msg=\"", "\" caller=key.go:12"),
            ("", " (key.py:12)"),
            ("\u{1b}[32m", "\u{1b}[0m"),
            ("'", "'"),
            ("b'", "\\n'"),
            ("\"", "\\n\" +"),
            ("", ","),
        ];
        for (before, after) in frames {
            let framed = |inner: &str| format!("{before}{inner}{after}");
            let full = base64(64);
            let texts = [BEGIN, &full, "GET /x 200", &full, "8Hw=", END, &full].map(framed);
            let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
            let taken = taken(&texts);
            let found: Vec<Option<&str>> = taken.iter().map(Option::as_deref).collect();
            let line = Some(full.as_str());
            assert_eq!(found, [None, line, None, line, Some("8Hw="), None, None], "{before}…{after}");
        }
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
        for texts in
            [[line, line, line], [sentence.as_str(), line, line], [BEGIN, layer.as_str(), sum.as_str()]]
        {
            assert!(taken(&texts).iter().all(Option::is_none), "{texts:?}");
        }
    }

    #[test]
    fn a_text_of_many_lines_goes_on_with_a_key() {
        let text = format!("  {0}\n  {0}\n", base64(64));
        assert_eq!(taken(&[BEGIN, &text])[1].as_deref(), Some(text[2..].trim_end()));
    }
}
