//! The archive: days that are over, as plain rows in Parquet, in a directory or an object store.
//!
//! A day of metrics or of a table is one object, `<table>/day=<date>/<table>-<date>.parquet`, made of what
//! a query of that day answers. It appears when it is whole, or not at all. The catalog notes what was
//! archived: retention lets a file wait until its days are, for a while; and a day to which rows came
//! later is archived again, unless some of it has been dropped meanwhile, so that an object never becomes
//! poorer than it was.
//!
//! Nothing here runs unless a place is configured. What goes on is one thread, one object at a time.
//!
//! Start reading at [`Archiver`].

mod awaited;
mod config;
mod day;
mod destination;
mod due;
mod upload;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use model::Timestamp;

pub(crate) use awaited::Awaited;
pub use config::ArchiveConfig;
pub(crate) use day::{Day, Source};
use destination::Destination;

use crate::EngineError;
use crate::core::Core;

/// How often it is looked whether a day is due.
const EVERY: Duration = Duration::from_secs(60);
/// The longest pause after failures.
const LONGEST_PAUSE: Duration = Duration::from_secs(30 * 60);
/// How often old objects are looked for.
const EXPIRE_EVERY: Duration = Duration::from_secs(6 * 3600);

/// A day that could not be archived, or an old one that could not be removed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ArchiveError {
    #[error("the archive did not do what it was asked for")]
    Place(#[from] object_store::Error),
    #[error("the archive's folder could not be used")]
    Folder(#[from] std::io::Error),
    #[error("the rows could not be read")]
    Read(#[from] store::QueryError),
    #[error("the rows could not be written")]
    Write(#[from] tabular::WriteError),
    #[error("the archive has {found} bytes of an object of {expected}")]
    Differs { found: u64, expected: u64 },
    #[error("the store is stopping")]
    Stopped,
}

/// Archives days, one after the other.
pub(crate) struct Archiver {
    destination: Destination,
    /// When old objects were last looked for.
    expired_at: Option<Instant>,
}

impl Archiver {
    /// An archiver for the place in the configuration; `None` when there is none.
    pub(crate) fn new(core: &Core) -> Result<Option<Self>, EngineError> {
        let config = &core.config.archive;
        let Some(place) = config.place().map_err(EngineError::BadArchive)? else { return Ok(None) };
        core.catalog.use_archive(&config.url)?;
        let destination =
            Destination::new(&place, config).map_err(|source| fail("open".to_owned(), source))?;
        Ok(Some(Self { destination, expired_at: None }))
    }

    /// Archives every day that is due at `now`, the oldest first, and removes objects that are older than
    /// the archive keeps them. Returns how many days were archived. The first failure ends it.
    pub(crate) fn pass(
        &mut self,
        core: &Arc<Core>,
        now: Timestamp,
        stop: &AtomicBool,
    ) -> Result<usize, EngineError> {
        let passed = self.try_pass(core, now, stop);
        match &passed {
            Ok(_) => core.catalog.note_archive_error(None)?,
            Err(_) if stop.load(Ordering::Relaxed) => {}
            Err(error) => {
                core.telemetry.archive.errors.inc();
                core.catalog.note_archive_error(Some((&chain(error), now)))?;
            }
        }
        passed
    }

    fn try_pass(
        &mut self,
        core: &Arc<Core>,
        now: Timestamp,
        stop: &AtomicBool,
    ) -> Result<usize, EngineError> {
        let due = due::days(core, now)?;
        core.telemetry.archive.pending.set(due.len() as i64);
        let mut archived = 0;
        for next in due {
            if stop.load(Ordering::Relaxed) {
                return Ok(archived);
            }
            let failed = |source| fail(format!("write {} of {}", next.source.name(), next.day), source);
            core.catalog.begin_archiving(next.source, next.day)?;
            let written = day::write(&self.destination, core, &next, stop).map_err(failed)?;
            self.note(core, &next, written, now)?;
            core.telemetry.archive.pending.dec();
            archived += 1;
        }
        if self.expired_at.is_none_or(|at| at.elapsed() >= EXPIRE_EVERY) {
            self.expire(core, now, stop)?;
            self.expired_at = Some(Instant::now());
        }
        Ok(archived)
    }

    fn note(
        &self,
        core: &Core,
        next: &due::Due,
        written: day::Written,
        now: Timestamp,
    ) -> Result<(), EngineError> {
        let telemetry = &core.telemetry.archive;
        let day::Written::Whole { rows, bytes } = written else {
            tracing::warn!(
                source = next.source.name(),
                day = %next.day,
                "a day was not archived again: the store has fewer rows of it by now than the archive"
            );
            return core.catalog.close_archived(next.source, next.day);
        };
        telemetry.days.inc();
        telemetry.rows.inc_by(rows);
        telemetry.bytes.inc_by(bytes);
        tracing::info!(source = next.source.name(), day = %next.day, rows, bytes, "archived a day");
        core.catalog.note_archived(next.source, next.day, (rows, bytes), now)
    }

    /// Removes what is older than the archive keeps it.
    fn expire(&self, core: &Core, now: Timestamp, stop: &AtomicBool) -> Result<(), EngineError> {
        let Some(oldest) = core.config.archive.oldest_day(now) else { return Ok(()) };
        let removed = self
            .destination
            .remove_before(oldest, stop)
            .map_err(|source| fail(format!("remove what is older than {oldest}"), source))?;
        core.telemetry.archive.expired.inc_by(removed);
        core.catalog.forget_archived_before(oldest)
    }
}

fn fail(doing: String, source: ArchiveError) -> EngineError {
    EngineError::Archive { doing, source: Box::new(source) }
}

/// An error with its causes.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let more = error.to_string();
        // Some errors of others repeat their causes.
        if !text.contains(&more) {
            text.push_str(": ");
            text.push_str(&more);
        }
        cause = error.source();
    }
    text.chars().take(1_000).collect()
}

/// Archives until it is told to stop.
pub(crate) fn run(core: &Arc<Core>, archiver: &parking_lot::Mutex<Archiver>, stopping: &AtomicBool) {
    let mut pause = EVERY;
    let mut next = Instant::now() + EVERY;
    while !stopping.load(Ordering::Relaxed) {
        let now = Instant::now();
        if now < next {
            // Ended early by whoever stops the store.
            std::thread::park_timeout(next - now);
            continue;
        }
        match archiver.lock().pass(core, Timestamp::now(), stopping) {
            Ok(_) => pause = EVERY,
            Err(error) => {
                pause = (pause * 2).min(LONGEST_PAUSE);
                let again = pause.as_secs();
                tracing::error!(
                    error = &error as &dyn std::error::Error,
                    again_in_seconds = again,
                    "nothing could be archived"
                );
            }
        }
        next = Instant::now() + pause;
    }
}
