//! From text to tree, by recursive descent: `OR` binds least, then `AND`, which need not be written, then
//! `NOT`, `-` and `!`.

mod field;
mod refuse;

use crate::error::{Fault, Remark, shown};
use crate::lex::{Keyword, Lexer, Position, is_plain_name};
use crate::limits::{MAX_DEPTH, MAX_HINTS, MAX_NAME_BYTES, MAX_TERMS, MAX_TEXT_BYTES};
use crate::{Form, Literal, Name, Node, Shape, Span};

/// Reads a query.
pub(crate) fn parse(text: &str) -> Result<(Node, Vec<Remark>), Fault> {
    if text.len() > MAX_TEXT_BYTES {
        let message = format!("the query has {} bytes and is longer than {MAX_TEXT_BYTES}", text.len());
        return Err(Fault::new(Span::default(), message));
    }
    let mut parser =
        Parser { lexer: Lexer::new(text), depth: 0, terms: 0, operator: None, remarks: Vec::new() };
    parser.lexer.skip_space();
    if parser.lexer.peek().is_none() {
        return Ok((Node { span: Span::new(0, text.len()), shape: Shape::All }, Vec::new()));
    }
    let node = parser.either(None)?;
    if parser.lexer.peek().is_some() {
        return Err(Fault::new(parser.lexer.next_span(), "`)` closes nothing")
            .expected("a term, or the end of the query")
            .suggest("as text, it is written `\\)` or in quotes"));
    }
    Ok((node, parser.remarks))
}

struct Parser<'a> {
    lexer: Lexer<'a>,
    depth: usize,
    terms: usize,
    /// The operator that still lacks what stands behind it.
    operator: Option<Span>,
    remarks: Vec<Remark>,
}

