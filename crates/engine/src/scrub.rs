//! The scrub: files are read through slowly, again and again, so that a disk that rots is found out
//! before somebody needs what it held.

use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::core::Core;
use crate::files::StoredFile;
use crate::quarantine::quarantine;
use crate::wal::replay::{State, look};

/// A start is busy enough: the scrub waits so long. So it does after each round: a small store is gone through soon.
const PAUSE: Duration = Duration::from_secs(60);
/// How fast segments of the log are gone through. They are read as a whole, and waited for after that.
const LOG_BYTES_A_SECOND: u64 = 256 << 10;

/// Where the scrub is. With each call one piece of a file is read, 256 KiB at the most, or one segment of the log, after
/// which as many calls do nothing: with a call a second that is 22 GB a day.
pub(crate) struct Scrub {
    /// When it goes on.
    next: Instant,
    at: At,
    /// The file that is read, or the last that was.
    file: u64,
    part: usize,
    offset: u64,
    /// The number of the first file that comes too late for this round.
    end: Option<u64>,
}

/// What is gone through in a round, in order; the catalog comes last.
enum At {
    Files,
    /// The segments of the log that are written no more, from this one on.
    Log(u64),
}

/// What the scrub asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wanted {
    Nothing,
    /// Part of the log is damaged. What it holds is in memory still: it is to be written to files.
    Flush,
}

impl Scrub {
    pub(crate) fn new() -> Self {
        Self { next: Instant::now() + PAUSE, at: At::Files, file: 0, part: 0, offset: 0, end: None }
    }

    /// Reads and checks the next piece. A file that is damaged is set aside.
    pub(crate) fn go_on(&mut self, core: &Core) -> Wanted {
        if Instant::now() >= self.next { self.step(core) } else { Wanted::Nothing }
    }

    fn step(&mut self, core: &Core) -> Wanted {
        match self.at {
            At::Files => {
                self.step_files(core);
                Wanted::Nothing
            }
            At::Log(from) => match core.segments.closed(from) {
                Some((id, bytes)) => {
                    self.at = At::Log(id + 1);
                    core.telemetry.files.scrubbed_bytes.inc_by(bytes);
                    self.next = Instant::now() + Duration::from_secs(bytes / LOG_BYTES_A_SECOND);
                    look_at_segment(core, id)
                }
                None => {
                    look_at_catalog(core);
                    core.telemetry.files.scrubs.inc();
                    self.at = At::Files;
                    self.next = Instant::now() + PAUSE;
                    Wanted::Nothing
                }
            },
        }
    }

    fn step_files(&mut self, core: &Core) {
        let files = Arc::clone(&core.view().files);
        // Files that come faster than they are read would keep it from ever coming to the log.
        let newest = || files.iter().map(|file| file.entry.id).max().unwrap_or(0);
        let end = *self.end.get_or_insert_with(|| newest() + 1);
        let next = files.iter().filter(|file| (self.file..end).contains(&file.entry.id));
        let Some(file) = next.min_by_key(|file| file.entry.id) else {
            (self.at, self.end) = (At::Log(0), None);
            return self.go_to(0);
        };
        if file.entry.id != self.file {
            self.go_to(file.entry.id);
        }
        self.piece(core, file);
    }

    fn piece(&mut self, core: &Core, file: &Arc<StoredFile>) {
        let Some(opened) = file.open_at(self.part) else { return self.go_to(file.entry.id + 1) };
        match opened.and_then(|part| part.verify_from(self.offset)) {
            Ok(Some(end)) => {
                core.telemetry.files.scrubbed_bytes.inc_by(end - self.offset);
                self.offset = end;
            }
            Ok(None) => (self.part, self.offset) = (self.part + 1, 0),
            Err(error) => {
                // Retention may have dropped it meanwhile, and a disk that fails for now is no damage.
                let is_in_use = core.view().files.iter().any(|other| other.entry.id == file.entry.id);
                if is_in_use && file.is_damaged() {
                    quarantine(core, file, &error.to_string());
                } else if is_in_use {
                    core.telemetry.files.scrub_unread.inc();
                    tracing::error!(
                        file = file.entry.id,
                        kind = ?file.entry.kind,
                        %error,
                        "a file could not be read to check it: where this goes on, the disk is failing"
                    );
                }
                self.go_to(file.entry.id + 1);
            }
        }
    }

    fn go_to(&mut self, file: u64) {
        (self.file, self.part, self.offset) = (file, 0, 0);
    }
}

