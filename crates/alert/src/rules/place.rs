//! Where something of an expression stands in its file, when all that is known is its line and column in the
//! expression.

use serde_saphyr::Location;

/// A line and a column, from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) line: u64,
    pub(super) column: u64,
}

impl Place {
    pub(super) fn of(location: Location) -> Self {
        Self { line: location.line(), column: location.column() }
    }

    /// The place in the expression that an error begins with, its column in bytes, and what the error says beside.
    pub(super) fn leading(error: &str) -> Option<(Self, &str)> {
        let (line, rest) = error.split_once(':')?;
        let (column, reason) = rest.split_once(": ")?;
        Some((Self { line: line.parse().ok()?, column: column.parse().ok()? }, reason))
    }

    /// The same place in `file`, where the expression begins at `begin`. `None` where its line does not stand there
    /// letter by letter: it is in quotes, or folded.
    pub(super) fn in_file(self, file: &str, begin: Self, expression: &str) -> Option<Self> {
        // What is missing at the end is missing behind the last word, not on the line of the next key.
        let expression = expression.trim_end();
        let (row, line) = (1..).zip(expression.lines()).take_while(|(row, _)| *row <= self.line).last()?;
        let before = if row < self.line {
            line.chars().count()
        } else {
            line.char_indices().take_while(|(at, _)| *at as u64 + 1 < self.column).count()
        };
        // A block begins, for the parser, at its first line that is not empty.
        let empty = expression.lines().take_while(|line| line.is_empty()).count() as u64;
        let found = (begin.line + row).checked_sub(1 + empty)?;
        let (_, written) = (1..).zip(file.lines()).find(|(number, _)| *number == found)?;
        let indent = usize::try_from(begin.column).ok()?.checked_sub(1)?;
        let written: String = written.chars().skip(indent).collect();
        written.starts_with(line).then_some(Self { line: found, column: begin.column + before as u64 })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn at(line: u64, column: u64) -> Place {
        Place { line, column }
    }

    #[test]
    fn a_place_in_an_expression_is_found_in_the_file_where_its_line_stands_there() {
        // The file, where its expression begins, the expression, a place in it, and the same place in the file.
        let cases = [
            ("- expr: up )", at(1, 9), "up )", at(1, 5), Some(at(1, 13))),
            ("- expr: up ) # why", at(1, 9), "up )", at(1, 4), Some(at(1, 12))),
            ("- expr: |\n    up\n    == )\n", at(2, 5), "up\n== )\n", at(2, 4), Some(at(3, 8))),
            ("- expr: |\n\n    up )\n", at(3, 5), "\nup )\n", at(2, 4), Some(at(3, 8))),
            ("- expr: |\n    a\n      b )\n", at(2, 5), "a\n  b )\n", at(2, 5), Some(at(3, 9))),
            ("- expr: |\n    é ))\n", at(2, 5), "é ))\n", at(1, 5), Some(at(2, 8))),
            ("- expr: |\n    (up\n- expr: x\n", at(2, 5), "(up\n", at(2, 1), Some(at(2, 8))),
            ("- expr: \"up )\"", at(1, 9), "up )", at(1, 4), None),
            ("- expr: >-\n    a and\n    b )\n", at(2, 5), "a and b )", at(1, 9), None),
            ("- expr: a and\n    b )\n", at(1, 9), "a and b )", at(1, 9), None),
        ];
        for (file, begin, expression, within, expected) in cases {
            assert_eq!(within.in_file(file, begin, expression), expected, "{file}");
        }
    }

    #[test]
    fn an_error_without_a_place_has_none() {
        assert_eq!(Place::leading("12:3: parse error: a: b"), Some((at(12, 3), "parse error: a: b")));
        for error in ["unknown position: parse error: x", "too long", "1: x", "1:a: x"] {
            assert_eq!(Place::leading(error), None, "{error}");
        }
    }
}
