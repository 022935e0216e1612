//! From tokens to a tree: by precedence, each kind of expression with its own errors.

mod modifiers;
mod selector;
mod spans;

use super::lex::{self, Kind, Token, Tokens};
use super::tree::{Aggregate, Aggregator, Binary, BinaryOperator, Call, Node, Tree};
use super::{error_at, number, text};
use crate::Error;

const MAX_BYTES: usize = 64 << 10;
const MAX_TOKENS: usize = 4_000;
/// How deep what is read may nest.
const MAX_NESTING: usize = 128;
/// How high a tree may be: whoever walks it recurses. A chain of operators is as high as it has operators.
const MAX_HEIGHT: usize = 200;

/// How tightly a sign binds: as multiplication does, so that `-a ^ b` is `-(a ^ b)` and `-a * b` is `(-a) * b`.
const SIGN_BINDING: u8 = BinaryOperator::Power.binding();

/// Words that are no names of metrics where an expression begins.
const RESERVED: [&str; 6] = ["bool", "on", "ignoring", "group_left", "group_right", "atan2"];
/// Words that a parenthesis does not make a call of.
const NO_FUNCTIONS: [&str; 8] = ["by", "without", "offset", "and", "or", "unless", "anchored", "smoothed"];

/// Reads the tokens of a text.
pub(super) struct Parser<'a> {
    text: &'a str,
    tokens: Tokens<'a>,
    at: usize,
    depth: usize,
}

impl<'a> Parser<'a> {
    /// For a text that is not too long.
    pub(super) fn new(text: &'a str) -> Result<Self, Error> {
        if text.len() > MAX_BYTES {
            return Err(Error::BadData(format!("the query is longer than {MAX_BYTES} bytes; shorten it")));
        }
        let too_many = || Error::BadData(format!("the query has more than {MAX_TOKENS} parts; split it"));
        Ok(Self { text, tokens: lex::tokens(text, MAX_TOKENS).ok_or_else(too_many)?, at: 0, depth: 0 })
    }

    /// The whole text as one expression.
    pub(super) fn query(mut self) -> Result<Tree, Error> {
        if self.peek().kind == Kind::End {
            return Err(self.error(0, "no expression found in input"));
        }
        let tree = self.expression(0)?;
        match self.peek().kind {
            Kind::End => Ok(tree),
            _ => Err(self.unexpected("", "")),
        }
    }

