//! The collector of the kernel's log: processes that it killed for want of memory, processes that met
//! a fault, and errors of the GPU driver.
//!
//! What has been read is remembered over restarts by the sequence number and the start of the host, so
//! nothing is told twice, and what happened while Watchkeeper was down (it may itself have been the one
//! that was killed) is told when it is back. What was in the log before the first start is history.
//!
//! Only what the kernel itself wrote counts: any program that may write to `/dev/kmsg` can write
//! the same words, but not under the kernel's name.

mod deaths;
mod log;
mod record;

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use model::event::{Event, ExitCause, ExitEvent, Level, LogEvent, Origin};
use model::{DurationText, MetricBatch, Timestamp};
use parking_lot::Mutex;

use crate::blocking::Blocking;
use crate::collector::{CollectError, Collector};
use crate::exits::{ExitReporter, unit_of_cgroup};
use crate::kernel_clock::{self, KernelClock};
use crate::samples::Samples;
use deaths::{Finding, LineReader, Xid};
use log::{Cursor, CursorFile, Log};
use record::Record;

/// The most findings of one pass that are told; further ones are told in the next.
const MAX_UNTOLD: usize = 1_000;
/// Records that were stored after the cursor was kept may have happened so long before that.
const CURSOR_SLACK: Duration = Duration::from_secs(600);
/// The most kinds of GPU errors that are counted apart.
const MAX_XIDS: usize = 200;

/// The section `[kernel_log]`.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct KernelLogConfig {
    /// Whether the kernel's log is watched.
    pub enabled: bool,
    /// How often.
    #[schemars(with = "String")]
    pub interval: DurationText,
    /// Where it is.
    pub path: PathBuf,
    /// Whether its records are kept as records of logs, too.
    pub records: bool,
}

impl Default for KernelLogConfig {
    fn default() -> Self {
        Self {
            enabled: true,
            interval: DurationText(Duration::from_secs(5)),
            path: "/dev/kmsg".into(),
            records: false,
        }
    }
}

/// The collector of the kernel's log.
pub(crate) struct KernelLog {
    interval: Duration,
    host: String,
    reporter: Arc<ExitReporter>,
    look: Blocking<Look>,
    cursor_file: CursorFile,
    /// What could not be stored yet; nothing further is read until it is.
    untold: Mutex<Untold>,
}

/// What a pass found, until it is stored.
#[derive(Debug, Default)]
struct Untold {
    exits: Vec<ExitEvent>,
    /// The records themselves, where they are kept.
    records: Vec<Event>,
    /// How far the log was read when they were found.
    cursor: Option<Cursor>,
}

/// What is read from, and what is remembered.
struct Look {
    path: PathBuf,
    cursor_file: CursorFile,
    /// Whether records are kept, and of which host.
    records_of: Option<Arc<Origin>>,
    reporter: Arc<ExitReporter>,
    open: Option<Open>,
    lines: LineReader,
    lost: u64,
    /// How often each error of each GPU was met, and whether that was ever told.
    xids: HashMap<Xid, (u64, bool)>,
}

/// The log, open, and how far it was read.
struct Open {
    log: Log,
    boot_id: String,
    last: Option<u64>,
}

/// What a pass gives.
struct Pass {
    exits: Vec<ExitEvent>,
    records: Vec<Event>,
    cursor: Option<Cursor>,
    lost: u64,
    /// Errors of GPUs: how many, and whether this is the first time that they are told.
    xids: Vec<(Xid, u64, bool)>,
}

impl KernelLog {
    pub(crate) fn new(
        config: &KernelLogConfig,
        data_dir: &Path,
        host: String,
        reporter: Arc<ExitReporter>,
    ) -> Self {
        let cursor_file = CursorFile::new(data_dir.join("kernel-log.cursor"));
        let look = Look {
            path: config.path.clone(),
            cursor_file: cursor_file.clone(),
            records_of: config.records.then(|| {
                let (service, host) = (Some("kernel".to_owned()), Some(host.clone()));
                Arc::new(Origin { service, host, ..Origin::default() })
            }),
            reporter: Arc::clone(&reporter),
            open: None,
            lines: LineReader::default(),
            lost: 0,
            xids: HashMap::new(),
        };
        let look = Blocking::new(look);
        Self { interval: config.interval.0, host, reporter, look, cursor_file, untold: Mutex::default() }
    }

