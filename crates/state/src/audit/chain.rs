//! The chain: which bytes the hash of an entry covers, and how an entry is put after the last one.
//!
//! docs/audit.md describes the same bytes, for those who check a log with a program of their own. Other bytes
//! would be another version, and begin otherwise.

use std::fmt;
use std::str::FromStr;

use model::Timestamp;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use sha2::{Digest as _, Sha256};
use sqlx::Row as _;

use super::AuditEntry;
use crate::StateError;
use crate::database::{Row, Transaction, millis};
use crate::error::during;

/// How what is hashed begins, so that the hash of an entry is never that of something else.
const BEGINNING: &[u8] = b"watchkeeper audit 1\n";
/// A bound on each text of an entry: some of them come from outside.
const MAX_TEXT_CHARS: usize = 1_000;
/// A bound on the further facts of an entry.
const MAX_DETAIL_BYTES: usize = 64 << 10;

/// A SHA-256; 64 hexadecimal digits as text.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct AuditHash([u8; 32]);

/// A text that is no hash.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a hash is 64 hexadecimal digits")]
pub struct BadAuditHash;

impl AuditHash {
    /// What the first entry of all has as the hash before it.
    pub const NONE: Self = Self([0; 32]);

    pub(super) fn of_bytes(bytes: &[u8]) -> Option<Self> {
        <[u8; 32]>::try_from(bytes).ok().map(Self)
    }
}

impl fmt::Display for AuditHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for AuditHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for AuditHash {
    type Err = BadAuditHash;

    fn from_str(text: &str) -> Result<Self, BadAuditHash> {
        let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
        let mut bytes = [0; 32];
        if text.len() != 2 * bytes.len() {
            return Err(BadAuditHash);
        }
        for (byte, pair) in bytes.iter_mut().zip(text.as_bytes().chunks_exact(2)) {
            let high = digit(pair[0]).ok_or(BadAuditHash)?;
            let low = digit(pair[1]).ok_or(BadAuditHash)?;
            *byte = (high << 4) | low;
        }
        Ok(Self(bytes))
    }
}

impl Serialize for AuditHash {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for AuditHash {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}

/// An entry after which others come, or could come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct AuditHead {
    /// Its place.
    pub seq: i64,
    /// Its hash, which stands for it and all before it.
    pub hash: AuditHash,
}

/// An entry as it stands in the log: the very texts of which its hash is made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Link {
    pub(crate) seq: i64,
    /// In whole milliseconds.
    pub(crate) time: Timestamp,
    pub(crate) actor: String,
    pub(crate) action: String,
    /// Never empty: an empty one is none.
    pub(crate) target: Option<String>,
    /// JSON, byte for byte: it is hashed as it is written.
    pub(crate) detail: String,
    /// Never empty: an empty one is none.
    pub(crate) client_ip: Option<String>,
    pub(crate) outcome: String,
    /// The hash of the entry before it.
    pub(crate) previous: AuditHash,
    pub(crate) hash: AuditHash,
}

impl Link {
    /// The entry after `head`.
    fn after(head: AuditHead, entry: &AuditEntry) -> Self {
        let cut = |text: &str| text.chars().take(MAX_TEXT_CHARS).collect::<String>();
        let link = Self {
            seq: 0,
            time: Timestamp::from_millis(millis(entry.time)),
            actor: cut(&entry.actor),
            action: cut(&entry.action),
            target: entry.target.as_deref().map(cut),
            detail: bounded(&entry.detail),
            client_ip: entry.client_ip.as_deref().map(cut),
            outcome: entry.outcome.as_str().to_owned(),
            previous: AuditHash::NONE,
            hash: AuditHash::NONE,
        };
        link.put_after(head)
    }

    /// The same entry with the place, and the hash, that it has after `head`.
    pub(super) fn put_after(mut self, head: AuditHead) -> Self {
        self.seq = head.seq.saturating_add(1);
        self.previous = head.hash;
        self.target = self.target.filter(|text| !text.is_empty());
        self.client_ip = self.client_ip.filter(|text| !text.is_empty());
        self.hash = self.computed();
        self
    }

    /// The hash that the entry must have.
    pub(super) fn computed(&self) -> AuditHash {
        let mut hasher = Sha256::new();
        hasher.update(BEGINNING);
        hasher.update(self.previous.0);
        hasher.update(self.seq.to_be_bytes());
        hasher.update(millis(self.time).to_be_bytes());
        let texts = [
            Some(&self.actor),
            Some(&self.action),
            self.target.as_ref(),
            Some(&self.detail),
            self.client_ip.as_ref(),
            Some(&self.outcome),
        ];
        for text in texts {
            hasher.update([u8::from(text.is_some())]);
            if let Some(text) = text {
                hasher.update((text.len() as u64).to_be_bytes());
                hasher.update(text.as_bytes());
            }
        }
        AuditHash(hasher.finalize().into())
    }

    /// Reads an entry as it stands in the database, whatever somebody has made of it.
    pub(super) fn read(row: &Row) -> Result<Self, sqlx::Error> {
        let hash = |column: &str| -> Result<AuditHash, sqlx::Error> {
            let bytes: Vec<u8> = row.try_get(column)?;
            AuditHash::of_bytes(&bytes).ok_or_else(|| sqlx::Error::Decode(Box::new(BadAuditHash)))
        };
        let (previous, own) = (hash("previous_hash")?, hash("hash")?);
        Ok(Self { previous, hash: own, ..Self::read_unchained(row)? })
    }

