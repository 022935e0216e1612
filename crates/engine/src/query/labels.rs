//! Labels of series, without their samples.

use std::collections::BTreeSet;
use std::sync::Arc;

use model::{Labels, LabelsRef, TimeRange};
use store::{Matcher, QueryError};

use crate::core::Core;
use crate::query::cursor::Merge;
use crate::query::sources::{blocks, sources};
use crate::query::{ReadError, millis, without_damaged};

/// The label sets that match, sorted by their bytes, `limit` at most.
pub(crate) fn series(
    core: &Arc<Core>,
    matchers: &[Matcher],
    range: TimeRange,
    limit: usize,
) -> Result<Vec<Labels>, QueryError> {
    let mut found = Vec::new();
    let mut merge = Merge::new(sources(core, &core.view(), matchers, range)?);
    while found.len() < limit
        && let Some(key) = merge.next(|source| {
            source.skip();
            Ok(())
        })?
    {
        found.push(key.to_labels());
    }
    Ok(found)
}

/// The names of labels of the series that match, sorted.
pub(crate) fn names(
    core: &Arc<Core>,
    matchers: &[Matcher],
    range: TimeRange,
) -> Result<Vec<String>, QueryError> {
    gather(core, None, matchers, range, |labels, take| labels.iter().for_each(|(name, _)| take(name)))
}

/// The values of one label of the series that match, sorted.
pub(crate) fn values(
    core: &Arc<Core>,
    name: &str,
    matchers: &[Matcher],
    range: TimeRange,
) -> Result<Vec<String>, QueryError> {
    gather(core, Some(name), matchers, range, |labels, take| labels.get(name).into_iter().for_each(take))
}

/// Gathers texts of series. Without matchers they come from the indexes of all sources that overlap the
/// range, which can be more than the series with samples in it have, and takes no walk over all series.
fn gather(
    core: &Arc<Core>,
    name: Option<&str>,
    matchers: &[Matcher],
    range: TimeRange,
    texts: impl Fn(LabelsRef<'_>, &mut dyn FnMut(&str)),
) -> Result<Vec<String>, QueryError> {
    let view = core.view();
    let mut found = BTreeSet::new();
    let mut take = |text: &str| {
        if !found.contains(text) {
            found.insert(text.to_owned());
        }
    };
    if matchers.is_empty() {
        for (file, series) in blocks(core, &view, range)? {
            match name {
                None => series.each_name(&mut take),
                Some(name) => {
                    let read = series.each_value(&file, name, &mut take).map_err(ReadError::from);
                    without_damaged(core, &file, read)?;
                }
            }
        }
        for head in view.frozen.iter().chain([&view.head]) {
            if head.metrics.overlaps(millis(range)) {
                head.metrics.each_label(name, &mut take);
            }
        }
    } else {
        let mut merge = Merge::new(sources(core, &view, matchers, range)?);
        while let Some(key) = merge.next(|source| {
            source.skip();
            Ok(())
        })? {
            texts(key.labels(), &mut take);
        }
    }
    Ok(found.into_iter().collect())
}