    /// Stores what was found, then moves the cursor on: after a crash between the two the same is found
    /// again, under the same id.
    async fn tell(&self) -> Result<(), CollectError> {
        let failed = |error: ingest::IngestError| CollectError::Read {
            what: "what was found in the kernel's log into the store".to_owned(),
            source: Box::new(error),
        };
        let (exits, records) = {
            let untold = self.untold.lock();
            (untold.exits.clone(), untold.records.clone())
        };
        self.reporter.report(&exits).await.map_err(failed)?;
        self.reporter.keep_records(records).await.map_err(failed)?;
        let told = std::mem::take(&mut *self.untold.lock());
        if let Some(cursor) = told.cursor {
            let file = self.cursor_file.clone();
            let saving = tokio::task::spawn_blocking(move || file.save(&cursor));
            if let Ok(Err(error)) = saving.await {
                tracing::warn!(%error, "how far the kernel's log was read could not be kept");
            }
        }
        Ok(())
    }
}

#[async_trait]
impl Collector for KernelLog {
    fn name(&self) -> &'static str {
        "kernel_log"
    }

    fn target(&self) -> &str {
        &self.host
    }

    fn interval(&self) -> Duration {
        self.interval
    }

    async fn collect(&mut self, now: Timestamp) -> Result<MetricBatch, CollectError> {
        self.tell().await?;
        let pass = self.look.run(Look::pass).await?;
        *self.untold.lock() = Untold { exits: pass.exits, records: pass.records, cursor: pass.cursor };
        self.tell().await?;
        let mut samples = Samples::new(now, &[("host", &self.host)]);
        samples.push("kernel_log_records_lost_total", &[], pass.lost as f64);
        for (xid, count, is_new) in pass.xids {
            let code = xid.code.to_string();
            let labels = [("pci_bus_id", xid.pci.as_str()), ("xid", &code)];
            if is_new {
                samples.push_zero_before("gpu_xid_errors_total", &labels);
            }
            samples.push("gpu_xid_errors_total", &labels, count as f64);
        }
        Ok(samples.finish())
    }
}

impl Look {
    fn pass(&mut self) -> Result<Pass, CollectError> {
        let mut open = match self.open.take() {
            Some(open) => open,
            None => self.begin()?,
        };
        let (mut exits, mut records) = (Vec::new(), Vec::new());
        let before = open.last;
        let clock = KernelClock::now();
        let (lines, xids) = (&mut self.lines, &mut self.xids);
        let records_of = self.records_of.clone();
        let met = open.log.read(open.last, |record| {
            if let Some(origin) = &records_of {
                records.push(log_event(&open.boot_id, record, &clock, origin));
            }
            let Some(finding) =
                Some(record).filter(|record| record.by_kernel).and_then(|r| lines.read(r.text))
            else {
                return;
            };
            match finding {
                Finding::Xid(xid) if xids.len() < MAX_XIDS || xids.contains_key(&xid) => {
                    xids.entry(xid).or_default().0 += 1;
                }
                Finding::Xid(_) => {}
                death => exits.extend(exit(&self.reporter, &open.boot_id, record, &clock, death)),
            }
        });
        // A log that fails is opened anew, and read on from here.
        let met = met?;
        self.lost += met.lost;
        open.last = met.last;
        only_new(&mut exits, &self.reporter);
        let cursor = (open.last != before)
            .then_some(open.last)
            .flatten()
            .map(|sequence| Cursor { boot_id: open.boot_id.clone(), sequence });
        self.open = Some(open);
        let told = self
            .xids
            .iter_mut()
            .map(|(xid, (count, told))| (xid.clone(), *count, !std::mem::replace(told, true)));
        Ok(Pass { exits, records, cursor, lost: self.lost, xids: told.collect() })
    }

