//! Which files there are, what became of them, and what they say: one pass after the other, each of which blocks.

mod reading;

use std::collections::{BTreeMap, HashMap, HashSet};
use std::fs::{File, Metadata};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use ingest::Ingest;
use model::Timestamp;
use model::event::Event;
use protocol::logs::LogOptions;

use super::again::{self, Absent};
use super::beside::{self, Beside, Unseen};
use super::config::{LogsConfig, StartAt, TailSetupError, TailingConfig};
use super::ends::stored_ends;
use super::file::{self, Copied, State, Tailed, Taken};
use super::identity::{FileId, Fingerprint};
use super::metrics::Metrics;
use super::positions::{Position, Positions, PositionsFile};
use super::{glob, siblings};
use crate::collector::CollectError;
use reading::Pace;

/// How much is read at a time: the lines of a piece are in memory together.
const PIECE_BYTES: usize = 64 << 10;
/// How often positions are written down at the most, but where they must be.
const SAVE_INTERVAL: Duration = Duration::from_secs(1);
/// How far ahead of its newest record a file may be stored before its position is written down anew.
const AHEAD: Duration = Duration::from_secs(3600);
/// Records of a file may lie so much before those that were stored first.
const BEHIND: Duration = Duration::from_secs(300);
/// How long a copy is not written to while it is being made.
const COPY_TIME: Duration = Duration::from_secs(60);
/// The most files that are remembered after they were read to their ends.
const MAX_DONE: usize = 4_000;
/// The most troubles that are told.
const MAX_TROUBLES: usize = 20;

/// An entry of the configuration.
#[derive(Debug)]
struct Entry {
    config: LogsConfig,
    options: LogOptions,
}

/// Everything that a pass works on.
pub(super) struct Look {
    entries: Vec<Entry>,
    config: TailingConfig,
    host: String,
    ingest: Arc<Ingest>,
    positions_file: PositionsFile,
    metrics: Metrics,
    /// Those with one path in the order in which they were written, the present one last.
    files: Vec<Tailed>,
    /// Where reading goes on with those that are not there.
    absent: Absent,
    /// What lies beside the paths.
    beside: Beside,
    /// Patterns that were followed before this start.
    known_patterns: Vec<String>,
    has_begun: bool,
    next_discovery: Instant,
    last_saved: Instant,
    is_unsaved: bool,
    /// Who has the first turn.
    turn: usize,
    keys_made: u64,
    buffer: Vec<u8>,
    troubles: BTreeMap<String, String>,
}

/// What a pass has read.
#[derive(Debug, Default)]
pub(super) struct Batch {
    pub(super) events: Vec<Event>,
    pub(super) taken: Vec<Taken>,
    /// Whether there is more to be read at once.
    pub(super) has_more: bool,
}

impl Look {
    pub(super) fn new(
        config: &TailingConfig,
        entries: &[LogsConfig],
        (host, data_dir): (String, &Path),
        ingest: Arc<Ingest>,
        metrics: Metrics,
    ) -> Result<Self, TailSetupError> {
        let entry = |config: &LogsConfig| -> Result<Entry, TailSetupError> {
            config.check()?;
            Ok(Entry { config: config.clone(), options: config.options()? })
        };
        let now = Instant::now();
        Ok(Self {
            entries: entries.iter().map(entry).collect::<Result<_, TailSetupError>>()?,
            config: config.clone(),
            host,
            ingest,
            positions_file: PositionsFile::in_dir(data_dir),
            metrics,
            files: Vec::new(),
            absent: Absent::default(),
            beside: Beside::default(),
            known_patterns: Vec::new(),
            has_begun: false,
            next_discovery: now,
            last_saved: now,
            is_unsaved: false,
            turn: 0,
            keys_made: 0,
            buffer: vec![0; PIECE_BYTES],
            troubles: BTreeMap::new(),
        })
    }

    /// Whether the first files are open.
    #[cfg(test)]
    pub(super) fn is_ready(&self) -> bool {
        self.has_begun
    }

    /// What is wrong with some of the files, in words.
    pub(super) fn troubles(&self) -> Option<String> {
        let told: Vec<String> = self.troubles.iter().map(|(path, what)| format!("{path}: {what}")).collect();
        (!told.is_empty()).then(|| told.join("; "))
    }

