//! From a file to the texts that are looked at: the records of a log, cut where tailing cuts them, or all of it.
//!
//! A text is what stands in the file, byte for byte; what tailing reads out of it (times, levels, fields) is left in it.
//! Beside it is what tailing takes for its message.

use std::borrow::Cow;
use std::collections::VecDeque;
use std::io::{self, BufRead, Read as _};
use std::sync::Arc;

use collect::LogsConfig;
use model::Timestamp;
use protocol::logs::{Line, LogReader, Record};

/// The longest line that is looked at as one, in bytes; what is longer is looked at in pieces.
const MAX_LINE_BYTES: u64 = 1 << 20;
/// The longest record, in bytes. Tailing keeps less of one.
const MAX_RECORD_BYTES: usize = 2 << 20;
/// The longest text where the whole file is one, in bytes; of a longer one there are several.
const MAX_WHOLE_BYTES: u64 = 16 << 20;

/// The texts of a file.
pub(super) struct Texts<R> {
    input: R,
    /// What joins lines; nothing where the whole file is a text.
    reader: Option<LogReader>,
    /// What was read and is in no text yet.
    pending: Vec<u8>,
    /// Where that begins, and where the next byte lies, in bytes from the beginning of the file.
    begin: u64,
    offset: u64,
    /// The number of its first line, from 1.
    line: u64,
    ready: VecDeque<Text>,
    is_over: bool,
}

/// A text, with the end of its last line.
pub(super) struct Text {
    line: u64,
    bytes: Vec<u8>,
    /// How many of the bytes are not the end of the line.
    length: usize,
    /// What tailing stores as the message of the record.
    message: Option<String>,
}

impl Text {
    fn new(line: u64, bytes: Vec<u8>, message: Option<String>) -> Self {
        let last = bytes.iter().rposition(|byte| !matches!(byte, b'\r' | b'\n'));
        Self { line, length: last.map_or(0, |last| last + 1), bytes, message }
    }

    /// The number of its first line, from 1.
    pub(super) fn line(&self) -> u64 {
        self.line
    }

    /// It as it stands in the file, without its end.
    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes[..self.length]
    }

    /// The end of its last line, with empty ones after it: nothing at the end of a file.
    pub(super) fn end(&self) -> &[u8] {
        &self.bytes[self.length..]
    }

    /// What tailing stores as the message of the record that it is; nothing where it is none, or a part of one.
    pub(super) fn message(&self) -> Option<&str> {
        self.message.as_deref()
    }

    /// It as text. Bytes that are none are shown as `�`.
    pub(super) fn shown(&self) -> Cow<'_, str> {
        String::from_utf8_lossy(self.bytes())
    }
}

impl<R: BufRead> Texts<R> {
    /// The records of a log, by the settings that tailing has where none are written.
    pub(super) fn records(input: R) -> anyhow::Result<Self> {
        // Of times only that they are some matters here.
        let config = LogsConfig { time_zone: Some("UTC".to_owned()), ..LogsConfig::default() };
        let mut reader = LogReader::new(Arc::new(config.options()?));
        reader.set_now(Timestamp::now());
        Ok(Self { reader: Some(reader), ..Self::whole(input) })
    }

    /// All that there is as one text.
    pub(super) fn whole(input: R) -> Self {
        Self {
            input,
            reader: None,
            pending: Vec::new(),
            begin: 0,
            offset: 0,
            line: 1,
            ready: VecDeque::new(),
            is_over: false,
        }
    }

    /// The next text, if there is one.
    pub(super) fn read(&mut self) -> io::Result<Option<Text>> {
        loop {
            if let Some(text) = self.ready.pop_front() {
                return Ok(Some(text));
            }
            if self.is_over {
                return Ok(None);
            }
            self.read_more()?;
        }
    }

