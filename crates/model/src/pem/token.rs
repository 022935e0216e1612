//! Base64 within a line, whatever stands around it: quotes, escapes, colours, other fields.

use std::ops::Range;

use super::{FULL_BYTES, key_part};

/// How often an escape may itself be escaped: JSON in JSON has three.
const MAX_SLASHES: usize = 3;
/// Signs of base64 as encoders of JSON write them that escape more than they must.
const CODES: [(&[u8], u8); 3] = [(b"u002b", b'+'), (b"u002f", b'/'), (b"u003d", b'=')];
/// How the sign is written that begins what tells terminals colours.
const COLOURS: [&[u8]; 4] = [b"u001b", b"x1b", b"033", b"e"];

/// The sign of base64 that a text begins with, and in how many bytes it is written.
fn sign(text: &[u8]) -> Option<(u8, usize)> {
    let first = *text.first()?;
    if first.is_ascii_alphanumeric() || matches!(first, b'+' | b'/' | b'=') {
        return Some((first, 1));
    }
    let slashes = slashes(text);
    if !(1..=MAX_SLASHES).contains(&slashes) {
        return None;
    }
    let rest = &text[slashes..];
    if rest.first() == Some(&b'/') {
        return Some((b'/', slashes + 1));
    }
    let is_it = |code: &[u8]| rest.get(..code.len()).is_some_and(|text| text.eq_ignore_ascii_case(code));
    CODES.iter().find(|(code, _)| is_it(code)).map(|(code, sign)| (*sign, slashes + code.len()))
}

fn slashes(text: &[u8]) -> usize {
    text.iter().take(MAX_SLASHES + 1).take_while(|byte| **byte == b'\\').count()
}

/// How many bytes of an escape a text begins with whose letters are none of base64: `\n`, and what tells terminals
/// colours, as such or written.
pub(super) fn escape(text: &[u8]) -> usize {
    let slashes = slashes(text);
    let (head, is_colour) = match text.first() {
        Some(0x1b) => (1, true),
        Some(b'\\') => escaped(slashes, &text[slashes..]),
        _ => return 0,
    };
    if !is_colour || text.get(head) != Some(&b'[') {
        return head;
    }
    let sequence = &text[head + 1..];
    let parameters = sequence.iter().take_while(|byte| matches!(byte, 0x20..=0x3f)).count();
    let has_end = sequence.get(parameters).is_some_and(|byte| matches!(byte, 0x40..=0x7e));
    head + 1 + parameters + usize::from(has_end)
}

/// The same of one that is written, after its slashes, and whether it begins what tells colours.
fn escaped(slashes: usize, rest: &[u8]) -> (usize, bool) {
    let begins = |name: &[u8]| rest.get(..name.len()).is_some_and(|text| text.eq_ignore_ascii_case(name));
    let colour = COLOURS.iter().find(|name| begins(name) && rest.get(name.len()) == Some(&b'['));
    if let Some(name) = colour {
        return (slashes + name.len(), true);
    }
    let has_hex = |from: usize, to: usize| {
        rest.get(from..to).is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit))
    };
    let letters = match rest.first() {
        Some(b'u') if has_hex(1, 5) => 5,
        Some(b'x') if has_hex(1, 3) => 3,
        Some(b'n' | b'r' | b't') => 1,
        _ => 0,
    };
    (slashes + letters, false)
}

/// How many bytes of base64 a text begins with.
pub(super) fn run_length(text: &str) -> usize {
    let bytes = text.as_bytes();
    let mut at = 0;
    while let Some((_, length)) = sign(&bytes[at..]) {
        at += length;
    }
    at
}

/// What is known of a token while it is read.
#[derive(Default)]
struct Token {
    start: usize,
    end: usize,
    signs: usize,
    small: usize,
    capital: usize,
    hex: usize,
    is_padded: bool,
}

impl Token {
    fn at(start: usize) -> Self {
        Self { start, end: start, ..Self::default() }
    }

    fn take(&mut self, sign: u8, length: usize) {
        self.end += length;
        self.signs += 1;
        self.is_padded = sign == b'=';
        self.small += usize::from(sign.is_ascii_lowercase());
        self.capital += usize::from(sign.is_ascii_uppercase());
        self.hex += usize::from(sign.is_ascii_hexdigit());
    }

