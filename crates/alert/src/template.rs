//! Templates in labels and annotations: those of Prometheus, which are Go's `text/template` with functions of its own.
//!
//! A template is read once, when its rule file is: what Go would refuse to read is an error there. It is filled in
//! within bounds: what is longer is cut, and what takes too many steps or queries is an error as any other.
//!
//! Start reading at [`Template`]; the functions are in `functions`.

mod functions;
mod lex;
mod number;
mod parse;
mod printf;
mod run;
#[cfg(test)]
mod tests;
mod tree;
mod value;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use model::Histogram;

use crate::evaluate::Finding;
pub(crate) use number::{humanize_1024, humanize_duration};
use tree::Tree;

/// A text with places to fill in; cheap to clone.
#[derive(Clone)]
pub struct Template {
    text: Arc<str>,
    tree: Arc<Tree>,
}

/// A template that cannot be used, or could not be filled in.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub struct TemplateError {
    reason: String,
}

impl TemplateError {
    fn new(reason: impl Into<String>) -> Self {
        Self { reason: reason.into() }
    }

    /// An error at a place of a template, which is said as line and column.
    fn at(text: &str, at: usize, reason: impl Into<String>) -> Self {
        let before = &text[..text.floor_char_boundary(at)];
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
        Self { reason: format!("{line}:{column}: {}", reason.into()) }
    }
}

/// A bound on what one template gives: labels come from outside.
const MAX_RENDERED_BYTES: usize = 8 << 10;

/// What is the same for all alerts: what `$externalLabels` and `$externalURL` say.
#[derive(Clone, Debug, Default)]
pub(crate) struct External {
    pub(crate) labels: Arc<BTreeMap<String, String>>,
    pub(crate) url: String,
}

/// Answers the function `query`, as of the time of the evaluation. Blocks.
pub(crate) trait Querier {
    fn query(&self, expression: &str) -> Result<Vec<Finding>, String>;
}

/// What a template is filled in with.
pub(crate) struct Data<'a> {
    /// The labels of the result, its name among them.
    pub(crate) labels: Arc<BTreeMap<String, String>>,
    pub(crate) value: f64,
    /// What the result is instead of the value, if it is a histogram.
    pub(crate) histogram: Option<Arc<Histogram>>,
    pub(crate) external: &'a External,
    /// The time of the evaluation, in seconds since the epoch.
    pub(crate) now: f64,
    pub(crate) querier: &'a dyn Querier,
}

impl Template {
    /// Reads a template.
    pub fn parse(text: &str) -> Result<Self, TemplateError> {
        Ok(Self { text: text.into(), tree: Arc::new(parse::tree(text)?) })
    }

    /// The text as it was written.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Whether it asks queries, so that filling it in blocks.
    pub(crate) fn asks(&self) -> bool {
        self.tree.asks
    }

    /// The text with everything filled in. A label that is not there is empty.
    pub(crate) fn render(&self, data: &Data<'_>) -> Result<String, TemplateError> {
        run::run(&self.text, &self.tree, data)
    }

    /// The same, where a text has to be shown: an error becomes one that says what failed, as in Prometheus.
    pub(crate) fn render_or_say(&self, data: &Data<'_>, alert: &str) -> String {
        self.render(data).unwrap_or_else(|error| {
            tracing::warn!(alert, %error, "a template could not be filled in");
            format!("<error expanding template: error executing template __alert_{alert}: {error}>")
        })
    }
}

impl fmt::Debug for Template {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.text)
    }
}
