//! From text to names, texts, numbers and symbols.

use crate::Span;
use crate::error::{Fault, shown};

/// What a query is made of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Token<'a> {
    /// A name of a label, of a function, or a word of the language.
    Name(&'a str),
    /// What stands in quotes, without them.
    Text(String),
    /// What begins with a digit or a sign: a number, a duration, a size.
    Quantity(&'a str),
    Symbol(&'static str),
    End,
}

/// Symbols, those first that begin with others.
const SYMBOLS: [&str; 20] = [
    "|=", "|~", "!=", "!~", "=~", "==", ">=", "<=", "{", "}", "(", ")", "[", "]", ",", "|", "=", "<", ">",
    "+",
];

pub(super) struct Lexer<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Lexer<'a> {
    pub(super) const fn new(text: &'a str) -> Self {
        Self { text, at: 0 }
    }

    fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    /// The next token, and where it stands.
    pub(super) fn advance(&mut self) -> Result<(Token<'a>, Span), Fault> {
        self.skip();
        let start = self.at;
        let token = self.token()?;
        Ok((token, Span::new(start, self.at)))
    }

    /// Passes over space and comments.
    fn skip(&mut self) {
        loop {
            self.at = self.text.len() - self.rest().trim_start().len();
            if !self.rest().starts_with('#') {
                return;
            }
            self.at += self.rest().find('\n').unwrap_or(self.rest().len());
        }
    }

    fn token(&mut self) -> Result<Token<'a>, Fault> {
        let rest = self.rest();
        let Some(first) = rest.chars().next() else { return Ok(Token::End) };
        if first == '"' || first == '`' {
            return self.quoted(first);
        }
        if first.is_ascii_alphabetic() || first == '_' {
            return Ok(Token::Name(self.run(|byte| byte.is_ascii_alphanumeric() || byte == b'_')));
        }
        let is_signed = first == '-' && rest[1..].starts_with(|next: char| next.is_ascii_digit());
        if first.is_ascii_digit() || is_signed {
            // Letters of micro are not ASCII.
            let is_of_quantity =
                |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-') || !byte.is_ascii();
            return Ok(Token::Quantity(self.run(is_of_quantity)));
        }
        let symbol = SYMBOLS.into_iter().find(|symbol| rest.starts_with(*symbol)).ok_or_else(|| {
            let span = Span::new(self.at, self.at + first.len_utf8());
            Fault::new(span, format!("{} means nothing here", shown(&first.to_string())))
        })?;
        self.at += symbol.len();
        Ok(Token::Symbol(symbol))
    }

    /// What goes on so. It ends at a byte of ASCII, or at the end of the text, and so between characters.
    fn run(&mut self, goes_on: impl Fn(u8) -> bool) -> &'a str {
        let rest = self.rest();
        let length = rest.bytes().position(|byte| !goes_on(byte)).unwrap_or(rest.len());
        self.at += length;
        &rest[..length]
    }

    fn quoted(&mut self, quote: char) -> Result<Token<'a>, Fault> {
        let start = self.at;
        self.at += 1;
        let mut text = String::new();
        while let Some(next) = self.rest().chars().next() {
            self.at += next.len_utf8();
            match next {
                next if next == quote => return Ok(Token::Text(text)),
                '\\' if quote == '"' => text.push(self.escaped()?),
                next => text.push(next),
            }
        }
        let span = Span::new(start, start + 1);
        Err(Fault::new(span, "this quote is never closed").expected(format!("`{quote}` behind the text")))
    }

    /// The character that an escape stands for, behind its backslash.
    fn escaped(&mut self) -> Result<char, Fault> {
        let start = self.at - 1;
        let Some(kind) = self.rest().chars().next() else {
            return Err(Fault::new(Span::new(start, self.at), "an escape without a character"));
        };
        self.at += kind.len_utf8();
        let digits = match kind {
            'n' => return Ok('\n'),
            't' => return Ok('\t'),
            'r' => return Ok('\r'),
            'a' => return Ok('\u{7}'),
            'b' => return Ok('\u{8}'),
            'f' => return Ok('\u{c}'),
            'v' => return Ok('\u{b}'),
            '\\' | '"' | '\'' => return Ok(kind),
            'x' => 2,
            'u' => 4,
            'U' => 8,
            _ => 0,
        };
        let number = self.rest().get(..digits).filter(|number| number.bytes().all(|b| b.is_ascii_hexdigit()));
        let number = number.filter(|number| !number.is_empty());
        let character = number.and_then(|number| char::from_u32(u32::from_str_radix(number, 16).ok()?));
        // Two digits are a byte, which is a character only in ASCII.
        match character.filter(|character| digits != 2 || character.is_ascii()) {
            Some(character) => {
                self.at += digits;
                Ok(character)
            }
            None => Err(Fault::new(Span::new(start, self.at), "this escape means nothing")
                .suggest("in backquotes nothing is escaped")),
        }
    }
}
