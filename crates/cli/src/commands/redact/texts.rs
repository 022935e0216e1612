//! From a file to the texts that are looked at: its lines, and private keys, which go over several.

use std::borrow::Cow;
use std::io::{self, BufRead, Read as _};

/// The longest line that is looked at as one, in bytes; what is longer is looked at in pieces.
const MAX_LINE_BYTES: u64 = 1 << 20;
/// The longest private key, in bytes.
const MAX_KEY_BYTES: usize = 64 << 10;

/// The texts of a file.
pub(super) struct Texts<R> {
    input: R,
    /// How many lines were read.
    lines: u64,
    /// A line that was read to see that it belongs to no key.
    ahead: Option<Vec<u8>>,
}

/// A text, with the end of its line.
pub(super) struct Text {
    line: u64,
    bytes: Vec<u8>,
    /// How many of the bytes are not the end of the line.
    length: usize,
}

impl Text {
    fn new(line: u64, bytes: Vec<u8>) -> Self {
        let ends: &[&[u8]] = &[b"\r\n", b"\n"];
        let end = ends.iter().find(|end| bytes.ends_with(end)).map_or(0, |end| end.len());
        Self { line, length: bytes.len() - end, bytes }
    }

    /// The number of its first line, from 1.
    pub(super) fn line(&self) -> u64 {
        self.line
    }

    /// It as it stands in the file, without its end.
    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes[..self.length]
    }

    /// The end of its line: nothing at the end of a file.
    pub(super) fn end(&self) -> &[u8] {
        &self.bytes[self.length..]
    }

    /// It as text. Bytes that are none are shown as `�`.
    pub(super) fn shown(&self) -> Cow<'_, str> {
        String::from_utf8_lossy(self.bytes())
    }
}

impl<R: BufRead> Texts<R> {
    pub(super) fn new(input: R) -> Self {
        Self { input, lines: 0, ahead: None }
    }

    /// The next text, if there is one.
    pub(super) fn read(&mut self) -> io::Result<Option<Text>> {
        let Some(mut bytes) = self.next_line()? else { return Ok(None) };
        let line = self.lines;
        if begins_key(&bytes) {
            while bytes.len() < MAX_KEY_BYTES
                && let Some(more) = self.next_line()?
            {
                if !is_within_key(&more) {
                    self.lines -= 1;
                    self.ahead = Some(more);
                    break;
                }
                let is_end = contains(&more, b"-----END ");
                bytes.extend_from_slice(&more);
                if is_end {
                    break;
                }
            }
        }
        Ok(Some(Text::new(line, bytes)))
    }

    fn next_line(&mut self) -> io::Result<Option<Vec<u8>>> {
        let bytes = match self.ahead.take() {
            Some(bytes) => bytes,
            None => {
                let mut bytes = Vec::new();
                self.input.by_ref().take(MAX_LINE_BYTES).read_until(b'\n', &mut bytes)?;
                bytes
            }
        };
        self.lines += u64::from(!bytes.is_empty());
        Ok((!bytes.is_empty()).then_some(bytes))
    }
}

/// Whether a key begins in a line and does not end in it.
fn begins_key(line: &[u8]) -> bool {
    contains(line, b"-----BEGIN ") && contains(line, b"PRIVATE KEY") && !contains(line, b"-----END ")
}

/// Whether a line can stand in a key: base64, a header, nothing, or its end.
fn is_within_key(line: &[u8]) -> bool {
    let line = line.trim_ascii();
    let is_base64 = |byte: &u8| byte.is_ascii_alphanumeric() || b"+/=".contains(byte);
    line.iter().all(is_base64) || contains(line, b"-----END ") || contains(line, b": ")
}

fn contains(line: &[u8], part: &[u8]) -> bool {
    line.windows(part.len()).any(|window| window == part)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(input: &str) -> Vec<(u64, String)> {
        let mut texts = Texts::new(input.as_bytes());
        let mut all = Vec::new();
        while let Some(text) = texts.read().expect("from memory") {
            all.push((text.line(), text.shown().into_owned()));
        }
        all
    }

    #[test]
    fn a_private_key_is_one_text_with_all_its_lines() {
        let (begin, end) = (concat!("-----BEGIN ", "PRIVATE KEY-----"), "-----END PRIVATE KEY-----");
        let all = texts(&format!("a\n{begin}\nQUJD\n{end}\nb\n{begin} is missing\nno key\r\nc"));
        let expected = [
            (1, "a".to_owned()),
            (2, format!("{begin}\nQUJD\n{end}")),
            (5, "b".to_owned()),
            (6, format!("{begin} is missing")),
            (7, "no key".to_owned()),
            (8, "c".to_owned()),
        ];
        assert_eq!(all, expected);
        assert_eq!(texts(""), []);
        assert_eq!(texts("\n\n"), [(1, String::new()), (2, String::new())]);
    }

    #[test]
    fn a_line_without_an_end_is_read_in_pieces() {
        let long = "x".repeat(MAX_LINE_BYTES as usize + 1);
        let lengths: Vec<usize> = texts(&long).iter().map(|(_, text)| text.len()).collect();
        assert_eq!(lengths, [MAX_LINE_BYTES as usize, 1]);
    }
}