    /// Reads a line, or a whole text, and makes texts ready that end with it.
    fn read_more(&mut self) -> io::Result<()> {
        let known = self.pending.len();
        let length = match self.reader {
            Some(_) => self.input.by_ref().take(MAX_LINE_BYTES).read_until(b'\n', &mut self.pending)?,
            None => self.input.by_ref().take(MAX_WHOLE_BYTES).read_to_end(&mut self.pending)?,
        };
        self.offset += length as u64;
        self.is_over = length == 0;
        let mut ends = Vec::new();
        let mut is_open = false;
        if let Some(reader) = &mut self.reader {
            let mut each = |record: Record| ends.push((record.end, record.log.message));
            if self.is_over {
                reader.flush(&mut each);
            } else {
                let bytes = without_end(&self.pending[known..]);
                reader.line(Line { bytes, end: self.offset, cut: 0 }, &mut each);
            }
            is_open = reader.is_open();
        }
        ends.into_iter().for_each(|(end, message)| self.give(end, message));
        if !is_open || self.pending.len() >= MAX_RECORD_BYTES {
            self.give(self.offset, None);
        }
        Ok(())
    }

    /// Makes a text of what was read up to a place.
    fn give(&mut self, end: u64, message: Option<String>) {
        let length = usize::try_from(end.saturating_sub(self.begin)).unwrap_or(usize::MAX);
        let bytes: Vec<u8> = self.pending.drain(..length.min(self.pending.len())).collect();
        if bytes.is_empty() {
            return;
        }
        let lines = bytes.iter().filter(|byte| **byte == b'\n').count();
        self.begin += bytes.len() as u64;
        self.ready.push_back(Text::new(self.line, bytes, message));
        self.line += lines as u64;
    }
}

fn without_end(line: &[u8]) -> &[u8] {
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    line.strip_suffix(b"\r").unwrap_or(line)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(input: &str) -> Vec<(u64, String)> {
        let mut texts = Texts::records(input.as_bytes()).expect("options");
        let mut all = Vec::new();
        while let Some(text) = texts.read().expect("from memory") {
            all.push((text.line(), text.shown().into_owned()));
        }
        all
    }

    #[test]
    fn a_record_is_one_text_with_all_its_lines() {
        let (begin, end) = (concat!("-----BEGIN ", "PRIVATE KEY-----"), "-----END PRIVATE KEY-----");
        let line = "MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC7VJTUt9Us8cKj";
        let key = format!("{begin}\n{line}\nQUJD\n{end}");
        let input = format!("a\n{key}\n\nb\n{begin} is missing\nno key\r\n\n  c\nd");
        let expected = [
            (1, "a".to_owned()),
            (2, key),
            (7, "b".to_owned()),
            (8, format!("{begin} is missing")),
            (9, "no key\r\n\n  c".to_owned()),
            (12, "d".to_owned()),
        ];
        assert_eq!(texts(&input), expected);
        assert_eq!(texts(""), []);
        assert_eq!(texts("\n\n"), [(1, String::new()), (2, String::new())]);
    }

    #[test]
    fn a_file_comes_out_as_it_went_in_whatever_its_texts_are() {
        let input = b"{\"msg\":\"a\",\"level\":\"info\"}\n\n2026-11-30 08:00:00 INFO b\n  c\r\n\n\nd \xff";
        let mut records = Texts::records(&input[..]).expect("options");
        for texts in [&mut records, &mut Texts::whole(&input[..])] {
            let mut all = Vec::new();
            while let Some(text) = texts.read().expect("from memory") {
                all.extend_from_slice(text.bytes());
                all.extend_from_slice(text.end());
            }
            assert_eq!(all, input);
        }
    }

    #[test]
    fn a_line_without_an_end_is_read_in_pieces() {
        let long = "x".repeat(MAX_LINE_BYTES as usize + 1);
        let lengths: Vec<usize> = texts(&long).iter().map(|(_, text)| text.len()).collect();
        assert_eq!(lengths, [MAX_LINE_BYTES as usize, 1]);
    }

    #[test]
    fn a_record_of_any_length_is_read_in_pieces() {
        let long = format!("a\n{}", format!("  {}\n", "x".repeat(1 << 16)).repeat(40));
        let found = texts(&long);
        assert!(found.len() > 1 && found.iter().all(|(_, text)| text.len() < 2 * MAX_RECORD_BYTES));
    }
}
