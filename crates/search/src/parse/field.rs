//! What stands behind a field's name: a value, a comparison, a range, or a list of these.

use super::Parser;
use crate::error::{Fault, shown};
use crate::lex::{EXISTS, Position};
use crate::{Check, Comparison, End, Form, Literal, Name, Node, Shape, Span};

impl Parser<'_> {
    /// Behind the name of a field, at the colon.
    pub(super) fn field(&mut self, name: &Name, start: usize) -> Result<Node, Fault> {
        self.lexer.advance(1);
        let is_quoted = name.span.end - name.span.start != name.text.len();
        if name.text == EXISTS && !is_quoted {
            return self.exists(name, start);
        }
        match self.lexer.peek() {
            Some('(') => {
                let list = self.group(Some(name))?;
                Ok(Node { span: Span::new(start, self.lexer.at()), ..list })
            }
            Some('!') if !self.lexer.rest().starts_with("!=") => {
                let span = self.lexer.next_span();
                Err(Fault::new(span, "`!` is no value")
                    .expected("a value")
                    .suggest(format!("what a field is not is written `-{}:…`", name.text)))
            }
            _ => self.value(name, start),
        }
    }

    /// `_exists_:field`
    fn exists(&mut self, alias: &Name, start: usize) -> Result<Node, Fault> {
        let literal = match self.lexer.peek() {
            Some('"') => self.lexer.quoted()?,
            _ => self.lexer.word(Position::Value)?,
        };
        if literal.span.start == literal.span.end {
            return Err(self.no_value(alias, ":"));
        }
        let name = self.name(literal)?;
        let span = Span::new(start, self.lexer.at());
        self.leaf(span, Shape::Field(name, Check::Exists))
    }

    /// One value of a field, behind its colon or in a list.
    pub(super) fn value(&mut self, name: &Name, start: usize) -> Result<Node, Fault> {
        if let Some(comparison) = self.lexer.comparison() {
            return self.compare(name, comparison, start);
        }
        let check = match self.lexer.peek() {
            Some('[' | '{') => self.range()?,
            Some('"') => Check::Is(self.lexer.quoted()?),
            Some('/') => Check::Is(self.lexer.regex()?),
            _ => match self.lexer.dotted_range()? {
                Some(ends) => between(ends.map(|end| end.map(|literal| End { literal, is_included: true }))),
                None => self.word_value(name)?,
            },
        };
        let span = Span::new(start, self.lexer.at());
        self.note_lower_case(self.lexer.since(start), span);
        self.leaf(span, Shape::Field(name.clone(), check))
    }

    fn word_value(&mut self, name: &Name) -> Result<Check, Fault> {
        let literal = self.lexer.word(Position::Value)?;
        if literal.span.start == literal.span.end {
            return Err(self.no_value(name, ":"));
        }
        Ok(if literal.is_any() { Check::Exists } else { Check::Is(literal) })
    }

    /// Behind a comparison.
    pub(super) fn compare(
        &mut self,
        name: &Name,
        comparison: Comparison,
        start: usize,
    ) -> Result<Node, Fault> {
        self.lexer.skip_space();
        let literal = match self.lexer.peek() {
            Some('(' | '[' | '{') => return Err(self.no_single_value(name, comparison)),
            Some('"') => self.lexer.quoted()?,
            Some('/') => self.lexer.regex()?,
            _ => self.lexer.word(Position::Value)?,
        };
        if literal.span.start == literal.span.end {
            return Err(self.no_value(name, comparison.symbol()));
        }
        let span = Span::new(start, self.lexer.at());
        match comparison {
            Comparison::Equal if literal.is_any() => {
                self.leaf(span, Shape::Field(name.clone(), Check::Exists))
            }
            Comparison::NotEqual if literal.is_any() => {
                self.enter(span)?;
                let exists = self.leaf(span, Shape::Field(name.clone(), Check::Exists))?;
                self.depth -= 1;
                Ok(Node { span, shape: Shape::Not(Box::new(exists)) })
            }
            _ => self.leaf(span, Shape::Field(name.clone(), Check::Compare(comparison, literal))),
        }
    }

    /// `[low TO high]`, which begins here; `{` and `}` leave out an end.
    fn range(&mut self) -> Result<Check, Fault> {
        let open = self.lexer.next_span();
        let includes_low = self.lexer.peek() == Some('[');
        self.lexer.advance(1);
        let low = self.end(open, "lower")?;
        if self.lexer.rest().starts_with("TO") {
            self.lexer.advance(2);
        } else {
            return Err(Fault::new(self.lexer.next_span(), "the range is not complete")
                .expected("`TO`, in capitals, and the upper end")
                .suggest("a range is written like `[1 TO 5]`, and `*` leaves an end open"));
        }
        let high = self.end(open, "upper")?;
        let includes_high = self.lexer.peek() == Some(']');
        if !self.lexer.eat("]") && !self.lexer.eat("}") {
            return Err(Fault::new(open, "the range that begins here is not closed").expected("`]` or `}`"));
        }
        let low = low.map(|literal| End { literal, is_included: includes_low });
        let high = high.map(|literal| End { literal, is_included: includes_high });
        Ok(between([low, high]))
    }

    /// An end of a range, with the space around it; nothing where it is open.
    fn end(&mut self, open: Span, which: &str) -> Result<Option<Literal>, Fault> {
        self.lexer.skip_space();
        let start = self.lexer.at();
        let literal = match self.lexer.peek() {
            Some('"') => self.lexer.quoted()?,
            _ => self.lexer.word(Position::End)?,
        };
        let raw = self.lexer.since(start);
        if raw.is_empty() || raw == "TO" {
            let message = format!("the {which} end of the range is missing");
            return Err(Fault::new(open.up_to(literal.span), message).expected("a value, or `*` for none"));
        }
        if matches!(literal.form, Form::Glob(_)) && !literal.is_any() {
            let message = format!("{} has wildcards and is no end of a range", shown(raw));
            return Err(Fault::new(literal.span, message).expected("a value, or `*` alone for none"));
        }
        self.lexer.skip_space();
        Ok((!literal.is_any()).then_some(literal))
    }
}

/// A range; with both ends open it says no more than that there is a value.
fn between(ends: [Option<End>; 2]) -> Check {
    match ends {
        [None, None] => Check::Exists,
        [low, high] => Check::Range { low, high },
    }
}
