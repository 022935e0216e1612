//! Flags of a pattern: `(?i)`, `(?m-s:…)`.

/// All that are written as flags.
const WRITTEN: &[(u8, char)] = &[(1, 'i'), (2, 'm'), (Flags::DOT_ALL.0, 's')];

/// Which flags are set.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Flags(u8);

/// What ended a list of flags.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// `)`: they are for what follows.
    OfFlags,
    /// `:`: they are for the group that begins.
    BeforeGroup,
}

impl Flags {
    /// `.` is every character.
    pub(super) const DOT_ALL: Self = Self(4);

    /// Repetitions take as little as they can. Written by each of them, and not as a flag: what Go reads later as a
    /// flag may stand before a repetition in what is written.
    const UNGREEDY: u8 = 8;

    fn of(letter: char) -> Option<u8> {
        if letter == 'U' {
            return Some(Self::UNGREEDY);
        }
        WRITTEN.iter().find(|(_, written)| *written == letter).map(|(flag, _)| *flag)
    }

    pub(super) fn are_ungreedy(self) -> bool {
        self.0 & Self::UNGREEDY != 0
    }

    /// These with what a text says that follows `(?`, what ends it, and the rest behind that. An error is what is left
    /// behind the character that has no place there.
    pub(super) fn read(mut self, text: &str) -> Result<(Self, End, &str), &str> {
        let (mut clears, mut is_complete) = (false, true);
        let mut rest = text.chars();
        while let Some(c) = rest.next() {
            match c {
                '-' if !clears => (clears, is_complete) = (true, false),
                ')' if is_complete => return Ok((self, End::OfFlags, rest.as_str())),
                ':' if is_complete => return Ok((self, End::BeforeGroup, rest.as_str())),
                _ => {
                    let Some(flag) = Self::of(c) else { break };
                    self.0 = if clears { self.0 & !flag } else { self.0 | flag };
                    is_complete = true;
                }
            }
        }
        Err(rest.as_str())
    }

    /// Writes what turns others into these, when they are others.
    pub(super) fn write_from(self, others: Self, out: &mut String) {
        let letters =
            |flags: u8| WRITTEN.iter().filter(move |(flag, _)| flags & flag != 0).map(|(_, letter)| *letter);
        let mut change: String = letters(self.0 & !others.0).collect();
        let mut cleared = letters(others.0 & !self.0).peekable();
        if cleared.peek().is_some() {
            change.push('-');
            change.extend(cleared);
        }
        if !change.is_empty() {
            out.push_str("(?");
            out.push_str(&change);
            out.push(')');
        }
    }
}
