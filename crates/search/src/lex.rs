//! From text to words, quotations, patterns and symbols.
//!
//! What a character means depends on what stands before it: in `url:http://db7` the second colon is part
//! of a value. So the parser asks for what may come next, and there is no list of tokens.

use crate::error::{Fault, shown};
use crate::{Comparison, Form, Literal, Part, Span};

/// Where a word stands, which says where it ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Position {
    /// By itself, where it may be a field's name.
    Bare,
    /// Behind a field's name.
    Value,
    /// In the brackets of a range.
    End,
}

/// What parts of a query are joined by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Keyword {
    And,
    Or,
    Not,
}

impl Keyword {
    const fn word(self) -> &'static str {
        match self {
            Self::And => "AND",
            Self::Or => "OR",
            Self::Not => "NOT",
        }
    }

    const fn symbol(self) -> Option<&'static str> {
        match self {
            Self::And => Some("&&"),
            Self::Or => Some("||"),
            // `!` belongs to what follows it, as `-` does.
            Self::Not => None,
        }
    }
}

/// The words that mean something by themselves.
pub(crate) const KEYWORDS: [&str; 4] = ["AND", "OR", "NOT", "TO"];

/// The name under which people ask for fields that are there.
pub(crate) const EXISTS: &str = "_exists_";

/// Whether this can be the name of a field without quotes.
pub(crate) fn is_plain_name(text: &str) -> bool {
    let mut characters = text.chars();
    let begins = characters.next().is_some_and(|first| first.is_alphabetic() || matches!(first, '_' | '@'));
    begins && characters.all(|character| character.is_alphanumeric() || matches!(character, '_' | '.' | '-'))
}

/// The text of a quotation that stands at the beginning, as a name in quotes is written in a query, and what stands
/// behind it. `None` when there is none, or it is not closed.
pub fn quotation(text: &str) -> Option<(String, &str)> {
    let mut lexer = Lexer::new(text);
    if lexer.peek() != Some('"') {
        return None;
    }
    let Form::Quoted(said) = lexer.quoted().ok()?.form else { return None };
    Some((said, lexer.rest()))
}

