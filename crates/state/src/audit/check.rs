//! Going over a chain entry by entry: whether each is as it was written, and follows the one before it.
//! Knows neither the database nor files.

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::chain::{AuditHash, AuditHead, Link};

/// The action of the entry that retention writes before it removes others.
pub(super) const CHECKPOINT: &str = "audit.checkpoint";
/// The action of the entry that says which entries were there before there was a chain.
pub(super) const CHAINED: &str = "audit.chain";

/// What a checkpoint says in its detail: which entries retention has removed.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Checkpoint {
    pub(super) removed: u64,
    pub(super) first_seq: i64,
    pub(super) last_seq: i64,
    /// The hash of the last one: what the oldest entry that is left has as the hash before it.
    pub(super) last_hash: AuditHash,
}

/// What the entry says in its detail that was written when a log became a chain.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Chained {
    /// How many entries were there.
    pub(super) entries: u64,
    /// The place of the first entry of the chain.
    pub(super) first_seq: i64,
}

/// What is wrong with an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AuditFault {
    /// It is not what was written.
    Changed,
    /// It is not there.
    Missing,
    /// It stands where another one belongs.
    OutOfOrder,
}

impl AuditFault {
    /// Its name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Changed => "changed",
            Self::Missing => "missing",
            Self::OutOfOrder => "out_of_order",
        }
    }
}

/// The first place at which a chain does not hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditFlaw {
    /// The place of the entry.
    pub seq: i64,
    /// What is wrong.
    pub fault: AuditFault,
    /// The same in a sentence.
    pub reason: String,
}

impl fmt::Display for AuditFlaw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.reason)
    }
}

/// What the first entry that is there follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AuditStart {
    /// Nothing: it is the first that was ever written.
    Beginning,
    /// Nothing: it was there before there was a chain, as an entry of the chain says.
    Migration,
    /// Entries that retention has removed, as a checkpoint further on says.
    Checkpoint,
    /// Entries that are not there. A part of an export begins so; a log that does is broken.
    Middle,
}

impl AuditStart {
    /// Its name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Beginning => "beginning",
            Self::Migration => "migration",
            Self::Checkpoint => "checkpoint",
            Self::Middle => "middle",
        }
    }
}

/// What was found when a log, or an export of one, was gone over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditVerdict {
    /// How many entries are sound, up to the first that is not.
    pub entries: u64,
    /// The place of the first of them.
    pub first_seq: Option<i64>,
    /// The last of them.
    pub head: Option<AuditHead>,
    /// What the first of them follows.
    pub start: Option<AuditStart>,
    /// The place of the entry whose hash was expected.
    pub expected_at: Option<i64>,
    /// Where the chain does not hold.
    pub flaw: Option<AuditFlaw>,
}

impl AuditVerdict {
    /// Whether the chain holds from its first entry to its last.
    pub fn is_intact(&self) -> bool {
        self.flaw.is_none()
    }

    /// As the API shows it.
    pub fn to_json(&self) -> Value {
        json!({
            "intact": self.is_intact(),
            "entries": self.entries,
            "first_seq": self.first_seq,
            "head": self.head,
            "start": self.start.map(AuditStart::as_str),
            "expected_at": self.expected_at,
            "flaw": self.flaw.as_ref().map(|flaw| {
                json!({ "seq": flaw.seq, "fault": flaw.fault.as_str(), "reason": flaw.reason })
            }),
        })
    }
}

/// Goes over a chain.
#[derive(Debug)]
pub(super) struct ChainCheck {
    expected: Option<AuditHash>,
    expected_at: Option<i64>,
    entries: u64,
    /// The place of the first entry, and the hash before it.
    first: Option<(i64, AuditHash)>,
    last: Option<AuditHead>,
    start: AuditStart,
    flaw: Option<AuditFlaw>,
    /// The hash of the entry that belongs where the flaw is, and the place of the one that stands there.
    missed: Option<(AuditHash, i64)>,
}

impl ChainCheck {
    /// One of the entries is expected to have the hash `expected`, if there is one.
    pub(super) fn new(expected: Option<AuditHash>) -> Self {
        Self {
            expected,
            expected_at: None,
            entries: 0,
            first: None,
            last: None,
            start: AuditStart::Middle,
            flaw: None,
            missed: None,
        }
    }

    /// Takes the next entry. `false` once no further one can change what is found.
    pub(super) fn take(&mut self, link: &Link) -> bool {
        if self.flaw.is_some() {
            return self.look_for_the_missed(link);
        }
        self.flaw = self.flaw_of(link);
        if self.flaw.is_some() {
            return self.missed.is_some();
        }
        if self.entries == 0 {
            self.first = Some((link.seq, link.previous));
            if link.seq == 1 && link.previous == AuditHash::NONE {
                self.start = AuditStart::Beginning;
            }
        }
        self.entries += 1;
        self.last = Some(AuditHead { seq: link.seq, hash: link.hash });
        if self.expected == Some(link.hash) {
            self.expected_at = Some(link.seq);
        }
        self.learn_the_start(link);
        true
    }

    /// The next entry cannot be read at all.
    pub(super) fn unreadable(&mut self, seq: i64, why: &str) {
        let flaw = || AuditFlaw {
            seq,
            fault: AuditFault::Changed,
            reason: format!("entry {seq} was changed: {why}"),
        };
        self.flaw.get_or_insert_with(flaw);
    }

