//! What is remembered of processes from pass to pass: command lines, CPU time, who came and who went.

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use crate::proc_root::ProcRoot;

use super::command::{self, Masker};
use super::directory::{Directory, Identity};
use super::groups::{GroupIndex, Groups};
use super::walk::{self, ProcessKey, Seen};

/// A process that starts this soon after one with the same command line has ended takes its place.
const RESTART_WINDOW: Duration = Duration::from_secs(300);
/// Ends remembered for that, for each group.
const MAX_RECENT_EXITS: usize = 200;
/// Command lines change seldom: by `exec` early in life, or when a program rewrites its title.
const PASSES_BETWEEN_COMMANDS: u64 = 20;
/// The most processes remembered at once; further ones are seen but not followed.
const MAX_KNOWN: usize = 50_000;

/// A process that is followed.
#[derive(Clone, Debug)]
pub(crate) struct Known {
    pub(crate) group: Option<GroupIndex>,
    pub(crate) name: String,
    /// The command line, with secrets masked.
    pub(crate) command: String,
    /// Cores in use since the pass before, 1 for one core.
    pub(crate) cpu_ratio: Option<f64>,
    pub(crate) pss_bytes: Option<u64>,
    /// The pass in which proportional memory was read last, 0 for never.
    pub(crate) pss_pass: u64,
    cpu_ticks: u64,
    comm: String,
    command_pass: u64,
    first_pass: u64,
}

impl Known {
    fn identity(&self, groups: &Groups) -> Identity {
        Identity {
            comm: self.comm.clone(),
            name: self.name.clone(),
            command: self.command.clone(),
            group: self.group.map(|group| groups.names()[group].clone()),
        }
    }
}

/// What happened in a group since the collector began.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Turnover {
    pub(crate) starts: u64,
    pub(crate) exits: u64,
    /// Starts that took the place of a process with the same command line.
    pub(crate) restarts: u64,
}

/// Follows processes.
pub(crate) struct Tracker {
    pub(crate) pass: u64,
    known: HashMap<ProcessKey, Known>,
    turnover: Vec<Turnover>,
    /// By group: when processes ended, and the hash of what they ran.
    recent_exits: Vec<VecDeque<(Duration, u64)>>,
    last_clock: Option<Duration>,
    own_pid: i32,
    masker: Masker,
    /// What others may know of processes.
    directory: Arc<Directory>,
}

impl Tracker {
    pub(crate) fn new(groups: &Groups, own_pid: i32, directory: Arc<Directory>) -> Self {
        Self {
            pass: 0,
            known: HashMap::new(),
            turnover: vec![Turnover::default(); groups.names().len()],
            recent_exits: vec![VecDeque::new(); groups.names().len()],
            last_clock: None,
            own_pid,
            masker: Masker::new(),
            directory,
        }
    }

    pub(crate) fn known(&self, key: &ProcessKey) -> Option<&Known> {
        self.known.get(key)
    }

    pub(crate) fn known_mut(&mut self, key: &ProcessKey) -> Option<&mut Known> {
        self.known.get_mut(key)
    }

    pub(crate) fn turnover(&self, group: GroupIndex) -> Turnover {
        self.turnover[group]
    }

    /// Takes note of the processes of a pass; `clock` is the time on a clock that is never set.
    pub(crate) fn observe(&mut self, root: &ProcRoot, groups: &Groups, seen: &[Seen], clock: Duration) {
        self.pass += 1;
        let elapsed = self.last_clock.replace(clock).map(|before| clock.saturating_sub(before));
        self.note_exits(seen, clock);
        let own = own_family(seen, self.own_pid);
        for process in seen {
            match self.known.contains_key(&process.key) {
                true => self.follow(root, groups, process, elapsed, &own),
                false if self.known.len() < MAX_KNOWN => {
                    self.welcome(root, groups, process, elapsed, &own);
                }
                false => {}
            }
        }
    }

    fn note_exits(&mut self, seen: &[Seen], clock: Duration) {
        let present: HashSet<ProcessKey> = seen.iter().map(|process| process.key).collect();
        let (turnover, recent_exits) = (&mut self.turnover, &mut self.recent_exits);
        let directory = &self.directory;
        self.known.retain(|key, known| {
            let stays = present.contains(key);
            if !stays {
                directory.note_end(key.pid);
            }
            if let (false, Some(group)) = (stays, known.group) {
                turnover[group].exits += 1;
                recent_exits[group].push_back((clock, hash(&known.command)));
            }
            stays
        });
        for exits in recent_exits {
            exits.retain(|(ended, _)| clock.saturating_sub(*ended) <= RESTART_WINDOW);
            exits.drain(..exits.len().saturating_sub(MAX_RECENT_EXITS));
        }
    }

