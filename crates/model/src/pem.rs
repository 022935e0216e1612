//! How private keys are written in text (PEM, RFC 7468; PGP's armour, RFC 9580, section 6.2): the marks around them,
//! and lines of base64 between. What joins lines and what redacts them must mean the same by it.
//!
//! Knows nothing of what a key holds. Public keys and certificates have other marks, and are none here.

mod frame;
mod run;
mod token;

use std::ops::Range;

pub use run::KeyRun;
pub use token::{key_parts, plain_base64};

/// The words of a mark that are always there.
const WORDS: &str = "PRIVATE KEY";
/// What a mark begins and ends with.
const DASHES: &str = "-----";
/// How long what stands between the dashes and [`WORDS`] may be: `BEGIN ENCRYPTED `.
const MAX_LABEL_BYTES: usize = 46;
/// Base64 from this length on is a line of a key; what is shorter can only be its last one.
const FULL_BYTES: usize = 40;
/// How wide lines of keys are as programs write them: OpenSSL and PGP, OpenSSH, MIME.
const WIDTHS: [usize; 3] = [64, 70, 76];
/// What may stand between the first mark and the base64.
const HEADERS: [&str; 7] =
    ["Proc-Type: ", "DEK-Info: ", "Version: ", "Comment: ", "Hash: ", "Charset: ", "MessageID: "];

/// Which end of a key a mark stands at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyMark {
    /// `-----BEGIN … PRIVATE KEY-----`.
    Begin,
    /// `-----END … PRIVATE KEY-----`.
    End,
}

/// Whether a text can have a mark in it: cheap, and never wrong where there is one.
pub fn may_have_key_mark(text: &str) -> bool {
    text.contains(WORDS)
}

/// The marks of private keys in a text, in their order, with their places in bytes.
pub fn key_marks(text: &str) -> impl Iterator<Item = (KeyMark, Range<usize>)> {
    text.match_indices(WORDS).filter_map(move |(at, words)| mark_at(text, at..at + words.len()))
}

fn mark_at(text: &str, words: Range<usize>) -> Option<(KeyMark, Range<usize>)> {
    let after = &text[words.end..];
    let block = after.strip_prefix(" BLOCK").map_or(0, |_| " BLOCK".len());
    let dashes = after[block..].starts_with(DASHES);
    let head = &text[..words.start];
    let is_label = |byte: &u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || *byte == b' ';
    let width = head.bytes().rev().take(MAX_LABEL_BYTES).take_while(is_label).count();
    let (before, label) = head.split_at(head.len() - width);
    let mark = match label {
        label if label.starts_with("BEGIN ") => KeyMark::Begin,
        label if label.starts_with("END ") => KeyMark::End,
        _ => return None,
    };
    let start = before.strip_suffix(DASHES)?.len();
    dashes.then(|| (mark, start..words.end + block + DASHES.len()))
}

/// Base64 at the end of a line, which is part of a key if the line stands where one is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyPart {
    /// Where it stands in the line, in bytes.
    pub range: Range<usize>,
    /// Whether nothing stands before it but blanks.
    pub is_whole: bool,
    /// Whether it is as long as lines of keys are. The last line of a key, and the sum after it, can be shorter.
    pub is_full: bool,
}

/// The part of a key that a line could be. By itself it says nothing: much is base64 that is no key.
pub fn key_part(line: &str) -> Option<KeyPart> {
    let text = line.trim_end();
    let is_base64 = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'=');
    let width = text.bytes().rev().take_while(is_base64).count();
    let (before, base64) = text.split_at(text.len() - width);
    // A sum begins with the sign that elsewhere only ends.
    let digits = base64.strip_prefix('=').unwrap_or(base64).trim_end_matches('=');
    if digits.is_empty() || digits.contains('=') {
        return None;
    }
    let is_whole = before.trim_start().is_empty();
    // Sums of files and images stand in many lines, and have one of the widths.
    let is_hex = digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    let is_parted = before.ends_with([' ', '\t', ':', '|', '>', ']', '"', '\'']);
    let is_wide = if is_whole { width >= FULL_BYTES } else { is_parted && WIDTHS.contains(&width) };
    Some(KeyPart { range: before.len()..text.len(), is_whole, is_full: is_wide && !is_hex })
}

/// Whether a line is one of those that may stand between the first mark and the base64: `Proc-Type: 4,ENCRYPTED`.
pub fn is_key_header(line: &str) -> bool {
    let line = line.trim_start();
    HEADERS.iter().any(|header| line.starts_with(header))
}

/// Whether a key begins in a text and does not end in it, so that what comes next may be more of it. A sentence with the
/// mark in it begins none.
pub fn leaves_key_open(text: &str) -> bool {
    if !may_have_key_mark(text) {
        return false;
    }
    match key_marks(text).last() {
        Some((KeyMark::Begin, at)) => {
            let is_key = |line: &str| {
                line.trim().is_empty()
                    || is_key_header(line)
                    || key_part(line).is_some_and(|part| part.is_whole)
                    || !key_parts(line).is_empty()
            };
            let mut lines = text[at.end..].lines();
            lines.next().is_none_or(|rest| is_key(rest) || is_no_sentence(rest)) && lines.all(is_key)
        }
        Some((KeyMark::End, _)) | None => false,
    }
}

