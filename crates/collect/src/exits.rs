//! The way by which collectors tell of processes that ended: as `process.exited` events, through the
//! one path in, and each process once, even when the kernel's log and the service manager both know
//! of it.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use ingest::{Ingest, IngestError, Source};
use model::event::{Event, ExitCause, ExitEvent};
use model::{TimeRange, Timestamp};
use parking_lot::Mutex;

use crate::processes::Directory;

/// Two reports of one process id this close to each other are about the same process.
const SAME_PROCESS: Duration = Duration::from_secs(60);
/// Reported processes that are remembered.
const MAX_TOLD: usize = 1_000;

/// Tells of exits.
pub(crate) struct ExitReporter {
    ingest: Arc<Ingest>,
    host: String,
    directory: Arc<Directory>,
    told: Mutex<VecDeque<(u64, Timestamp)>>,
}

impl ExitReporter {
    pub(crate) fn new(ingest: Arc<Ingest>, host: String, directory: Arc<Directory>) -> Self {
        Self { ingest, host, directory, told: Mutex::default() }
    }

    /// An exit of this host of which nothing but this is known yet.
    pub(crate) fn exit(
        &self,
        event_id: String,
        time: Timestamp,
        cause: ExitCause,
        name: String,
    ) -> ExitEvent {
        let host = Some(self.host.clone());
        ExitEvent { host, ..ExitEvent::new(time, event_id, cause, name) }
    }

    /// Adds the group, name and command of the process, where the collector of processes saw it.
    pub(crate) fn identify(&self, exit: &mut ExitEvent, comm: &str) {
        let pid = exit.pid.and_then(|pid| i32::try_from(pid).ok());
        let Some(identity) = pid.and_then(|pid| self.directory.find(pid, comm)) else { return };
        exit.name = identity.name;
        exit.command = Some(identity.command).filter(|command| !command.is_empty());
        exit.group = identity.group;
    }

    /// Like [`identify`](Self::identify), for a process id of this namespace whose kernel name is not known.
    pub(crate) fn identify_by_pid(&self, exit: &mut ExitEvent) {
        let pid = exit.pid.and_then(|pid| i32::try_from(pid).ok());
        let Some(identity) = pid.and_then(|pid| self.directory.find_last(pid)) else { return };
        exit.command = Some(identity.command).filter(|command| !command.is_empty());
        exit.group = identity.group;
        exit.name = identity.name;
    }

    /// Whether the end of this process was told already, by whoever.
    pub(crate) fn was_told(&self, pid: u64, time: Timestamp) -> bool {
        let near = |told: Timestamp| time.since(told).max(told.since(time)) <= SAME_PROCESS;
        self.told.lock().iter().any(|(told_pid, told)| *told_pid == pid && near(*told))
    }

    /// Stores `exits`. They are durable when this returns; one that was stored before is passed over.
    pub(crate) async fn report(&self, exits: &[ExitEvent]) -> Result<(), IngestError> {
        if exits.is_empty() {
            return Ok(());
        }
        let events = exits.iter().cloned().map(Box::new).map(Event::Exit).collect();
        let outcome = self.ingest.append_events(Source::Collector, events).await?;
        for rejection in &outcome.rejected {
            tracing::warn!(reason = %rejection.reason, "the end of a process could not be stored");
        }
        let mut told = self.told.lock();
        told.extend(exits.iter().filter_map(|exit| Some((exit.pid?, exit.time))));
        let excess = told.len().saturating_sub(MAX_TOLD);
        told.drain(..excess);
        Ok(())
    }

    /// Stores records of the kernel's log.
    pub(crate) async fn keep_records(&self, records: Vec<Event>) -> Result<(), IngestError> {
        if !records.is_empty() {
            self.ingest.append_events(Source::KernelLog, records).await?;
        }
        Ok(())
    }

    /// The number of the last record of this start of the host that is stored, of those that happened since a time.
    /// Blocks.
    pub(crate) fn last_record(&self, boot_id: &str, since: Timestamp) -> Result<u64, IngestError> {
        let prefix = record_prefix(boot_id);
        let mut last: u64 = 0;
        self.ingest.stored_log_ids(TimeRange::new(since, Timestamp::MAX), &prefix, &mut |id| {
            let number: Option<u64> = id.strip_prefix(&prefix).and_then(|number| number.parse().ok());
            last = last.max(number.unwrap_or(0));
        })?;
        Ok(last)
    }
}

/// What ids of records of one start of the host begin with.
pub(crate) fn record_prefix(boot_id: &str) -> String {
    format!("kernel:{boot_id}:")
}

/// The unit that a control group belongs to: the innermost service or scope of its path.
pub(crate) fn unit_of_cgroup(path: &str) -> Option<String> {
    let is_unit = |part: &&str| part.ends_with(".service") || part.ends_with(".scope");
    path.rsplit('/').find(is_unit).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_innermost_unit_of_a_control_group_is_found() {
        let cases = [
            ("/system.slice/llm-worker.service", Some("llm-worker.service")),
            ("/user.slice/user-0.slice/user@0.service/app.slice/w@1.service/inner", Some("w@1.service")),
            ("/system.slice/docker-abc.scope", Some("docker-abc.scope")),
            ("/docker/abc", None),
            ("/", None),
        ];
        for (path, unit) in cases {
            assert_eq!(unit_of_cgroup(path).as_deref(), unit, "{path}");
        }
    }
}
