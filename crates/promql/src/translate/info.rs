//! The function `info`, whose second argument is no expression but says which labels are wanted.

use model::labels::METRIC_NAME;
use store::{MatchOp, Matcher};

use super::Translator;
use crate::Error;
use crate::plan::{Expr, Info, VectorExpr};
use crate::syntax::{Node, Tree};

/// The info metric that is asked where none is named.
const TARGET_INFO: &str = "target_info";
/// What info metrics are called, where it is only said which are not meant.
const INFO_METRICS: &str = ".+_info";

impl Translator<'_> {
    pub(super) fn info(&mut self, start: usize, mut arguments: Vec<Tree>) -> Result<Expr, Error> {
        const CONTEXT: &str = "call to function \"info\"";
        let wanted = if arguments.len() > 1 { arguments.pop() } else { None };
        let Some(input) = arguments.pop() else {
            return Err(self.error(start, "expected at least 1 argument(s) in call to \"info\", got 0"));
        };
        let mut names = Vec::new();
        let mut labels = Vec::new();
        let has_selector = wanted.is_some();
        if let Some(tree) = wanted {
            for matcher in self.label_selector(tree, CONTEXT)? {
                if matcher.name() == METRIC_NAME { names.push(matcher) } else { labels.push(matcher) }
            }
        }
        let input = self.vector(input, CONTEXT)?;
        let is_named = !names.is_empty();
        let only_excludes =
            names.iter().all(|matcher| matches!(matcher.op(), MatchOp::NotEqual | MatchOp::NotRegex));
        if !is_named {
            names.push(Matcher::equal(METRIC_NAME, TARGET_INFO));
        } else if only_excludes {
            let info_metrics = Matcher::new(METRIC_NAME, MatchOp::Regex, INFO_METRICS);
            names.push(info_metrics.map_err(|error| self.error(start, &error.to_string()))?);
        }
        // As in Prometheus: with a selector that names no metric, what is an info metric itself gets labels too.
        let left_alone = if is_named || !has_selector { names.clone() } else { Vec::new() };
        Ok(Expr::Vector(VectorExpr::Info(Box::new(Info { input, names, left_alone, labels }))))
    }

    /// `{a="b"}`, which here may match series without any label.
    fn label_selector(&mut self, tree: Tree, context: &str) -> Result<Vec<Matcher>, Error> {
        let start = tree.start;
        let Node::Selector(selector) = tree.node else {
            self.vector(tree, context)?;
            return Err(self.error(start, "expected label selectors only"));
        };
        if selector.range.is_some() {
            let message = format!("expected type instant vector in {context}, got range vector");
            return Err(self.error(start, &message));
        }
        if selector.name.is_some() {
            return Err(self.error(start, "expected label selectors only, got vector selector instead"));
        }
        selector.matchers.iter().map(|matcher| self.matcher(matcher)).collect()
    }
}
