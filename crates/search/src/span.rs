//! Where something stands in a query's text.

/// A part of a query's text, in bytes. Both ends lie between characters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Span {
    /// The first byte.
    pub start: usize,
    /// The byte behind the last one.
    pub end: usize,
}

impl Span {
    /// The bytes from `start` up to `end`.
    pub const fn new(start: usize, end: usize) -> Self {
        Self { start, end }
    }

    /// From where this begins to where `last` ends.
    #[must_use]
    pub const fn up_to(self, last: Self) -> Self {
        Self { start: self.start, end: last.end }
    }
}

/// A place in a text as an editor shows it: both count from 1, columns in characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// The line.
    pub line: usize,
    /// The column.
    pub column: usize,
}

impl Place {
    /// Of a byte of a text that begins a character, or of its end.
    pub(crate) fn of(text: &str, offset: usize) -> Self {
        let before = text.get(..offset).unwrap_or(text);
        let line = before.rfind('\n').map_or(before, |end| &before[end + 1..]);
        Self { line: before.matches('\n').count() + 1, column: line.chars().count() + 1 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_count_lines_and_characters_from_one() {
        let cases = [(0, 1, 1), (2, 1, 2), (5, 2, 1), (6, 2, 2), (99, 2, 2)];
        for (offset, line, column) in cases {
            assert_eq!(Place::of("üa \nb", offset), Place { line, column }, "{offset}");
        }
    }
}
