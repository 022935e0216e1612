//! The section `[store.archive]` of the configuration.

use std::path::PathBuf;
use std::time::Duration;

use model::{DurationText, Timestamp};

use super::Day;

/// The most days that are looked at where the archive keeps everything.
const MOST_DAYS: i64 = 3_660;

/// Where days are archived that are over, and for how long.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ArchiveConfig {
    /// Where to: a folder as `file:///srv/archive`, or a bucket of S3 or of a store that speaks like it as
    /// `s3://bucket/prefix`. Each server needs a place of its own. Empty archives nothing.
    pub url: String,
    /// Where an S3-compatible store is: `https://s3.example.org`. Amazon's needs none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub endpoint: Option<String>,
    /// The region of the bucket [default: AWS_REGION of the environment, else us-east-1].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
    /// The id of the key. Without one, the environment says how to be let in, as Amazon's tools have it
    /// (AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or the role of the machine).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub access_key_id: Option<String>,
    /// The key.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub secret_access_key: Option<String>,
    /// How long the archive keeps a day. 0 keeps everything.
    #[schemars(with = "String")]
    pub retention: DurationText,
    /// How long files that are older than they are kept for wait while they cannot be archived. After that,
    /// and when the disk is short before, they are dropped unarchived and counted.
    #[schemars(with = "String")]
    pub patience: DurationText,
}

impl Default for ArchiveConfig {
    fn default() -> Self {
        let days = |days: u64| DurationText(Duration::from_secs(days * 86_400));
        Self {
            url: String::new(),
            endpoint: None,
            region: None,
            access_key_id: None,
            secret_access_key: None,
            retention: days(365),
            patience: days(7),
        }
    }
}

/// A place for the archive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Place {
    Folder(PathBuf),
    Bucket { name: String, prefix: String },
}

impl ArchiveConfig {
    /// What is wrong with it, if anything is.
    pub fn fault(&self) -> Option<String> {
        self.place().err()
    }

    /// Whether there is an archive.
    pub(crate) fn is_on(&self) -> bool {
        !self.url.is_empty()
    }

    pub(super) fn place(&self) -> Result<Option<Place>, String> {
        if !self.is_on() {
            return Ok(None);
        }
        if self.access_key_id.is_some() != self.secret_access_key.is_some() {
            return Err(
                "`access_key_id` and `secret_access_key` belong together: one of them is missing".to_owned()
            );
        }
        let folder =
            self.url.strip_prefix("file://").or_else(|| self.url.starts_with('/').then_some(&self.url[..]));
        if let Some(folder) = folder {
            let path = PathBuf::from(folder);
            return match path.is_absolute() && path.parent().is_some() {
                true => Ok(Some(Place::Folder(path))),
                false => {
                    Err(format!("`url`: `{}` is no folder: write it like file:///srv/archive", self.url))
                }
            };
        }
        let Some(bucket) = self.url.strip_prefix("s3://") else {
            return Err(format!(
                "`url`: `{}` is no place for an archive: write file:///srv/archive or s3://bucket/prefix",
                self.url
            ));
        };
        let (name, prefix) = bucket.split_once('/').unwrap_or((bucket, ""));
        if name.is_empty() {
            return Err(format!("`url`: `{}` names no bucket", self.url));
        }
        Ok(Some(Place::Bucket { name: name.to_owned(), prefix: prefix.trim_matches('/').to_owned() }))
    }

    /// The oldest day that the archive keeps at `now`; `None` when it keeps everything.
    pub(crate) fn oldest_day(&self, now: Timestamp) -> Option<Day> {
        (!self.retention.0.is_zero()).then(|| Day::of(now.before(self.retention.0)))
    }

    /// The oldest day that is worth a look at `now`.
    pub(super) fn oldest_worth(&self, now: Timestamp) -> Day {
        let most = Day::of(now).before(MOST_DAYS);
        self.oldest_day(now).map_or(most, |oldest| oldest.max(most))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_folders_and_buckets() {
        let place = |url: &str| ArchiveConfig { url: url.to_owned(), ..ArchiveConfig::default() }.place();
        let bucket = |name: &str, prefix: &str| {
            Ok(Some(Place::Bucket { name: name.to_owned(), prefix: prefix.to_owned() }))
        };
        assert_eq!(place(""), Ok(None));
        assert_eq!(place("file:///srv/a b"), Ok(Some(Place::Folder("/srv/a b".into()))));
        assert_eq!(place("/srv/a"), Ok(Some(Place::Folder("/srv/a".into()))));
        assert_eq!(place("s3://b"), bucket("b", ""));
        assert_eq!(place("s3://b/x/y/"), bucket("b", "x/y"));
        for wrong in ["s3://", "s3:///x", "file://relative", "file:///", "http://host/x", "srv/a"] {
            assert!(place(wrong).is_err(), "{wrong}");
        }
        let half = ArchiveConfig {
            url: "s3://b".to_owned(),
            access_key_id: Some("id".to_owned()),
            ..ArchiveConfig::default()
        };
        assert!(half.fault().is_some());
    }
}
