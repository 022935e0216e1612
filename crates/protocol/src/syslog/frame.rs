//! Where messages in a stream begin and end (RFC 6587): behind a count of their bytes, or before the end of a line.
//!
//! Which of the two it is, is seen of each message by itself: a count is digits, a space and the `<` that every
//! message begins with. Whatever else comes is a line.

/// No count has more digits: 9,999,999 bytes.
const MAX_DIGITS: usize = 7;
/// What a message that is cut short by its sender may have at its end.
const ENDS: [u8; 3] = *b"\n\r\0";

/// A message of a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Frame<'f> {
    /// What is here of it.
    pub bytes: &'f [u8],
    /// Whether it was longer, or broke off.
    pub is_cut: bool,
}

/// Takes a stream apart as it comes, and holds no more of it than one message.
#[derive(Debug)]
pub struct Framer {
    max_bytes: usize,
    held: Vec<u8>,
    state: State,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// What is held may become a count, or be the beginning of a line.
    Beginning,
    /// So many bytes of a message are still to come.
    Counted { left: usize, is_cut: bool },
    /// A line goes on.
    Line { is_cut: bool },
}

/// What the first bytes of a message say.
#[derive(Debug, PartialEq, Eq)]
enum Begin {
    /// Not yet.
    Open,
    Counted(usize),
    Line,
}

impl Framer {
    /// For messages of up to so many bytes; longer ones are cut.
    pub fn new(max_bytes: usize) -> Self {
        Self { max_bytes: max_bytes.max(MAX_DIGITS + 2), held: Vec::new(), state: State::Beginning }
    }

    /// Takes what has come, and hands over what is whole.
    pub fn push(&mut self, bytes: &[u8], mut each: impl FnMut(Frame<'_>)) {
        let mut rest = bytes;
        while !rest.is_empty() {
            rest = match self.state {
                State::Beginning => self.begin(rest),
                State::Counted { left, is_cut } => self.counted(rest, left, is_cut, &mut each),
                State::Line { is_cut } => self.line(rest, is_cut, &mut each),
            };
        }
    }

    /// Hands over what is left when the stream has ended.
    pub fn finish(mut self, mut each: impl FnMut(Frame<'_>)) {
        let is_cut = match self.state {
            State::Beginning => false,
            State::Counted { .. } => true,
            State::Line { is_cut } => is_cut,
        };
        self.end(is_cut, &mut each);
    }

    /// Takes a byte, and looks what has begun.
    fn begin<'b>(&mut self, bytes: &'b [u8]) -> &'b [u8] {
        let [byte, rest @ ..] = bytes else { return bytes };
        // Ends of lines behind a message with a count, or empty lines.
        if self.held.is_empty() && ENDS.contains(byte) {
            return rest;
        }
        self.held.push(*byte);
        match begin_of(&self.held) {
            Begin::Open => rest,
            Begin::Counted(length) => {
                self.held.clear();
                self.state = State::Counted { left: length, is_cut: false };
                // The first byte of the message is the one that was just taken.
                bytes
            }
            Begin::Line => {
                // It may be the end of it.
                self.held.pop();
                self.state = State::Line { is_cut: false };
                bytes
            }
        }
    }

    fn counted<'b>(
        &mut self,
        bytes: &'b [u8],
        left: usize,
        is_cut: bool,
        each: &mut impl FnMut(Frame<'_>),
    ) -> &'b [u8] {
        let (taken, rest) = bytes.split_at(left.min(bytes.len()));
        let is_cut = self.hold(taken) || is_cut;
        let left = left - taken.len();
        self.state = State::Counted { left, is_cut };
        if left == 0 {
            self.end(is_cut, each);
        }
        rest
    }

    fn line<'b>(&mut self, bytes: &'b [u8], is_cut: bool, each: &mut impl FnMut(Frame<'_>)) -> &'b [u8] {
        let end = bytes.iter().position(|byte| *byte == b'\n');
        let is_cut = self.hold(&bytes[..end.unwrap_or(bytes.len())]) || is_cut;
        match end {
            Some(end) => {
                self.end(is_cut, each);
                &bytes[end + 1..]
            }
            None => {
                self.state = State::Line { is_cut };
                &[]
            }
        }
    }

    /// Keeps as much as there is room for; whether that was not all.
    fn hold(&mut self, bytes: &[u8]) -> bool {
        let room = self.max_bytes - self.held.len();
        self.held.extend_from_slice(&bytes[..bytes.len().min(room)]);
        bytes.len() > room
    }

    /// Hands over what is held.
    fn end(&mut self, is_cut: bool, each: &mut impl FnMut(Frame<'_>)) {
        let length = self.held.iter().rposition(|byte| !ENDS.contains(byte)).map_or(0, |last| last + 1);
        if length > 0 {
            each(Frame { bytes: &self.held[..length], is_cut });
        }
        self.held.clear();
        // What one long message took is not held for ever.
        self.held.shrink_to(SPARE_BYTES);
        self.state = State::Beginning;
    }
}

/// What a stream may hold between two messages.
const SPARE_BYTES: usize = 8 << 10;

/// What has begun with these bytes.
fn begin_of(held: &[u8]) -> Begin {
    let digits = held.iter().take_while(|byte| byte.is_ascii_digit()).count();
    if digits > MAX_DIGITS || held.first().is_none_or(|first| !matches!(first, b'1'..=b'9')) {
        return Begin::Line;
    }
    match &held[digits..] {
        [] | [b' '] => Begin::Open,
        [b' ', b'<', ..] => {
            let count = held[..digits].iter().fold(0usize, |all, digit| all * 10 + usize::from(digit - b'0'));
            Begin::Counted(count)
        }
        _ => Begin::Line,
    }
}
