//! Cutting a template into texts and actions, and actions into words.

use std::sync::Arc;

use super::TemplateError;
use super::value::Value;

/// A text, or what stands between `{{` and `}}`.
#[derive(Debug)]
pub(super) enum Piece<'a> {
    Text(&'a str),
    Action(Vec<Token>),
}

/// A word of an action.
#[derive(Clone, Debug)]
pub(super) struct Token {
    pub(super) kind: Kind,
    /// Where it begins in the template, in bytes.
    pub(super) at: usize,
    /// Whether white space stands before it: `$x.y` is one value, `$x .y` are two.
    pub(super) apart: bool,
}

#[derive(Clone, Debug)]
pub(super) enum Kind {
    /// A keyword, or the name of a function.
    Word(String),
    /// `.Name`
    Field(String),
    /// `$name`, or `$` alone, with the sign.
    Variable(String),
    Dot,
    Literal(Value),
    Pipe,
    Comma,
    Open,
    Close,
    /// `:=`
    Declare,
    /// `=`
    Assign,
}

/// The white space that Go trims.
const SPACE: [char; 4] = [' ', '\t', '\r', '\n'];

/// Cuts a template up.
pub(super) fn pieces(text: &str) -> Result<Vec<Piece<'_>>, TemplateError> {
    let mut pieces = Vec::new();
    let (mut from, mut trim_next) = (0, false);
    while let Some(open) = text[from..].find("{{").map(|at| from + at) {
        let mut begin = open + 2;
        let trims_before = text[begin..].starts_with('-') && text[begin + 1..].starts_with(SPACE);
        begin += usize::from(trims_before);
        let before = trimmed(&text[from..open], trim_next, trims_before);
        if !before.is_empty() {
            pieces.push(Piece::Text(before));
        }
        let (tokens, end, trims_after) = action(text, begin)?;
        if let Some(tokens) = tokens {
            pieces.push(Piece::Action(tokens));
        }
        (from, trim_next) = (end, trims_after);
    }
    let rest = trimmed(&text[from..], trim_next, false);
    if !rest.is_empty() {
        pieces.push(Piece::Text(rest));
    }
    Ok(pieces)
}

fn trimmed(text: &str, start: bool, end: bool) -> &str {
    let text = if start { text.trim_start_matches(SPACE) } else { text };
    if end { text.trim_end_matches(SPACE) } else { text }
}

/// Reads one action: its words (none for a comment), where the text goes on, and whether what follows loses its
/// white space.
fn action(text: &str, begin: usize) -> Result<(Option<Vec<Token>>, usize, bool), TemplateError> {
    let start = begin + text[begin..].len() - text[begin..].trim_start_matches(SPACE).len();
    if text[start..].starts_with("/*") {
        return comment(text, start);
    }
    let mut reader = Reader { text, at: begin, tokens: Vec::new() };
    loop {
        let spaced = reader.skip_space();
        let rest = reader.rest();
        if rest.is_empty() {
            return Err(TemplateError::at(text, begin, "unclosed action"));
        }
        if spaced && rest.starts_with("-}}") {
            return Ok((Some(reader.tokens), reader.at + 3, true));
        }
        if rest.starts_with("}}") {
            return Ok((Some(reader.tokens), reader.at + 2, false));
        }
        reader.token(spaced)?;
    }
}

fn comment(text: &str, start: usize) -> Result<(Option<Vec<Token>>, usize, bool), TemplateError> {
    let unclosed = || TemplateError::at(text, start, "unclosed comment");
    let end = start + text[start..].find("*/").ok_or_else(unclosed)? + 2;
    let after = &text[end..];
    if after.starts_with("}}") {
        return Ok((None, end + 2, false));
    }
    let trimmed = after.trim_start_matches(SPACE);
    if trimmed.len() < after.len() && trimmed.starts_with("-}}") {
        return Ok((None, text.len() - trimmed.len() + 3, true));
    }
    Err(TemplateError::at(text, start, "comment ends before closing delimiter"))
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
    tokens: Vec<Token>,
}

impl<'a> Reader<'a> {
    fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    fn skip_space(&mut self) -> bool {
        let rest = self.rest();
        let space = rest.len() - rest.trim_start_matches(SPACE).len();
        self.at += space;
        space > 0
    }

    fn fail<T>(&self, reason: impl Into<String>) -> Result<T, TemplateError> {
        Err(TemplateError::at(self.text, self.at, reason))
    }

    fn token(&mut self, apart: bool) -> Result<(), TemplateError> {
        let rest = self.rest();
        let first = rest.chars().next().unwrap_or_default();
        let (kind, length) = match first {
            '|' => (Kind::Pipe, 1),
            ',' => (Kind::Comma, 1),
            '(' => (Kind::Open, 1),
            ')' => (Kind::Close, 1),
            '=' => (Kind::Assign, 1),
            ':' if rest.starts_with(":=") => (Kind::Declare, 2),
            '"' => self.quoted()?,
            '`' => match rest[1..].find('`') {
                Some(end) => (literal(&rest[1..=end]), end + 2),
                None => return self.fail("unterminated raw quoted string"),
            },
            '\'' => self.character()?,
            '$' => {
                let length = 1 + name_length(&rest[1..]);
                (Kind::Variable(rest[..length].to_owned()), length)
            }
            '.' if !rest[1..].starts_with(|c: char| c.is_ascii_digit()) => match name_length(&rest[1..]) {
                0 => (Kind::Dot, 1),
                length => (Kind::Field(rest[1..=length].to_owned()), length + 1),
            },
            '+' | '-' | '.' | '0'..='9' => self.number()?,
            _ if is_letter(first) => {
                let length = name_length(rest);
                (word(&rest[..length]), length)
            }
            other => return self.fail(format!("unexpected {other:?} in an action")),
        };
        self.tokens.push(Token { kind, at: self.at, apart });
        self.at += length;
        Ok(())
    }

