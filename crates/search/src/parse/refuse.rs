//! What is said where a term should stand and none does.

use super::Parser;
use crate::error::{Fault, shown};
use crate::lex::Keyword;
use crate::{Comparison, Name, Span};

impl Parser<'_> {
    /// Nothing stands where a term or a value should: before an operator, behind one, or in brackets.
    pub(super) fn missing(&self) -> Fault {
        let here = self.lexer.next_span();
        let Some(operator) = self.operator else {
            let rest = self.lexer.rest();
            if rest.is_empty() || rest.starts_with(')') {
                return Fault::new(here, "a term is missing").expected("a term");
            }
            let length = [Keyword::And, Keyword::Or].iter().find_map(|word| self.lexer.keyword(*word));
            let word = &rest[..length.unwrap_or_default()];
            return Fault::new(
                Span::new(here.start, here.start + word.len()),
                "nothing stands before this operator",
            )
            .expected("a term")
            .suggest(format!("the word itself is searched in quotes, as \"{word}\""));
        };
        let word = self.lexer.since(operator.start);
        let word = shown(&word[..operator.end - operator.start]);
        Fault::new(operator, format!("{word} has nothing behind it"))
            .expected("a term")
            .suggest("leave it out, or write what belongs there")
    }

    /// A term cannot begin like this.
    pub(super) fn no_term(&self) -> Fault {
        let here = self.lexer.next_span();
        match self.lexer.peek() {
            Some('<' | '>' | '=' | '!') => Fault::new(here, "no field stands before this comparison")
                .expected("a field's name, as in `duration>5s`")
                .suggest("as text, it is searched in quotes"),
            Some(open @ ('[' | '{')) => {
                Fault::new(here, format!("`{open}` opens a range, and no field stands before it"))
                    .expected("a field's name, as in `duration:[1s TO 5s]`")
                    .suggest("as text, it is searched in quotes")
            }
            Some(close @ (']' | '}')) => Fault::new(here, format!("`{close}` closes nothing"))
                .expected("a term")
                .suggest("as text, it is searched in quotes"),
            _ => Fault::new(here, "nothing can be searched here").expected("a term"),
        }
    }

    /// A field has no value.
    pub(super) fn no_value(&self, name: &Name, symbol: &str) -> Fault {
        let behind = self.lexer.rest();
        let next = behind.trim_start();
        let word = &next[..next.find(|c: char| c.is_whitespace() || c == ')').unwrap_or(next.len())];
        let span = Span::new(name.span.start, self.lexer.at());
        let fault = Fault::new(span, format!("the field {} has no value", shown(&name.text)))
            .expected(format!("a value at once behind `{symbol}`, or `*` for any"));
        if word.is_empty() || behind.len() == next.len() || word.len() > 40 {
            return fault.suggest("as text, it is searched in quotes");
        }
        fault.suggest(format!(
            "leave out the space, as in `{}{symbol}{word}`, or put it in quotes if it is text",
            name.text
        ))
    }

    /// Behind a comparison stands something that opens several values.
    pub(super) fn no_single_value(&self, name: &Name, comparison: Comparison) -> Fault {
        let here = self.lexer.next_span();
        let symbol = comparison.symbol();
        let fault = Fault::new(here, format!("`{symbol}` compares with one value")).expected("one value");
        match comparison {
            Comparison::Equal => fault
                .suggest(format!("lists and ranges stand behind a colon, as in `{}:(a OR b)`", name.text)),
            Comparison::NotEqual => fault
                .suggest(format!("lists and ranges stand behind a colon, as in `-{}:(a OR b)`", name.text)),
            _ => fault,
        }
    }
}
