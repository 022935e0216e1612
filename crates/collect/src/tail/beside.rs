//! What lies beside the paths that are followed, under names that rotation makes from theirs.
//!
//! A file may be begun, filled and rotated away between two looks, or while nobody looks. Times do not tell which ones
//! were: copies get new ones, and several files of one moment have the same. So whatever lies beside a followed path and
//! is not known is read, but for what lay there before the path was followed for the first time.
//!
//! A folder is listed when it has changed, and every now and then.

use std::collections::{BTreeMap, HashMap};
use std::fs::{File, Metadata};
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime};

use super::identity::FileId;
use super::look::open;
use super::siblings;

/// How often a folder is listed anew while files in it are being renamed.
const MAX_LISTINGS: usize = 20;
/// A folder that has changed may have changed once more within so much without showing it: file systems write times as
/// coarse as that.
const COARSE: Duration = Duration::from_secs(2);
/// The part of the time that may go into listing one folder.
const LISTING_SHARE: u32 = 20;
/// Listings that take less are not counted.
const QUICK: Duration = Duration::from_millis(20);
/// The most files whose size and time are remembered.
const MAX_SETTLED: usize = 20_000;

/// The paths that are followed, and what was seen beside them.
#[derive(Debug, Default)]
pub(super) struct Beside {
    /// Up to which time of change files beside a path are nobody's, in nanoseconds since the epoch.
    paths: BTreeMap<String, Option<i64>>,
    folders: HashMap<String, Looked>,
    /// Files of which it is known what they are, as they were then.
    settled: HashMap<FileId, Shape>,
}

/// How a folder was when it was last listed.
#[derive(Debug, Default)]
struct Looked {
    changed: Option<SystemTime>,
    /// Whether it is to be listed anew although it has not changed.
    is_open: bool,
    /// Not to be listed before.
    next: Option<Instant>,
}

/// By what a change of a file is seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Shape {
    size: u64,
    modified: Option<SystemTime>,
}

/// A file beside a path of which nothing is known yet.
#[derive(Debug)]
pub(super) struct Unseen {
    /// The path that is followed.
    pub(super) path: String,
    /// Where the file lies.
    pub(super) sibling: PathBuf,
    pub(super) opened: io::Result<(File, Metadata)>,
    listed: Metadata,
}

impl Unseen {
    pub(super) fn id(&self) -> FileId {
        FileId::of(&self.listed)
    }
}

impl Shape {
    fn of(metadata: &Metadata) -> Self {
        Self { size: metadata.len(), modified: metadata.modified().ok() }
    }
}

impl Beside {
    /// Goes on with the paths that were followed before.
    pub(super) fn resume(&mut self, paths: Vec<(String, Option<i64>)>) {
        *self = Self::default();
        for (path, before) in paths {
            self.follow(&path, before);
        }
    }

    /// The paths, and up to when what lies beside them is nobody's.
    pub(super) fn paths(&self) -> &BTreeMap<String, Option<i64>> {
        &self.paths
    }

    pub(super) fn is_followed(&self, path: &str) -> bool {
        self.paths.contains_key(path)
    }

    /// Whether a path is that of a file beside one that is followed.
    pub(super) fn has(&self, path: &str) -> bool {
        self.base_of(path).is_some()
    }

    /// Follows a path; files beside it that have not changed after `before` are nobody's.
    pub(super) fn follow(&mut self, path: &str, before: Option<i64>) {
        self.folders.entry(folder_of(path).to_owned()).or_default().is_open = true;
        self.paths.insert(path.to_owned(), before);
    }

    /// No longer follows paths for which `is_kept` does not hold.
    pub(super) fn keep(&mut self, is_kept: impl Fn(&str) -> bool) {
        self.paths.retain(|path, _| is_kept(path));
        let paths = &self.paths;
        self.folders.retain(|folder, _| paths.keys().any(|path| folder_of(path) == folder));
    }

    /// Files beside a path that have not changed after `time` are known, and no longer remembered one by one.
    pub(super) fn forget_before(&mut self, path: &str, time: Option<i64>) {
        if let Some(before) = self.paths.get_mut(path) {
            *before = time.max(*before);
        }
    }

    /// It is known what a file is, until it changes.
    pub(super) fn settle(&mut self, file: &Unseen) {
        if self.settled.len() >= MAX_SETTLED {
            self.settled.clear();
        }
        let metadata = file.opened.as_ref().map_or(&file.listed, |(_, metadata)| metadata);
        self.settled.insert(file.id(), Shape::of(metadata));
    }