impl Parser<'_> {
    /// Parts joined by `OR`, up to the end or to a bracket that closes. In a list, of values of the field.
    fn either(&mut self, list_of: Option<&Name>) -> Result<Node, Fault> {
        let mut parts = vec![self.all(list_of)?];
        while self.operator(Keyword::Or) {
            parts.push(self.all(list_of)?);
        }
        Ok(Node::or(parts))
    }

    /// Parts joined by `AND`, or by nothing.
    fn all(&mut self, list_of: Option<&Name>) -> Result<Node, Fault> {
        let mut parts = vec![self.unary(list_of)?];
        loop {
            self.lexer.skip_space();
            let ends = matches!(self.lexer.peek(), None | Some(')'));
            if ends || self.lexer.keyword(Keyword::Or).is_some() {
                return Ok(Node::and(parts));
            }
            self.operator(Keyword::And);
            parts.push(self.unary(list_of)?);
        }
    }

    fn operator(&mut self, keyword: Keyword) -> bool {
        self.lexer.skip_space();
        let Some(length) = self.lexer.keyword(keyword) else { return false };
        self.operator = Some(Span::new(self.lexer.at(), self.lexer.at() + length));
        self.lexer.advance(length);
        true
    }

    /// A part, or its opposite.
    fn unary(&mut self, list_of: Option<&Name>) -> Result<Node, Fault> {
        self.lexer.skip_space();
        let sign = self.lexer.next_span();
        let is_not = if let Some('-' | '!' | '+') = self.lexer.peek() {
            if self.lexer.rest().starts_with("!=") {
                return self.primary(list_of);
            }
            self.sign()?
        } else {
            self.operator(Keyword::Not)
        };
        if !is_not {
            return self.primary(list_of);
        }
        self.enter(sign)?;
        let part = self.unary(list_of)?;
        self.depth -= 1;
        Ok(Node { span: sign.up_to(part.span), shape: Shape::Not(Box::new(part)) })
    }

    /// A sign, which belongs to what follows it at once; whether it is a negation.
    fn sign(&mut self) -> Result<bool, Fault> {
        let span = self.lexer.next_span();
        let is_not = self.lexer.peek() != Some('+');
        self.lexer.advance(1);
        if self.lexer.is_between() {
            let sign = self.lexer.since(span.start);
            return Err(Fault::new(span, format!("`{sign}` stands alone"))
                .expected(format!("what it belongs to, at once behind it, as in `{sign}retry`"))
                .suggest("as text, it is left out, for it is part of no word"));
        }
        self.operator = Some(span);
        Ok(is_not)
    }

    /// One more bracket or negation.
    fn enter(&mut self, span: Span) -> Result<(), Fault> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            let message = format!("more than {MAX_DEPTH} brackets and negations stand in each other");
            return Err(Fault::new(span, message));
        }
        Ok(())
    }

    /// One more term, which stands here.
    fn leaf(&mut self, span: Span, shape: Shape) -> Result<Node, Fault> {
        self.operator = None;
        self.terms += 1;
        if self.terms > MAX_TERMS {
            return Err(Fault::new(span, format!("there are more than {MAX_TERMS} terms")));
        }
        Ok(Node { span, shape })
    }

    fn primary(&mut self, list_of: Option<&Name>) -> Result<Node, Fault> {
        self.lexer.skip_space();
        match self.lexer.peek() {
            None | Some(')') => Err(self.missing()),
            Some('(') => self.group(list_of),
            _ if [Keyword::And, Keyword::Or].iter().any(|word| self.lexer.keyword(*word).is_some()) => {
                Err(self.missing())
            }
            _ => match list_of {
                Some(name) => self.value(name, self.lexer.at()),
                None => self.term(),
            },
        }
    }

    fn group(&mut self, list_of: Option<&Name>) -> Result<Node, Fault> {
        let open = self.lexer.next_span();
        self.enter(open)?;
        self.lexer.advance(1);
        self.lexer.skip_space();
        if self.lexer.peek() == Some(')') {
            let span = open.up_to(self.lexer.next_span());
            return Err(Fault::new(span, "there is nothing between these brackets").expected("a term"));
        }
        self.operator = None;
        let inner = self.either(list_of)?;
        if !self.lexer.eat(")") {
            return Err(Fault::new(open, "the bracket that opens here is not closed")
                .expected("`)`")
                .suggest("as text, it is written `\\(` or in quotes"));
        }
        self.depth -= 1;
        Ok(Node { span: Span::new(open.start, self.lexer.at()), ..inner })
    }

    /// A term that stands by itself: text, or a condition on a field.
    fn term(&mut self) -> Result<Node, Fault> {
        let start = self.lexer.at();
        match self.lexer.peek() {
            Some('/') => {
                let literal = self.lexer.regex()?;
                return self.leaf(literal.span, Shape::Text(literal));
            }
            Some('"') => {
                let literal = self.lexer.quoted()?;
                return self.after_word(literal, start);
            }
            _ => {}
        }
        let literal = self.lexer.word(Position::Bare)?;
        if literal.span.start == literal.span.end {
            return Err(self.no_term());
        }
        self.after_word(literal, start)
    }

    /// What a word or a quotation is, by what stands behind it: a field's name, or text.
    fn after_word(&mut self, literal: Literal, start: usize) -> Result<Node, Fault> {
        if self.lexer.peek() == Some(':') {
            let name = self.name(literal)?;
            return self.field(&name, start);
        }
        let behind = self.lexer;
        self.lexer.skip_space();
        if let Some(comparison) = self.lexer.comparison() {
            let name = self.name(literal)?;
            return self.compare(&name, comparison, start);
        }
        self.lexer = behind;
        let raw = self.lexer.since(start);
        if literal.is_any() || raw == "*:*" {
            return self.leaf(literal.span, Shape::All);
        }
        self.note_lower_case(raw, literal.span);
        self.leaf(literal.span, Shape::Text(literal))
    }

    /// The name that a word or a quotation is.
    fn name(&self, literal: Literal) -> Result<Name, Fault> {
        let Literal { span, form } = literal;
        let raw = self.lexer.since(span.start);
        let text = match form {
            Form::Quoted(text) if !text.is_empty() => text,
            Form::Word(text) if is_plain_name(&raw[..span.end - span.start]) => text,
            _ => {
                return Err(Fault::new(
                    span,
                    format!("{} is no name of a field", shown(&raw[..span.end - span.start])),
                )
                .expected("a name that begins with a letter, or one in quotes")
                .suggest("text with `:`, `<`, `>` or `=` in it is searched in quotes"));
            }
        };
        if text.len() > MAX_NAME_BYTES {
            return Err(Fault::new(span, format!("the name is longer than {MAX_NAME_BYTES} bytes")));
        }
        Ok(Name { span, text })
    }

    /// A word that is an operator in capitals.
    fn note_lower_case(&mut self, raw: &str, span: Span) {
        let mut ahead = self.lexer;
        ahead.skip_space();
        let is_between = self.terms > 0 && !matches!(ahead.peek(), None | Some(')'));
        if is_between && matches!(raw, "and" | "or") && self.remarks.len() < MAX_HINTS {
            let message =
                format!("`{raw}` is searched as a word; the operator is written `{}`", raw.to_uppercase());
            self.remarks.push(Remark { span, message });
        }
    }
}

#[cfg(test)]
mod tests;