    /// The same, where entries have no hashes yet.
    pub(super) fn read_unchained(row: &Row) -> Result<Self, sqlx::Error> {
        Ok(Self {
            seq: row.try_get("seq")?,
            time: Timestamp::from_millis(row.try_get("time_ms")?),
            actor: row.try_get("actor")?,
            action: row.try_get("action")?,
            target: row.try_get("target")?,
            detail: row.try_get("detail")?,
            client_ip: row.try_get("client_ip")?,
            outcome: row.try_get("outcome")?,
            previous: AuditHash::NONE,
            hash: AuditHash::NONE,
        })
    }

    /// Writes it as the last entry; the database refuses one that is not.
    pub(super) async fn insert(&self, transaction: &mut Transaction) -> Result<AuditHead, StateError> {
        sqlx::query(
            "INSERT INTO audit
                 (seq, time_ms, actor, action, target, detail, client_ip, outcome, previous_hash, hash)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
        )
        .bind(self.seq)
        .bind(millis(self.time))
        .bind(&self.actor)
        .bind(&self.action)
        .bind(self.target.as_deref())
        .bind(&self.detail)
        .bind(self.client_ip.as_deref())
        .bind(&self.outcome)
        .bind(&self.previous.0[..])
        .bind(&self.hash.0[..])
        .execute(&mut **transaction)
        .await
        .map_err(during("writing the audit log"))?;
        Ok(AuditHead { seq: self.seq, hash: self.hash })
    }
}

/// The further facts as text; of too many only that they were there.
fn bounded(detail: &serde_json::Value) -> String {
    let text = detail.to_string();
    if text.len() <= MAX_DETAIL_BYTES {
        return text;
    }
    serde_json::json!({ "left_out_bytes": text.len() }).to_string()
}

/// Writes an entry after the last one. The transaction holds the right to write since its beginning, so nobody
/// else can come between.
pub(crate) async fn append(
    transaction: &mut Transaction,
    entry: &AuditEntry,
) -> Result<AuditHead, StateError> {
    let head = head(transaction).await?;
    insert_after(transaction, head, entry).await
}

/// The same where it is known after what.
pub(super) async fn insert_after(
    transaction: &mut Transaction,
    head: AuditHead,
    entry: &AuditEntry,
) -> Result<AuditHead, StateError> {
    Link::after(head, entry).insert(transaction).await
}

/// The highest number that was ever given to an entry.
pub(super) async fn written(transaction: &mut Transaction) -> Result<i64, StateError> {
    sqlx::query_scalar("SELECT written FROM audit_head")
        .fetch_one(&mut **transaction)
        .await
        .map_err(during("reading the end of the audit log"))
}

/// After what the next entry goes: the highest number that was ever given, and the hash of the last entry. The two
/// belong together unless somebody took entries away from the end; then a gap stays for ever.
async fn head(transaction: &mut Transaction) -> Result<AuditHead, StateError> {
    let doing = "reading the end of the audit log";
    let row = sqlx::query("SELECT written, hash FROM audit_head")
        .fetch_one(&mut **transaction)
        .await
        .map_err(during(doing))?;
    let seq = row.try_get("written").map_err(during(doing))?;
    let Some(bytes) = row.try_get::<Option<Vec<u8>>, _>("hash").map_err(during(doing))? else {
        return Ok(AuditHead { seq, hash: AuditHash::NONE });
    };
    let hash = AuditHash::of_bytes(&bytes).ok_or_else(|| {
        crate::scope::unknown("the last hash of the audit log", &format!("{} bytes", bytes.len()))
    })?;
    Ok(AuditHead { seq, hash })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn link() -> Link {
        Link {
            seq: 1,
            time: Timestamp::from_millis(1_754_083_800_123),
            actor: "ann".to_owned(),
            action: "user.create".to_owned(),
            target: Some("bob".to_owned()),
            detail: r#"{"role":"viewer"}"#.to_owned(),
            client_ip: Some("127.0.0.1".to_owned()),
            outcome: "ok".to_owned(),
            previous: AuditHash::NONE,
            hash: AuditHash::NONE,
        }
    }

    /// The hashes were made by another program, from what docs/audit.md says.
    #[test]
    fn the_hash_is_that_of_the_bytes_that_are_documented() {
        let whole = link();
        assert_eq!(
            whole.computed().to_string(),
            "b42e1224ae2c88ea94e5c1fd02581d368c755f75d9bc00df441797ca5bda3ff0"
        );
        let without = Link { target: None, client_ip: None, ..whole };
        assert_eq!(
            without.computed().to_string(),
            "810aa857b4a9690aad6999b1ab65b8f04909788c2c03d8b1b8784510a54bb358"
        );
    }

    #[test]
    fn no_text_can_be_moved_from_one_field_to_its_neighbour() {
        let moved = Link { actor: "annuser".to_owned(), action: ".create".to_owned(), ..link() };
        assert_ne!(moved.computed(), link().computed());
        let absent = Link { target: None, ..link() };
        let empty = Link { target: Some(String::new()), ..link() };
        assert_ne!(absent.computed(), empty.computed());
    }

    #[test]
    fn a_hash_is_read_from_its_digits_alone() {
        let hash = link().computed();
        assert_eq!(hash.to_string().parse::<AuditHash>(), Ok(hash));
        assert_eq!(hash.to_string().to_uppercase().parse::<AuditHash>(), Ok(hash));
        for wrong in ["", "00", &"0".repeat(63), &"0".repeat(65), &"g".repeat(64), &"é".repeat(32)] {
            assert_eq!(wrong.parse::<AuditHash>(), Err(BadAuditHash), "{wrong}");
        }
    }
}