    /// What a file is must be asked again at the next look.
    pub(super) fn leave_open(&mut self, file: &Unseen) {
        if let Some(looked) = self.folders.get_mut(folder_of(&file.path)) {
            looked.is_open = true;
        }
    }

    /// Files of which nothing is known, in folders that have changed; in all folders where `is_due`. Those beside one path
    /// come in the order in which they were written.
    pub(super) fn unseen(&mut self, is_due: bool) -> Vec<Unseen> {
        let folders: Vec<String> = self.folders.keys().cloned().collect();
        let mut unseen = Vec::new();
        for folder in folders {
            // Asked first: what changes while it is listed is seen next time.
            let changed = std::fs::metadata(&folder).and_then(|metadata| metadata.modified()).ok();
            let Some(looked) = self.folders.get_mut(&folder) else { continue };
            if looked.next.is_some_and(|next| Instant::now() < next)
                || !is_due && !looked.is_open && looked.changed == changed
            {
                continue;
            }
            let may_change =
                changed.and_then(|changed| changed.elapsed().ok()).is_some_and(|ago| ago < COARSE);
            let begun = Instant::now();
            let (found, is_still) = self.look_into(&folder);
            let (took, next) = (begun.elapsed(), Instant::now());
            unseen.extend(found);
            if let Some(looked) = self.folders.get_mut(&folder) {
                let next = (took > QUICK).then(|| next + took * LISTING_SHARE);
                *looked = Looked { changed, is_open: may_change || !is_still, next };
            }
        }
        unseen
    }

    /// Files of a folder of which nothing is known, and whether it stood still meanwhile. While files are renamed a name
    /// stands for one when it is listed and for another when it is opened: then it is listed anew.
    fn look_into(&self, folder: &str) -> (Vec<Unseen>, bool) {
        let mut found = Vec::new();
        for _ in 0..MAX_LISTINGS {
            let listed = self.list(folder);
            let ids: Vec<FileId> = listed.iter().map(Unseen::id).collect();
            let mut is_still = true;
            found.clear();
            for mut file in listed.into_iter().filter(|file| self.is_news(file)) {
                match open(file.sibling.to_str().unwrap_or_default()) {
                    Ok(None) => is_still = false,
                    Ok(Some(handle)) => {
                        file.opened = handle.metadata().map(|metadata| (handle, metadata));
                        let opened = file.opened.as_ref();
                        is_still &= opened.is_ok_and(|(_, metadata)| FileId::of(metadata) == file.id());
                        found.push(file);
                    }
                    Err(error) => {
                        file.opened = Err(error);
                        found.push(file);
                    }
                }
            }
            let again: Vec<FileId> = self.list(folder).iter().map(Unseen::id).collect();
            if is_still && again == ids {
                return (found, true);
            }
        }
        // Only what is what it was listed as: the rest is seen next time.
        found.retain(|file| file.opened.as_ref().is_ok_and(|(_, now)| FileId::of(now) == file.id()));
        (found, false)
    }

    /// All files of a folder that lie beside followed paths, none of them open.
    fn list(&self, folder: &str) -> Vec<Unseen> {
        let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
        let mut listed: Vec<Unseen> =
            entries.flatten().filter_map(|entry| self.listed(&entry.path())).collect();
        siblings::sort(&mut listed, |file| (&file.sibling, &file.listed));
        listed
    }

    fn listed(&self, sibling: &Path) -> Option<Unseen> {
        let path = self.base_of(sibling.to_str()?)?;
        let listed = std::fs::symlink_metadata(sibling).ok().filter(Metadata::is_file)?;
        let opened = Err(io::ErrorKind::NotFound.into());
        Some(Unseen { path, sibling: sibling.to_owned(), opened, listed })
    }

    fn base_of(&self, path: &str) -> Option<String> {
        siblings::base_paths(path).into_iter().find(|base| self.paths.contains_key(base))
    }

    fn is_news(&self, file: &Unseen) -> bool {
        let before = self.paths.get(&file.path).copied().flatten();
        let is_old = before.zip(nanos(&file.listed)).is_some_and(|(before, modified)| modified <= before);
        !is_old && self.settled.get(&file.id()) != Some(&Shape::of(&file.listed))
    }
}

/// When a file was last changed, in nanoseconds since the epoch.
pub(super) fn nanos(metadata: &Metadata) -> Option<i64> {
    let since = metadata.modified().ok()?.duration_since(SystemTime::UNIX_EPOCH).ok()?;
    i64::try_from(since.as_nanos()).ok()
}

fn folder_of(path: &str) -> &str {
    path.rsplit_once('/').map(|(folder, _)| folder).filter(|folder| !folder.is_empty()).unwrap_or("/")
}