    /// Opens the log, and finds the place where reading goes on.
    fn begin(&mut self) -> Result<Open, CollectError> {
        let boot_id = kernel_clock::boot_id().map_err(|error| CollectError::Read {
            what: "the id of this start of the host".to_owned(),
            source: Box::new(error),
        })?;
        let mut log = Log::open(&self.path)?;
        let last = match self.cursor_file.load() {
            Some(cursor) if cursor.boot_id == boot_id && self.records_of.is_some() => {
                // Records that were stored after the cursor was kept would be stored twice.
                let since = self.cursor_file.written().before(CURSOR_SLACK);
                let stored = self.reporter.last_record(&boot_id, since);
                let stored = stored.map_err(|error| CollectError::Read {
                    what: "how far the kernel's log is stored".to_owned(),
                    source: Box::new(error),
                })?;
                Some(cursor.sequence.max(stored))
            }
            Some(cursor) if cursor.boot_id == boot_id => Some(cursor.sequence),
            // The host was started again since: all of its log is new.
            Some(_) => None,
            None => {
                let history = log.read(None, |_| {})?;
                if let Some(sequence) = history.last {
                    let kept = self.cursor_file.save(&Cursor { boot_id: boot_id.clone(), sequence });
                    if let Err(error) = kept {
                        tracing::warn!(%error, "how far the kernel's log was read could not be kept");
                    }
                }
                history.last
            }
        };
        Ok(Open { log, boot_id, last })
    }
}

/// A record as one of a log.
fn log_event(boot_id: &str, record: &Record<'_>, clock: &KernelClock, origin: &Arc<Origin>) -> Event {
    let mut log = LogEvent::new(clock.time_of(record.since_boot), Arc::clone(origin));
    log.event_id = Some(format!("{}{}", crate::exits::record_prefix(boot_id), record.sequence));
    let (level, number) = match record.severity {
        0..=2 => (Level::Fatal, 21),
        3 => (Level::Error, 17),
        4 => (Level::Warn, 13),
        5 => (Level::Info, 10),
        6 => (Level::Info, 9),
        _ => (Level::Debug, 5),
    };
    (log.level, log.severity_number) = (Some(level), Some(number));
    log.severity_text = Some(record.severity.to_string());
    log.message = Some(record.text.to_owned());
    Event::Log(Box::new(log))
}

/// Leaves out processes that were told already, and the second of two lines about one process.
fn only_new(exits: &mut Vec<ExitEvent>, reporter: &ExitReporter) {
    let mut seen = std::collections::HashSet::new();
    exits.retain(|exit| exit.pid.is_none_or(|pid| !reporter.was_told(pid, exit.time) && seen.insert(pid)));
    if exits.len() > MAX_UNTOLD {
        let dropped = exits.len() - MAX_UNTOLD;
        tracing::warn!(dropped, "more processes ended in one look than are told");
        exits.drain(..dropped);
    }
}

fn exit(
    reporter: &ExitReporter,
    boot_id: &str,
    record: &Record<'_>,
    clock: &KernelClock,
    finding: Finding,
) -> Option<ExitEvent> {
    let id = format!("kernel-{boot_id}-{}", record.sequence);
    let time = clock.time_of(record.since_boot);
    let mut exit = match finding {
        Finding::OomKill(kill) => {
            let mut exit = reporter.exit(id, time, ExitCause::OomKill, kill.comm.clone());
            exit.pid = Some(kill.pid);
            reporter.identify(&mut exit, &kill.comm);
            exit.signal = Some("SIGKILL".to_owned());
            exit.unit = kill.cgroup.as_deref().and_then(unit_of_cgroup);
            exit.cgroup = kill.cgroup;
            exit.memory_rss_bytes = kill.rss_bytes;
            exit.memory_anon_bytes = kill.anon_bytes;
            exit.memory_vms_bytes = kill.vms_bytes;
            let limit = if kill.by_limit { "control group" } else { "host" };
            exit.attributes.insert("out_of_memory_in".to_owned(), limit.to_owned());
            exit.attributes.extend(kill.limit_of.map(|path| ("limit_of".to_owned(), path)));
            exit
        }
        Finding::Fault(fault) => {
            let mut exit = reporter.exit(id, time, ExitCause::Signal, fault.comm.clone());
            exit.pid = Some(fault.pid);
            reporter.identify(&mut exit, &fault.comm);
            exit.signal = Some(fault.signal.to_owned());
            exit
        }
        Finding::Xid(_) => return None,
    };
    exit.message = Some(record.text.chars().take(500).collect());
    exit.attributes.insert("source".to_owned(), "kernel log".to_owned());
    Some(exit)
}

#[cfg(test)]
mod tests;
