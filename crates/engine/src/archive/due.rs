//! Which days are to be archived now.

use std::collections::{BTreeSet, HashMap};
use std::time::Duration;

use model::Timestamp;

use super::{Day, Source};
use crate::EngineError;
use crate::catalog::ArchivedDay;
use crate::core::Core;

/// How long after the last row can have come a day waits, so that its files are merged before.
const AFTER_MERGE: Duration = Duration::from_secs(15 * 60);
/// How long a day that was archived waits for further late rows before it is archived again.
const AGAIN_AFTER: Duration = Duration::from_secs(6 * 3600);

/// A day to archive.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Due {
    pub(super) day: Day,
    pub(super) source: Source,
    /// The rows that the archive has of it.
    pub(super) rows: u64,
}

/// The days that are due at `now`, oldest first.
pub(super) fn days(core: &Core, now: Timestamp) -> Result<Vec<Due>, EngineError> {
    let known: HashMap<(Source, Day), ArchivedDay> =
        core.catalog.archived()?.into_iter().map(|day| ((day.source, day.day), day)).collect();
    let settled = core.config.head_max_age.0 + core.config.out_of_order_window.0 + AFTER_MERGE;
    let newest = Day::of(now.before(settled));
    let oldest = core.config.archive.oldest_worth(now);
    let mut due = BTreeSet::new();
    for file in core.view().files.iter() {
        let Some(source) = Source::of(file.entry.kind) else { continue };
        for day in Day::touched(file.entry.range, oldest).take_while(|day| *day < newest) {
            let before = known.get(&(source, day));
            let is_due = before.is_none_or(|known| {
                // One that was archived in what is the future by now was so while the clock was wrong.
                known.at.is_none_or(|at| !known.is_done() && (at > now || now.since(at) >= AGAIN_AFTER))
            });
            if is_due {
                due.insert(Due { day, source, rows: before.map_or(0, |known| known.rows) });
            }
        }
    }
    Ok(due.into_iter().collect())
}
