//! The committer: the one thread that writes the log and fills the head.
//!
//! It takes the batches that wait, encodes them, writes them with one write and one sync, puts them
//! into the head and answers their writers. What arrives meanwhile is the next commit. So a lone writer
//! waits for nothing but the disk, and many writers share a sync.

use std::sync::Arc;
use std::time::Instant;

use store::{AppendError, Appended, Batch};

use crate::EngineError;
use crate::core::Core;
use crate::head::Head;
use crate::head::registry::Resolved;
use crate::telemetry::seconds_since;
use crate::wal::payload;
use crate::wal::queue::{Next, Pending, Queue};
use crate::wal::record;
use crate::wal::segment::SegmentWriter;

/// A head that takes nothing more, and where the log continues behind it.
pub(crate) struct Frozen {
    pub(crate) head: Arc<Head>,
    /// The last record whose content is in the head.
    pub(crate) watermark: u64,
    /// The first segment with content that is not.
    pub(crate) first_segment: u64,
}

/// The state of the committer's thread.
pub(crate) struct Committer {
    core: Arc<Core>,
    queue: Arc<Queue>,
    segment: SegmentWriter,
    /// Bytes of the segment that define series.
    definition_bytes: u64,
    /// The number of the last record.
    sequence: u64,
    /// The last record that is in files or in a frozen head.
    frozen_sequence: u64,
    /// Whether there was no room for records in the segment: the next ones go into another, which defines all
    /// series anew.
    wants_room: bool,
    /// Called when the head has become large.
    wake_flusher: Box<dyn Fn() + Send>,
    records: Vec<u8>,
}

/// Answers the writers when the committer panics, who would wait for ever otherwise.
struct RefuseOnPanic {
    core: Arc<Core>,
    queue: Arc<Queue>,
}

impl Drop for RefuseOnPanic {
    fn drop(&mut self) {
        if std::thread::panicking() {
            poison(&self.core, &self.queue, EngineError::Panicked { name: "store-commit" });
        }
    }
}

/// A batch that is encoded: where its samples go, and what has been decided already.
struct Staged {
    pending: Pending,
    resolved: Vec<Resolved>,
    /// Samples that were taken out of the batch.
    too_old: u64,
}

impl Committer {
    /// A committer that goes on after `sequence` in a new segment.
    pub(crate) fn new(
        core: Arc<Core>,
        queue: Arc<Queue>,
        segment: SegmentWriter,
        sequence: u64,
        frozen_sequence: u64,
        wake_flusher: Box<dyn Fn() + Send>,
    ) -> Self {
        core.segments.note(segment.id, segment.bytes);
        let definition_bytes = 0;
        let (wants_room, records) = (false, Vec::new());
        Self {
            core,
            queue,
            segment,
            definition_bytes,
            sequence,
            frozen_sequence,
            wants_room,
            wake_flusher,
            records,
        }
    }

    /// Works until the queue is closed and empty.
    pub(crate) fn run(mut self) {
        let _refuse = RefuseOnPanic { core: Arc::clone(&self.core), queue: Arc::clone(&self.queue) };
        let mut gather_until = None;
        loop {
            match self.queue.next(gather_until) {
                Next::Close => return,
                Next::Rotate(reply) => {
                    let frozen = self.rotate().map_err(|error| match error.is_for_want_of_room() {
                        true => error,
                        false => {
                            self.poison(error);
                            EngineError::Poisoned
                        }
                    });
                    // Whoever asked waits for the answer, unless its thread has panicked.
                    _ = reply.send(frozen);
                }
                Next::Commit(group) => {
                    // Several writers at once will come again: the next commit gathers them. One writer
                    // alone sends its next batch after this answer, and would gather nobody but itself.
                    let started = Instant::now();
                    gather_until = (group.len() > 1).then(|| started + self.queue.interval());
                    self.commit(group);
                }
            }
        }
    }

    fn commit(&mut self, group: Vec<Pending>) {
        if self.wants_room
            && let Err(error) = self.next_segment()
        {
            return self.refuse(error, group);
        }
        let head = self.core.head();
        let taken: u64 = group.iter().map(Pending::bytes).sum();
        self.records.clear();
        let before = self.sequence;
        let staged: Vec<Staged> = group.into_iter().map(|pending| self.stage(&head, pending)).collect();
        if !self.records.is_empty() {
            let start = Instant::now();
            if let Err(error) = self.segment.commit(&self.records) {
                self.sequence = before;
                self.wants_room = true;
                return self.refuse(error, staged.into_iter().map(|staged| staged.pending).collect());
            }
            self.core.telemetry.wal.commit_seconds.observe(seconds_since(start));
            self.core.telemetry.wal.commits.inc();
            self.core.segments.note(self.segment.id, self.segment.bytes);
        }
        self.core.room.written(taken, self.records.len() as u64);
        let mut answers = Vec::with_capacity(staged.len());
        for Staged { pending, resolved, too_old } in staged {
            // Before they are there, so that they never count for others.
            head.events.note_reserved(pending.reserved_bytes());
            let Pending { batch, reply, .. } = pending;
            let earliest = batch.metrics.earliest();
            let mut appended = self.apply(&head, batch, &resolved);
            if let Some(earliest) = earliest {
                self.core.changes.note(earliest);
            }
            appended.samples_too_old += too_old;
            self.count(&appended);
            answers.push((reply, appended));
        }
        if self.core.is_flush_due(&head) {
            (self.wake_flusher)();
        }
        // Where there is no room for another segment this one goes on: nothing that was acknowledged is at stake.
        if self.is_segment_full()
            && let Err(error) = self.next_segment()
            && !error.is_for_want_of_room()
        {
            self.poison(error);
        }
        // Last, so that nothing of this commit goes on beside what a writer does next.
        for (reply, appended) in answers {
            // A writer that has gone away needs no answer; its batch is stored all the same.
            _ = reply.send(Ok(appended));
        }
    }

