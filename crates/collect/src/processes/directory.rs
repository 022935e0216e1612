//! Who is who among processes: what the collector of processes knows of each, for collectors that meet
//! a bare process id (the kernel's log, the GPU driver).
//!
//! Those that ended are remembered for a while: whoever learns of an end learns of it afterwards.

use std::collections::{HashMap, VecDeque};

use parking_lot::Mutex;

/// Ended processes that are remembered.
const MAX_ENDED: usize = 2_000;

/// What is known of a process.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Identity {
    /// The kernel's name of it, 15 characters at most.
    pub(crate) comm: String,
    /// The name that people know it by.
    pub(crate) name: String,
    /// Its command line, secrets masked.
    pub(crate) command: String,
    /// The configured group that it belongs to.
    pub(crate) group: Option<String>,
}

/// The processes of this host, by their ids.
#[derive(Debug, Default)]
pub(crate) struct Directory {
    entries: Mutex<Entries>,
}

#[derive(Debug, Default)]
struct Entries {
    running: HashMap<i32, Identity>,
    ended: VecDeque<(i32, Identity)>,
}

impl Directory {
    /// Takes note of a process that runs.
    pub(crate) fn note(&self, pid: i32, identity: Identity) {
        self.entries.lock().running.insert(pid, identity);
    }

    /// Takes note that a process has ended.
    pub(crate) fn note_end(&self, pid: i32) {
        let mut entries = self.entries.lock();
        if let Some(identity) = entries.running.remove(&pid) {
            entries.ended.push_back((pid, identity));
            if entries.ended.len() > MAX_ENDED {
                entries.ended.pop_front();
            }
        }
    }

    /// A process that runs.
    pub(crate) fn running(&self, pid: i32) -> Option<Identity> {
        self.entries.lock().running.get(&pid).cloned()
    }

    /// A process that runs in a group, or several: at most `limit`.
    pub(crate) fn grouped(&self, limit: usize) -> Vec<(i32, String)> {
        let entries = self.entries.lock();
        let grouped =
            entries.running.iter().filter_map(|(pid, identity)| Some((*pid, identity.group.clone()?)));
        grouped.take(limit).collect()
    }

    /// The process that had this id last.
    pub(crate) fn find_last(&self, pid: i32) -> Option<Identity> {
        let entries = self.entries.lock();
        let ended = entries.ended.iter().rev().find(|(ended, _)| *ended == pid).map(|(_, identity)| identity);
        ended.or_else(|| entries.running.get(&pid)).cloned()
    }

    /// A process that runs or has ended of late, if its kernel name is `comm`: in another namespace of
    /// process ids the same number is somebody else.
    pub(crate) fn find(&self, pid: i32, comm: &str) -> Option<Identity> {
        let entries = self.entries.lock();
        let ended = entries.ended.iter().rev().filter(|(ended, _)| *ended == pid);
        let mut found = entries.running.get(&pid).into_iter().chain(ended.map(|(_, identity)| identity));
        found.find(|identity| identity.comm == comm).cloned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(comm: &str) -> Identity {
        Identity { comm: comm.to_owned(), name: format!("{comm}.py"), ..Identity::default() }
    }

    #[test]
    fn an_ended_process_is_still_known_and_a_namesake_by_number_is_not_taken_for_it() {
        let directory = Directory::default();
        directory.note(7, named("worker"));
        directory.note_end(7);
        directory.note(7, named("shell"));
        assert_eq!(directory.find(7, "worker"), Some(named("worker")));
        assert_eq!(directory.find(7, "shell"), Some(named("shell")));
        assert_eq!(directory.find(7, "other"), None);
        assert_eq!(directory.running(7), Some(named("shell")));
    }

    #[test]
    fn the_ended_are_forgotten_in_turn() {
        let directory = Directory::default();
        for pid in 0..=MAX_ENDED as i32 {
            directory.note(pid, named("worker"));
            directory.note_end(pid);
        }
        assert_eq!(directory.find(0, "worker"), None);
        assert!(directory.find(1, "worker").is_some());
    }
}
