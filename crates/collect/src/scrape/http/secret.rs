//! Passwords and tokens, which stand in the configuration or in files that are read when they are needed.

use std::fmt;
use std::path::{Path, PathBuf};

/// The largest file that can be a secret, in bytes.
const MAX_BYTES: u64 = 64 << 10;

/// A text that is not shown.
#[derive(Clone, PartialEq, Eq)]
pub(super) enum Secret {
    Text(String),
    File(PathBuf),
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(_) => f.write_str("Secret"),
            Self::File(path) => write!(f, "Secret({})", path.display()),
        }
    }
}

impl Secret {
    /// The one of two keys that is set; an empty one is not.
    pub(super) fn of(
        key: &str,
        text: Option<&String>,
        file: Option<&PathBuf>,
        base: &Path,
    ) -> Result<Option<Self>, String> {
        let file = file.filter(|file| !file.as_os_str().is_empty());
        match (text.filter(|text| !text.is_empty()), file) {
            (Some(_), Some(_)) => Err(format!("`{key}` and `{key}_file` are both set; keep one")),
            (Some(text), None) => Ok(Some(Self::Text(text.clone()))),
            (None, Some(file)) => Ok(Some(Self::File(base.join(file)))),
            (None, None) => Ok(None),
        }
    }

    /// The text, without the line end of a file.
    pub(super) async fn reveal(&self) -> Result<String, String> {
        let path = match self {
            Self::Text(text) => return Ok(text.clone()),
            Self::File(path) => path,
        };
        let fail = |error: &dyn fmt::Display| format!("cannot read {}: {error}", path.display());
        let size = tokio::fs::metadata(path).await.map_err(|error| fail(&error))?.len();
        if size > MAX_BYTES {
            return Err(fail(&"it is too large to be a secret"));
        }
        let text = tokio::fs::read_to_string(path).await.map_err(|error| fail(&error))?;
        Ok(text.trim().to_owned())
    }
}