    /// The next segment defines every series anew. If definitions counted, those of a million series would
    /// fill a segment before each has had a sample, and the next one, and so on.
    fn is_segment_full(&self) -> bool {
        self.segment.bytes.saturating_sub(self.definition_bytes) >= self.core.config.wal_segment_bytes.0
    }

    /// Encodes a batch as a record, unless nothing of it is to be kept.
    fn stage(&mut self, head: &Head, mut pending: Pending) -> Staged {
        let mut resolved = Vec::with_capacity(pending.batch.metrics.series_count());
        let too_old = head.metrics.resolve(&mut pending.batch.metrics, self.segment.id, &mut resolved);
        let start = self.records.len();
        let any = record::append(&mut self.records, self.segment.id, self.sequence + 1, |into| {
            let defined = payload::put_metrics(into, &pending.batch.metrics, &resolved);
            self.definition_bytes += defined.unwrap_or(0);
            let mut any = defined.is_some();
            for events in pending.batch.events.iter().filter(|events| events.rows.num_rows() > 0) {
                payload::put_events(into, events)
                    .expect("rows in a table's schema can be written as Arrow IPC");
                any = true;
            }
            any
        });
        if any {
            self.sequence += 1;
        } else {
            self.records.truncate(start);
        }
        Staged { pending, resolved, too_old }
    }

    /// Puts a batch that is durable into the head.
    fn apply(&self, head: &Head, batch: Batch, resolved: &[Resolved]) -> Appended {
        let mut over_limit = 0;
        let samples = batch.metrics.runs().zip(resolved).filter_map(|((_, run), resolved)| match resolved {
            Resolved::Known(id) | Resolved::Define(id) => Some((*id, run)),
            Resolved::OverLimit => {
                over_limit += run.samples.len() as u64;
                None
            }
        });
        let mut appended = head.metrics.append(samples, batch.metrics.histograms());
        appended.samples_over_series_limit = over_limit;
        for events in batch.events {
            appended.rows += events.rows.num_rows() as u64;
            head.events.append(events.table, events.rows).expect("rows in a table's schema can be joined");
        }
        head.touch();
        appended
    }

    fn count(&self, appended: &Appended) {
        let telemetry = &self.core.telemetry;
        telemetry.intake.samples.inc_by(appended.samples);
        telemetry.intake.duplicate.inc_by(appended.samples_duplicate);
        telemetry.intake.too_old.inc_by(appended.samples_too_old);
        telemetry.intake.over_series_limit.inc_by(appended.samples_over_series_limit);
        telemetry.intake.rows.inc_by(appended.rows);
    }

    /// Freezes the head, if the log has anything that is not in files.
    fn rotate(&mut self) -> Result<Option<Frozen>, EngineError> {
        if self.sequence == self.frozen_sequence {
            return Ok(None);
        }
        self.next_segment()?;
        let head = self.core.freeze_head();
        self.frozen_sequence = self.sequence;
        Ok(Some(Frozen { head, watermark: self.sequence, first_segment: self.segment.id }))
    }

    fn next_segment(&mut self) -> Result<(), EngineError> {
        self.segment = SegmentWriter::create(&*self.core.vfs, &self.core.layout, self.segment.id + 1)?;
        self.definition_bytes = 0;
        self.wants_room = false;
        self.core.segments.note(self.segment.id, self.segment.bytes);
        Ok(())
    }

    /// Answers writers of whom nothing was stored. Without room nothing else is wrong: the log ends where it ended
    /// before, and the next writers may find room again.
    fn refuse(&self, error: EngineError, group: Vec<Pending>) {
        let is_full = error.is_for_want_of_room();
        if is_full {
            tracing::error!(error = &error as &dyn std::error::Error, "the disk is full: nothing is taken");
        } else {
            self.poison(error);
        }
        let (free_bytes, reserve_bytes) = (0, self.core.config.disk_reserve_bytes.0);
        self.core.room.give_back(group.iter().map(Pending::bytes).sum());
        for pending in group {
            let refused = match is_full {
                true => AppendError::DiskFull { free_bytes, reserve_bytes },
                false => AppendError::Poisoned,
            };
            // A writer that has gone away needs no answer.
            _ = pending.reply.send(Err(refused));
        }
    }

    fn poison(&self, error: EngineError) {
        poison(&self.core, &self.queue, error);
    }
}

/// Ends writing for ever. What the disk holds of the last write is unknown, and a second sync would
/// succeed without having written it. Whoever runs the store says why, and stops: [`crate::Engine::failed`].
fn poison(core: &Core, queue: &Queue, error: EngineError) {
    core.telemetry.wal.poisoned.set(1);
    queue.poison();
    core.failure.tell(error);
}
