//! A first look at a query's text, before the parser sees it.
//!
//! The parser's tree has no positions and its actions trust their input. So this scan finds where
//! each call and its arguments begin (for notes that point into the text), bounds length, depth and
//! tokens (both trees are recursive), and refuses escapes that the parser would read wrongly.

use crate::Error;
use crate::notes::Place;

const MAX_BYTES: usize = 64 << 10;
const MAX_TOKENS: usize = 4_000;
const MAX_NESTING: usize = 100;
/// The most operators. `a or a or a` nests as deep as it has operators, and the parser, which knows no
/// bound, would use up the stack of its thread.
const MAX_OPERATORS: usize = 250;

/// One call in the text: a function or an aggregation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct CallSite {
    pub(crate) name: String,
    pub(crate) place: Place,
    pub(crate) arguments: Vec<Place>,
}

/// The calls of a text in the order of their names.
#[derive(Debug)]
pub(crate) struct Source {
    calls: std::vec::IntoIter<CallSite>,
    unsupported_modifier: Option<&'static str>,
}

/// Words that the parser does not know and that a reader of newer PromQL may write.
const UNSUPPORTED_MODIFIERS: [&str; 2] = ["anchored", "smoothed"];

impl Source {
    /// Scans a text.
    pub(crate) fn scan(text: &str) -> Result<Self, Error> {
        if text.len() > MAX_BYTES {
            return Err(Error::BadData(format!("the query is longer than {MAX_BYTES} bytes; shorten it")));
        }
        let tokens = tokens(text)?;
        if tokens.len() > MAX_TOKENS {
            return Err(Error::BadData(format!("the query has more than {MAX_TOKENS} parts; split it")));
        }
        check_operators(text, &tokens)?;
        check_durations(&tokens)?;
        let unsupported_modifier = UNSUPPORTED_MODIFIERS.into_iter().find(|modifier| {
            tokens.iter().any(
                |token| matches!(token.kind, TokenKind::Word(word) if word.eq_ignore_ascii_case(modifier)),
            )
        });
        Ok(Self { calls: calls(&tokens)?.into_iter(), unsupported_modifier })
    }

    /// A modifier in the text that explains why the parser refuses it.
    pub(crate) fn unsupported_modifier(&self) -> Option<&'static str> {
        self.unsupported_modifier
    }

    /// The next call of this name. Asked for in the order of the text, as a walk from each call to
    /// its arguments does, every call is found.
    pub(crate) fn next_call(&mut self, name: &str) -> CallSite {
        self.calls.find(|call| call.name.eq_ignore_ascii_case(name)).unwrap_or_else(|| CallSite {
            name: name.to_owned(),
            place: Place::default(),
            arguments: Vec::new(),
        })
    }
}

impl CallSite {
    /// Where an argument begins, or the call itself when it has no such argument.
    pub(crate) fn argument(&self, index: usize) -> Place {
        self.arguments.get(index).copied().unwrap_or(self.place)
    }
}

#[derive(Debug)]
enum TokenKind<'a> {
    Word(&'a str),
    Paren,
    OtherBracket,
    Close,
    Comma,
    Other,
}

#[derive(Debug)]
struct Token<'a> {
    kind: TokenKind<'a>,
    place: Place,
    /// Where it begins, in bytes.
    start: usize,
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b':' | b'.')
}

fn tokens(text: &str) -> Result<Vec<Token<'_>>, Error> {
    let bytes = text.as_bytes();
    let mut found = Vec::new();
    let (mut at, mut counted, mut place) = (0, 0, Place { line: 1, column: 1 });
    while let Some(&byte) = bytes.get(at) {
        place.column += characters(&bytes[counted..at]);
        let start = at;
        counted = at;
        at += 1;
        let kind = match byte {
            b'\n' => {
                place = Place { line: place.line + 1, column: 1 };
                counted = at;
                continue;
            }
            b' ' | b'\t' | b'\r' => continue,
            b'#' => {
                at = memchr(bytes, at, b'\n');
                continue;
            }
            b'"' | b'\'' | b'`' => {
                at = end_of_string(text, start)?;
                TokenKind::Other
            }
            b'(' => TokenKind::Paren,
            b'{' | b'[' => TokenKind::OtherBracket,
            b')' | b'}' | b']' => TokenKind::Close,
            b',' => TokenKind::Comma,
            _ if is_word(byte) => {
                at = (at..bytes.len()).find(|&end| !is_word(bytes[end])).unwrap_or(bytes.len());
                TokenKind::Word(&text[start..at])
            }
            _ => TokenKind::Other,
        };
        found.push(Token { kind, place, start });
    }
    Ok(found)
}

