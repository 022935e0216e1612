//! From text to tokens.

use super::number;

/// What a token is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// A name or a keyword.
    Word,
    /// A name inside braces, where there are no keywords.
    Label,
    Number,
    Duration,
    /// In quotes, as it is written.
    Text,
    Symbol,
    /// There is nothing more.
    End,
    /// What follows cannot be read; [`Tokens::failure`] says why.
    Bad,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Token<'a> {
    pub(super) kind: Kind,
    pub(super) text: &'a str,
    pub(super) start: usize,
}

impl Token<'_> {
    pub(super) fn is(self, symbol: &str) -> bool {
        self.kind == Kind::Symbol && self.text == symbol
    }

    pub(super) fn is_word(self, word: &str) -> bool {
        self.kind == Kind::Word && self.text.eq_ignore_ascii_case(word)
    }

    pub(super) const fn end(self) -> usize {
        self.start + self.text.len()
    }
}

/// The tokens of a text. The last one is an end, or bad.
pub(super) struct Tokens<'a> {
    pub(super) all: Vec<Token<'a>>,
    pub(super) failure: String,
}

/// Longer ones first.
const SYMBOLS: [&str; 27] = [
    "==", "=~", "!=", "!~", "<=", ">=", "</", ">/", "=", "<", ">", "+", "-", "*", "/", "%", "^", "@", ",",
    "(", ")", "{", "}", "[", "]", ":", ";",
];

/// What durations consist of beside numbers.
const RANGE_WORDS: [&str; 6] = ["step", "range", "min", "max", "min_of", "max_of"];
const RANGE_SYMBOLS: [&str; 12] = ["+", "-", "*", "/", "%", "^", ",", "(", ")", "[", "]", ":"];

/// Reads at most `most` tokens; nothing when there are more.
pub(super) fn tokens(text: &str, most: usize) -> Option<Tokens<'_>> {
    let mut lexer = Lexer { text, at: 0, open: Vec::new(), begins_range: false };
    let mut all = Vec::new();
    loop {
        lexer.skip();
        let start = lexer.at;
        match lexer.next() {
            Ok(kind) => {
                all.push(Token { kind, text: &text[start..lexer.at], start });
                if kind == Kind::End {
                    return Some(Tokens { all, failure: String::new() });
                }
            }
            Err(failure) => {
                all.push(Token { kind: Kind::Bad, text: "", start: lexer.at });
                return Some(Tokens { all, failure });
            }
        }
        if all.len() > most {
            return None;
        }
    }
}

struct Lexer<'a> {
    text: &'a str,
    at: usize,
    /// The brackets that are open.
    open: Vec<u8>,
    /// Whether a range has been opened and nothing of it was a number yet.
    begins_range: bool,
}

impl<'a> Lexer<'a> {
    fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    /// Passes over what means nothing.
    fn skip(&mut self) {
        loop {
            let rest = self.rest();
            let spaces = rest.len() - rest.trim_start_matches([' ', '\t', '\n', '\r']).len();
            let comment = match rest[spaces..].starts_with('#') {
                true => rest[spaces..].find(['\n', '\r']).unwrap_or(rest.len() - spaces),
                false => 0,
            };
            self.at += spaces + comment;
            if spaces + comment == 0 {
                return;
            }
        }
    }

    fn next(&mut self) -> Result<Kind, String> {
        let rest = self.rest();
        let Some(first) = rest.chars().next() else { return self.end() };
        if self.open.last() == Some(&b'{') {
            return self.in_braces(first);
        }
        let second = rest.as_bytes().get(1).copied().unwrap_or_default();
        let in_range = self.open.contains(&b'[');
        if first.is_ascii_digit() || (first == '.' && second.is_ascii_digit()) {
            return self.number();
        }
        if let '"' | '\'' | '`' = first {
            return if in_range { Err(self.not_in_range(first)) } else { self.text(first as u8) };
        }
        let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_' || (c == ':' && !in_range);
        if is_name(first) {
            let word = &rest[..rest.find(|c| !is_name(c)).unwrap_or(rest.len())];
            if in_range && !RANGE_WORDS.iter().any(|known| known.eq_ignore_ascii_case(word)) {
                return Err(self.not_in_range(first));
            }
            self.at += word.len();
            return Ok(Kind::Word);
        }
        let after = rest[first.len_utf8()..].chars().next();
        match (first, after) {
            ('!', Some(after)) if after != '=' => {
                return Err(format!("unexpected character after '!': {after:?}"));
            }
            ('=', Some('~')) => return Err("unexpected character after '=': '~'".to_owned()),
            _ => {}
        }
        let symbol = SYMBOLS.iter().find(|symbol| rest.starts_with(**symbol));
        let Some(symbol) = symbol.filter(|symbol| !in_range || RANGE_SYMBOLS.contains(symbol)) else {
            return Err(match in_range {
                true => self.not_in_range(first),
                false => format!("unexpected character: {first:?}"),
            });
        };
        self.bracket(symbol.as_bytes()[0])?;
        self.at += symbol.len();
        Ok(Kind::Symbol)
    }

