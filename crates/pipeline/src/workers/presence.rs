//! When a worker was there: its heartbeats by process, and its stops. Restarts and crashes follow.
//!
//! Sets again, as for jobs: the order in which events arrive makes no difference.

use model::Timestamp;
use model::event::WorkerEvent;

/// The most processes and the most stops remembered of one worker. What is forgotten stays counted.
const MAX_REMEMBERED: usize = 64;

/// What tells one process of a worker from the next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Identity {
    /// When it began, in whole seconds: clocks are read anew and differ by less.
    StartedAt(i64),
    Pid(u64),
}

/// One process that was a worker, and when it was heard of.
#[derive(Clone, Copy, Debug)]
struct Process {
    identity: Identity,
    first: Timestamp,
    last: Timestamp,
}

/// A word that the worker has stopped.
#[derive(Clone, Debug)]
pub(super) struct Stop {
    pub(super) time: Timestamp,
    pub(super) reason: Option<String>,
    pub(super) exit_code: Option<i64>,
}

/// How often a worker began again, and how often it ended badly.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Falls {
    pub(super) restarts: u64,
    pub(super) crashes: u64,
    pub(super) last_crash_at: Option<Timestamp>,
}

/// When a worker was there.
#[derive(Clone, Debug, Default)]
pub(super) struct Presence {
    heartbeats: Option<(Timestamp, Timestamp)>,
    processes: Vec<Process>,
    stops: Vec<Stop>,
    forgotten: Falls,
}

impl Presence {
    pub(super) fn heartbeat(&mut self, event: &WorkerEvent) {
        let time = event.time;
        let (first, last) = self.heartbeats.unwrap_or((time, time));
        self.heartbeats = Some((first.min(time), last.max(time)));
        let by_start = event.started_at.map(|start| Identity::StartedAt(start.as_millis().div_euclid(1_000)));
        let Some(identity) = by_start.or(event.pid.map(Identity::Pid)) else { return };
        match self.processes.iter_mut().find(|process| process.identity == identity) {
            Some(process) => {
                process.first = process.first.min(time);
                process.last = process.last.max(time);
            }
            None => self.processes.push(Process { identity, first: time, last: time }),
        }
        self.processes.sort_by_key(|process| process.first);
        self.bound();
    }

    pub(super) fn stop(&mut self, event: &WorkerEvent) {
        if let Err(place) = self.stops.binary_search_by_key(&event.time, |stop| stop.time) {
            let stop = Stop { time: event.time, reason: event.reason.clone(), exit_code: event.exit_code };
            self.stops.insert(place, stop);
            self.bound();
        }
    }

    fn bound(&mut self) {
        if self.processes.len() <= MAX_REMEMBERED && self.stops.len() <= MAX_REMEMBERED {
            return;
        }
        let before = self.falls();
        if self.processes.len() > MAX_REMEMBERED {
            self.processes.remove(0);
        }
        if self.stops.len() > MAX_REMEMBERED {
            self.stops.remove(0);
        }
        let after = self.falls();
        self.forgotten.restarts += before.restarts.saturating_sub(after.restarts);
        self.forgotten.crashes += before.crashes.saturating_sub(after.crashes);
    }

    pub(super) fn last_heartbeat(&self) -> Option<Timestamp> {
        self.heartbeats.map(|(_, last)| last)
    }

    /// The last heartbeat or stop.
    pub(super) fn last_heard(&self) -> Timestamp {
        let stopped = self.stops.last().map(|stop| stop.time);
        self.last_heartbeat().max(stopped).unwrap_or_default()
    }

    /// The stop that it has not come back from.
    pub(super) fn stopped(&self) -> Option<&Stop> {
        self.stops.last().filter(|stop| self.last_heartbeat().is_none_or(|last| stop.time >= last))
    }

    /// When the present process was first heard of.
    pub(super) fn present_since(&self) -> Option<Timestamp> {
        self.processes.last().map(|process| process.first).or(self.heartbeats.map(|(first, _)| first))
    }

    pub(super) fn falls(&self) -> Falls {
        let mut falls = self.forgotten;
        let mut crash = |time: Timestamp| {
            falls.crashes += 1;
            falls.last_crash_at = falls.last_crash_at.max(Some(time));
        };
        self.stops.iter().filter(|stop| stop.is_crash()).for_each(|stop| crash(stop.time));
        let mut restarts = 0;
        for pair in self.processes.windows(2) {
            let (old, new) = (&pair[0], &pair[1]);
            // Processes that speak at the same time share an id; that is no restart.
            if new.first <= old.last {
                continue;
            }
            restarts += 1;
            let told = self.stops.iter().any(|stop| old.first <= stop.time && stop.time <= new.first);
            if !told {
                crash(new.first);
            }
        }
        // Workers that never say which process they are can only be seen to come back after a stop.
        let returns = self.stops.iter().filter(|stop| self.last_heartbeat() > Some(stop.time)).count() as u64;
        falls.restarts += if self.processes.len() > 1 { restarts } else { returns };
        falls
    }
}

impl Stop {
    /// Whether it is the end that nobody wants. Being asked to end, by SIGTERM or SIGINT, is in order.
    pub(super) fn is_crash(&self) -> bool {
        const SIGNS: [&str; 12] = [
            "sigkill",
            "sigsegv",
            "sigabrt",
            "sigbus",
            "sigill",
            "sigfpe",
            "killed",
            "oom",
            "out of memory",
            "crash",
            "exception",
            "panic",
        ];
        let bad_exit = !matches!(self.exit_code, None | Some(0 | 143 | -15 | 130 | -2));
        let reason = self.reason.as_deref().unwrap_or_default().to_lowercase();
        bad_exit || SIGNS.iter().any(|sign| reason.contains(sign))
    }
}