    /// Its place, if it is as long as lines of keys are and no sum, number or path: of 40 signs of a key some are small
    /// letters and some are capitals.
    fn of_key(&self) -> Option<Range<usize>> {
        let is_mixed = self.small > 0 && self.capital > 0 && self.hex < self.signs;
        (self.signs >= FULL_BYTES && is_mixed).then_some(self.start..self.end)
    }
}

/// The tokens of a line that are as long as lines of keys are, in their order.
pub(super) fn tokens(line: &str) -> Vec<Range<usize>> {
    let bytes = line.as_bytes();
    let (mut found, mut token, mut at) = (Vec::new(), Token::at(0), 0);
    while at < bytes.len() {
        if let Some((sign, length)) = sign(&bytes[at..]) {
            // What stands before the sign that ends base64 is a name: `msg=…`.
            if token.is_padded && sign != b'=' {
                found.extend(token.of_key());
                token = Token::at(at);
            }
            token.take(sign, length);
            at += length;
        } else {
            found.extend(token.of_key());
            at += escape(&bytes[at..]).max(1);
            token = Token::at(at);
        }
    }
    found.extend(token.of_key());
    found
}

/// The parts of a line that are as long as lines of keys are. By themselves they say nothing: much is base64 that is no
/// key.
pub fn key_parts(line: &str) -> Vec<Range<usize>> {
    let mut parts = tokens(line);
    if let Some(part) = key_part(line).filter(|part| part.is_full)
        && parts.last().is_none_or(|last| last.end <= part.range.start)
    {
        parts.push(part.range);
    }
    parts
}

/// Base64 without the escapes in which it was written.
pub fn plain_base64(part: &str) -> String {
    let bytes = part.as_bytes();
    let mut plain = String::with_capacity(part.len());
    let mut at = 0;
    while let Some((sign, length)) = sign(&bytes[at..]) {
        plain.push(char::from(sign));
        at += length;
    }
    plain.push_str(&part[at..]);
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A line of a key.
    const LINE: &str = "MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC7VJTUt9Us8cKj";

    #[test]
    fn a_line_of_a_key_is_found_whatever_stands_around_it() {
        let frames = [
            ("", ""),
            ("{\"level\":\"info\",\"msg\":\"", "\",\"caller\":\"key.go:12\"}"),
            ("{\"log\":\"{\\\"msg\\\":\\\"", "\\\"}\\n\",\"stream\":\"stdout\"}"),
            ("level=info msg=\"", "\" caller=key.go:12"),
            ("level=info msg=", " caller=key.go:12"),
            ("", " (key.py:12)"),
            ("\u{1b}[1;32m", "\u{1b}[0m"),
            ("\\u001b[32m", "\\u001b[0m"),
            ("'", "'"),
            ("b'", "\\n'"),
            ("\"\\n", "\\n\" +"),
            ("", ","),
            ("é→", "←"),
        ];
        for (before, after) in frames {
            let line = format!("{before}{LINE}{after}");
            let found: Vec<&str> = key_parts(&line).into_iter().map(|part| &line[part]).collect();
            assert_eq!(found, [LINE], "{line}");
        }
        let two = format!("{LINE} {LINE}");
        assert_eq!(key_parts(&two), [0..64, 65..129]);
    }

    #[test]
    fn escapes_within_base64_are_of_it() {
        let plain = LINE.replace('9', "/").replace('7', "+");
        for escaped in [plain.replace('/', "\\/"), plain.replace('+', "\\u002B")] {
            let line = format!("{{\"msg\":\"{escaped}\"}}");
            let found = key_parts(&line);
            assert_eq!(found.len(), 1, "{line}");
            assert_eq!(line[found[0].clone()], escaped);
            assert_eq!(plain_base64(&escaped), plain);
        }
    }

    #[test]
    fn sums_words_and_paths_are_none() {
        let sum = "0123456789abcdef".repeat(4);
        for line in [
            format!("layer sha256:{sum} done"),
            "/usr/local/lib/python3/packages/celery/worker/consumer/mixed done".to_owned(),
            "a".repeat(64) + " done",
            format!("{} done", &LINE[..39]),
            "\\\\\\\\\\ \u{1b}[ \u{1b} \\u00".to_owned(),
            String::new(),
        ] {
            assert_eq!(key_parts(&line), Vec::<std::ops::Range<usize>>::new(), "{line}");
        }
    }
}
