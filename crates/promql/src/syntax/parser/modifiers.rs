//! Modifiers of aggregations and of operators: lists of labels, groups, and what fills gaps.

use super::{Kind, Parser, special_number};
use crate::Error;
use crate::syntax::tree::{Fill, Group, Grouping, MatchLabels, Matching};

impl Parser<'_> {
    /// `by (…)` or `without (…)`, where one of them stands.
    pub(super) fn grouping(&mut self) -> Result<Option<Grouping>, Error> {
        if self.take_word("by").is_some() {
            return self.labels().map(|names| Some(Grouping::By(names)));
        }
        if self.take_word("without").is_some() {
            return self.labels().map(|names| Some(Grouping::Without(names)));
        }
        Ok(None)
    }

    /// What stands between an operator and its right side.
    pub(super) fn matching(&mut self) -> Result<Matching, Error> {
        let mut matching = Matching { returns_bool: self.take_word("bool").is_some(), ..Matching::default() };
        if self.take_word("on").is_some() {
            matching.labels = Some(MatchLabels::On(self.labels()?));
        } else if self.take_word("ignoring").is_some() {
            matching.labels = Some(MatchLabels::Ignoring(self.labels()?));
        }
        if matching.labels.is_some() {
            for (word, is_left) in [("group_left", true), ("group_right", false)] {
                if self.take_word(word).is_some() {
                    let include = if self.peek().is("(") { self.labels()? } else { Vec::new() };
                    matching.group = Some(Group { is_left, include });
                    break;
                }
            }
        }
        matching.fill = self.fill()?;
        Ok(matching)
    }

    /// `fill (…)`, or the same for one side or each.
    fn fill(&mut self) -> Result<Fill, Error> {
        let mut fill = Fill::default();
        if let Some(value) = self.fill_of("fill")? {
            return Ok(Fill { left: Some(value), right: Some(value) });
        }
        for _ in 0..2 {
            if fill.left.is_none() {
                fill.left = self.fill_of("fill_left")?;
            }
            if fill.right.is_none() {
                fill.right = self.fill_of("fill_right")?;
            }
        }
        Ok(fill)
    }

    /// A word and a number in parentheses. Without parentheses it is the name of a metric.
    fn fill_of(&mut self, word: &str) -> Result<Option<f64>, Error> {
        if !(self.peek().is_word(word) && self.peek_behind(1).is("(")) {
            return Ok(None);
        }
        self.next();
        self.next();
        let value = self.signed_number().ok_or_else(|| self.unexpected("fill", "number"))??;
        self.expect(")", "fill")?;
        Ok(Some(value))
    }

    /// `(a, "b")`, of which the last may have a comma behind it.
    fn labels(&mut self) -> Result<Vec<String>, Error> {
        const CONTEXT: &str = "grouping opts";
        self.expect("(", CONTEXT)?;
        let mut names = Vec::new();
        while self.take(")").is_none() {
            let token = self.peek();
            let name = match token.kind {
                Kind::Word if special_number(token).is_none() => self.next().text.to_owned(),
                Kind::Text => self.string()?,
                _ => return Err(self.unexpected(CONTEXT, "label")),
            };
            if name.is_empty() {
                return Err(self.error(token.start, "invalid label name for grouping: \"\""));
            }
            names.push(name);
            if self.take(",").is_none() && !self.peek().is(")") {
                return Err(self.unexpected(CONTEXT, "\",\" or \")\""));
            }
        }
        Ok(names)
    }
}
