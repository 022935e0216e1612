//! What stands behind a selector: filters of lines and of labels, and stages that change nothing.

use super::Parser;
use crate::error::{Fault, shown};
use crate::logql::lex::Token;
use crate::logql::{LabelFilter, LineFilter, Matcher, Stage, TextTest};
use crate::{Comparison, Pattern, Span, Value, quantity};

/// Stages of LogQL that are not taken; they are words of the language, and no labels.
const REFUSED: [&str; 9] = [
    "decolorize",
    "distinct",
    "keep",
    "label_format",
    "line_format",
    "pattern",
    "regexp",
    "unpack",
    "unwrap",
];
/// Labels that say what went wrong while lines were parsed. Nothing does here, so they are never there.
const OF_ERRORS: [&str; 2] = ["__error__", "__error_details__"];

impl Parser<'_> {
    pub(super) fn stages(&mut self) -> Result<Vec<Stage>, Fault> {
        let mut stages = Vec::new();
        loop {
            match self.token {
                Token::Symbol("|=" | "|~" | "!=" | "!~") => stages.push(Stage::Line(self.line_filter()?)),
                Token::Symbol("|") => {
                    self.take()?;
                    stages.extend(self.stage()?);
                }
                _ => return Ok(stages),
            }
        }
    }

    /// `|= "a" or "b"`
    fn line_filter(&mut self) -> Result<LineFilter, Fault> {
        let (operator, _) = self.take()?;
        let is_negated = matches!(operator, Token::Symbol("!=" | "!~"));
        let is_pattern = matches!(operator, Token::Symbol("|~" | "!~"));
        let mut any = Vec::new();
        loop {
            self.count_term()?;
            let (text, span) = self.quoted()?;
            any.push(if is_pattern {
                TextTest::Pattern(self.pattern(Pattern::of_go, &text, span)?)
            } else {
                TextTest::Text(text)
            });
            if self.token != Token::Name("or") {
                return Ok(LineFilter { is_negated, any });
            }
            self.take()?;
        }
    }

    /// What stands behind `|`; nothing, where it changes nothing.
    fn stage(&mut self) -> Result<Option<Stage>, Fault> {
        match self.token {
            Token::Name("json" | "logfmt") => {
                self.take()?;
                self.without_parameters()?;
                Ok(None)
            }
            Token::Name("drop") => {
                self.take()?;
                self.dropped()?;
                Ok(None)
            }
            Token::Name(name) if REFUSED.contains(&name) => {
                let expected =
                    "`json`, `logfmt`, `drop __error__`, or a filter of a label as `level=\"error\"`";
                Err(Fault::new(self.span, format!("{} is not taken here", shown(name))).expected(expected))
            }
            _ => Ok(Some(Stage::Label(self.any_label()?))),
        }
    }

    /// Records were parsed when they came in, as a whole.
    fn without_parameters(&self) -> Result<(), Fault> {
        let ends =
            matches!(self.token, Token::End | Token::Symbol("|" | "|=" | "|~" | "!=" | "!~" | "[" | ")"));
        if ends {
            Ok(())
        } else {
            Err(self.unexpected("no parameters: records are parsed when they come in"))
        }
    }

    /// `drop __error__, __error_details__`, which Grafana puts behind whatever it counts.
    fn dropped(&mut self) -> Result<(), Fault> {
        loop {
            match self.token {
                Token::Name(name) if OF_ERRORS.contains(&name) => self.take()?,
                _ => {
                    return Err(self.unexpected("`__error__` or `__error_details__`: others are not dropped"));
                }
            };
            if !self.eat(",")? {
                return Ok(());
            }
        }
    }

    fn any_label(&mut self) -> Result<LabelFilter, Fault> {
        let mut any = vec![self.all_labels()?];
        while self.token == Token::Name("or") {
            self.take()?;
            any.push(self.all_labels()?);
        }
        Ok(if any.len() == 1 { any.swap_remove(0) } else { LabelFilter::Any(any) })
    }

    fn all_labels(&mut self) -> Result<LabelFilter, Fault> {
        let mut all = vec![self.one_label()?];
        while matches!(self.token, Token::Name("and") | Token::Symbol(",")) {
            self.take()?;
            all.push(self.one_label()?);
        }
        Ok(if all.len() == 1 { all.swap_remove(0) } else { LabelFilter::All(all) })
    }

    fn one_label(&mut self) -> Result<LabelFilter, Fault> {
        if self.eat("(")? {
            let inner = self.deeper(Self::any_label)?;
            self.needed(")")?;
            return Ok(inner);
        }
        let Token::Name(label) = self.token else {
            return Err(self.unexpected("the name of a label, `json` or `logfmt`"));
        };
        self.take()?;
        let comparison = match self.token {
            Token::Symbol("==") => Comparison::Equal,
            Token::Symbol(">") => Comparison::Greater,
            Token::Symbol(">=") => Comparison::AtLeast,
            Token::Symbol("<") => Comparison::Less,
            Token::Symbol("<=") => Comparison::AtMost,
            Token::Symbol("=" | "!=") => return self.text_or_number(label),
            _ => return self.matcher(label).map(LabelFilter::Text),
        };
        self.take()?;
        self.compared(label, comparison)
    }

    /// `a="b"`, or `a=5`.
    fn text_or_number(&mut self, label: &str) -> Result<LabelFilter, Fault> {
        let comparison = match self.token {
            Token::Symbol("!=") => Comparison::NotEqual,
            _ => Comparison::Equal,
        };
        self.take()?;
        if matches!(self.token, Token::Quantity(_)) {
            return self.compared(label, comparison);
        }
        self.count_term()?;
        let (value, _) = self.quoted()?;
        let matcher = Matcher {
            label: label.to_owned(),
            is_negated: comparison == Comparison::NotEqual,
            test: TextTest::Text(value),
        };
        Ok(LabelFilter::Text(matcher))
    }

    fn compared(&mut self, label: &str, comparison: Comparison) -> Result<LabelFilter, Fault> {
        self.count_term()?;
        let Token::Quantity(text) = self.token else {
            return Err(self.unexpected("a number, a duration as `5s`, or a size as `10MB`"));
        };
        let value = value(text, self.span)?;
        self.take()?;
        Ok(LabelFilter::Compare { label: label.to_owned(), comparison, value })
    }
}

fn value(text: &str, span: Span) -> Result<Value, Fault> {
    let number = || quantity::number(text).map(Value::Number);
    let duration = || quantity::duration(text).map(Value::Duration);
    let bytes = || quantity::bytes(text).map(Value::Bytes);
    number().or_else(duration).or_else(bytes).ok_or_else(|| {
        Fault::new(span, format!("{} is no value", shown(text)))
            .expected("a number, a duration as `5s`, or a size as `10MB`")
    })
}
