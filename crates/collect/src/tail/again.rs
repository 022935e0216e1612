//! Files that were read before, found again: at a start, or once they are there.
//!
//! A file that is not there may be one that is gone, or one whose folder is not mounted, which may not be read for now, or
//! for which no handle was left. Its position is kept for some days, so that it is not read all over when it comes back.

use std::fs::File;
use std::os::unix::fs::MetadataExt;
use std::time::Duration;

use model::Timestamp;

use super::file::{State, Tailed};
use super::identity::FileId;
use super::look::open;
use super::positions::Position;
use super::siblings;

/// The most positions of files that are not there; those that have been away longest go first.
const MAX_ABSENT: usize = 4_000;
/// How long they are kept.
const ABSENT_FOR: Duration = Duration::from_secs(7 * 86_400);

/// Positions of files that are not there, those that have been away longest first.
#[derive(Debug, Default)]
pub(super) struct Absent(Vec<Position>);

impl Absent {
    pub(super) fn positions(&self) -> impl Iterator<Item = &Position> {
        self.0.iter()
    }

    /// Keeps a position; all that lies before it must be stored, and nothing behind it. Whether it is news.
    pub(super) fn keep(&mut self, mut position: Position, now: Timestamp) -> bool {
        let is_news = position.absent_since.is_none();
        position.absent_since.get_or_insert(now.as_nanos());
        position.window = None;
        let place = self.0.partition_point(|known| known.absent_since <= position.absent_since);
        self.0.insert(place, position);
        is_news
    }

    /// Forgets those that have been away too long, and those that are too many. How many they are.
    pub(super) fn forget(&mut self, now: Timestamp) -> usize {
        let oldest = now.before(ABSENT_FOR).as_nanos();
        let old =
            self.0.partition_point(|position| position.absent_since.is_some_and(|since| since < oldest));
        let forgotten = old.max(self.0.len().saturating_sub(MAX_ABSENT));
        self.0.drain(..forgotten);
        forgotten
    }

    /// Takes those of files that may be at a path now, under their own names or renamed.
    pub(super) fn take_of(&mut self, path: &str) -> Vec<Position> {
        if self.0.is_empty() {
            return Vec::new();
        }
        self.0.extract_if(.., |position| position.path == path || is_rotation(&position.path, path)).collect()
    }
}

/// Finds a file after a restart: at its path, beside it under another name, or what is left of it in a copy.
pub(super) fn find(kept: &Position, files: &[Tailed]) -> Option<(File, State)> {
    // While siblings are renamed one of them may be listed under a name and be gone from it when that is opened.
    (0..MAX_LISTINGS).find_map(|_| find_once(kept, files))
}

/// How often a file that is not found is looked for anew.
const MAX_LISTINGS: usize = 5;

fn find_once(kept: &Position, files: &[Tailed]) -> Option<(File, State)> {
    if let Some(handle) = fits(kept, &kept.path, true, files) {
        return Some((handle, State::Live));
    }
    let siblings = siblings::of(&kept.path);
    for needs_id in [true, false] {
        // On file systems of networks a file may have another number after a restart; few bytes do not tell it then.
        if !needs_id
            && !kept.print.is_partial()
            && let Some(handle) = fits(kept, &kept.path, false, files)
        {
            return Some((handle, State::Live));
        }
        let found = siblings.iter().rev().find_map(|(path, _)| fits(kept, path.to_str()?, needs_id, files));
        if let Some(handle) = found {
            return Some((handle, State::Rotated));
        }
    }
    None
}

/// Finds a file that was not there, now that one is at `path`. It must be more alike than at a start: others may have
/// been begun meanwhile, in the same few words.
pub(super) fn find_late(kept: &Position, path: &str, files: &[Tailed]) -> Option<(File, State)> {
    if kept.path != path {
        // The number of a file system changes when it is mounted anew; what is there of a file tells it then.
        let by_print = || if kept.print.is_partial() { None } else { fits(kept, path, false, files) };
        return fits(kept, path, true, files).or_else(by_print).map(|handle| (handle, State::Rotated));
    }
    let (handle, state) = find(kept, files)?;
    let id = FileId::of(&handle.metadata().ok()?);
    // The number of a file system changes when it is mounted anew.
    let is_alike = id.ino == kept.id.ino || !kept.print.is_partial();
    let is_it = is_alike && !files.iter().any(|file| file.is(&handle, id));
    is_it.then_some((handle, state))
}

/// The file at a path, if it is the one that was read before, and is not read already.
fn fits(kept: &Position, path: &str, needs_id: bool, files: &[Tailed]) -> Option<File> {
    let handle = open(path).ok()??;
    let metadata = handle.metadata().ok()?;
    let id = FileId::of(&metadata);
    let is_it = metadata.size() >= kept.position
        && (!needs_id || id == kept.id)
        && kept.print.fits(&handle).ok()?
        && (!kept.print.is_empty() || id == kept.id)
        && !files.iter().any(|file| file.id == id && file.state != State::Done);
    is_it.then_some(handle)
}

/// Whether rotation may have given the file at `own` the path `other`.
fn is_rotation(own: &str, other: &str) -> bool {
    match (own.rsplit_once('/'), other.rsplit_once('/')) {
        (Some((folder, own)), Some((other_folder, other))) => {
            folder == other_folder && siblings::is_rotated_name(own, other)
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tail::identity::Fingerprint;

    fn position(path: &str) -> Position {
        Position {
            key: path.to_owned(),
            path: path.to_owned(),
            id: FileId { dev: 1, ino: 2 },
            print: Fingerprint::default(),
            position: 7,
            is_done: false,
            window: Some((1, 2)),
            modified: None,
            absent_since: None,
        }
    }

    #[test]
    fn positions_are_kept_for_some_days_and_are_not_too_many() {
        let (mut absent, begin) = (Absent::default(), Timestamp::from_nanos(1 << 60));
        for number in 0..MAX_ABSENT + 2 {
            let at = begin.after(Duration::from_secs(number as u64));
            assert!(absent.keep(position(&number.to_string()), at), "it was there before");
        }
        assert_eq!(absent.forget(begin), 2);
        assert_eq!(absent.positions().next().map(|position| position.path.as_str()), Some("2"));
        assert_eq!(absent.forget(begin.after(ABSENT_FOR + Duration::from_secs(3))), 1);
        let known = absent.take_of("4").pop().expect("it is kept");
        assert_eq!((known.position, known.window), (7, None));
        assert!(!absent.keep(known, begin.after(ABSENT_FOR)), "it was away before");
        assert_eq!(absent.forget(begin.after(ABSENT_FOR * 2)), MAX_ABSENT - 1);
    }

    #[test]
    fn a_position_is_looked_at_where_its_file_may_be() {
        for (path, is_there) in
            [("/a/app.log", true), ("/a/app.log.1", true), ("/b/app.log", false), ("/a/other.log", false)]
        {
            let mut absent = Absent::default();
            absent.keep(position("/a/app.log"), Timestamp::from_nanos(0));
            assert_eq!(absent.take_of(path).len(), usize::from(is_there), "{path}");
        }
    }
}