/// Whether what follows a mark in its line is of what writes the line (the end of a quote, a place in a program, further
/// fields), and not the rest of a sentence.
fn is_no_sentence(rest: &str) -> bool {
    let bytes = rest.as_bytes();
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        if matches!(byte, b'(' | b'[' | b'{' | b'<' | b'#') {
            return true;
        }
        let escape = token::escape(&bytes[at..]);
        // What is no letter of English is one of another language.
        if escape == 0 && (byte.is_ascii_alphanumeric() || !byte.is_ascii()) {
            let is_name =
                |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.' | b'@');
            let after = bytes[at..].iter().skip_while(|byte| is_name(byte)).copied();
            let mut after = after.skip_while(|byte| matches!(byte, b'\\' | b'"' | b'\''));
            return matches!(after.next(), Some(b'=' | b':'));
        }
        at += escape.max(1);
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    const BEGIN: &str = concat!("-----BEGIN ", "RSA PRIVATE KEY-----");
    const END: &str = "-----END RSA PRIVATE KEY-----";

    /// A line of a key, so wide.
    fn base64(width: usize) -> String {
        "MIIEvQIBADANBgkqhkiG9w0B+/".chars().cycle().take(width).collect()
    }

    #[test]
    fn marks_are_those_of_private_keys_alone() {
        let marks =
            |text: &str| key_marks(text).map(|(mark, at)| (mark, text[at].to_owned())).collect::<Vec<_>>();
        for label in ["", "RSA ", "EC ", "DSA ", "OPENSSH ", "ENCRYPTED "] {
            let text = format!("é{DASHES}BEGIN {label}PRIVATE KEY{DASHES} x");
            assert_eq!(marks(&text), [(KeyMark::Begin, text[2..text.len() - 2].to_owned())], "{text}");
        }
        let block = "-----END PGP PRIVATE KEY BLOCK-----";
        assert_eq!(marks(block), [(KeyMark::End, block.to_owned())]);
        assert_eq!(marks(&format!("{BEGIN}\nx\n{END}")).len(), 2);
        let others = [
            "-----BEGIN CERTIFICATE-----",
            "-----BEGIN PUBLIC KEY-----",
            "BEGIN PRIVATE KEY",
            "-----BEGIN PRIVATE KEY",
            "PRIVATE KEY-----",
            "----BEGIN PRIVATE KEY-----",
            "-----BEGIN private PRIVATE KEY-----",
        ];
        for other in others {
            assert_eq!(marks(other), [], "{other}");
        }
    }

    #[test]
    fn a_part_is_base64_at_the_end_of_a_line() {
        // The line, what stands before the part, and whether it is full; none where there is no part.
        let cases = [
            (base64(64), Some((0, true))),
            (format!("  {}  ", base64(44)), Some((2, true))),
            (base64(39), Some((0, false))),
            ("=COL8".to_owned(), Some((0, false))),
            ("8Hw==".to_owned(), Some((0, false))),
            ("0123456789abcdef".repeat(4), Some((0, false))),
            (format!("INFO key: {}", base64(70)), Some((10, true))),
            (format!("INFO key: {}", base64(65)), Some((10, false))),
            (format!("a.{}", base64(64)), Some((2, false))),
            ("a=b=c".to_owned(), None),
            ("ends.".to_owned(), None),
            (String::new(), None),
            ("==".to_owned(), None),
        ];
        for (line, expected) in cases {
            let found = key_part(&line).map(|part| (part.range.start, part.is_full));
            assert_eq!(found, expected, "{line}");
        }
    }

    #[test]
    fn a_key_is_open_after_its_first_mark_and_after_no_sentence() {
        let open = [
            BEGIN.to_owned(),
            format!("12:00 INFO loaded {BEGIN}"),
            format!("{BEGIN}\nProc-Type: 4,ENCRYPTED\n\n{}\n", base64(64)),
            format!("{BEGIN}\n{END}\n{BEGIN}"),
            format!("{{\"msg\":\"{BEGIN}\",\"caller\":\"key.go:12\"}}"),
            format!("{{\"log\":\"{{\\\"msg\\\":\\\"{BEGIN}\\\",\\\"a\\\":1}}\\n\",\"stream\":\"stdout\"}}"),
            format!("level=info msg=\"{BEGIN}\" caller=key.go:12"),
            format!("{BEGIN} (key.py:12)"),
            format!("\u{1b}[32m{BEGIN}\u{1b}[0m"),
            format!("'{BEGIN}'"),
            format!("b'{BEGIN}\\n'"),
            format!("\"{BEGIN}\\n\" +"),
            format!("{BEGIN},"),
        ];
        for text in open {
            assert!(leaves_key_open(&text), "{text}");
        }
        let closed = [
            format!("{BEGIN}\n{END}"),
            format!("expected {BEGIN} but found the end of the file"),
            format!("expected '{BEGIN}' but found: nothing"),
            format!("{{\"msg\":\"no {BEGIN} in it\",\"caller\":\"key.go:12\"}}"),
            format!("{BEGIN}: größer"),
            base64(64),
            END.to_owned(),
        ];
        for text in closed {
            assert!(!leaves_key_open(&text), "{text}");
        }
    }
}