/// A segment that is damaged is told and counted; a start would miss what it held.
fn look_at_segment(core: &Core, id: u64) -> Wanted {
    let problem = match look(&*core.vfs, &core.layout, id) {
        Ok(State::Sound) => return Wanted::Nothing,
        // What it held has come into files meanwhile.
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Wanted::Nothing,
        Ok(State::Damaged(problem) | State::Torn(problem)) => problem,
        Err(error) => {
            core.telemetry.files.scrub_unread.inc();
            tracing::warn!(
                segment = id,
                %error,
                "the write-ahead log could not be read to check it: what this segment holds is in memory, and is \
                 written to files now"
            );
            return Wanted::Flush;
        }
    };
    core.telemetry.files.scrub_log_problems.inc();
    tracing::error!(
        segment = id,
        problem,
        "the write-ahead log is damaged: what this segment holds is in memory, and is written to files now"
    );
    Wanted::Flush
}

/// A catalog that is damaged cannot be set aside: it is told, and counted, until somebody puts back what was there.
fn look_at_catalog(core: &Core) {
    match core.catalog.problem() {
        Ok(None) => {}
        Ok(Some((path, problem))) => {
            core.telemetry.files.scrub_problems.inc();
            tracing::error!(
                path = %path.display(),
                problem,
                "the catalog is damaged: `watchkeeper store verify` says more"
            );
        }
        Err(error) => tracing::warn!(
            error = &error as &dyn std::error::Error,
            "the catalog could not be read to check it"
        ),
    }
}

#[cfg(test)]
mod tests {
    use prometheus::Registry;

    use super::*;
    use crate::vfs::Disk;
    use crate::{Config, Engine};
    use store::{Batch, EventBatch, Table, TelemetryStore};

    fn append(engine: &Engine, round: i64) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
        let rows = EventBatch { table: Table::Deploys, rows: crate::testing::deploys(&[round]) };
        let batch = Batch { events: vec![rows], ..Batch::default() };
        runtime.block_on(engine.append(batch)).expect("appended");
    }

    #[test]
    fn a_rotten_file_is_set_aside_and_the_others_are_gone_through() {
        let dir = tempfile::tempdir().expect("dir");
        let config = Config { disk_reserve_bytes: model::ByteSize(0), ..Config::default() };
        let engine = Engine::open_on(Arc::new(Disk), dir.path(), config, &Registry::new()).expect("opens");
        for round in 0..3 {
            append(&engine, round);
            engine.checkpoint().expect("written");
        }
        let core = engine.core();
        let rotten = core.view().files[1].paths().next().expect("a part").clone();
        let mut bytes = std::fs::read(&rotten).expect("read");
        bytes[100] ^= 4;
        std::fs::write(&rotten, bytes).expect("written");
        let mut scrub = Scrub::new();
        for _ in 0..20 {
            assert_eq!(scrub.step(core), Wanted::Nothing);
        }
        assert_eq!(engine.stats().quarantined_files, 1);
        assert!(!rotten.exists());
        assert!(core.telemetry.files.scrubs.get() >= 1 && core.telemetry.files.scrubbed_bytes.get() > 0);
        assert_eq!(core.telemetry.files.scrub_problems.get(), 0);
        let catalog = dir.path().join("catalog.db");
        let mut bytes = std::fs::read(&catalog).expect("read");
        // In a page without rows that anybody reads: what SQLite keeps of its own.
        bytes[60] ^= 1;
        std::fs::write(&catalog, bytes).expect("written");
        look_at_catalog(core);
        assert_eq!(core.telemetry.files.scrub_problems.get(), 1);
    }

    #[test]
    fn what_a_rotten_segment_of_the_log_holds_is_written_to_files() {
        let dir = tempfile::tempdir().expect("dir");
        let config = Config {
            disk_reserve_bytes: model::ByteSize(0),
            // Each commit fills a segment.
            wal_segment_bytes: model::ByteSize(1),
            ..Config::default()
        };
        let engine = Engine::open_on(Arc::new(Disk), dir.path(), config, &Registry::new()).expect("opens");
        (0..3).for_each(|round| append(&engine, round));
        let core = engine.core();
        let (closed, _) = core.segments.closed(0).expect("a segment that is full");
        let rotten = core.layout.segment(closed);
        let mut scrub = Scrub::new();
        let steps = |scrub: &mut Scrub| (0..20).map(|_| scrub.step(core)).collect::<Vec<_>>();
        assert!(!steps(&mut scrub).contains(&Wanted::Flush));
        let mut bytes = std::fs::read(&rotten).expect("read");
        let middle = bytes.len() / 2;
        bytes[middle] ^= 4;
        std::fs::write(&rotten, bytes).expect("written");
        assert!(steps(&mut scrub).contains(&Wanted::Flush));
        assert!(core.telemetry.files.scrub_log_problems.get() >= 1);
        engine.checkpoint().expect("written");
        assert!(!rotten.exists());
        assert!(!steps(&mut scrub).contains(&Wanted::Flush));
        assert_eq!(core.view().files.iter().map(|file| file.entry.rows).sum::<u64>(), 3);
    }
}
