//! From bytes to lines, whatever pieces the bytes come in.

/// The most bytes of a line that are kept; of a longer one the rest is passed over.
pub const MAX_LINE_BYTES: usize = 256 << 10;

/// A line without its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Line<'a> {
    /// What it says.
    pub bytes: &'a [u8],
    /// Where the next one begins, in bytes from the beginning of the stream.
    pub end: u64,
    /// How many of its bytes are not here: it was too long.
    pub cut: u64,
}

/// Cuts a stream into lines. Keeps what has no end yet.
#[derive(Clone, Debug, Default)]
pub struct Lines {
    /// The line that has no end yet, as far as it is kept.
    pending: Vec<u8>,
    /// Bytes of that line that are not kept.
    cut: u64,
    /// Where the next byte lies in the stream.
    offset: u64,
}

impl Lines {
    /// For a stream whose next byte lies at `offset`, where a line begins.
    pub fn at(offset: u64) -> Self {
        Self { offset, ..Self::default() }
    }

    /// Where the next byte lies in the stream.
    pub fn offset(&self) -> u64 {
        self.offset
    }

    /// Whether a line has begun that has no end yet.
    pub fn has_part(&self) -> bool {
        !self.pending.is_empty() || self.cut > 0
    }

    /// Takes the bytes that follow, and hands every line that has an end to `each`.
    pub fn feed(&mut self, mut bytes: &[u8], mut each: impl FnMut(Line<'_>)) {
        while !bytes.is_empty() {
            if !self.has_part() {
                bytes = self.skip_holes(bytes);
            }
            let Some(end) = memchr::memchr(b'\n', bytes) else {
                self.keep(bytes);
                return;
            };
            let (line, rest) = (&bytes[..end], &bytes[end + 1..]);
            bytes = rest;
            if self.has_part() {
                self.keep(line);
                self.offset += 1;
                self.give(&mut each);
            } else {
                self.offset += end as u64 + 1;
                let kept = &line[..line.len().min(MAX_LINE_BYTES)];
                each(Line {
                    bytes: without_return(kept),
                    end: self.offset,
                    cut: (line.len() - kept.len()) as u64,
                });
            }
        }
    }

    /// The stream has ended: hands the last line to `each`, if it has no end.
    pub fn finish(&mut self, mut each: impl FnMut(Line<'_>)) {
        if self.has_part() {
            self.give(&mut each);
        }
    }

    fn give(&mut self, each: &mut impl FnMut(Line<'_>)) {
        each(Line { bytes: without_return(&self.pending), end: self.offset, cut: self.cut });
        self.cut = 0;
        self.pending.clear();
        // A long line must not be paid for until the end of the stream.
        self.pending.shrink_to(4 << 10);
    }

    fn keep(&mut self, part: &[u8]) {
        let room = MAX_LINE_BYTES.saturating_sub(self.pending.len()).min(part.len());
        self.pending.extend_from_slice(&part[..room]);
        self.cut += (part.len() - room) as u64;
        self.offset += part.len() as u64;
    }

    /// A writer that goes on at its old place in a file that was emptied leaves zeros before it.
    fn skip_holes<'a>(&mut self, bytes: &'a [u8]) -> &'a [u8] {
        let zeros = bytes.iter().position(|byte| *byte != 0).unwrap_or(bytes.len());
        self.offset += zeros as u64;
        &bytes[zeros..]
    }
}

fn without_return(line: &[u8]) -> &[u8] {
    line.strip_suffix(b"\r").unwrap_or(line)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The lines of pieces: text, end and what was cut.
    fn lines(pieces: &[&[u8]]) -> Vec<(Vec<u8>, u64, u64)> {
        let mut found = Vec::new();
        let mut lines = Lines::default();
        for piece in pieces {
            lines.feed(piece, |line| found.push((line.bytes.to_vec(), line.end, line.cut)));
        }
        lines.finish(|line| found.push((line.bytes.to_vec(), line.end, line.cut)));
        found
    }

    #[test]
    fn lines_are_the_same_whatever_pieces_they_come_in() {
        let stream = b"one\r\n\ntwo\n\0\0\0three\nlast";
        let whole = lines(&[stream]);
        let texts: Vec<&[u8]> = whole.iter().map(|(text, ..)| text.as_slice()).collect();
        assert_eq!(texts, [&b"one"[..], b"", b"two", b"three", b"last"]);
        let ends: Vec<u64> = whole.iter().map(|(_, end, _)| *end).collect();
        assert_eq!(ends, [5, 6, 10, 19, stream.len() as u64]);
        for size in 1..stream.len() {
            let pieces: Vec<&[u8]> = stream.chunks(size).collect();
            assert_eq!(lines(&pieces), whole, "pieces of {size}");
        }
    }

    #[test]
    fn a_line_of_any_length_is_cut_to_its_bound_and_the_next_one_is_whole() {
        let mut stream = vec![b'x'; 10 * MAX_LINE_BYTES];
        stream.extend_from_slice(b"\nnext\n");
        for size in [1000, MAX_LINE_BYTES, stream.len()] {
            let pieces: Vec<&[u8]> = stream.chunks(size).collect();
            let found = lines(&pieces);
            assert_eq!(found[0].0.len(), MAX_LINE_BYTES, "pieces of {size}");
            assert_eq!(found[0].2, 9 * MAX_LINE_BYTES as u64);
            assert_eq!((found[1].0.as_slice(), found[1].1), (&b"next"[..], stream.len() as u64));
        }
    }
}
