//! The archive: days that are over, as plain rows in Parquet, in a directory or an object store.
//!
//! A day of metrics or of a table is one object, `<table>/day=<date>/<table>-<date>.parquet`, made of what
//! a query of that day answers. It appears when it is whole, or not at all. The catalog notes what was
//! archived: retention lets a file wait until its days are, for a while; and a day to which rows came
//! later is archived again, unless some of it has been dropped or set aside meanwhile, so that an object
//! never becomes poorer than it was.
//!
//! Nothing here runs unless a place is configured. What goes on is one thread, one object at a time. What
//! fails, and be it by a panic, harms nothing but the archive: a place that does not answer ends a pass, a
//! day that cannot be read is passed over, and either is tried again.
//!
//! Start reading at [`Archiver`].

mod awaited;
mod config;
mod day;
mod destination;
mod due;
mod folder;
mod room;
mod upload;

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use model::{ByteSize, Timestamp};

pub(crate) use awaited::Awaited;
pub use config::ArchiveConfig;
use config::Place;
pub(crate) use day::{Day, Source};
use destination::Destination;
use due::Due;

use crate::EngineError;
use crate::core::Core;
use crate::panics::caught;

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
    #[error("{} {how}", .path.display())]
    Gone { path: PathBuf, how: &'static str },
    #[error(
        "the disk of the store, on which the archive is, has no room for about {needed}: twice that has to be free \
         beside store.disk_reserve_bytes, and {free} are"
    )]
    NoRoom { needed: ByteSize, free: ByteSize },
    #[error("the catalog could not be used")]
    Catalog(#[from] Box<EngineError>),
    #[error("the rows could not be read")]
    Read(#[from] store::QueryError),
    #[error("the rows could not be written")]
    Write(#[from] tabular::WriteError),
    #[error("the archive has {found} bytes of an object of {expected}")]
    Differs { found: u64, expected: u64 },
    #[error("the archiver has panicked")]
    Panicked,
    #[error("the store is stopping")]
    Stopped,
}

impl ArchiveError {
    /// Whether it is one day that fails, as opposed to the place or the store, with which every day would.
    fn is_of_one_day(&self) -> bool {
        match self {
            Self::Read(_) | Self::NoRoom { .. } | Self::Panicked => true,
            // The rows do not fit the format.
            Self::Write(error) => error.io_kind().is_none(),
            Self::Place(_)
            | Self::Folder(_)
            | Self::Gone { .. }
            | Self::Catalog(_)
            | Self::Differs { .. }
            | Self::Stopped => false,
        }
    }
}

/// What a pass did.
#[derive(Debug, Default)]
pub(crate) struct Passed {
    /// How many days were archived.
    pub(crate) archived: usize,
    /// Why the first of the days was passed over that could not be archived.
    pub(crate) skipped: Option<EngineError>,
}

/// Archives days, one after the other.
pub(crate) struct Archiver {
    place: Place,
    /// Opened by the first pass, and again by the one after a failure.
    destination: Option<Destination>,
    /// When old objects were last looked for.
    expired_at: Option<Instant>,
}

impl Archiver {
    /// An archiver for the place in the configuration; `None` when there is none. A folder is not looked at yet:
    /// that its disk is not there keeps no store from being opened.
    pub(crate) fn new(core: &Core) -> Result<Option<Self>, EngineError> {
        let config = &core.config.archive;
        let Some(place) = config.place().map_err(EngineError::BadArchive)? else { return Ok(None) };
        let destination = match &place {
            Place::Folder(_) => None,
            // It is not asked for this: what fails is the configuration.
            Place::Bucket { .. } => Some(open(core, &place, BTreeSet::new(), &AtomicBool::new(false))?),
        };
        let is_same = |url: &str| {
            let other = ArchiveConfig { url: url.to_owned(), ..ArchiveConfig::default() };
            other.place().is_ok_and(|other| other.as_ref() == Some(&place))
        };
        core.catalog.use_archive(&config.url, is_same)?;
        Ok(Some(Self { place, destination, expired_at: None }))
    }

    /// Archives the days that are due at `now`, the oldest first, and removes objects that are older than the
    /// archive keeps them. Days that cannot be read, or for which there is no room, are passed over; a failure of
    /// the place ends it.
    pub(crate) fn pass(
        &mut self,
        core: &Arc<Core>,
        now: Timestamp,
        stop: &AtomicBool,
    ) -> Result<Passed, EngineError> {
        let passed = caught(
            || self.try_pass(core, now, stop),
            || fail("finish a pass".to_owned(), ArchiveError::Panicked),
        );
        if passed.is_err() && stop.load(Ordering::Relaxed) {
            return passed;
        }
        let failure = match &passed {
            Ok(passed) => passed.skipped.as_ref(),
            Err(error) => {
                core.telemetry.archive.errors.inc();
                Some(error)
            }
        };
        let told = failure.map(|error| (chain(error), now));
        core.catalog.note_archive_error(told.as_ref().map(|(text, at)| (text.as_str(), *at)))?;
        passed
    }

    fn try_pass(
        &mut self,
        core: &Arc<Core>,
        now: Timestamp,
        stop: &AtomicBool,
    ) -> Result<Passed, EngineError> {
        let due = due::days(core, now)?;
        core.telemetry.archive.pending.set(due.len() as i64);
        // Put back in the end: after a failure, it is looked at anew.
        let destination = match self.destination.take() {
            Some(destination) => destination,
            None => open(core, &self.place, used(core, now)?, stop)?,
        };
        destination
            .check(stop)
            .map_err(|source| fail(format!("write to {}", core.config.archive.url), source))?;
        let passed = archive_days(&destination, core, due, now, stop)?;
        let is_stopping = stop.load(Ordering::Relaxed);
        if !is_stopping && self.expired_at.is_none_or(|at| at.elapsed() >= EXPIRE_EVERY) {
            expire(&destination, core, now, stop)?;
            self.expired_at = Some(Instant::now());
        }
        self.destination = Some(destination);
        Ok(passed)
    }
}

fn open(
    core: &Core,
    place: &Place,
    used: BTreeSet<Source>,
    stop: &AtomicBool,
) -> Result<Destination, EngineError> {
    let config = &core.config.archive;
    Destination::open(place, config, used, stop)
        .map_err(|source| fail(format!("open {}", config.url), source))
}

/// What the archive has objects of, which it still keeps at `now`.
fn used(core: &Core, now: Timestamp) -> Result<BTreeSet<Source>, EngineError> {
    let oldest = core.config.archive.oldest_worth(now);
    let days = core.catalog.archived()?.into_iter();
    Ok(days.filter(|day| day.bytes > 0 && day.day >= oldest).map(|day| day.source).collect())
}

fn archive_days(
    destination: &Destination,
    core: &Arc<Core>,
    due: Vec<Due>,
    now: Timestamp,
    stop: &AtomicBool,
) -> Result<Passed, EngineError> {
    let telemetry = &core.telemetry.archive;
    let mut passed = Passed::default();
    for next in due {
        if stop.load(Ordering::Relaxed) {
            break;
        }
        let failed = |source| fail(format!("write {} of {}", next.source.name(), next.day), source);
        match caught(|| archive_day(destination, core, &next, stop), || ArchiveError::Panicked) {
            Ok(written) => {
                note(core, &next, written, now)?;
                passed.archived += usize::from(matches!(written, day::Written::Whole { .. }));
                telemetry.pending.dec();
            }
            Err(error) if error.is_of_one_day() => {
                telemetry.errors.inc();
                let error = failed(error);
                tracing::error!(error = &error as &dyn std::error::Error, "a day was passed over");
                passed.skipped.get_or_insert(error);
            }
            Err(error) => return Err(failed(error)),
        }
    }
    Ok(passed)
}

fn archive_day(
    destination: &Destination,
    core: &Arc<Core>,
    next: &Due,
    stop: &AtomicBool,
) -> Result<day::Written, ArchiveError> {
    let _room = room::hold(core, destination, next)?;
    core.catalog.begin_archiving(next.source, next.day).map_err(Box::new)?;
    day::write(destination, core, next, stop)
}

fn note(core: &Core, next: &Due, written: day::Written, now: Timestamp) -> Result<(), EngineError> {
    let telemetry = &core.telemetry.archive;
    let day::Written::Whole { rows, bytes } = written else {
        tracing::warn!(
            source = next.source.name(),
            day = %next.day,
            "a day was not archived again: the archive has rows of it that the store has lost by now"
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
fn expire(
    destination: &Destination,
    core: &Core,
    now: Timestamp,
    stop: &AtomicBool,
) -> Result<(), EngineError> {
    let Some(oldest) = core.config.archive.oldest_day(now) else { return Ok(()) };
    let removed = destination
        .remove_before(oldest, stop)
        .map_err(|source| fail(format!("remove what is older than {oldest}"), source))?;
    core.telemetry.archive.expired.inc_by(removed);
    core.catalog.forget_archived_before(oldest)
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
        let passed = archiver.lock().pass(core, core.now(), stopping);
        match passed.map_or_else(Some, |passed| passed.skipped) {
            None => pause = EVERY,
            Some(error) => {
                pause = (pause * 2).min(LONGEST_PAUSE);
                let again = pause.as_secs();
                tracing::error!(
                    error = &error as &dyn std::error::Error,
                    again_in_seconds = again,
                    "not everything could be archived that is due"
                );
            }
        }
        next = Instant::now() + pause;
    }
}
