//! Labels of series, without their samples.

use std::collections::BTreeSet;
use std::sync::Arc;

use model::{Labels, LabelsRef, TimeRange, Timestamp};
use store::{Cancel, Matcher, QueryError};

use crate::block::held::{Budget, Full, Held};
use crate::core::{Core, View};
use crate::query::cursor::Merge;
use crate::query::sources::{
    SeriesKey, Source, blocks, labels_budget, load, not_cancelled, pieces, sources, too_many_labels,
};
use crate::query::{millis, without_damaged};
use crate::rollup::StandIns;

/// What a text that was found takes beside its bytes.
const TEXT_BYTES: usize = 64;

/// The label sets that match, sorted by their bytes, `limit` at most.
pub(crate) fn series(
    core: &Arc<Core>,
    matchers: &[Matcher],
    times: (TimeRange, Timestamp),
    limit: usize,
    cancel: &Cancel,
) -> Result<Vec<Labels>, QueryError> {
    let mut found = Vec::new();
    let mut merge = Merge::new(all_sources(core, &core.view(), matchers, times, cancel)?);
    while found.len() < limit
        && let Some(key) = next_key(&mut merge, cancel)?
    {
        found.push(key.to_labels());
    }
    Ok(found)
}

/// The sources of samples that are kept at `now`, and those that stand in for samples that are not.
fn all_sources(
    core: &Arc<Core>,
    view: &View,
    matchers: &[Matcher],
    (range, now): (TimeRange, Timestamp),
    cancel: &Cancel,
) -> Result<Vec<Source>, QueryError> {
    let mut all = pieces(core, StandIns::find(core, view, range, now).pieces, matchers, cancel)?;
    if let Some(range) = core.kept.range_of_series(range, now) {
        all.extend(sources(core, view, matchers, range, cancel)?);
    }
    Ok(all)
}

/// The next series, unread.
fn next_key(merge: &mut Merge<Source>, cancel: &Cancel) -> Result<Option<SeriesKey>, QueryError> {
    not_cancelled(cancel)?;
    merge.next(|source| {
        source.skip();
        Ok(())
    })
}

/// The names of labels of the series that match, sorted.
pub(crate) fn names(
    core: &Arc<Core>,
    matchers: &[Matcher],
    times: (TimeRange, Timestamp),
    cancel: &Cancel,
) -> Result<Vec<String>, QueryError> {
    gather(core, None, matchers, times, cancel, |labels, take| {
        labels.iter().for_each(|(name, _)| take(name));
    })
}

/// The values of one label of the series that match, sorted.
pub(crate) fn values(
    core: &Arc<Core>,
    name: &str,
    matchers: &[Matcher],
    times: (TimeRange, Timestamp),
    cancel: &Cancel,
) -> Result<Vec<String>, QueryError> {
    gather(core, Some(name), matchers, times, cancel, |labels, take| {
        labels.get(name).into_iter().for_each(take);
    })
}

/// Gathers texts of series. Without matchers they come from the indexes of all sources that overlap the
/// range, which can be more than the series with samples in it have, and takes no walk over all series.
fn gather(
    core: &Arc<Core>,
    name: Option<&str>,
    matchers: &[Matcher],
    (range, now): (TimeRange, Timestamp),
    cancel: &Cancel,
    texts: impl Fn(LabelsRef<'_>, &mut dyn FnMut(&str)),
) -> Result<Vec<String>, QueryError> {
    let view = core.view();
    let mut found = Found::new(core);
    if matchers.is_empty() {
        let kept = core.kept.range_of_series(range, now);
        let of_samples = kept.into_iter().flat_map(|range| blocks(&view, range)).map(Arc::clone);
        let stand_ins = StandIns::find(core, &view, range, now).pieces.into_iter().map(|piece| piece.file);
        for file in of_samples.chain(stand_ins) {
            not_cancelled(cancel)?;
            let Some(series) = load(core, &file)? else { continue };
            let mut take = |text: &str| found.take(text);
            match name {
                None => series.each_name(&mut take),
                Some(name) => {
                    // One block is looked at at a time, and let go of before the next.
                    let mut budget = labels_budget(core);
                    let read = series.each_value(&file, &core.block_series, name, &mut budget, &mut take);
                    without_damaged(core, &file, read)?;
                }
            }
            found.check(core)?;
        }
        for head in view.frozen.iter().chain([&view.head]) {
            if kept.is_some_and(|range| head.metrics.overlaps(millis(range))) {
                head.metrics.each_label(name, &mut |text: &str| found.take(text));
                found.check(core)?;
            }
        }
    } else {
        let mut merge = Merge::new(all_sources(core, &view, matchers, (range, now), cancel)?);
        while let Some(key) = next_key(&mut merge, cancel)? {
            texts(key.labels(), &mut |text: &str| found.take(text));
            found.check(core)?;
        }
    }
    Ok(found.texts.into_iter().collect())
}

/// Texts that were found, each once, within what one selector may take and all queries may hold.
struct Found {
    texts: BTreeSet<String>,
    budget: Budget,
    held: Held,
    full: Option<Full>,
}

impl Found {
    fn new(core: &Core) -> Self {
        let held = Held::of(&core.labels_held);
        Self { texts: BTreeSet::new(), budget: labels_budget(core), held, full: None }
    }

    /// Adds a text; once one does not fit, none any more.
    fn take(&mut self, text: &str) {
        if self.full.is_some() || self.texts.contains(text) {
            return;
        }
        match self.budget.read(text.len() + TEXT_BYTES, &self.held) {
            Ok(()) => _ = self.texts.insert(text.to_owned()),
            Err(full) => self.full = Some(full),
        }
    }

    /// An error, once a text did not fit.
    fn check(&self, core: &Core) -> Result<(), QueryError> {
        self.full.map_or(Ok(()), |full| Err(too_many_labels(core, full)))
    }
}