/// How many characters begin in these bytes.
fn characters(bytes: &[u8]) -> usize {
    bytes.iter().filter(|byte| **byte & 0xc0 != 0x80).count()
}

fn memchr(bytes: &[u8], from: usize, wanted: u8) -> usize {
    (from..bytes.len()).find(|&at| bytes[at] == wanted).unwrap_or(bytes.len())
}

/// Refuses more operators than the parser bears. Those between braces are of matchers, and nest nothing.
fn check_operators(text: &str, tokens: &[Token<'_>]) -> Result<(), Error> {
    let mut in_braces = false;
    let mut operators = 0;
    for token in tokens {
        let first = text.as_bytes()[token.start];
        let is_operator = match token.kind {
            TokenKind::Word(word) => {
                ["and", "or", "unless", "atan2"].iter().any(|name| word.eq_ignore_ascii_case(name))
            }
            TokenKind::Other => !matches!(first, b'"' | b'\'' | b'`'),
            TokenKind::OtherBracket | TokenKind::Close => {
                in_braces = first == b'{';
                false
            }
            TokenKind::Paren | TokenKind::Comma => false,
        };
        operators += usize::from(is_operator && !in_braces);
    }
    if operators > MAX_OPERATORS {
        return Err(Error::BadData(format!("the query has more than {MAX_OPERATORS} operators; split it")));
    }
    Ok(())
}

/// The longest duration that is read, in seconds: some three thousand years.
const MAX_SECONDS: f64 = 1e11;

/// Refuses durations that the parser would read as shorter ones (it drops parts of more than 32 bits)
/// and those on which it panics.
fn check_durations(tokens: &[Token<'_>]) -> Result<(), Error> {
    let mut expected = false;
    for token in tokens {
        let TokenKind::Word(word) = token.kind else {
            // A sign may stand between `offset` and its duration.
            expected = matches!(token.kind, TokenKind::OtherBracket)
                || (expected && matches!(token.kind, TokenKind::Other));
            continue;
        };
        let with_units = word.starts_with(|c: char| c.is_ascii_digit())
            && !word.starts_with("0x")
            && word.contains(['y', 'w', 'd', 'h', 'm', 's']);
        let cut_off = with_units && word.split(|c: char| !c.is_ascii_digit()).any(|digits| digits.len() > 9);
        let in_seconds =
            |part: &str| part.parse::<f64>().is_ok_and(|seconds| !(0.0..=MAX_SECONDS).contains(&seconds));
        if cut_off || (expected && word.split(':').any(in_seconds)) {
            return Err(Error::BadData(format!("the duration `{word}` is out of range")));
        }
        expected = word.eq_ignore_ascii_case("offset") || word.ends_with(':');
    }
    Ok(())
}

fn end_of_string(text: &str, start: usize) -> Result<usize, Error> {
    let bytes = text.as_bytes();
    let quote = bytes[start];
    let mut at = start + 1;
    while let Some(&byte) = bytes.get(at) {
        if byte == quote {
            return Ok(at + 1);
        }
        if byte == b'\\' && quote != b'`' {
            // The parser reads `\xe4` as the character U+00E4; in PromQL it is a byte.
            if matches!(
                bytes.get(at + 1..at + 3),
                Some([b'x', b'8'..=b'9' | b'a'..=b'f' | b'A'..=b'F'] | [b'2' | b'3', _])
            ) {
                return Err(Error::Unsupported(format!(
                    "the escape `{}` for a part of a character in a string (write the character itself)",
                    text.get(at..at + 4).unwrap_or_default()
                )));
            }
            at += 1;
        }
        at += 1;
    }
    Err(Error::BadData("a string in the query does not end".to_owned()))
}

/// Words before `(` that are no calls.
const MODIFIERS: [&str; 12] = [
    "by",
    "without",
    "on",
    "ignoring",
    "group_left",
    "group_right",
    "fill",
    "fill_left",
    "fill_right",
    "and",
    "or",
    "unless",
];

fn calls(tokens: &[Token<'_>]) -> Result<Vec<CallSite>, Error> {
    let mut calls = Vec::new();
    // The open brackets, each with the call whose arguments it holds.
    let mut open: Vec<Option<usize>> = Vec::new();
    let mut pending: Option<usize> = None;
    for (at, token) in tokens.iter().enumerate() {
        let next = tokens.get(at + 1);
        match token.kind {
            TokenKind::Word(word) => {
                let modifier = MODIFIERS.iter().any(|keyword| word.eq_ignore_ascii_case(keyword));
                let starts = match next.map(|next| &next.kind) {
                    Some(TokenKind::Paren) => true,
                    Some(TokenKind::Word(next)) => {
                        next.eq_ignore_ascii_case("by") || next.eq_ignore_ascii_case("without")
                    }
                    _ => false,
                };
                if starts && !modifier {
                    pending = Some(calls.len());
                    calls.push(CallSite { name: word.to_owned(), place: token.place, arguments: Vec::new() });
                }
            }
            TokenKind::Paren | TokenKind::OtherBracket => {
                // `sum by (a, b) (x)`: the list after `by` belongs to nobody, the call is still to come.
                let after_modifier = at.checked_sub(1).is_some_and(|before| {
                    matches!(tokens[before].kind, TokenKind::Word(word)
                        if MODIFIERS.iter().any(|keyword| word.eq_ignore_ascii_case(keyword)))
                });
                let owner = if after_modifier { None } else { pending.take() };
                open.push(owner);
                if open.len() > MAX_NESTING {
                    return Err(Error::BadData(format!(
                        "the query nests deeper than {MAX_NESTING} brackets"
                    )));
                }
                if let (Some(owner), Some(next)) = (owner, next) {
                    calls[owner].arguments.push(next.place);
                }
            }
            TokenKind::Close => {
                open.pop();
            }
            TokenKind::Comma => {
                if let (Some(Some(owner)), Some(next)) = (open.last(), next) {
                    calls[*owner].arguments.push(next.place);
                }
            }
            TokenKind::Other => {}
        }
    }
    Ok(calls)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(line: usize, column: usize) -> Place {
        Place { line, column }
    }

    #[test]
    fn calls_and_their_arguments_are_found_in_order() {
        let text = "sum by (rate) (\n  rate(x{a=\"(\"}[5m])) / quantile(0.5, y) by (sum) # max(z)";
        let mut source = Source::scan(text).expect("scans");
        assert_eq!(source.next_call("sum").argument(0), at(2, 3));
        assert_eq!(source.next_call("rate").argument(0), at(2, 8));
        let quantile = source.next_call("quantile");
        assert_eq!((quantile.place, quantile.arguments), (at(2, 25), vec![at(2, 34), at(2, 39)]));
    }

    #[test]
    fn texts_without_end_are_refused() {
        let texts = [
            "a".repeat(MAX_BYTES + 1),
            "(".repeat(MAX_NESTING + 1),
            "a,".repeat(MAX_TOKENS),
            "- ".repeat(MAX_OPERATORS + 1),
            format!("x{}", " or x".repeat(MAX_OPERATORS + 1)),
            "\"abc".to_owned(),
        ];
        for text in texts {
            assert!(matches!(Source::scan(&text), Err(Error::BadData(_))), "{text:.20}");
        }
        let many_matchers = format!("x{{{}}} + 1", "a!~\"b\",".repeat(MAX_OPERATORS));
        assert!(Source::scan(&many_matchers).is_ok(), "matchers are no operators");
        assert!(matches!(Source::scan(r#"x{a="\xff"}"#), Err(Error::Unsupported(_))));
        assert!(Source::scan(r#"x{a="\\xff", b=`\xff`, c="\x7f"}"#).is_ok());
    }
}
