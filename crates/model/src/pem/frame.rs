//! What a program puts around each line of a key, by which the short line is known that ends one.

use std::ops::Range;

use super::token::run_length;

/// The longest line of which what is around base64 is remembered, in bytes, and the longest that is compared with it.
const MAX_BYTES: usize = 1 << 10;

/// What stands around the base64 of a line, in which all words with digits are one: times and numbers go on.
#[derive(Clone, Debug)]
pub(super) struct Frame {
    before: String,
    after: String,
    /// How many signs that are of no word stand before the base64, and the letters between the last of them and it.
    separators: usize,
    word: String,
}

impl Frame {
    /// What stands around a part of a line, where it is something that one would know again.
    pub(super) fn around(line: &str, part: &Range<usize>) -> Option<Self> {
        let line = line.trim_end();
        let (before, after) = (line.get(..part.start)?, line.get(part.end..)?);
        if line.len() > MAX_BYTES {
            return None;
        }
        let separators = before.chars().filter(|c| is_separator(*c)).count();
        let word = before.rsplit(is_separator).next().unwrap_or_default().to_owned();
        Some(Self { before: shape(before), after: shape(after), separators, word })
    }

    /// The base64 of another line around which the same stands.
    pub(super) fn inner(&self, line: &str) -> Option<Range<usize>> {
        let line = line.trim_end();
        if line.len() > MAX_BYTES {
            return None;
        }
        let mut ends = line.char_indices().filter(|(_, c)| is_separator(*c)).map(|(at, c)| at + c.len_utf8());
        let words = match self.separators.checked_sub(1) {
            Some(last) => ends.nth(last)?,
            None => 0,
        };
        let inner = line[words..].strip_prefix(self.word.as_str())?;
        let start = line.len() - inner.len();
        let end = start + run_length(inner);
        let is_it = end > start && shape(&line[..start]) == self.before && shape(&line[end..]) == self.after;
        is_it.then_some(start..end)
    }
}

fn is_separator(c: char) -> bool {
    !c.is_alphanumeric() && c != '.'
}

/// A text in which all words with digits are one.
fn shape(text: &str) -> String {
    let mut shape = String::with_capacity(text.len());
    for piece in text.split_inclusive(is_separator) {
        let word = piece.strip_suffix(is_separator).unwrap_or(piece);
        shape.push_str(if word.bytes().any(|byte| byte.is_ascii_digit()) { "0" } else { word });
        shape.push_str(&piece[word.len()..]);
    }
    shape
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stands_around_is_known_again_though_times_and_numbers_go_on() {
        let cases = [
            (
                "level=info ts=08:00:00.12 msg=\"",
                "\" line=9",
                "level=info ts=08:00:01.5 msg=\"",
                "\" line=10",
            ),
            ("{\"msg\":\"", "\"}", "{\"msg\":\"", "\"}"),
            ("\u{1b}[32m", "\u{1b}[0m", "\u{1b}[32m", "\u{1b}[0m"),
            ("b'", "\\n'", "b'", "\\n'"),
            ("", " (a.py:1)", "", " (a.py:12)"),
        ];
        for (before, after, next_before, next_after) in cases {
            let line = format!("{before}MIIE{after}");
            let part = before.len()..before.len() + 4;
            let frame = Frame::around(&line, &part).expect("short");
            let next = format!("{next_before}A\\/b={next_after}");
            let found = frame.inner(&next).map(|part| next[part].to_owned());
            assert_eq!(found.as_deref(), Some("A\\/b="), "{next}");
        }
    }

    #[test]
    fn what_something_else_stands_around_is_not_taken() {
        let frame = Frame::around("a=\"MIIE\" b", &(3..7)).expect("short");
        for line in ["", "a", "a=\"", "a=\"\" b", "a=\"x\" c", "c=\"x\" b", "a=\"x y\" b", "é=\"x\" b"] {
            assert_eq!(frame.inner(line), None, "{line}");
        }
        assert!(Frame::around(&"x ".repeat(MAX_BYTES), &(0..1)).is_none());
    }
}