    fn not_in_range(&self, character: char) -> String {
        match self.begins_range {
            true => format!("unexpected character in duration expression: {character:?}"),
            false => format!("unexpected character: {character:?}, expected ':'"),
        }
    }

    /// Inside braces every word is one, and there are few symbols.
    fn in_braces(&mut self, first: char) -> Result<Kind, String> {
        let rest = self.rest();
        if let '"' | '\'' | '`' = first {
            return self.text(first as u8);
        }
        let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
        if is_name(first) && !first.is_ascii_digit() {
            self.at += rest.find(|c| !is_name(c)).unwrap_or(rest.len());
            return Ok(Kind::Label);
        }
        let symbol = match (first, rest[first.len_utf8()..].chars().next()) {
            ('=', Some('~')) | ('!', Some('=' | '~')) => 2,
            ('=' | ',', _) => 1,
            ('}', _) => {
                self.open.pop();
                1
            }
            ('{', _) => return Err("unexpected left brace '{'".to_owned()),
            ('!', Some(after)) => {
                return Err(format!("unexpected character after '!' inside braces: {after:?}"));
            }
            _ => return Err(format!("unexpected character inside braces: {first:?}")),
        };
        self.at += symbol;
        Ok(Kind::Symbol)
    }

    fn end(&self) -> Result<Kind, String> {
        if self.begins_range && self.open.contains(&b'[') {
            return Err("unexpected end of input in duration expression".to_owned());
        }
        match self.open.last() {
            None => Ok(Kind::End),
            Some(b'(') => Err("unclosed left parenthesis".to_owned()),
            Some(b'[') => Err("unclosed left bracket".to_owned()),
            Some(_) => Err("unexpected end of input inside braces".to_owned()),
        }
    }

    /// Takes note of a bracket.
    fn bracket(&mut self, symbol: u8) -> Result<(), String> {
        let opened_by = match symbol {
            b'(' | b'{' | b'[' => {
                self.begins_range |= symbol == b'[';
                self.open.push(symbol);
                return Ok(());
            }
            b')' => b'(',
            b'}' => b'{',
            b']' => b'[',
            _ => return Ok(()),
        };
        match self.open.pop() {
            Some(open) if open == opened_by => Ok(()),
            _ => Err(match symbol {
                b')' => {
                    // As in Prometheus, which tells this once it is behind it.
                    self.at += 1;
                    "unexpected right parenthesis ')'".to_owned()
                }
                b']' => "unexpected right bracket ']'".to_owned(),
                _ => "unexpected character: '}'".to_owned(),
            }),
        }
    }

    fn number(&mut self) -> Result<Kind, String> {
        let rest = self.rest();
        let is_hex = rest.starts_with("0x") || rest.starts_with("0X");
        let mut before = ' ';
        let end = rest.find(|c: char| {
            let exponent = !is_hex && matches!(before, 'e' | 'E') && matches!(c, '+' | '-');
            before = c;
            !(c.is_ascii_alphanumeric() || matches!(c, '_' | '.') || exponent)
        });
        let word = &rest[..end.unwrap_or(rest.len())];
        self.at += word.len();
        self.begins_range = false;
        if number::is_number(word) {
            Ok(Kind::Number)
        } else if number::looks_like_duration(word) {
            Ok(Kind::Duration)
        } else {
            self.at -= word.len();
            Err(format!("bad number or duration syntax: {word:?}"))
        }
    }

    fn text(&mut self, quote: u8) -> Result<Kind, String> {
        let bytes = self.rest().as_bytes();
        let mut at = 1;
        loop {
            match bytes.get(at) {
                None if quote == b'`' => return Err("unterminated raw string".to_owned()),
                None => return Err("unterminated quoted string".to_owned()),
                Some(b'\n') if quote != b'`' => return Err("unterminated quoted string".to_owned()),
                Some(b'\\') if quote != b'`' => at += 2,
                Some(byte) if *byte == quote => break,
                Some(_) => at += 1,
            }
        }
        self.at += at + 1;
        Ok(Kind::Text)
    }
}
