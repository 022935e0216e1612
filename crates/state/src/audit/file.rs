//! Entries as lines of a file, and read from one: NDJSON and CSV. Reading gives exactly what was written, or says at
//! which line it cannot; whoever made the file may be anybody, so a line has a bound.

use std::fmt;
use std::io::{self, BufRead, Read as _};
use std::str::FromStr;

use model::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::chain::{AuditHash, Link};

/// The longest entry that is read. What is written is far shorter.
const MAX_ENTRY_BYTES: u64 = 1 << 20;
/// The columns of a CSV, and the keys of an object.
const COLUMNS: [&str; 10] =
    ["seq", "time", "actor", "action", "target", "detail", "client_ip", "outcome", "previous_hash", "hash"];

/// How entries are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AuditFormat {
    /// An object of JSON a line.
    Ndjson,
    /// A header, then an entry a line, or more where a text has line breaks.
    Csv,
}

impl AuditFormat {
    /// Its name, which is the extension of a file.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ndjson => "ndjson",
            Self::Csv => "csv",
        }
    }

    /// Its media type.
    pub const fn media_type(self) -> &'static str {
        match self {
            Self::Ndjson => "application/x-ndjson",
            Self::Csv => "text/csv; charset=utf-8",
        }
    }

    pub(super) fn begin(self, into: &mut Vec<u8>) {
        if self == Self::Csv {
            csv_line(&COLUMNS, into);
        }
    }

    pub(super) fn write(self, link: &Link, into: &mut Vec<u8>) {
        match self {
            Self::Ndjson => {
                serde_json::to_writer(&mut *into, &Object::of(link))
                    .expect("texts, numbers and raw JSON are written to memory without fail");
                into.push(b'\n');
            }
            Self::Csv => {
                let [seq, time] = [link.seq.to_string(), link.time.to_string()];
                let [previous, hash] = [link.previous.to_string(), link.hash.to_string()];
                let fields = [
                    seq.as_str(),
                    &time,
                    &link.actor,
                    &link.action,
                    link.target.as_deref().unwrap_or_default(),
                    &link.detail,
                    link.client_ip.as_deref().unwrap_or_default(),
                    &link.outcome,
                    &previous,
                    &hash,
                ];
                csv_line(&fields, into);
            }
        }
    }
}

impl fmt::Display for AuditFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for AuditFormat {
    type Err = UnknownAuditFormat;

    fn from_str(text: &str) -> Result<Self, UnknownAuditFormat> {
        [Self::Ndjson, Self::Csv].into_iter().find(|format| format.as_str() == text).ok_or(UnknownAuditFormat)
    }
}

/// A name that is none of a format.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the format is one of ndjson, csv")]
pub struct UnknownAuditFormat;

/// An entry as an object of JSON.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Object {
    seq: i64,
    time: Timestamp,
    actor: String,
    action: String,
    target: Option<String>,
    detail: Box<RawValue>,
    client_ip: Option<String>,
    outcome: String,
    previous_hash: AuditHash,
    hash: AuditHash,
}

impl Object {
    fn of(link: &Link) -> Self {
        // A detail that is no JSON, or none of one line, was not written by us: it is shown, and found to be changed.
        let detail = Some(link.detail.clone()).filter(|text| !text.contains(['\n', '\r']));
        let detail = detail
            .and_then(|text| RawValue::from_string(text).ok())
            .unwrap_or_else(|| serde_json::value::to_raw_value(&link.detail).expect("a text is always JSON"));
        Self {
            seq: link.seq,
            time: link.time,
            actor: link.actor.clone(),
            action: link.action.clone(),
            target: link.target.clone(),
            detail,
            client_ip: link.client_ip.clone(),
            outcome: link.outcome.clone(),
            previous_hash: link.previous,
            hash: link.hash,
        }
    }

    fn into_link(self) -> Link {
        Link {
            seq: self.seq,
            time: self.time,
            actor: self.actor,
            action: self.action,
            target: self.target,
            detail: self.detail.get().to_owned(),
            client_ip: self.client_ip,
            outcome: self.outcome,
            previous: self.previous_hash,
            hash: self.hash,
        }
    }
}

fn csv_line(fields: &[&str], into: &mut Vec<u8>) {
    for (place, field) in fields.iter().enumerate() {
        if place > 0 {
            into.push(b',');
        }
        if field.contains([',', '"', '\n', '\r']) {
            into.push(b'"');
            into.extend_from_slice(field.replace('"', "\"\"").as_bytes());
            into.push(b'"');
        } else {
            into.extend_from_slice(field.as_bytes());
        }
    }
    into.push(b'\n');
}

/// Why a file could not be verified.
#[derive(Debug, thiserror::Error)]
pub enum AuditFileError {
    /// It could not be read.
    #[error("the file could not be read")]
    Read(#[from] io::Error),
    /// It is something else.
    #[error(
        "the file is no export of an audit log: it begins neither with an object of JSON nor with the columns of a CSV"
    )]
    Foreign,
}

/// Why no further entry comes.
#[derive(Debug)]
pub(super) enum Stop {
    /// The file is of no use.
    Failed(AuditFileError),
    /// This is no entry, for this reason.
    Malformed(String),
}

impl From<io::Error> for Stop {
    fn from(error: io::Error) -> Self {
        Self::Failed(error.into())
    }
}

/// A file of entries.
#[derive(Debug)]
pub(super) struct AuditFile<R> {
    input: R,
    format: Option<AuditFormat>,
    line: u64,
    bytes: u64,
    entry: Vec<u8>,
    /// Whether what is read of the entry ends within quotes: each quote inside is doubled, so an odd number of them
    /// leaves one open.
    is_within_quotes: bool,
}