    /// Looks what became of the files, and reads what they have to say. What was read before must be settled. Before what
    /// it gives is stored it must be announced.
    pub(super) fn pass(&mut self) -> Result<Batch, CollectError> {
        self.begin()?;
        let now = Instant::now();
        let is_due = now >= self.next_discovery;
        if is_due {
            self.troubles.clear();
        }
        // What was renamed is to be known before it is found under its new name.
        self.attend();
        if is_due {
            self.next_discovery = now + self.config.discover_interval.0;
            self.discover(false);
        }
        // What has the path is to be known before its copy is found, and what was written before it is read before it.
        self.look_beside(is_due);
        let batch = self.read(Pace::Settled);
        let open = self.files.iter().filter(|file| file.state != State::Done);
        self.metrics.files.set(open.count() as i64);
        Ok(batch)
    }

    /// Reads more of the files that can be read on although what was read before is not settled. What became of files is
    /// not looked at: that is for a pass.
    pub(super) fn read_ahead(&mut self) -> Batch {
        self.read(Pace::Ahead)
    }

    /// What a pass has read is stored.
    pub(super) fn settle(&mut self, taken: &[Taken]) -> Result<(), CollectError> {
        for taken in taken {
            self.metrics.bytes.inc_by(taken.bytes);
            self.metrics.vanished.inc_by(u64::from(taken.is_lost));
            self.metrics.add(taken.counts, taken.format);
            let Some(file) = self.files.iter_mut().find(|file| file.key == taken.key) else { continue };
            self.is_unsaved |= file.stored != taken.end || taken.is_finished;
            file.settle(taken.end);
            if taken.is_finished {
                file.finish();
                let path = file.path.clone();
                if !self.files.iter().any(|file| file.path == path && file.state != State::Done) {
                    let _ = self.metrics.lag.remove_label_values(&[&path]);
                }
            } else {
                let lag = i64::try_from(file.lag()).unwrap_or(i64::MAX);
                self.metrics.lag.with_label_values(&[&file.path]).set(lag);
            }
        }
        self.forget_old();
        if self.is_unsaved && self.last_saved.elapsed() >= SAVE_INTERVAL { self.save() } else { Ok(()) }
    }

    /// What a pass has read is stored, and what was read ahead meanwhile is stored next. Where that cannot be announced it
    /// is read again.
    pub(super) fn settle_and_announce(
        &mut self,
        taken: &[Taken],
        next: &[Taken],
    ) -> Result<(), CollectError> {
        if let Err(error) = self.settle(taken) {
            self.undo(next);
            return Err(error);
        }
        self.announce(next)
    }

    /// What a pass has read could not be stored: it is read again.
    pub(super) fn go_back(&mut self, taken: &[Taken]) {
        self.metrics.retries.inc();
        self.undo(taken);
    }

    /// What was read ahead is read again.
    fn undo(&mut self, taken: &[Taken]) {
        for taken in taken {
            if let Some(file) = self.files.iter_mut().find(|file| file.key == taken.key) {
                file.go_back();
            }
        }
    }

    /// Writes positions down for the last time: nothing is stored after it.
    pub(super) fn close(&mut self) -> Result<(), CollectError> {
        if !self.has_begun {
            return Ok(());
        }
        self.files.iter_mut().for_each(|file| file.window = None);
        self.save()
    }

    fn save(&mut self) -> Result<(), CollectError> {
        let patterns = self.entries.iter().flat_map(|entry| entry.config.paths.iter().cloned()).collect();
        let absent = self.absent.positions().cloned();
        let files = self.files.iter().map(Tailed::position).chain(absent).collect();
        let followed = self.beside.paths().clone();
        self.positions_file.save(&Positions { patterns, files, followed }).map_err(|error| {
            CollectError::Change {
                what: format!("the positions in log files, {}", self.positions_file.path().display()),
                source: Box::new(error),
            }
        })?;
        self.is_unsaved = false;
        self.last_saved = Instant::now();
        Ok(())
    }