    fn peek(&self) -> Token<'a> {
        self.peek_behind(0)
    }

    /// The token behind so many others.
    fn peek_behind(&self, others: usize) -> Token<'a> {
        let last = self.tokens.all.len() - 1;
        self.tokens.all[(self.at + others).min(last)]
    }

    fn next(&mut self) -> Token<'a> {
        let token = self.peek();
        self.at += 1;
        token
    }

    /// The last token that was taken.
    fn peek_before(&self) -> Token<'a> {
        self.tokens.all[self.at.saturating_sub(1)]
    }

    /// Where the last token that was taken ends.
    fn end(&self) -> usize {
        self.at.checked_sub(1).map_or(0, |before| self.tokens.all[before].end())
    }

    fn take(&mut self, symbol: &str) -> Option<Token<'a>> {
        self.peek().is(symbol).then(|| self.next())
    }

    fn take_word(&mut self, word: &str) -> Option<Token<'a>> {
        self.peek().is_word(word).then(|| self.next())
    }

    fn expect(&mut self, symbol: &str, context: &str) -> Result<Token<'a>, Error> {
        self.take(symbol).ok_or_else(|| self.unexpected(context, &format!("{symbol:?}")))
    }

    fn error(&self, start: usize, message: &str) -> Error {
        error_at(self.text, start, message)
    }

    /// That the next token does not belong here.
    fn unexpected(&self, context: &str, expected: &str) -> Error {
        let token = self.peek();
        if token.kind == Kind::Bad {
            return self.error(token.start, &self.tokens.failure);
        }
        let mut message = format!("unexpected {}", described(token));
        if !context.is_empty() {
            message.push_str(&format!(" in {context}"));
        }
        if !expected.is_empty() {
            message.push_str(&format!(", expected {expected}"));
        }
        self.error(token.start, &message)
    }

    /// Does what may come back to the same.
    fn nested<T>(&mut self, read: impl FnOnce(&mut Self) -> Result<T, Error>) -> Result<T, Error> {
        if self.depth == MAX_NESTING {
            return Err(self.error(
                self.peek().start,
                &format!("the query nests deeper than {MAX_NESTING} expressions"),
            ));
        }
        self.depth += 1;
        let read = read(self)?;
        self.depth -= 1;
        Ok(read)
    }

    /// An expression of operators that bind at least so tightly.
    fn expression(&mut self, least: u8) -> Result<Tree, Error> {
        self.nested(|parser| {
            let mut left = parser.operand()?;
            while let Some(operator) = operator(parser.peek()).filter(|operator| operator.binding() >= least)
            {
                let place = parser.next().start;
                let matching = parser.matching()?;
                let is_right = operator == BinaryOperator::Power;
                let right = parser.expression(operator.binding() + u8::from(!is_right))?;
                let (start, height) = (left.start, left.height.max(right.height));
                let binary = Binary { operator, place, matching, left, right };
                left = parser.tree(start, height, Node::Binary(Box::new(binary)))?;
            }
            Ok(left)
        })
    }

    /// What stands between operators.
    fn operand(&mut self) -> Result<Tree, Error> {
        let sign = self.peek();
        if !(sign.is("-") || sign.is("+")) {
            let primary = self.primary()?;
            return self.modified(primary);
        }
        self.next();
        let negative = sign.is("-");
        let input = self.expression(SIGN_BINDING)?;
        let height = input.height;
        let node = match input.node {
            Node::Number(value) => Node::Number(if negative { -value } else { value }),
            Node::Duration(value) => Node::Duration(if negative { -value } else { value }),
            _ => Node::Sign { negative, input: Box::new(input) },
        };
        self.tree(sign.start, height, node)
    }

    /// An expression that ends with the last token, over others that are so high.
    fn tree(&self, start: usize, below: usize, node: Node) -> Result<Tree, Error> {
        if below >= MAX_HEIGHT {
            let message = format!("the query nests deeper than {MAX_HEIGHT} operations; split it");
            return Err(self.error(start, &message));
        }
        Ok(Tree { start, end: self.end(), height: below + 1, node })
    }

    fn primary(&mut self) -> Result<Tree, Error> {
        let token = self.peek();
        let start = token.start;
        let mut below = 0;
        let node = match token.kind {
            Kind::Number => Node::Number(self.seconds()?),
            Kind::Duration => Node::Duration(self.seconds()?),
            Kind::Text => self.text()?,
            Kind::Word => {
                let node = self.word()?;
                if let Node::Call(Call { arguments, .. }) = &node {
                    below = highest(arguments);
                } else if let Node::Aggregate(aggregate) = &node {
                    below = highest(&aggregate.arguments);
                }
                node
            }
            Kind::Symbol if token.is("{") => Node::Selector(Box::new(self.selector(None)?)),
            Kind::Symbol if token.is("(") => {
                self.next();
                let inner = self.expression(0)?;
                self.expect(")", "paren expression")?;
                below = inner.height;
                Node::Paren(Box::new(inner))
            }
            Kind::Symbol | Kind::Label | Kind::End | Kind::Bad => return Err(self.unexpected("", "")),
        };
        self.tree(start, below, node)
    }

    /// What begins with a word.
    fn word(&mut self) -> Result<Node, Error> {
        let word = self.peek();
        let following = self.peek_behind(1);
        if let Some(value) = special_number(word) {
            self.next();
            return Ok(Node::Number(value));
        }
        if let Some(aggregator) = Aggregator::of(word.text)
            && (following.is("(") || following.is_word("by") || following.is_word("without"))
        {
            self.next();
            return self.aggregate(aggregator);
        }
        if following.is("(")
            && !word.text.contains(':')
            && !is_one_of(word, &NO_FUNCTIONS)
            && !is_one_of(word, &RESERVED)
        {
            self.next();
            let arguments = self.arguments()?;
            return Ok(Node::Call(Call { name: word.text.to_owned(), arguments }));
        }
        if is_one_of(word, &RESERVED) {
            return Err(self.unexpected("", ""));
        }
        self.next();
        Ok(Node::Selector(Box::new(self.selector(Some(word.text.to_owned()))?)))
    }

    /// The rest of an aggregation.
    fn aggregate(&mut self, aggregator: Aggregator) -> Result<Node, Error> {
        let before = self.grouping()?;
        if !self.peek().is("(") {
            return Err(self.unexpected("aggregation", ""));
        }
        let arguments = self.arguments()?;
        let grouping = match before {
            Some(grouping) => Some(grouping),
            None => self.grouping()?,
        };
        Ok(Node::Aggregate(Box::new(Aggregate { aggregator, grouping, arguments })))
    }

    /// `(a, b)`.
    fn arguments(&mut self) -> Result<Vec<Tree>, Error> {
        self.expect("(", "function call")?;
        let mut arguments = Vec::new();
        if self.take(")").is_some() {
            return Ok(arguments);
        }
        loop {
            arguments.push(self.expression(0)?);
            if self.take(")").is_some() {
                return Ok(arguments);
            }
            let comma = self.expect(",", "function call")?;
            if self.peek().is(")") {
                return Err(self.error(comma.start, "trailing commas not allowed in function call args"));
            }
        }
    }

    /// A number, or a duration in seconds.
    fn seconds(&mut self) -> Result<f64, Error> {
        let token = self.peek();
        let value = match token.kind {
            Kind::Number => number::number(token.text)
                .ok_or_else(|| format!("error parsing number: {:?} is out of range", token.text)),
            Kind::Duration => number::duration(token.text).map(|millis| millis as f64 / 1000.0),
            _ => special_number(token).ok_or_else(|| "a number is missing".to_owned()),
        };
        let value = value.map_err(|message| self.error(token.start, &message))?;
        self.next();
        Ok(value)
    }

    /// A number that may have a sign.
    fn signed_number(&mut self) -> Option<Result<f64, Error>> {
        let sign = usize::from(self.peek().is("-") || self.peek().is("+"));
        let number = self.peek_behind(sign);
        if !matches!(number.kind, Kind::Number | Kind::Duration) && special_number(number).is_none() {
            return None;
        }
        let negative = self.take("-").is_some();
        _ = self.take("+");
        Some(self.seconds().map(|value| if negative { -value } else { value }))
    }

    fn text(&mut self) -> Result<Node, Error> {
        let token = self.next();
        let bytes = text::bytes(token.text).map_err(|message| self.error(token.start, &message))?;
        Ok(String::from_utf8(bytes).map_or_else(|_| Node::NotUtf8(token.text.to_owned()), Node::Text))
    }

    fn string(&mut self) -> Result<String, Error> {
        let token = self.next();
        text::unquoted(token.text).map_err(|message| self.error(token.start, &message))
    }
}