    fn quoted(&self) -> Result<(Kind, usize), TemplateError> {
        let mut content = String::new();
        let mut at = 1;
        loop {
            match self.rest()[at..].chars().next() {
                Some('"') => return Ok((literal(&content), at + 1)),
                Some('\\') => {
                    let (character, length) = self.escape(at)?;
                    content.push(character);
                    at += length;
                }
                Some('\n') | None => return self.fail("unterminated quoted string"),
                Some(character) => {
                    content.push(character);
                    at += character.len_utf8();
                }
            }
        }
    }

    fn character(&self) -> Result<(Kind, usize), TemplateError> {
        let (character, length) = match self.rest()[1..].chars().next() {
            Some('\\') => self.escape(1)?,
            Some(character) if character != '\'' && character != '\n' => (character, character.len_utf8()),
            _ => return self.fail("unterminated character constant"),
        };
        if self.rest()[1 + length..].starts_with('\'') {
            Ok((Kind::Literal(Value::Int(i64::from(u32::from(character)))), length + 2))
        } else {
            self.fail("unterminated character constant")
        }
    }

    /// An escape that begins `at` bytes after the token's begin, and how long it is.
    fn escape(&self, at: usize) -> Result<(char, usize), TemplateError> {
        let after = &self.rest()[at + 1..];
        let letter = after.chars().next().unwrap_or_default();
        let by_number = |from: usize, digits: usize, radix: u32| {
            let number =
                after.get(from..from + digits).and_then(|text| u32::from_str_radix(text, radix).ok());
            number.and_then(char::from_u32).map(|character| (character, 1 + from + digits))
        };
        let plain = |character| Some((character, 2));
        let found = match letter {
            'n' => plain('\n'),
            't' => plain('\t'),
            'r' => plain('\r'),
            'a' => plain('\u{7}'),
            'b' => plain('\u{8}'),
            'f' => plain('\u{c}'),
            'v' => plain('\u{b}'),
            '\\' | '"' | '\'' => plain(letter),
            'x' => by_number(1, 2, 16),
            'u' => by_number(1, 4, 16),
            'U' => by_number(1, 8, 16),
            '0'..='7' => by_number(0, 3, 8),
            _ => None,
        };
        match found {
            Some(found) => Ok(found),
            None => self.fail("a quoted text has an escape that is not known"),
        }
    }

    fn number(&self) -> Result<(Kind, usize), TemplateError> {
        let rest = self.rest();
        let mut length = 0;
        for (at, c) in rest.char_indices() {
            let signed = matches!(c, '+' | '-') && (at == 0 || rest[..at].ends_with(['e', 'E', 'p', 'P']));
            if !(signed || c.is_ascii_alphanumeric() || matches!(c, '.' | '_')) {
                break;
            }
            length = at + 1;
        }
        match number(&rest[..length]) {
            Some(value) => Ok((Kind::Literal(value), length)),
            None => self.fail(format!("bad number syntax: {:?}", &rest[..length])),
        }
    }
}

fn number(text: &str) -> Option<Value> {
    let plain = text.replace('_', "");
    let (negative, digits) = match plain.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, plain.strip_prefix('+').unwrap_or(&plain)),
    };
    let lower = digits.to_ascii_lowercase();
    let based = [("0x", 16), ("0o", 8), ("0b", 2)]
        .into_iter()
        .find_map(|(prefix, radix)| Some(i64::from_str_radix(lower.strip_prefix(prefix)?, radix)));
    let whole = match based {
        Some(number) => number.ok(),
        // A zero before it makes a number octal.
        None if lower.len() > 1
            && lower.starts_with('0')
            && lower.bytes().all(|byte| (b'0'..b'8').contains(&byte)) =>
        {
            i64::from_str_radix(&lower, 8).ok()
        }
        None if lower.bytes().all(|byte| byte.is_ascii_digit()) => lower.parse().ok(),
        None => None,
    };
    if let Some(whole) = whole {
        return Some(Value::Int(if negative { -whole } else { whole }));
    }
    // Rust reads `inf` and `nan`, which begin with a letter; Go does not, and no such word comes here.
    let number: f64 = lower.parse().ok().filter(|number: &f64| number.is_finite())?;
    Some(Value::Float(if negative { -number } else { number }))
}

fn word(text: &str) -> Kind {
    match text {
        "true" => Kind::Literal(Value::Bool(true)),
        "false" => Kind::Literal(Value::Bool(false)),
        _ => Kind::Word(text.to_owned()),
    }
}

fn literal(text: &str) -> Kind {
    Kind::Literal(Value::Text(Arc::from(text)))
}

fn is_letter(c: char) -> bool {
    c == '_' || c.is_alphabetic()
}

fn name_length(text: &str) -> usize {
    text.find(|c: char| !is_letter(c) && !c.is_numeric()).unwrap_or(text.len())
}