    /// Writes down between which times records are about to be stored, where that is not known yet. What was read before
    /// must be settled.
    pub(super) fn announce(&mut self, read: &[Taken]) -> Result<(), CollectError> {
        let mut is_news = false;
        for taken in read {
            let Some((from, to)) = taken.times else { continue };
            let Some(file) = self.files.iter_mut().find(|file| file.key == taken.key) else { continue };
            if file.window.is_none_or(|(known_from, known_to)| from < known_from || to > known_to) {
                let at = Timestamp::from_nanos;
                file.window = Some((at(from).before(BEHIND).as_nanos(), at(to).after(AHEAD).as_nanos()));
                is_news = true;
            }
        }
        if !is_news {
            return Ok(());
        }
        let saved = self.save();
        if saved.is_err() {
            // Nothing of it may be stored: it is read again once positions can be kept.
            self.files.iter_mut().for_each(|file| file.window = None);
            self.go_back(read);
        }
        saved
    }

    fn begin(&mut self) -> Result<(), CollectError> {
        if self.has_begun {
            return Ok(());
        }
        let kept = self.positions_file.load().map_err(|error| CollectError::Read {
            what: format!("the positions in log files, {}", self.positions_file.path().display()),
            source: Box::new(error),
        })?;
        // A store that cannot be asked ends the start, which is tried again.
        let ends = stored_ends(&self.ingest, &kept.files).map_err(|error| CollectError::Read {
            what: "how far log files are stored".to_owned(),
            source: Box::new(error),
        })?;
        self.known_patterns = kept.patterns;
        // A start that broke off may have left some.
        (self.files, self.absent) = (Vec::new(), Absent::default());
        let followed = kept.followed.into_iter().filter(|(path, _)| self.entry_of(path).is_some());
        let followed: Vec<_> = followed.collect();
        self.beside.resume(followed);
        for mut position in kept.files {
            if let Some(end) = ends.get(&position.key) {
                position.position = position.position.max(*end);
            }
            self.resume(position);
        }
        self.discover(true);
        self.look_beside(true);
        self.has_begun = true;
        self.next_discovery = Instant::now() + self.config.discover_interval.0;
        self.save()
    }

    /// Finds a file again that was read before, or keeps where reading goes on.
    fn resume(&mut self, kept: Position) {
        let Some(entry) = self.entry_of(&kept.path) else { return };
        if kept.is_done {
            let options = self.options(entry, &kept.path);
            self.files.push(Tailed::done(kept, entry, options));
            return;
        }
        let found = match kept.absent_since {
            Some(_) => again::find_late(&kept, &kept.path, &self.files),
            None => again::find(&kept, &self.files),
        };
        self.go_on(entry, kept, found);
    }

    /// Goes on with files that were not there and may be at a path now.
    fn welcome(&mut self, entry: usize, path: &str) {
        for kept in self.absent.take_of(path) {
            let found = if self.is_full() { None } else { again::find_late(&kept, path, &self.files) };
            let entry = self.entry_of(&kept.path).unwrap_or(entry);
            self.go_on(entry, kept, found);
        }
    }

    /// Goes on with a file that was read before, or keeps its position where it was not found.
    fn go_on(&mut self, entry: usize, kept: Position, found: Option<(File, State)>) {
        if let Some((handle, state)) = found {
            let options = self.options(entry, &kept.path);
            let known = (kept.key.clone(), entry, kept.path.clone());
            match Tailed::new(known, handle, options, kept.position) {
                // It may have been emptied since it was found.
                Ok(mut file) if file.goes_on_from(kept.print) => {
                    file.state = state;
                    self.follow(entry, &kept.path, true);
                    self.files.push(file);
                    self.is_unsaved = true;
                    return;
                }
                Ok(_) => {}
                Err(error) => self.trouble(&kept.path, &error),
            }
        }
        if self.absent.keep(kept, Timestamp::now()) {
            self.metrics.vanished.inc();
        }
    }

    fn forget_absent(&mut self) {
        let forgotten = self.absent.forget(Timestamp::now());
        self.metrics.forgotten.inc_by(forgotten as u64);
        self.is_unsaved |= forgotten > 0;
    }

