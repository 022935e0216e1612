//! Which files are read in what order, and how much of each at a time.

use model::Timestamp;

use super::super::file::Reading;
use super::{Batch, Look};

/// The most that is read of one file before others that have something to say have their turn.
const TURN_BYTES: usize = 1 << 20;
/// The most that is read in a pass. What one pass has read may be on its way to the store while the next one reads, so twice
/// that is in memory.
const PASS_BYTES: usize = 4 << 20;
/// The most records of a pass, but for those of the last piece.
const PASS_EVENTS: usize = 4_096;

/// What becomes of what was read before, while more is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Pace {
    /// It is settled.
    Settled,
    /// It is being stored.
    Ahead,
}

impl Look {
    /// Reads what files have to say, a turn each.
    pub(super) fn read(&mut self, pace: Pace) -> Batch {
        let mut batch = Batch::default();
        let mut groups = self.groups();
        let now = Timestamp::now();
        let mut bytes = 0;
        if !groups.is_empty() {
            self.turn = (self.turn + 1) % groups.len();
            groups.rotate_left(self.turn);
        }
        let has_more = |files: &[usize]| files.iter().any(|file| !self.files[*file].is_idle());
        let talking = groups.iter().filter(|(_, files)| has_more(files)).count();
        // One that talks alone need not wait for others.
        let turn = TURN_BYTES.max(PASS_BYTES / talking.max(1));
        for (path, files) in groups {
            // They are for the next pass. They are no reason to read others ahead again and again, a few lines each time: one
            // that was renamed is waited for long.
            if pace == Pace::Ahead && !self.can_be_read_ahead(&files) {
                continue;
            }
            for index in files {
                let file = &mut self.files[index];
                if file.is_idle() {
                    continue;
                }
                if bytes >= PASS_BYTES || batch.events.len() >= PASS_EVENTS {
                    batch.has_more = true;
                    return batch;
                }
                let how = Reading {
                    now,
                    latest: now.after(self.ingest.limits().max_future.0),
                    grace: self.config.grace.0,
                    max_bytes: turn.min(PASS_BYTES - bytes),
                    max_events: PASS_EVENTS,
                };
                match file.read(how, &mut self.buffer, &mut batch.events) {
                    Ok((taken, is_at_end)) => {
                        bytes += usize::try_from(taken.bytes).unwrap_or(usize::MAX);
                        batch.taken.push(taken);
                        if !is_at_end {
                            batch.has_more = true;
                            // What was written later comes later.
                            break;
                        }
                    }
                    Err(error) => {
                        self.trouble(&path, &error);
                        break;
                    }
                }
            }
        }
        batch
    }

    /// Whether the files of a path can be read on before what was read of them is settled: those that had the path before
    /// come to their ends in passes.
    fn can_be_read_ahead(&self, files: &[usize]) -> bool {
        files.iter().all(|file| self.files[*file].can_be_read_ahead())
    }
}
