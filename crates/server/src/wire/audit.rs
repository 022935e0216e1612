//! The audit log, and what its verification has found.

use model::Timestamp;
use serde::Serialize;
use state::AuditRecord;
use utoipa::ToSchema;

/// Something that somebody did.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct AuditItem {
    /// Its place in the log: ascending, never used twice.
    pub(crate) seq: i64,
    /// When.
    #[schema(value_type = String, format = DateTime)]
    pub(crate) time: Timestamp,
    /// Who.
    pub(crate) actor: String,
    /// What: `login`, `user.create`, `alert.acknowledge`.
    pub(crate) action: String,
    /// To what.
    pub(crate) target: Option<String>,
    /// Further facts.
    pub(crate) detail: serde_json::Value,
    /// From which address.
    pub(crate) client_ip: Option<String>,
    /// `ok`, `denied` or `failed`.
    pub(crate) outcome: &'static str,
    /// The hash of the entry and of all before it, in hexadecimal digits.
    pub(crate) hash: String,
}

impl From<AuditRecord> for AuditItem {
    fn from(record: AuditRecord) -> Self {
        let entry = record.entry;
        Self {
            seq: record.seq,
            time: entry.time,
            actor: entry.actor,
            action: entry.action,
            target: entry.target,
            detail: entry.detail,
            client_ip: entry.client_ip,
            outcome: entry.outcome.as_str(),
            hash: record.hash.to_string(),
        }
    }
}

/// What was found when the audit log was verified.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct AuditVerdict {
    /// Whether every entry is as it was written and follows the one before it.
    pub(crate) intact: bool,
    /// How many entries are sound, up to the first that is not.
    pub(crate) entries: u64,
    /// The place of the first of them.
    pub(crate) first_seq: Option<i64>,
    /// The last of them. Its hash stands for all of them: note it where nobody who can write here can write.
    pub(crate) head: Option<AuditHead>,
    /// What the first of them follows: `beginning` (nothing), `migration` (nothing: there was no chain before),
    /// `checkpoint` (entries that retention removed), `middle` (entries that are missing).
    pub(crate) start: Option<&'static str>,
    /// The place of the entry whose hash was expected.
    pub(crate) expected_at: Option<i64>,
    /// The first entry that is not sound.
    pub(crate) flaw: Option<AuditFlaw>,
}

/// An entry that stands for all before it.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct AuditHead {
    /// Its place.
    pub(crate) seq: i64,
    /// Its hash, in hexadecimal digits.
    pub(crate) hash: String,
}

/// Where the audit log is broken.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct AuditFlaw {
    /// The place of the entry.
    pub(crate) seq: i64,
    /// `changed`, `missing` or `out_of_order`.
    pub(crate) fault: &'static str,
    /// The same in a sentence.
    pub(crate) reason: String,
}

impl From<state::AuditVerdict> for AuditVerdict {
    fn from(verdict: state::AuditVerdict) -> Self {
        Self {
            intact: verdict.is_intact(),
            entries: verdict.entries,
            first_seq: verdict.first_seq,
            head: verdict.head.map(|head| AuditHead { seq: head.seq, hash: head.hash.to_string() }),
            start: verdict.start.map(state::AuditStart::as_str),
            expected_at: verdict.expected_at,
            flaw: verdict.flaw.map(|flaw| AuditFlaw {
                seq: flaw.seq,
                fault: flaw.fault.as_str(),
                reason: flaw.reason,
            }),
        }
    }
}
