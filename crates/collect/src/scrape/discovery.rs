//! Where targets are found: in the job itself, in files, on a server.
//!
//! A source that cannot be read keeps what it found last, and says why.

mod files;
mod group;
mod http;

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use super::config::{FileSdConfig, HttpSdConfig, StaticConfig};
use super::job::Surroundings;
use files::Files;
use group::Group;
use http::List;

/// One place to look in. Knows nothing of what it found: that is [`Found`]'s.
#[derive(Debug)]
pub(super) enum Source {
    /// What stands in the job.
    Fixed(Vec<Group>),
    /// Files.
    Files(Files),
    /// A server.
    Http(List),
}

/// What a source has found.
#[derive(Debug, Default)]
pub(super) struct Found {
    groups: Option<Vec<Group>>,
    /// What was read last, to see whether it has changed.
    read: u64,
    /// Why it could not be read the last time.
    pub(super) error: Option<String>,
}

impl Source {
    pub(super) fn fixed(configs: &[&StaticConfig]) -> Result<Self, String> {
        let groups = configs.iter().map(|config| Group::new(&config.targets, &config.labels));
        groups.collect::<Result<_, _>>().map(Self::Fixed)
    }

    pub(super) fn files(config: &FileSdConfig, base: &Path) -> Result<Self, String> {
        Files::new(config, base).map(Self::Files)
    }

    pub(super) fn http(config: &HttpSdConfig, around: &Surroundings<'_>) -> Result<Self, String> {
        List::new(config, around).map(Self::Http)
    }

    /// How long after a look the next one is due; never, when nothing can change.
    pub(super) fn interval(&self) -> Option<Duration> {
        match self {
            Self::Fixed(_) => None,
            Self::Files(files) => Some(files.interval()),
            Self::Http(list) => Some(list.interval()),
        }
    }

    /// Looks once; says whether something has changed.
    pub(super) async fn look(&self, found: &mut Found) -> bool {
        let (read, groups) = match self {
            Self::Fixed(groups) => (1, Ok(Some(groups.clone()))),
            Self::Files(files) => files.look(found.read).await,
            Self::Http(list) => list.look().await,
        };
        found.read = read;
        match groups {
            Ok(Some(groups)) => {
                let is_news = found.groups.as_ref() != Some(&groups) || found.error.is_some();
                found.groups = Some(groups);
                found.error = None;
                is_news
            }
            Ok(None) => false,
            Err(error) => {
                let is_news = found.error.as_ref() != Some(&error);
                found.error = Some(error);
                is_news
            }
        }
    }
}

impl Found {
    /// Whether it could be read at least once.
    pub(super) fn is_known(&self) -> bool {
        self.groups.is_some()
    }

    /// The labels of each target.
    pub(super) fn targets(&self) -> impl Iterator<Item = BTreeMap<String, String>> {
        self.groups.iter().flatten().flat_map(Group::targets)
    }
}
