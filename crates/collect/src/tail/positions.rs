//! How far each file was read, over restarts.
//!
//! A position is written down after what lies before it is in the store, and not for every batch. So after a crash the
//! store may have more of a file than its position says; how much more, the store itself is asked: each record's id says
//! where it ends. For that question not to go over all of the store, a file's entry says between which times records may
//! lie that were stored after it was written down; it is written down anew before any others are stored.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use model::Timestamp;
use serde::{Deserialize, Serialize};

use super::identity::{FileId, Fingerprint};
use crate::durable;

/// What is kept.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Positions {
    /// The patterns that were followed: what they name for the first time later was not there before.
    #[serde(default)]
    pub(super) patterns: Vec<String>,
    #[serde(default)]
    pub(super) files: Vec<Position>,
    /// The paths that were followed, and up to which time of change files beside them are nobody's or forgotten.
    #[serde(default)]
    pub(super) followed: BTreeMap<String, Option<i64>>,
}

/// How far one file was read.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Position {
    /// What the ids of its records begin with.
    pub(super) key: String,
    /// The path at which it was written.
    pub(super) path: String,
    pub(super) id: FileId,
    pub(super) print: Fingerprint,
    /// All that lies before is stored.
    pub(super) position: u64,
    /// Whether it was read to its end after it was rotated away.
    pub(super) is_done: bool,
    /// Between which times records may lie that were stored since, in nanoseconds since the epoch.
    pub(super) window: Option<(i64, i64)>,
    /// When it was last changed, if it is done: in nanoseconds since the epoch.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) modified: Option<i64>,
    /// Since when it could not be found, in nanoseconds since the epoch.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) absent_since: Option<i64>,
}

impl Position {
    pub(super) fn window(&self) -> Option<(Timestamp, Timestamp)> {
        self.window.map(|(from, to)| (Timestamp::from_nanos(from), Timestamp::from_nanos(to)))
    }
}

/// The file in the data directory.
#[derive(Clone, Debug)]
pub(super) struct PositionsFile(PathBuf);

impl PositionsFile {
    pub(super) fn in_dir(data_dir: &Path) -> Self {
        Self(data_dir.join("log-files.positions"))
    }

    /// What was kept; nothing on the first start. A file that is not ours is an error: to go on without it would repeat
    /// or lose what was written meanwhile.
    pub(super) fn load(&self) -> io::Result<Positions> {
        match std::fs::read(&self.0) {
            Ok(bytes) => serde_json::from_slice(&bytes).map_err(io::Error::other),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Positions::default()),
            Err(error) => Err(error),
        }
    }

    /// Keeps positions: all of them, or none. They are durable when it returns.
    pub(super) fn save(&self, positions: &Positions) -> io::Result<()> {
        durable::replace(&self.0, &serde_json::to_vec(positions)?)
    }

    pub(super) fn path(&self) -> &Path {
        &self.0
    }
}