    /// The place after the last sound entry.
    pub(super) fn next_seq(&self) -> i64 {
        self.last.map_or(1, |last| last.seq.saturating_add(1))
    }

    fn flaw_of(&mut self, link: &Link) -> Option<AuditFlaw> {
        let is_own = link.computed() == link.hash;
        let Some(last) = self.last else {
            if is_own {
                return None;
            }
            self.missed = Some((link.previous, link.seq));
            return Some(changed(link.seq));
        };
        if link.seq <= last.seq {
            return Some(out_of_order(link.seq, &format!("after entry {}", last.seq)));
        }
        let next = self.next_seq();
        if link.previous == last.hash {
            return match is_own {
                false => Some(changed(link.seq)),
                true => (link.seq > next).then(|| missing(next, link.seq - 1)),
            };
        }
        // Unless what it follows stands further on.
        self.missed = Some((link.previous, link.seq));
        Some(match is_own {
            false => changed(link.seq),
            true if link.seq > next => missing(next, link.seq - 1),
            true => AuditFlaw {
                seq: last.seq,
                fault: AuditFault::Changed,
                reason: format!(
                    "entry {} was changed and given a new hash: entry {} was written after another one",
                    last.seq, link.seq
                ),
            },
        })
    }

    fn look_for_the_missed(&mut self, link: &Link) -> bool {
        let Some((missed, misplaced)) = self.missed else { return false };
        if link.hash != missed {
            return true;
        }
        self.flaw = Some(out_of_order(misplaced, &format!("before entry {}, which it follows", link.seq)));
        self.missed = None;
        false
    }

    /// A sound entry, mostly one further on, may say what the first one follows.
    fn learn_the_start(&mut self, link: &Link) {
        let Some((first, before)) = self.first.filter(|_| self.start == AuditStart::Middle) else { return };
        if link.action == CHECKPOINT {
            let covers =
                |told: Checkpoint| told.last_seq.checked_add(1) == Some(first) && told.last_hash == before;
            if serde_json::from_str(&link.detail).is_ok_and(covers) {
                self.start = AuditStart::Checkpoint;
            }
        } else if link.action == CHAINED {
            let covers = |told: Chained| told.first_seq == first && before == AuditHash::NONE;
            if serde_json::from_str(&link.detail).is_ok_and(covers) {
                self.start = AuditStart::Migration;
            }
        }
    }

    /// What was found. Of a log itself, and not of an export, `written` is the highest number that it has given:
    /// nothing may be gone before the first entry but by retention, and nothing after the last.
    pub(super) fn finish(mut self, written: Option<i64>) -> AuditVerdict {
        if let Some(written) = written.filter(|_| self.flaw.is_none()) {
            self.flaw = self.flaw_at_the_ends(written);
        }
        if let Some(expected) = self.expected.filter(|_| self.flaw.is_none() && self.expected_at.is_none()) {
            match self.first {
                // The last entry that retention removed.
                Some((first, before)) if before == expected => {
                    self.expected_at = Some(first.saturating_sub(1));
                }
                _ => self.flaw = Some(self.without_the_expected(expected)),
            }
        }
        AuditVerdict {
            entries: self.entries,
            first_seq: self.first.map(|(seq, _)| seq),
            head: self.last,
            start: self.first.map(|_| self.start),
            expected_at: self.expected_at,
            flaw: self.flaw,
        }
    }

    fn flaw_at_the_ends(&self, written: i64) -> Option<AuditFlaw> {
        if let Some((first, _)) = self.first.filter(|_| self.start == AuditStart::Middle) {
            let seq = first.saturating_sub(1).max(1);
            let reason = format!(
                "entries up to {seq} are missing, and no checkpoint says that retention removed them"
            );
            return Some(AuditFlaw { seq, fault: AuditFault::Missing, reason });
        }
        let next = self.next_seq();
        (written >= next).then(|| missing(next, written))
    }

    fn without_the_expected(&self, expected: AuditHash) -> AuditFlaw {
        let older = match self.first {
            Some((first, _)) if first > 1 => {
                format!(", or it is older than entry {first}, the oldest that is there")
            }
            _ => String::new(),
        };
        let seq = self.next_seq();
        let reason = format!(
            "no entry has the expected hash {expected}: entries from {seq} on are missing at the end, \
             or the log is another one{older}"
        );
        AuditFlaw { seq, fault: AuditFault::Missing, reason }
    }
}

fn changed(seq: i64) -> AuditFlaw {
    let reason = format!("entry {seq} was changed: its hash is not that of what it says");
    AuditFlaw { seq, fault: AuditFault::Changed, reason }
}

fn missing(first: i64, last: i64) -> AuditFlaw {
    let reason = match first == last {
        true => format!("entry {first} is missing"),
        false => format!("entries {first} to {last} are missing"),
    };
    AuditFlaw { seq: first, fault: AuditFault::Missing, reason }
}

fn out_of_order(seq: i64, stands: &str) -> AuditFlaw {
    let reason = format!("entry {seq} is out of order: it stands {stands}");
    AuditFlaw { seq, fault: AuditFault::OutOfOrder, reason }
}
