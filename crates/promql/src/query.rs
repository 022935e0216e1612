//! A query that was read once and can be evaluated often.

use std::fmt;
use std::sync::Arc;

use store::Matcher;

use crate::Error;
use crate::eval::QueryRange;
use crate::outline::Outline;
use crate::plan::{Expr, Shift, VectorExpr};
use crate::reach::Reach;
use crate::span::QuerySpans;
use crate::syntax;
use crate::translate::{Translated, translate, translate_watched};

/// A parsed and typed query; cheap to clone.
#[derive(Clone, Debug)]
pub struct Query {
    text: Arc<str>,
    plan: Arc<Expr>,
    reach: Option<Reach>,
    /// Whether durations depend on the whole query: then the plan is made again when that is known.
    is_open: bool,
    /// Why it is refused where nothing experimental is wanted.
    experimental: Option<Arc<str>>,
    selectors: Arc<[Vec<Matcher>]>,
}

/// What kind of value a query gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ValueKind {
    /// One number.
    Scalar,
    /// A text.
    Text,
    /// A sample for each series.
    Vector,
    /// A range of samples for each series; only instant queries give one.
    Matrix,
}

impl Query {
    /// Reads a query. What is not PromQL is an error here.
    pub fn parse(text: &str) -> Result<Self, Error> {
        let Translated { plan, is_open, experimental, selectors } =
            translate(text, syntax::parse(text)?, None)?;
        let reach = Reach::of(&plan).filter(|_| !is_open);
        Ok(Self {
            text: text.into(),
            reach,
            plan: Arc::new(plan),
            is_open,
            experimental: experimental.map(Into::into),
            selectors: selectors.into(),
        })
    }

    /// The text it was read from.
    pub fn text(&self) -> &str {
        &self.text
    }

    pub(crate) fn shared_text(&self) -> Arc<str> {
        Arc::clone(&self.text)
    }

    /// What kind of value it gives.
    pub fn kind(&self) -> ValueKind {
        match *self.plan {
            Expr::Scalar(_) => ValueKind::Scalar,
            Expr::Text(_) => ValueKind::Text,
            Expr::Vector(_) => ValueKind::Vector,
            Expr::Range(_) => ValueKind::Matrix,
        }
    }

    /// The matchers, if it is a selector alone, as `up{job="api"}`, without a range, `@` or an offset.
    pub fn matchers(&self) -> Option<&[Matcher]> {
        match &*self.plan {
            Expr::Vector(VectorExpr::Selector(selector))
                if selector.shift == Shift::default() && selector.extension.is_none() =>
            {
                Some(&selector.matchers)
            }
            _ => None,
        }
    }

    /// Why it is refused where nothing experimental is wanted, if it is.
    pub(crate) fn experimental(&self) -> Option<&str> {
        self.experimental.as_deref()
    }

    /// The matchers of each selector in it, with or without a range, in the order in which they are written.
    pub fn selectors(&self) -> &[Vec<Matcher>] {
        &self.selectors
    }

    /// Which samples a step looks at; nothing when that is not the step's to say.
    pub(crate) fn reach(&self) -> Option<Reach> {
        self.reach
    }

    /// The plan for a range.
    pub(crate) fn plan(&self, range: QueryRange) -> Result<Arc<Expr>, Error> {
        if !self.is_open {
            return Ok(Arc::clone(&self.plan));
        }
        translate(&self.text, syntax::parse(&self.text)?, Some(spans(range)))
            .map(|translated| Arc::new(translated.plan))
    }

    /// The plan for a range, with what each of its parts does.
    pub(crate) fn watched_plan(&self, range: QueryRange) -> Result<(Expr, Outline), Error> {
        translate_watched(&self.text, syntax::parse(&self.text)?, Some(spans(range)))
            .map(|(translated, outline)| (translated.plan, outline))
    }
}

fn spans(range: QueryRange) -> QuerySpans {
    let seconds = |millis: i64| millis as f64 / 1000.0;
    QuerySpans { step: seconds(range.step_ms), range: seconds(range.end_ms.saturating_sub(range.start_ms)) }
}

impl fmt::Display for Query {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

#[cfg(test)]
mod tests;