    /// Looks for files that patterns name and that are not read yet.
    fn discover(&mut self, is_first: bool) {
        self.forget_absent();
        let mut unread = 0;
        for entry in 0..self.entries.len() {
            let patterns = self.entries[entry].config.paths.clone();
            for pattern in patterns {
                let found = glob::files(&pattern);
                if let Some(trouble) = found.trouble {
                    self.tell(&pattern, trouble);
                }
                let from_end = is_first
                    && self.entries[entry].config.from == StartAt::End
                    && !self.known_patterns.contains(&pattern);
                for path in self.unrotated(&found.files) {
                    let excluded = &self.entries[entry].config.exclude;
                    let is_excluded = excluded.iter().any(|out| glob::names(out, path));
                    if is_excluded || self.beside.has(path) || self.is_read(path) {
                        continue;
                    }
                    if self.is_full() {
                        unread += 1;
                        continue;
                    }
                    if let Err(error) = self.begin_at(entry, path, from_end) {
                        self.trouble(path, &error);
                    }
                }
            }
        }
        self.metrics.unread_files.set(unread);
        if unread > 0 {
            let what = format!(
                "{unread} more files are not read, for {} are open (tailing.max_files)",
                self.config.max_files
            );
            self.tell("paths", what);
        }
    }

    /// Paths without those that rotation made of others, as far as the others can be read: these lie beside them.
    fn unrotated<'a>(&self, found: &'a [PathBuf]) -> Vec<&'a str> {
        let paths =
            found.iter().filter_map(|path| path.to_str()).filter(|path| !siblings::is_compressed(path));
        let names: HashSet<&str> = paths.clone().collect();
        let is_rotated =
            |path: &&str| siblings::base_paths(path).iter().any(|base| names.contains(base.as_str()));
        let (rotated, mut own): (Vec<&str>, Vec<&str>) = paths.partition(is_rotated);
        own.extend(rotated);
        own
    }

    fn is_read(&self, path: &str) -> bool {
        self.files.iter().any(|file| file.path == path && file.state != State::Done)
    }

    fn is_full(&self) -> bool {
        self.files.iter().filter(|file| file.state != State::Done).count() >= self.config.max_files
    }

    /// Begins with the file that is at a path, unless it is known under another name.
    fn begin_at(&mut self, entry: usize, path: &str, from_end: bool) -> io::Result<()> {
        let Some(handle) = open(path)? else { return Ok(()) };
        self.welcome(entry, path);
        let metadata = handle.metadata()?;
        let id = FileId::of(&metadata);
        if let Some(known) = self.files.iter().position(|file| file.is(&handle, id)) {
            return self.go_on_with_done(known, handle, metadata.size());
        }
        self.follow(entry, path, from_end);
        let offset = if from_end { file::last_line(&handle, metadata.size())? } else { 0 };
        self.add(entry, path, handle, offset, State::Live)
    }

    /// Follows a path. What lies beside it before that is nobody's, unless it is named itself and to be read.
    fn follow(&mut self, entry: usize, path: &str, from_end: bool) {
        if self.beside.is_followed(path) {
            return;
        }
        let named = &self.entries[entry].config.paths;
        let is_old = |sibling: &Path| {
            from_end
                || !sibling
                    .to_str()
                    .is_some_and(|path| named.iter().any(|pattern| glob::names(pattern, path)))
        };
        let old = siblings::of(path).into_iter().filter(|(sibling, _)| is_old(sibling));
        let before = old.filter_map(|(_, metadata)| beside::nanos(&metadata)).max();
        self.beside.follow(path, before);
        self.is_unsaved = true;
    }

    fn add(&mut self, entry: usize, path: &str, handle: File, offset: u64, state: State) -> io::Result<()> {
        let options = self.options(entry, path);
        let key = self.new_key(path, &handle)?;
        let modified = beside::nanos(&handle.metadata()?);
        let mut file = Tailed::new((key, entry, path.to_owned()), handle, options, offset)?;
        file.state = state;
        let place = self.place_of(&file, modified);
        self.files.insert(place, file);
        self.is_unsaved = true;
        Ok(())
    }

    /// Where a file belongs among those of its path, which are read one after the other.
    fn place_of(&self, file: &Tailed, modified: Option<i64>) -> usize {
        let is_later = |other: &Tailed| {
            let handle = other.handle().and_then(|handle| handle.metadata().ok());
            other.state == State::Live || handle.and_then(|metadata| beside::nanos(&metadata)) > modified
        };
        let mut others = self.files.iter().enumerate().filter(|(_, other)| other.path == file.path);
        let later = others.find(|(_, other)| other.state != State::Done && is_later(other));
        match later {
            Some((place, _)) if file.state != State::Live => place,
            _ => self.files.len(),
        }
    }

    /// Takes in what lies beside the paths and is not known.
    fn look_beside(&mut self, is_due: bool) {
        if is_due {
            let (files, absent) = (&self.files, &self.absent);
            let has_file = |path: &str| files.iter().any(|file| file.path == path);
            let is_absent = |path: &str| absent.positions().any(|position| position.path == path);
            self.beside.keep(|path| has_file(path) || is_absent(path));
        }
        for unseen in self.beside.unseen(is_due) {
            if let Err(error) = self.take_in(&unseen) {
                self.beside.settle(&unseen);
                self.trouble(&unseen.sibling.display().to_string(), &error);
            }
        }
    }

    /// Takes in a file that lies beside a path: it is one that is known, a copy of one, or one that was written and rotated
    /// away unseen.
    fn take_in(&mut self, unseen: &Unseen) -> io::Result<()> {
        let (handle, metadata) = match &unseen.opened {
            Ok((handle, metadata)) => (handle.try_clone()?, metadata),
            Err(error) => return Err(io::Error::new(error.kind(), error.to_string())),
        };
        let (Some(shown), Some(entry)) = (unseen.sibling.to_str(), self.entry_of(&unseen.path)) else {
            return Ok(());
        };
        self.welcome(entry, shown);
        let id = FileId::of(metadata);
        if let Some(known) = self.files.iter().position(|file| file.is(&handle, id)) {
            self.beside.settle(unseen);
            return self.go_on_with_done(known, handle, metadata.size());
        }
        if metadata.size() == 0 {
            self.beside.settle(unseen);
            return Ok(());
        }
        // What has the path now may be what it was copied from.
        self.attend_to_path(&unseen.path);
        match self.copied(&unseen.path, &handle)? {
            Copied::Yes => {
                self.remember_copy(entry, &unseen.path, &handle)?;
                self.beside.settle(unseen);
            }
            Copied::Perhaps if is_quiet(metadata) => {
                self.remember_copy(entry, &unseen.path, &handle)?;
                self.beside.settle(unseen);
            }
            Copied::Perhaps => self.beside.leave_open(unseen),
            Copied::No if self.is_full() => {
                self.beside.leave_open(unseen);
                let most = self.config.max_files;
                self.tell(shown, format!("not read, for {most} files are open (tailing.max_files)"));
            }
            Copied::No => {
                self.metrics.rotations.inc();
                self.add(entry, &unseen.path, handle, 0, State::Rotated)?;
                self.beside.settle(unseen);
            }
        }
        Ok(())
    }

    /// Somebody still writes to a file although it was thought to be over.
    fn go_on_with_done(&mut self, known: usize, handle: File, size: u64) -> io::Result<()> {
        let file = &self.files[known];
        if file.state != State::Done || size <= file.stored {
            return Ok(());
        }
        let (key, entry, path, at) = (file.key.clone(), file.entry, file.path.clone(), file.stored);
        let options = self.options(entry, &path);
        let mut again = Tailed::new((key, entry, path), handle, options, at)?;
        again.state = State::Rotated;
        self.files[known] = again;
        Ok(())
    }

    /// Whether a file is a copy of one of those of a path.
    fn copied(&mut self, path: &str, handle: &File) -> io::Result<Copied> {
        let mut told = Copied::No;
        for file in self.files.iter_mut().filter(|file| file.path == path) {
            match file.is_copied_by(handle)? {
                Copied::Yes => return Ok(Copied::Yes),
                Copied::Perhaps => told = Copied::Perhaps,
                Copied::No => {}
            }
        }
        Ok(told)
    }

    /// Remembers a copy that rotation made of a file that is read itself.
    fn remember_copy(&mut self, entry: usize, path: &str, handle: &File) -> io::Result<()> {
        let metadata = handle.metadata()?;
        let position = Position {
            key: self.new_key(path, handle)?,
            path: path.to_owned(),
            id: FileId::of(&metadata),
            print: Fingerprint::of(handle)?,
            // However it grows, nothing of it is to be read.
            position: u64::MAX,
            is_done: true,
            window: None,
            modified: beside::nanos(&metadata),
            absent_since: None,
        };
        let options = self.options(entry, path);
        self.files.push(Tailed::done(position, entry, options));
        self.is_unsaved = true;
        Ok(())
    }

    /// An id that no file has had.
    fn new_key(&mut self, path: &str, handle: &File) -> io::Result<String> {
        let metadata = handle.metadata()?;
        self.keys_made += 1;
        let seed = format!(
            "{path}\0{}\0{}\0{}\0{}",
            metadata.dev(),
            metadata.ino(),
            Timestamp::now().as_nanos(),
            self.keys_made
        );
        Ok(format!("{:016x}", xxhash_rust::xxh3::xxh3_64(seed.as_bytes())))
    }

    fn entry_of(&self, path: &str) -> Option<usize> {
        let is_named = |entry: &Entry| entry.config.paths.iter().any(|pattern| glob::names(pattern, path));
        self.entries.iter().position(is_named)
    }

    fn options(&self, entry: usize, path: &str) -> Arc<LogOptions> {
        let Entry { config, options } = &self.entries[entry];
        let mut options = options.clone();
        let origin = &mut options.origin;
        let name = path.rsplit('/').next().unwrap_or(path);
        let stem = name.split('.').next().filter(|stem| !stem.is_empty()).unwrap_or(name);
        origin.service.get_or_insert_with(|| stem.to_owned());
        origin.host = Some(self.host.clone());
        origin.resource_attributes.extend(config.attributes.clone());
        origin.resource_attributes.insert("log.file.path".to_owned(), path.to_owned());
        Arc::new(options)
    }

    /// The paths that are written to, or were a moment ago, and where their files are, those that are not done.
    fn groups(&self) -> Vec<(String, Vec<usize>)> {
        let mut groups: Vec<(String, Vec<usize>)> = Vec::new();
        let mut known: HashMap<&str, usize> = HashMap::new();
        for (index, file) in self.files.iter().enumerate().filter(|(_, file)| file.state != State::Done) {
            let group = *known.entry(&file.path).or_insert_with(|| {
                groups.push((file.path.clone(), Vec::new()));
                groups.len() - 1
            });
            groups[group].1.push(index);
        }
        groups
    }

    fn attend(&mut self) {
        // Files are only added meanwhile, behind the others.
        for (path, files) in self.groups() {
            let live = files.into_iter().find(|file| self.files[*file].state == State::Live);
            if let Err(error) = self.attend_to(&path, live) {
                self.trouble(&path, &error);
            }
        }
    }

    fn attend_to_path(&mut self, path: &str) {
        let live = self.files.iter().position(|file| file.path == path && file.state == State::Live);
        if let Err(error) = self.attend_to(path, live) {
            self.trouble(path, &error);
        }
    }

    fn attend_to(&mut self, path: &str, live: Option<usize>) -> io::Result<()> {
        let metadata = match std::fs::metadata(path) {
            Ok(metadata) if metadata.is_file() => metadata,
            Ok(_) => return Ok(()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                if let Some(live) = live {
                    self.lose(live);
                }
                return Ok(());
            }
            Err(error) => return Err(error),
        };
        let id = FileId::of(&metadata);
        let Some(live) = live else { return self.replace(path, None) };
        if self.files[live].id != id || self.files[live].was_emptied(metadata.size()) {
            return self.replace(path, Some(live));
        }
        self.files[live].size = metadata.size();
        Ok(())
    }

    /// A file has lost its path.
    fn lose(&mut self, live: usize) {
        let file = &mut self.files[live];
        file.rotate();
        let links = file.handle().and_then(|handle| handle.metadata().ok()).map(|metadata| metadata.nlink());
        if links == Some(0) {
            self.metrics.vanished.inc();
        }
    }

    /// Another file has the path of one that is read, or the same one was emptied and begins anew.
    fn replace(&mut self, path: &str, live: Option<usize>) -> io::Result<()> {
        let Some(handle) = open(path)? else { return Ok(()) };
        self.welcome(self.entry_of(path).unwrap_or(0), path);
        let id = FileId::of(&handle.metadata()?);
        let is_emptied = live.is_some_and(|live| self.files[live].is_emptied_now());
        let known = self.files.iter().position(|file| file.is(&handle, id)).filter(|_| !is_emptied);
        if let Some(known) = known {
            if let Some(live) = live.filter(|live| *live != known) {
                self.files[live].rotate();
            }
            // It has come back.
            if self.files[known].path == path && self.files[known].state == State::Rotated {
                self.files[known].state = State::Live;
            }
            return Ok(());
        }
        let entry = self.files.iter().rfind(|file| file.path == path).map_or(0, |newest| newest.entry);
        match live {
            Some(live) if is_emptied => self.let_go(path, live)?,
            Some(live) => {
                self.metrics.rotations.inc();
                self.files[live].rotate();
            }
            None => self.metrics.rotations.inc(),
        }
        if self.is_full() {
            let what = format!("not read, for {} files are open (tailing.max_files)", self.config.max_files);
            self.tell(path, what);
            return Ok(());
        }
        self.add(entry, path, handle, 0, State::Live)
    }

    /// A file was emptied: what was not read yet is in a copy, if one was made.
    fn let_go(&mut self, path: &str, live: usize) -> io::Result<()> {
        self.metrics.truncations.inc();
        let file = &self.files[live];
        let copy = opened_siblings(path).into_iter().rev().find_map(|(_, handle, metadata)| {
            let id = FileId::of(&metadata);
            let is_other = id != file.id && metadata.size() >= file.offset() && !file.print.is_empty();
            let is_read = self.files.iter().any(|known| known.state != State::Done && known.is(&handle, id));
            (is_other && file.print.fits(&handle).ok()? && !is_read).then_some(handle)
        });
        self.files[live].go_on_with(copy)
    }

    /// Forgets files that were read to their ends, the oldest first.
    fn forget_old(&mut self) {
        let done = self.files.iter().filter(|file| file.state == State::Done).count();
        let mut surplus = done.saturating_sub(MAX_DONE);
        if surplus > 0 {
            let beside = &mut self.beside;
            self.files.retain(|file| {
                let goes = surplus > 0 && file.state == State::Done;
                surplus -= usize::from(goes);
                if goes {
                    beside.forget_before(&file.path, file.modified);
                }
                !goes
            });
        }
    }

    fn trouble(&mut self, path: &str, error: &io::Error) {
        self.metrics.errors.inc();
        self.tell(path, error.to_string());
    }

    fn tell(&mut self, path: &str, what: String) {
        if self.troubles.len() < MAX_TROUBLES || self.troubles.contains_key(path) {
            self.troubles.insert(path.to_owned(), what);
        }
    }
}

