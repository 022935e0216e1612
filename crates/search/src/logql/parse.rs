//! From tokens to what a query means.

mod counts;
mod stages;

use super::lex::{Lexer, Token};
use super::{Expression, Lines, Matcher, TextTest};
use crate::error::{Fault, shown};
use crate::limits::{MAX_DEPTH, MAX_PATTERNS, MAX_TERMS, MAX_TEXT_BYTES};
use crate::pattern::PatternError;
use crate::{Pattern, Span};

/// What is taken, for those who have written something else.
const TAKEN: &str = "a selector as `{service_name=\"ocr\"}` with filters behind it, or `count_over_time`, `rate`, \
                     `bytes_over_time` or `bytes_rate` of one, in `sum`, `topk` or `bottomk` if need be";

/// Reads a query.
pub(super) fn expression(text: &str) -> Result<Expression, Fault> {
    let mut parser = Parser::new(text)?;
    let expression = match parser.token {
        Token::Symbol("{") => Expression::Lines(parser.lines()?),
        Token::Name("vector") => Expression::Constant(parser.sum_of_vectors()?),
        Token::Name(_) => Expression::Counts(parser.counts()?),
        _ => return Err(parser.unexpected(TAKEN)),
    };
    parser.ends()?;
    Ok(expression)
}

/// Reads a selector with filters.
pub(super) fn selector(text: &str) -> Result<Lines, Fault> {
    let mut parser = Parser::new(text)?;
    let lines = parser.lines()?;
    parser.ends()?;
    Ok(lines)
}

struct Parser<'a> {
    text: &'a str,
    lexer: Lexer<'a>,
    /// The next token, and where it stands.
    token: Token<'a>,
    span: Span,
    patterns: usize,
    terms: usize,
    depth: usize,
}

impl<'a> Parser<'a> {
    fn new(text: &'a str) -> Result<Self, Fault> {
        if text.len() > MAX_TEXT_BYTES {
            let fault = format!("the query is longer than {MAX_TEXT_BYTES} bytes");
            return Err(Fault::new(Span::default(), fault));
        }
        let mut lexer = Lexer::new(text);
        let (token, span) = lexer.advance()?;
        Ok(Self { text, lexer, token, span, patterns: 0, terms: 0, depth: 0 })
    }

    /// Takes the next token, and gives it with its place.
    fn take(&mut self) -> Result<(Token<'a>, Span), Fault> {
        let (token, span) = self.lexer.advance()?;
        let taken = std::mem::replace(&mut self.token, token);
        Ok((taken, std::mem::replace(&mut self.span, span)))
    }

    /// Takes a symbol, if it comes next.
    fn eat(&mut self, symbol: &'static str) -> Result<bool, Fault> {
        let is_next = self.token == Token::Symbol(symbol);
        if is_next {
            self.take()?;
        }
        Ok(is_next)
    }

    fn needed(&mut self, symbol: &'static str) -> Result<(), Fault> {
        if self.eat(symbol)? { Ok(()) } else { Err(self.unexpected(&format!("`{symbol}`"))) }
    }

    fn ends(&self) -> Result<(), Fault> {
        if self.token == Token::End { Ok(()) } else { Err(self.unexpected("the end of the query")) }
    }

    fn unexpected(&self, expected: &str) -> Fault {
        let message = match &self.token {
            Token::End => "the query ends here".to_owned(),
            _ => format!("unexpected {}", shown(&self.text[self.span.start..self.span.end])),
        };
        Fault::new(self.span, message).expected(expected)
    }

    /// Counts a condition, of which there may be so many.
    fn count_term(&mut self) -> Result<(), Fault> {
        self.terms += 1;
        if self.terms > MAX_TERMS {
            return Err(Fault::new(self.span, format!("there are more than {MAX_TERMS} conditions")));
        }
        Ok(())
    }

    /// Reads what stands in brackets within others.
    fn deeper<T>(&mut self, read: impl FnOnce(&mut Self) -> Result<T, Fault>) -> Result<T, Fault> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(Fault::new(self.span, format!("more than {MAX_DEPTH} brackets stand in each other")));
        }
        let read = read(self)?;
        self.depth -= 1;
        Ok(read)
    }

    /// A regular expression, which is one of Go's, and compiled by `compile`.
    fn pattern(
        &mut self,
        compile: fn(&str) -> Result<Pattern, PatternError>,
        source: &str,
        span: Span,
    ) -> Result<Pattern, Fault> {
        self.patterns += 1;
        if self.patterns > MAX_PATTERNS {
            let message = format!("there are more than {MAX_PATTERNS} regular expressions");
            return Err(Fault::new(span, message));
        }
        compile(source).map_err(|error| Fault::new(span, error.to_string()))
    }

    /// `{a="b", …}` and what stands behind it.
    fn lines(&mut self) -> Result<Lines, Fault> {
        self.needed("{")?;
        let mut matchers = Vec::new();
        while !self.eat("}")? {
            let Token::Name(label) = self.token else {
                return Err(self.unexpected("the name of a label, or `}`"));
            };
            self.take()?;
            matchers.push(self.matcher(label)?);
            if !self.eat(",")? && self.token != Token::Symbol("}") {
                return Err(self.unexpected("`,` or `}`"));
            }
        }
        let stages = self.stages()?;
        Ok(Lines { matchers, stages })
    }

    /// What a label must be as a text, from the operator on.
    fn matcher(&mut self, label: &str) -> Result<Matcher, Fault> {
        self.count_term()?;
        let (is_negated, is_pattern) = match self.token {
            Token::Symbol("=") => (false, false),
            Token::Symbol("!=") => (true, false),
            Token::Symbol("=~") => (false, true),
            Token::Symbol("!~") => (true, true),
            _ => return Err(self.unexpected("`=`, `!=`, `=~` or `!~`")),
        };
        self.take()?;
        let (value, span) = self.quoted()?;
        let test = if is_pattern {
            TextTest::Pattern(self.pattern(Pattern::of_go_as_a_whole, &value, span)?)
        } else {
            TextTest::Text(value)
        };
        Ok(Matcher { label: label.to_owned(), is_negated, test })
    }

    fn quoted(&mut self) -> Result<(String, Span), Fault> {
        if !matches!(self.token, Token::Text(_)) {
            return Err(self.unexpected("a text in quotes"));
        }
        match self.take()? {
            (Token::Text(text), span) => Ok((text, span)),
            (_, span) => Err(Fault::new(span, "no text in quotes")),
        }
    }
}