#[derive(Clone, Copy)]
pub(crate) struct Lexer<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Lexer<'a> {
    pub(crate) const fn new(text: &'a str) -> Self {
        Self { text, at: 0 }
    }

    /// The same text up to `end`, from `start`.
    fn part(self, start: usize, end: usize) -> Self {
        Self { text: &self.text[..end], at: start }
    }

    pub(crate) const fn at(self) -> usize {
        self.at
    }

    pub(crate) fn rest(self) -> &'a str {
        &self.text[self.at..]
    }

    pub(crate) fn peek(self) -> Option<char> {
        self.rest().chars().next()
    }

    /// What has been passed over since `start`.
    pub(crate) fn since(self, start: usize) -> &'a str {
        &self.text[start..self.at]
    }

    /// The next character, or nothing where there is none.
    pub(crate) fn next_span(self) -> Span {
        Span::new(self.at, self.at + self.peek().map_or(0, char::len_utf8))
    }

    pub(crate) fn skip_space(&mut self) {
        self.at = self.text.len() - self.rest().trim_start().len();
    }

    pub(crate) fn eat(&mut self, symbol: &str) -> bool {
        let is_next = self.rest().starts_with(symbol);
        if is_next {
            self.at += symbol.len();
        }
        is_next
    }

    /// Whether nothing stands here that could belong to a word or a value before.
    pub(crate) fn is_between(self) -> bool {
        self.peek().is_none_or(|next| next.is_whitespace() || next == ')')
    }

    /// The length of the keyword, or of the symbol that means the same, when that comes next.
    pub(crate) fn keyword(self, keyword: Keyword) -> Option<usize> {
        let rest = self.rest();
        let symbol = keyword.symbol().filter(|symbol| rest.starts_with(*symbol));
        if let Some(symbol) = symbol {
            return Some(symbol.len());
        }
        let after = rest.strip_prefix(keyword.word())?.chars().next();
        let is_whole = after.is_none_or(|after| after.is_whitespace() || matches!(after, '(' | ')' | '"'));
        is_whole.then_some(keyword.word().len())
    }

    pub(crate) fn advance(&mut self, bytes: usize) {
        self.at += bytes;
    }

    pub(crate) fn comparison(&mut self) -> Option<Comparison> {
        // Longer ones first.
        let symbols = [
            (">=", Comparison::AtLeast),
            ("<=", Comparison::AtMost),
            ("!=", Comparison::NotEqual),
            ("==", Comparison::Equal),
            (">", Comparison::Greater),
            ("<", Comparison::Less),
            ("=", Comparison::Equal),
        ];
        symbols.into_iter().find_map(|(symbol, comparison)| self.eat(symbol).then_some(comparison))
    }

    /// A word, which is empty when something else comes next.
    pub(crate) fn word(&mut self, position: Position) -> Result<Literal, Fault> {
        let start = self.at;
        let mut parts: Vec<Part> = Vec::new();
        while let Some(character) = self.peek() {
            if self.ends_word(character, position, start) {
                break;
            }
            self.at += character.len_utf8();
            match character {
                '*' if parts.last() == Some(&Part::Any) => {}
                '*' => parts.push(Part::Any),
                '?' => parts.push(Part::One),
                '\\' => {
                    let Some(escaped) = self.peek() else {
                        return Err(Fault::new(
                            Span::new(self.at - 1, self.at),
                            "`\\` has nothing behind it",
                        )
                        .expected("the character that is to stand for itself")
                        .suggest("a backslash itself is written `\\\\`"));
                    };
                    self.at += escaped.len_utf8();
                    push_text(&mut parts, escaped);
                }
                character => push_text(&mut parts, character),
            }
        }
        let form = match parts.pop() {
            None => Form::Word(String::new()),
            Some(Part::Text(text)) if parts.is_empty() => Form::Word(text),
            Some(last) => {
                parts.push(last);
                Form::Glob(parts)
            }
        };
        Ok(Literal { span: Span::new(start, self.at), form })
    }

    fn ends_word(self, character: char, position: Position, start: usize) -> bool {
        let after = self.rest()[character.len_utf8()..].chars().next();
        match character {
            '"' | '(' | ')' => true,
            '&' | '|' if position != Position::End => after == Some(character),
            ']' | '}' => position != Position::Value,
            '[' | '{' | '<' | '>' | '=' => position == Position::Bare,
            '!' => position == Position::Bare && after == Some('='),
            ':' => position == Position::Bare && self.colon_ends_name(start),
            other => other.is_whitespace(),
        }
    }

    /// Whether the colon here stands behind a field's name: not in `12:30`, `std::fmt` and `http://db7`.
    fn colon_ends_name(self, start: usize) -> bool {
        let after = &self.rest()[1..];
        is_plain_name(self.since(start)) && !after.starts_with(':') && !after.starts_with("//")
    }

    /// A value of the form `1..5`, where one comes next: what stands before and behind the dots.
    pub(crate) fn dotted_range(&mut self) -> Result<Option<[Option<Literal>; 2]>, Fault> {
        let start = self.at;
        let mut ahead = *self;
        ahead.word(Position::Value)?;
        let (raw, end) = (ahead.since(start), ahead.at);
        let Some(dots) = raw.find("..").filter(|dots| !raw[..*dots].ends_with('\\')) else { return Ok(None) };
        let (low, high) = (&raw[..dots], &raw[dots + 2..]);
        if !is_end(low) || !is_end(high) || (low.is_empty() && high.is_empty()) {
            return Ok(None);
        }
        let (low_end, high_start) = (start + dots, start + dots + 2);
        let low = self.part(start, low_end).word(Position::Value)?;
        let high = self.part(high_start, end).word(Position::Value)?;
        self.at = end;
        let unless_open = |end: Literal| (!end.is_any() && end.span.start < end.span.end).then_some(end);
        Ok(Some([unless_open(low), unless_open(high)]))
    }

    /// A quotation, which begins here.
    pub(crate) fn quoted(&mut self) -> Result<Literal, Fault> {
        let start = self.at;
        let mut text = String::new();
        let mut characters = self.rest().char_indices().skip(1);
        while let Some((offset, character)) = characters.next() {
            match character {
                '"' => {
                    self.at = start + offset + 1;
                    return Ok(Literal { span: Span::new(start, self.at), form: Form::Quoted(text) });
                }
                '\\' => match characters.next() {
                    Some((_, 'n')) => text.push('\n'),
                    Some((_, 't')) => text.push('\t'),
                    Some((_, 'r')) => text.push('\r'),
                    Some((_, escaped)) => text.push(escaped),
                    None => break,
                },
                other => text.push(other),
            }
        }
        Err(Fault::new(Span::new(start, self.text.len()), "the quotation that begins here is not closed")
            .expected("`\"` at its end")
            .suggest("a quote within a quotation is written `\\\"`"))
    }

    /// A regular expression, which begins here.
    pub(crate) fn regex(&mut self) -> Result<Literal, Fault> {
        let start = self.at;
        let mut pattern = String::new();
        let mut characters = self.rest().char_indices().skip(1);
        while let Some((offset, character)) = characters.next() {
            match character {
                '/' if pattern.is_empty() => {
                    return Err(Fault::new(Span::new(start, start + 2), "the regular expression is empty")
                        .expected("a pattern between `/` and `/`")
                        .suggest("a path is written in quotes, as \"/api/v1\""));
                }
                '/' => {
                    self.at = start + offset + 1;
                    let ignores_case = self.flags(start)?;
                    let span = Span::new(start, self.at);
                    return Ok(Literal { span, form: Form::Regex { pattern, ignores_case } });
                }
                '\\' => match characters.next() {
                    Some((_, '/')) => pattern.push('/'),
                    Some((_, escaped)) => pattern.extend(['\\', escaped]),
                    None => break,
                },
                other => pattern.push(other),
            }
        }
        let text = self.rest();
        let path = &text[..text.find(|c: char| c.is_whitespace() || c == ')').unwrap_or(text.len())];
        let span = Span::new(start, start + path.len());
        Err(Fault::new(span, "the regular expression that begins here is not closed")
            .expected("`/` at its end")
            .suggest(path_in_quotes(path)))
    }

    /// What stands behind a regular expression that began at `start`: whether it ignores case.
    fn flags(&mut self, start: usize) -> Result<bool, Fault> {
        let rest = self.rest();
        let end =
            rest.find(|c: char| c.is_whitespace() || matches!(c, ')' | '&' | '|')).unwrap_or(rest.len());
        let flags = &rest[..end];
        let span = Span::new(self.at, self.at + end);
        self.at += end;
        match flags {
            "" => Ok(false),
            "i" => Ok(true),
            _ => Err(Fault::new(span, format!("{} stands behind a regular expression", shown(flags)))
                .expected("nothing, or the flag `i`, which ignores case")
                .suggest(path_in_quotes(self.since(start)))),
        }
    }
}

/// What is said to one who meant a path and no regular expression.
fn path_in_quotes(path: &str) -> String {
    let example = if path.len() <= 40 { path } else { "/api/v1" };
    format!("a path is written in quotes, as \"{example}\"")
}

fn push_text(parts: &mut Vec<Part>, character: char) {
    if let Some(Part::Text(text)) = parts.last_mut() {
        text.push(character);
    } else {
        parts.push(Part::Text(character.to_string()));
    }
}

/// Whether this, beside two dots, makes them a range: a number, a time, or an open end.
fn is_end(text: &str) -> bool {
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    text.is_empty()
        || text == "*"
        || text.starts_with("now")
        || digits.starts_with(|character: char| character.is_ascii_digit())
}

#[cfg(test)]
mod tests;
