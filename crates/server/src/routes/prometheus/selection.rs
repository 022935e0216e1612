//! Which series a request means: the selectors of its parameter `match[]`.

use promql::Query;
use store::Matcher;

use super::answer::Failure;
use super::arguments::Arguments;

/// The most selectors of a request.
const MAX_SELECTORS: usize = 256;

/// The matchers of each selector.
pub(super) fn all(arguments: &Arguments) -> Result<Vec<Vec<Matcher>>, Failure> {
    let texts: Vec<&str> = arguments.all("match[]").collect();
    if texts.len() > MAX_SELECTORS {
        return Err(Failure::bad(format!("`match[]` is given more than {MAX_SELECTORS} times")));
    }
    texts
        .into_iter()
        .map(|text| {
            let query = Query::parse(text).map_err(|error| Failure::from(&error))?;
            let alone = || {
                Failure::bad("`match[]` takes a selector alone, as `up{job=\"api\"}`: no range, no offset")
            };
            query.matchers().map(<[Matcher]>::to_vec).ok_or_else(alone)
        })
        .collect()
}

/// The same, of one selector at least.
pub(super) fn needed(arguments: &Arguments) -> Result<Vec<Vec<Matcher>>, Failure> {
    let all = all(arguments)?;
    if all.is_empty() {
        return Err(Failure::bad("the parameter `match[]` is missing: give one selector or more"));
    }
    Ok(all)
}
