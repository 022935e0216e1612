//! The formats of files.

use std::path::Path;
use std::str::FromStr;

/// A format in which rows are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Apache Parquet, packed by zstd.
    Parquet,
    /// Comma-separated values with a line of names (RFC 4180). Maps are JSON texts there.
    Csv,
    /// One JSON object a line. What a row lacks is left out; NaN and the infinities are null.
    Ndjson,
    /// A stream of Arrow IPC.
    Arrow,
}

impl Format {
    /// Every format.
    pub const ALL: &[Self] = &[Self::Parquet, Self::Csv, Self::Ndjson, Self::Arrow];

    /// Its name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Parquet => "parquet",
            Self::Csv => "csv",
            Self::Ndjson => "ndjson",
            Self::Arrow => "arrow",
        }
    }

    /// Its media type.
    pub const fn media_type(self) -> &'static str {
        match self {
            Self::Parquet => "application/vnd.apache.parquet",
            Self::Csv => "text/csv; charset=utf-8; header=present",
            Self::Ndjson => "application/x-ndjson",
            Self::Arrow => "application/vnd.apache.arrow.stream",
        }
    }

    /// Whether a terminal could show it.
    pub const fn is_text(self) -> bool {
        matches!(self, Self::Csv | Self::Ndjson)
    }

    /// The format that the extension of a file stands for.
    pub fn of_path(path: &Path) -> Option<Self> {
        match path.extension()?.to_str()?.to_ascii_lowercase().as_str() {
            "jsonl" => Some(Self::Ndjson),
            "arrows" => Some(Self::Arrow),
            extension => extension.parse().ok(),
        }
    }
}

impl FromStr for Format {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let format = Self::ALL.iter().copied().find(|format| format.name() == text);
        format.ok_or("give parquet, csv, ndjson or arrow")
    }
}