impl<R: BufRead> AuditFile<R> {
    pub(super) fn new(input: R) -> Self {
        Self { input, format: None, line: 0, bytes: 0, entry: Vec::new(), is_within_quotes: false }
    }

    /// How many bytes were read.
    pub(super) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// The next entry; `None` at the end.
    pub(super) fn next_entry(&mut self) -> Result<Option<Link>, Stop> {
        let format = match self.format {
            Some(format) => format,
            None => match self.begin()? {
                Some(format) => *self.format.insert(format),
                None => return Ok(None),
            },
        };
        let begins_at = self.line + 1;
        self.entry.clear();
        self.is_within_quotes = false;
        if !self.read_line(begins_at)? {
            return Ok(None);
        }
        while format == AuditFormat::Csv && self.is_within_quotes {
            if !self.read_line(begins_at)? {
                return Err(malformed(begins_at, &"it ends within quotes"));
            }
        }
        let text = std::str::from_utf8(&self.entry).map_err(|error| malformed(begins_at, &error))?;
        let text = text.strip_suffix('\n').unwrap_or(text);
        let text = text.strip_suffix('\r').unwrap_or(text);
        let link = match format {
            AuditFormat::Ndjson => {
                serde_json::from_str(text).map(Object::into_link).map_err(|error| error.to_string())
            }
            AuditFormat::Csv => csv_link(text),
        };
        let link = link.map_err(|why| malformed(begins_at, &why))?;
        if link.time.as_nanos() % 1_000_000 != 0 {
            return Err(malformed(begins_at, &"its time is finer than a millisecond"));
        }
        Ok(Some(link))
    }

    /// Finds out what the file is, and reads over a header.
    fn begin(&mut self) -> Result<Option<AuditFormat>, Stop> {
        match self.input.fill_buf()?.first() {
            None => return Ok(None),
            Some(b'{') => return Ok(Some(AuditFormat::Ndjson)),
            Some(_) => {}
        }
        let is_csv = match self.read_line(1) {
            Ok(_) => self.entry.trim_ascii_end() == COLUMNS.join(",").as_bytes(),
            Err(Stop::Malformed(_)) => false,
            Err(failed) => return Err(failed),
        };
        if is_csv { Ok(Some(AuditFormat::Csv)) } else { Err(Stop::Failed(AuditFileError::Foreign)) }
    }

    /// Reads a line to the end of the entry that begins at the line `begins_at`; `false` at the end of the file.
    fn read_line(&mut self, begins_at: u64) -> Result<bool, Stop> {
        let room = MAX_ENTRY_BYTES.saturating_sub(self.entry.len() as u64);
        let read = self.input.by_ref().take(room).read_until(b'\n', &mut self.entry)?;
        self.line += 1;
        self.bytes += read as u64;
        let new = self.entry.iter().skip(self.entry.len() - read);
        self.is_within_quotes ^= new.filter(|byte| **byte == b'"').count() % 2 == 1;
        if read as u64 == room && !self.entry.ends_with(b"\n") {
            return Err(malformed(begins_at, &format!("it has more than {MAX_ENTRY_BYTES} bytes")));
        }
        Ok(read > 0)
    }
}

fn malformed(line: u64, why: &dyn fmt::Display) -> Stop {
    Stop::Malformed(format!("line {line} is no entry: {why}"))
}

fn csv_link(line: &str) -> Result<Link, String> {
    let fields = csv_fields(line).ok_or("its quotes do not fit")?;
    let found = fields.len();
    let fields =
        <[String; 10]>::try_from(fields).map_err(|_| format!("it has {found} fields in place of 10"))?;
    let [seq, time, actor, action, target, detail, client_ip, outcome, previous, hash] = fields;
    let wrong = |column: &str, error: &dyn fmt::Display| format!("{column}: {error}");
    Ok(Link {
        seq: seq.parse::<i64>().map_err(|error| wrong("seq", &error))?,
        time: Timestamp::parse_rfc3339(&time).map_err(|error| wrong("time", &error))?,
        actor,
        action,
        target: Some(target).filter(|text| !text.is_empty()),
        detail,
        client_ip: Some(client_ip).filter(|text| !text.is_empty()),
        outcome,
        previous: previous.parse::<AuditHash>().map_err(|error| wrong("previous_hash", &error))?,
        hash: hash.parse::<AuditHash>().map_err(|error| wrong("hash", &error))?,
    })
}

/// The fields of a line; `None` when its quotes do not fit.
fn csv_fields(line: &str) -> Option<Vec<String>> {
    let (mut fields, mut rest) = (Vec::new(), line);
    loop {
        let (field, after) = match rest.strip_prefix('"') {
            Some(quoted) => unquoted(quoted)?,
            None => {
                let (field, after) = rest.split_at(rest.find(',').unwrap_or(rest.len()));
                (field.to_owned(), after)
            }
        };
        fields.push(field);
        match after.strip_prefix(',') {
            Some(more) => rest = more,
            None => return after.is_empty().then_some(fields),
        }
    }
}

/// A field whose opening quote is read, and what comes after its closing one.
fn unquoted(text: &str) -> Option<(String, &str)> {
    let (mut field, mut rest) = (String::new(), text);
    loop {
        let (part, after) = rest.split_once('"')?;
        field.push_str(part);
        match after.strip_prefix('"') {
            Some(more) => {
                field.push('"');
                rest = more;
            }
            None => return Some((field, after)),
        }
    }
}
