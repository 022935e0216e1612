//! Targets in files of YAML or JSON, which are read again when they change.

use std::path::{Component, Path, PathBuf};
use std::time::Duration;

use super::group::{Group, GroupForm};
use crate::scrape::config::FileSdConfig;
use crate::scrape::glob;

/// How often is looked whether a file has changed.
const WATCH: Duration = Duration::from_secs(5);
/// The most bytes of all files of one source.
const MAX_BYTES: u64 = 32 << 20;

/// Files that list targets.
#[derive(Debug)]
pub(in crate::scrape) struct Files {
    patterns: Vec<PathBuf>,
    interval: Duration,
}

impl Files {
    pub(super) fn new(config: &FileSdConfig, base: &Path) -> Result<Self, String> {
        if config.files.is_empty() {
            return Err("`file_sd_configs` needs `files`".to_owned());
        }
        let known = |file: &&String| [".yml", ".yaml", ".json"].iter().any(|end| file.ends_with(end));
        if let Some(odd) = config.files.iter().find(|file| !known(file)) {
            return Err(format!("`{odd}` in `file_sd_configs` must end with .yml, .yaml or .json"));
        }
        // Without dots: paths are labels of targets, and rules are written for them.
        let plain = |path: PathBuf| path.components().filter(|part| *part != Component::CurDir).collect();
        let patterns = config.files.iter().map(|file| plain(base.join(file))).collect();
        Ok(Self { patterns, interval: config.refresh_interval.0 })
    }

    pub(super) fn interval(&self) -> Duration {
        self.interval.min(WATCH)
    }

    /// What the files list; nothing when they are as they were when `before` was given.
    pub(super) async fn look(&self, before: u64) -> (u64, Result<Option<Vec<Group>>, String>) {
        let patterns = self.patterns.clone();
        let reading = tokio::task::spawn_blocking(move || look(&patterns, before));
        reading.await.unwrap_or_else(|_| (0, Err("reading the files was broken off".to_owned())))
    }
}

fn look(patterns: &[PathBuf], before: u64) -> (u64, Result<Option<Vec<Group>>, String>) {
    let texts = match read(patterns) {
        Ok(texts) => texts,
        Err(error) => return (0, Err(error)),
    };
    let mut hasher = xxhash_rust::xxh3::Xxh3::new();
    for (path, text) in &texts {
        hasher.update(path.to_string_lossy().as_bytes());
        hasher.update(text.as_bytes());
    }
    // Zero stands for nothing that was read.
    let now = hasher.digest() | 1;
    if now == before {
        return (now, Ok(None));
    }
    let mut groups = Vec::new();
    for (path, text) in &texts {
        match parse(path, text) {
            Ok(more) => groups.extend(more),
            Err(error) => return (now, Err(error)),
        }
    }
    (now, Ok(Some(groups)))
}

fn read(patterns: &[PathBuf]) -> Result<Vec<(PathBuf, String)>, String> {
    let mut texts: Vec<(PathBuf, String)> = Vec::new();
    let mut bytes = 0;
    for pattern in patterns {
        let fail = |error: std::io::Error| format!("cannot read {}: {error}", pattern.display());
        for path in glob::files(pattern).map_err(fail)? {
            let fail = |error: std::io::Error| format!("cannot read {}: {error}", path.display());
            bytes += std::fs::metadata(&path).map_err(fail)?.len();
            if bytes > MAX_BYTES {
                return Err(format!("the files of {} have more than 32 MiB", pattern.display()));
            }
            let text = std::fs::read_to_string(&path).map_err(fail)?;
            texts.push((path, text));
        }
    }
    Ok(texts)
}

/// Groups in YAML, of which JSON is a part.
fn parse(path: &Path, text: &str) -> Result<Vec<Group>, String> {
    let shown = path.display().to_string();
    if text.trim().is_empty() {
        return Ok(Vec::new());
    }
    let forms: Vec<GroupForm> = if shown.ends_with(".json") {
        serde_json::from_str(text)
            .map_err(|error| format!("{shown}:{}:{}: {error}", error.line(), error.column()))?
    } else {
        serde_saphyr::from_str(text)
            .map_err(|error| crate::scrape::files::fault(&shown, &error).to_string())?
    };
    Group::of(forms, &[("__meta_filepath", &shown)]).map_err(|error| format!("{shown}: {error}"))
}
