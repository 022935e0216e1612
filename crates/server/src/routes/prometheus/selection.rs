//! Which series a request means: the selectors of its parameter `match[]`.

use std::collections::HashSet;

use promql::{Error, Query};
use store::{MatchOp, Matcher};

use super::answer::Failure;
use super::arguments::{Arguments, wrong};

/// The most selectors of a request.
const MAX_SELECTORS: usize = 256;
/// The most patterns that the selectors of a request have together: as many as one query may have.
const MAX_PATTERNS: usize = 200;

/// The selectors of a request as they were sent, each once. Patterns take time and memory, so they are read where a
/// query may run.
pub(super) struct Selectors(Vec<String>);

impl Selectors {
    /// Those of a request.
    pub(super) fn of(arguments: &Arguments) -> Result<Self, Failure> {
        let texts: Vec<&str> = arguments.all("match[]").take(MAX_SELECTORS + 1).collect();
        if texts.len() > MAX_SELECTORS {
            return Err(Failure::bad(format!("`match[]` is given more than {MAX_SELECTORS} times")));
        }
        let mut seen = HashSet::new();
        Ok(Self(texts.into_iter().filter(|text| seen.insert(*text)).map(str::to_owned).collect()))
    }

    /// The same, of one selector at least.
    pub(super) fn needed(arguments: &Arguments) -> Result<Self, Failure> {
        let selectors = Self::of(arguments)?;
        if selectors.0.is_empty() {
            return Err(wrong("match[]", "it is missing: give one selector or more"));
        }
        Ok(selectors)
    }

    /// The matchers of each selector.
    pub(super) fn matchers(&self) -> Result<Vec<Vec<Matcher>>, Error> {
        let mut patterns = 0;
        let of_text = |text: &String| {
            let query = Query::parse(text)?;
            let matchers = query.matchers().ok_or_else(|| {
                Error::BadData(
                    "`match[]` takes a selector alone, as `up{job=\"api\"}`: no range, no offset".to_owned(),
                )
            })?;
            let is_pattern = |matcher: &&Matcher| matches!(matcher.op(), MatchOp::Regex | MatchOp::NotRegex);
            patterns += matchers.iter().filter(is_pattern).count();
            if patterns > MAX_PATTERNS {
                return Err(Error::BadData(format!(
                    "the selectors in `match[]` have more than {MAX_PATTERNS} patterns together; ask for fewer at once"
                )));
            }
            Ok(matchers.to_vec())
        };
        self.0.iter().map(of_text).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_are_bounded_over_all_selectors() {
        let selector = |patterns: usize| format!("up{{{}}}", r#"a=~"b.*","#.repeat(patterns));
        let count = |patterns: &[usize]| {
            let selectors = Selectors(patterns.iter().map(|patterns| selector(*patterns)).collect());
            selectors.matchers().map(|matchers| matchers.iter().map(Vec::len).sum::<usize>())
        };
        assert_eq!(count(&[100, 100]).ok(), Some(202));
        let refused = count(&[100, 100, 1]).expect_err("one too many").to_string();
        assert!(refused.contains("200 patterns together"), "{refused}");
    }
}
