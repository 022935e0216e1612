//! The upkeep of an open store: threads that measure the disk, write the head to files when it is time, drop what
//! has expired, and merge files.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use model::Timestamp;
use parking_lot::{Condvar, Mutex};

use crate::EngineError;
use crate::compact::{Extent, compact};
use crate::core::Core;
use crate::flush::flush;
use crate::panics::caught;
use crate::retention::drop_expired;
use crate::scrub::{self, Scrub};
use crate::unread::panicked;
use crate::wal::queue::Queue;
use crate::wal::writer::Frozen;

/// How often the disk is measured, and the head is looked at.
const TICK: Duration = Duration::from_secs(1);
/// How often what has expired is dropped.
const RETENTION_INTERVAL: Duration = Duration::from_secs(60);
/// The shortest time from one look for files to merge to the next.
const MIN_COMPACTION_INTERVAL: Duration = Duration::from_millis(10);
/// How long a flush that failed waits before it is tried again. Memory bounds what gathers meanwhile.
const RETRY_AFTER: Duration = Duration::from_secs(10);

/// Writes the head to files; one flush at a time.
pub(crate) struct Flusher {
    core: Arc<Core>,
    queue: Arc<Queue>,
    /// A frozen head whose flush has failed.
    unfinished: Mutex<Option<Frozen>>,
}

impl Flusher {
    pub(crate) fn new(core: Arc<Core>, queue: Arc<Queue>) -> Self {
        Self { core, queue, unfinished: Mutex::new(None) }
    }

    /// Writes everything that is in memory now to files.
    pub(crate) fn flush(&self) -> Result<(), EngineError> {
        let mut unfinished = self.unfinished.lock();
        self.finish(&mut unfinished)?;
        // The committer is gone when the store is closed: then there is nothing to freeze.
        *unfinished = self.queue.rotate().recv().unwrap_or(Ok(None))?;
        self.finish(&mut unfinished)
    }

    fn finish(&self, unfinished: &mut Option<Frozen>) -> Result<(), EngineError> {
        if let Some(frozen) = unfinished {
            flush(&self.core, frozen)?;
            *unfinished = None;
        }
        Ok(())
    }

    fn is_due(&self) -> bool {
        self.unfinished.lock().is_some() || self.core.is_flush_due(&self.core.head())
    }
}

/// Wakes and ends the thread.
#[derive(Default)]
pub(crate) struct Signal {
    state: Mutex<Wanted>,
    changed: Condvar,
}

#[derive(Default)]
struct Wanted {
    flush: bool,
    stop: bool,
}

impl Signal {
    /// Says that the head has become large.
    pub(crate) fn wake(&self) {
        self.state.lock().flush = true;
        self.changed.notify_one();
    }

    /// Ends the thread.
    pub(crate) fn stop(&self) {
        self.state.lock().stop = true;
        self.changed.notify_one();
    }

    /// Waits for a tick or a wake; `false` when it is time to end.
    fn wait(&self) -> bool {
        let mut state = self.state.lock();
        if !state.flush && !state.stop {
            self.changed.wait_for(&mut state, TICK);
        }
        state.flush = false;
        !state.stop
    }
}

/// Measures the disk until it is told to stop; by itself, because a flush may take long and ingest goes on.
pub(crate) fn measure_on(core: &Core, stopping: &AtomicBool) {
    while !stopping.load(Ordering::Relaxed) {
        core.measure_disk();
        // Ended early by whoever stops the store.
        std::thread::park_timeout(TICK);
    }
}

/// Merges files every so often until it is told to stop.
pub(crate) fn compact_on(core: &Arc<Core>, stopping: &AtomicBool) {
    let interval = core.config.compaction_interval.0.max(MIN_COMPACTION_INTERVAL);
    let mut next = Instant::now() + interval;
    while !stopping.load(Ordering::Relaxed) {
        let now = Instant::now();
        if now < next {
            // Ended early by whoever stops the store.
            std::thread::park_timeout(next - now);
            continue;
        }
        // What panics while it looks for files to merge is tried again; the work on some files is caught by itself.
        let pass = || compact(core, (Timestamp::now(), core.now()), Extent::Usual, stopping);
        let panicked = || {
            core.telemetry.files.compaction_errors.inc();
            panicked()
        };
        if let Err(error) = caught(pass, panicked) {
            tracing::error!(error = &error as &dyn std::error::Error, "files could not be merged");
        }
        next = Instant::now() + interval;
    }
}

/// Works until it is told to stop.
pub(crate) fn run(core: &Core, flusher: &Flusher, signal: &Signal) {
    let mut next_retention = Instant::now();
    let mut next_flush = Instant::now();
    let mut scrub = Scrub::new();
    let mut is_log_damaged = false;
    while signal.wait() {
        if Instant::now() >= next_flush && (is_log_damaged || flusher.is_due()) {
            match flusher.flush() {
                Ok(()) => is_log_damaged = false,
                Err(error) => {
                    tracing::error!(
                        error = &error as &dyn std::error::Error,
                        "the head could not be written to files"
                    );
                    next_flush = Instant::now() + RETRY_AFTER;
                }
            }
        }
        if Instant::now() >= next_retention {
            if let Err(error) = drop_expired(core, core.now()) {
                tracing::error!(
                    error = &error as &dyn std::error::Error,
                    "expired files could not be dropped"
                );
            }
            next_retention = Instant::now() + RETENTION_INTERVAL;
        }
        is_log_damaged |= scrub.go_on(core) == scrub::Wanted::Flush;
        // Also sets the gauges.
        core.stats();
    }
}