/// Opens a file to read, without waiting for one that is none: `None` where it is not there, or is no file.
pub(super) fn open(path: &str) -> io::Result<Option<File>> {
    use std::os::unix::fs::OpenOptionsExt;
    const NON_BLOCKING: i32 = rustix::fs::OFlags::NONBLOCK.bits() as i32;
    match File::options().read(true).custom_flags(NON_BLOCKING).open(path) {
        Ok(file) if file.metadata()?.is_file() => Ok(Some(file)),
        Ok(_) => Ok(None),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// Whether a file has not been written to for a while.
fn is_quiet(metadata: &Metadata) -> bool {
    metadata.modified().ok().and_then(|modified| modified.elapsed().ok()).is_some_and(|ago| ago > COPY_TIME)
}

/// How often siblings are listed anew while they are being renamed.
const MAX_LISTINGS: usize = 20;

/// The siblings of a path, open, the oldest first. While they are renamed a name stands for one file when it is listed and
/// for another when it is opened: then they are listed anew.
fn opened_siblings(path: &str) -> Vec<(PathBuf, File, Metadata)> {
    let ids = |listed: &[(PathBuf, Metadata)]| -> Vec<FileId> {
        listed.iter().map(|(_, metadata)| FileId::of(metadata)).collect()
    };
    let mut opened = Vec::new();
    for _ in 0..MAX_LISTINGS {
        let listed = siblings::of(path);
        let open_one = |(path, _): &(PathBuf, Metadata)| {
            let handle = open(path.to_str()?).ok()??;
            let metadata = handle.metadata().ok()?;
            Some((path.clone(), handle, metadata))
        };
        opened = listed.iter().filter_map(open_one).collect();
        let found: Vec<FileId> = opened.iter().map(|(_, _, metadata)| FileId::of(metadata)).collect();
        if found == ids(&listed) && found == ids(&siblings::of(path)) {
            break;
        }
    }
    opened
}
