//! Selectors, and what may stand behind them: ranges, `offset`, `@`, `anchored`, `smoothed`.

use model::labels::METRIC_NAME;
use store::MatchOp;

use super::spans::EXPECTED;
use super::{Kind, Parser};
use crate::Error;
use crate::plan::Extension;
use crate::span::Span;
use crate::syntax::tree::{At, Matcher, Node, Selector, Shift, Subquery, Tree};

impl Parser<'_> {
    /// A selector whose name, if any, has been read.
    pub(super) fn selector(&mut self, name: Option<String>) -> Result<Selector, Error> {
        let start = match name {
            Some(_) => self.peek_before().start,
            None => self.peek().start,
        };
        let mut selector =
            Selector { name, matchers: Vec::new(), range: None, shift: Shift::default(), extension: None };
        if self.take("{").is_none() {
            return Ok(selector);
        }
        while self.take("}").is_none() {
            let matcher = self.matcher()?;
            if let (Some(name), true) = (&selector.name, matcher.name == METRIC_NAME) {
                let message = format!("metric name must not be set twice: {name:?} or {:?}", matcher.value);
                return Err(self.error(start, &message));
            }
            selector.matchers.push(matcher);
            if self.take(",").is_none() && !self.peek().is("}") {
                return Err(self.unexpected("label matching", "\",\" or \"}\""));
            }
        }
        Ok(selector)
    }

    fn matcher(&mut self) -> Result<Matcher, Error> {
        let token = self.peek();
        let name = match token.kind {
            Kind::Label => self.next().text.to_owned(),
            Kind::Text => self.string()?,
            _ => return Err(self.unexpected("label matching", "identifier or \"}\"")),
        };
        let op = match self.peek().text {
            "=" => MatchOp::Equal,
            "!=" => MatchOp::NotEqual,
            "=~" => MatchOp::Regex,
            "!~" => MatchOp::NotRegex,
            // The name of a metric, in quotes.
            _ if token.kind == Kind::Text && (self.peek().is(",") || self.peek().is("}")) => {
                let name_of = METRIC_NAME.to_owned();
                return Ok(Matcher { start: token.start, name: name_of, op: MatchOp::Equal, value: name });
            }
            _ => return Err(self.unexpected("label matching", "label matching operator")),
        };
        self.next();
        if self.peek().kind != Kind::Text {
            return Err(self.unexpected("label matching", "string"));
        }
        Ok(Matcher { start: token.start, name, op, value: self.string()? })
    }

    /// An expression with all that stands behind it.
    pub(super) fn modified(&mut self, mut tree: Tree) -> Result<Tree, Error> {
        loop {
            let token = self.peek();
            if token.is("[") {
                tree = self.range(tree)?;
            } else if token.is_word("offset") {
                self.next();
                let offset = self.offset()?;
                let start = tree.start;
                let shift = self.shift(&mut tree, "offset modifier")?;
                // One of nothing is none.
                if shift.offset.replace(offset).is_some_and(|before| before.milliseconds(None) != Ok(0)) {
                    return Err(self.error(start, "offset may not be set multiple times"));
                }
            } else if token.is("@") {
                self.next();
                let at = self.at()?;
                let start = tree.start;
                let shift = self.shift(&mut tree, "@ modifier")?;
                if shift.at.replace(at).is_some() {
                    return Err(self.error(start, "@ <timestamp> may not be set multiple times"));
                }
            } else if token.is_word("anchored") {
                self.next();
                self.extend(&mut tree, Extension::Anchored)?;
            } else if token.is_word("smoothed") {
                self.next();
                self.extend(&mut tree, Extension::Smoothed)?;
            } else {
                return Ok(tree);
            }
            tree.end = self.end();
        }
    }

    /// `[range]`, or `[range:step]`.
    fn range(&mut self, mut tree: Tree) -> Result<Tree, Error> {
        let bracket = self.next();
        if self.peek().is("]") {
            return Err(self.unexpected("subquery or range selector", EXPECTED));
        }
        let range = self.positive_span("subquery or range selector", EXPECTED)?;
        if self.take(":").is_some() {
            const EXPECTED_STEP: &str = "number, duration, step(), range(), or \"]\"";
            let step = match self.peek().is("]") {
                true => None,
                false => Some(self.positive_span("subquery selector", EXPECTED_STEP)?),
            };
            self.expect("]", "subquery selector")?;
            let (start, height) = (tree.start, tree.height);
            let subquery = Subquery { input: tree, range, step, shift: Shift::default() };
            return self.tree(start, height, Node::Subquery(Box::new(subquery)));
        }
        if self.take("]").is_none() {
            return Err(self.unexpected("subquery or range", "\":\" or \"]\""));
        }
        let Node::Selector(selector) = &mut tree.node else {
            return Err(self.error(bracket.start, "ranges only allowed for vector selectors"));
        };
        let misplaced = if selector.range.is_some() {
            Some("ranges only allowed for vector selectors")
        } else if selector.shift.offset.is_some() {
            Some("no offset modifiers allowed before range")
        } else if selector.shift.at.is_some() {
            Some("no @ modifiers allowed before range")
        } else if selector.extension.is_some() {
            Some("no anchored or smoothed modifiers allowed before range")
        } else {
            None
        };
        if let Some(message) = misplaced {
            return Err(self.error(bracket.start, message));
        }
        selector.range = Some(range);
        tree.end = self.end();
        Ok(tree)
    }

    /// Where the modifiers of an expression are kept.
    fn shift<'t>(&self, tree: &'t mut Tree, what: &str) -> Result<&'t mut Shift, Error> {
        match &mut tree.node {
            Node::Selector(selector) => Ok(&mut selector.shift),
            Node::Subquery(subquery) => Ok(&mut subquery.shift),
            _ => Err(self.error(
                tree.start,
                &format!(
                    "{what} must be preceded by an instant vector selector or range vector selector or a subquery"
                ),
            )),
        }
    }

    fn extend(&self, tree: &mut Tree, extension: Extension) -> Result<(), Error> {
        let name = extension.name();
        let selector = match &mut tree.node {
            Node::Selector(selector) => selector,
            Node::Subquery(_) => {
                let message = format!("{name} modifier is not supported for subqueries");
                return Err(self.error(tree.start, &message));
            }
            _ => return Err(self.error(tree.start, &format!("{name} modifier not implemented"))),
        };
        if selector.extension.replace(extension).is_some_and(|before| before != extension) {
            let message = "anchored and smoothed modifiers cannot be used together";
            return Err(self.error(tree.start, message));
        }
        Ok(())
    }

    fn at(&mut self) -> Result<At, Error> {
        for (word, at) in [("start", At::Start), ("end", At::End)] {
            if self.peek().is_word(word) && self.peek_behind(1).is("(") {
                self.next();
                self.next();
                self.expect(")", "@")?;
                return Ok(at);
            }
        }
        let start = self.peek().start;
        let seconds = self.signed_number().ok_or_else(|| self.unexpected("@", "timestamp"))??;
        // As far as durations reach.
        let is_near = Span::Seconds(seconds).milliseconds(None).is_ok();
        match is_near {
            true => Ok(At::Time(seconds)),
            false => Err(self.error(start, &format!("timestamp out of bounds for @ modifier: {seconds}"))),
        }
    }
}