    /// A process that was there before.
    fn follow(
        &mut self,
        root: &ProcRoot,
        groups: &Groups,
        process: &Seen,
        elapsed: Option<Duration>,
        own: &HashSet<i32>,
    ) {
        let Some(known) = self.known.get_mut(&process.key) else { return };
        let ticks = process.cpu_ticks.saturating_sub(known.cpu_ticks);
        known.cpu_ticks = process.cpu_ticks;
        known.cpu_ratio = elapsed.and_then(|elapsed| cores(root, ticks, elapsed));
        let young = self.pass == known.first_pass + 1;
        let due = self.pass >= known.command_pass + PASSES_BETWEEN_COMMANDS;
        if young || due || known.comm != process.comm {
            let identity = identify(root, groups, &self.masker, process, own, self.own_pid);
            (known.group, known.name, known.command) = identity;
            known.comm.clone_from(&process.comm);
            known.command_pass = self.pass;
            self.directory.note(process.key.pid, known.identity(groups));
        }
    }

    /// A process that was not there before.
    fn welcome(
        &mut self,
        root: &ProcRoot,
        groups: &Groups,
        process: &Seen,
        elapsed: Option<Duration>,
        own: &HashSet<i32>,
    ) {
        let (group, name, command) = identify(root, groups, &self.masker, process, own, self.own_pid);
        // Whatever runs when we begin has not started just now.
        if let Some(group) = group.filter(|_| self.pass > 1) {
            self.turnover[group].starts += 1;
            let what = hash(&command);
            let exits = &mut self.recent_exits[group];
            if let Some(place) = exits.iter().position(|(_, ended)| *ended == what) {
                exits.remove(place);
                self.turnover[group].restarts += 1;
            }
        }
        let known = Known {
            group,
            name,
            command,
            // All of its CPU time was used since the pass before, in which it was not there.
            cpu_ratio: elapsed.and_then(|elapsed| cores(root, process.cpu_ticks, elapsed)),
            pss_bytes: None,
            pss_pass: 0,
            cpu_ticks: process.cpu_ticks,
            comm: process.comm.clone(),
            command_pass: self.pass,
            first_pass: self.pass,
        };
        self.directory.note(process.key.pid, known.identity(groups));
        self.known.insert(process.key, known);
    }
}

fn cores(root: &ProcRoot, ticks: u64, elapsed: Duration) -> Option<f64> {
    let seconds = ticks as f64 / root.ticks_per_second();
    (!elapsed.is_zero()).then(|| seconds / elapsed.as_secs_f64())
}

/// The group, name and masked command line of a process. What Watchkeeper itself has started is in
/// no group: it would watch its own shadow.
fn identify(
    root: &ProcRoot,
    groups: &Groups,
    masker: &Masker,
    process: &Seen,
    own: &HashSet<i32>,
    own_pid: i32,
) -> (Option<GroupIndex>, String, String) {
    let arguments = walk::arguments(root, process.key.pid);
    let name = command::display_name(&arguments, &process.comm);
    let command = masker.mask(&arguments);
    let group = if process.key.pid == own_pid {
        Some(groups.own())
    } else if own.contains(&process.key.pid) {
        None
    } else {
        groups.of(&arguments.join(" "))
    };
    (group, name, command)
}

/// Watchkeeper and everything that it has started.
fn own_family(seen: &[Seen], own_pid: i32) -> HashSet<i32> {
    let mut children: HashMap<i32, Vec<i32>> = HashMap::new();
    for process in seen {
        children.entry(process.parent).or_default().push(process.key.pid);
    }
    let mut family = HashSet::from([own_pid]);
    let mut next = vec![own_pid];
    while let Some(pid) = next.pop() {
        for child in children.get(&pid).into_iter().flatten() {
            if family.insert(*child) {
                next.push(*child);
            }
        }
    }
    family
}

fn hash(text: &str) -> u64 {
    xxhash_rust::xxh3::xxh3_64(text.as_bytes())
}
