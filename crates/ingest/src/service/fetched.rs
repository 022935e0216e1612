//! Records of logs that we fetch ourselves, and how far the store has them.

use arrow::array::AsArray;
use model::{TimeRange, Timestamp};
use store::{Cancel, ColumnFilter, Entries, EventPass, EventScan, FilterOp, Predicate, Table, Test};

use super::{Ingest, IngestError};

/// How many records of logs that we fetch are remembered: more than are on the way at a time.
pub(super) const FETCHED_IDS: usize = 1 << 16;

/// What ids of records that we fetch begin with, and what comes after all that begin so.
const OF_FETCHED: [(&str, &str); 3] = [("file:", "file;"), ("journal:", "journal;"), ("kernel:", "kernel;")];

/// The same scan of logs, or of audits, without those that we fetch. All of them have ids, in such numbers that hardly any
/// others would be found, and whoever fetches them asks for theirs ([`Ingest::stored_log_ids`]).
pub(super) fn left_out(scan: EventScan) -> EventScan {
    let is = |op, id: &str| Predicate::column("event_id", Test::Compare(op, id.into()));
    OF_FETCHED.iter().fold(scan, |scan, (first, after)| {
        scan.matching(Predicate::Any(vec![is(FilterOp::Less, first), is(FilterOp::AtLeast, after)]))
    })
}

impl Ingest {
    /// Times that a record of a log may have: those older or farther ahead are rejected.
    pub fn log_times(&self, now: Timestamp) -> TimeRange {
        let oldest = now.before(self.retention.table(Table::Logs));
        TimeRange::new(oldest, now.after(self.limits.max_future.0))
    }

    /// Hands the ids of stored records of logs to `each` that happened in `range` and have the words of `words` in their
    /// ids, one after the other, whatever stands before and after. In no order. Takes as long as it takes: whoever asks could
    /// only ask the same again. Blocks.
    pub fn stored_log_ids(
        &self,
        range: TimeRange,
        words: &str,
        each: &mut dyn FnMut(&str),
    ) -> Result<(), IngestError> {
        let has_words = ColumnFilter { column: "event_id", op: FilterOp::ContainsWords, value: words.into() };
        // Some of them are stored as what is audited.
        for table in [Table::Logs, Table::AuditEvents] {
            let pass = EventPass {
                table,
                range,
                filters: vec![has_words.clone().into()],
                columns: (&["event_id"]).into(),
                entries: Entries::all(),
                cancel: Cancel::never(),
            };
            let gone_over = self.store.each_batch_unhurried(&pass, &mut |rows| {
                let ids = rows.column_by_name("event_id").and_then(|ids| ids.as_string_opt::<i32>());
                ids.into_iter().flatten().flatten().for_each(&mut *each);
                Ok(())
            });
            gone_over.map_err(IngestError::Recall)?;
        }
        Ok(())
    }
}