fn highest(trees: &[Tree]) -> usize {
    trees.iter().map(|tree| tree.height).max().unwrap_or(0)
}

fn is_one_of(word: Token<'_>, words: &[&str]) -> bool {
    words.iter().any(|other| word.text.eq_ignore_ascii_case(other))
}

/// `Inf` and `NaN`.
fn special_number(token: Token<'_>) -> Option<f64> {
    match token.kind {
        Kind::Word if token.text.eq_ignore_ascii_case("inf") => Some(f64::INFINITY),
        Kind::Word if token.text.eq_ignore_ascii_case("nan") => Some(f64::NAN),
        _ => None,
    }
}

fn operator(token: Token<'_>) -> Option<BinaryOperator> {
    use BinaryOperator as B;
    let found = match token.kind {
        Kind::Symbol => match token.text {
            "==" => B::Equal,
            "!=" => B::NotEqual,
            "<" => B::Less,
            "<=" => B::LessOrEqual,
            ">" => B::Greater,
            ">=" => B::GreaterOrEqual,
            "</" => B::TrimUpper,
            ">/" => B::TrimLower,
            "+" => B::Add,
            "-" => B::Subtract,
            "*" => B::Multiply,
            "/" => B::Divide,
            "%" => B::Modulo,
            "^" => B::Power,
            _ => return None,
        },
        Kind::Word => {
            let words = [("or", B::Or), ("and", B::And), ("unless", B::Unless), ("atan2", B::Atan2)];
            return words.into_iter().find(|(word, _)| token.is_word(word)).map(|(_, operator)| operator);
        }
        _ => return None,
    };
    Some(found)
}

/// Words that are not called identifiers in errors.
const KEYWORDS: [&str; 14] = [
    "offset",
    "smoothed",
    "anchored",
    "by",
    "without",
    "on",
    "ignoring",
    "group_left",
    "group_right",
    "bool",
    "start",
    "end",
    "step",
    "range",
];

/// A token in words, as Prometheus describes it.
fn described(token: Token<'_>) -> String {
    let text = token.text;
    match token.kind {
        Kind::End | Kind::Bad => "end of input".to_owned(),
        Kind::Number => format!("number {}", shortened(text)),
        Kind::Duration => format!("duration {}", shortened(text)),
        Kind::Text => format!("string {}", shortened(text)),
        Kind::Word if special_number(token).is_some() => format!("number {}", shortened(text)),
        Kind::Word if operator(token).is_some() => format!("<op:{text}>"),
        Kind::Word if Aggregator::of(text).is_some() => format!("<aggr:{text}>"),
        Kind::Word if is_one_of(token, &KEYWORDS) => format!("<{text}>"),
        Kind::Word if text.contains(':') => format!("metric identifier {text:?}"),
        Kind::Word | Kind::Label => format!("identifier {text:?}"),
        Kind::Symbol if operator(token).is_some() || ["@", "=~", "!~"].contains(&text) => {
            format!("<op:{text}>")
        }
        Kind::Symbol => format!("{text:?}"),
    }
}

fn shortened(text: &str) -> String {
    match text.char_indices().nth(10) {
        Some((end, _)) => format!("{:?}...", &text[..end]),
        None => format!("{text:?}"),
    }
}
