//! Previews that wait to be executed: a few, for a while, each once.

use std::collections::VecDeque;
use std::time::Duration;

use model::Timestamp;
use parking_lot::Mutex;
use pipeline::QueueState;

use super::{QueueAction, TaskSelection};

/// The most previews kept; the oldest makes room.
const MAX_PREVIEWS: usize = 64;
/// How long a preview can be executed.
const LIFETIME: Duration = Duration::from_secs(600);

/// What makes a task the same: who it is, and what it says.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Fingerprint {
    /// Its id, or that of its stream's entry.
    pub(super) identity: String,
    /// The hash of its payload; of an entry that was delivered, to whom and how often.
    pub(super) content: String,
    /// Its place among tasks that are the same in every byte.
    pub(super) copy: u32,
    pub(super) shown_id: String,
}

/// A preview, without a payload.
#[derive(Clone, Debug)]
pub(super) struct Planned {
    pub(super) queue: String,
    pub(super) action: QueueAction,
    pub(super) state: QueueState,
    pub(super) selection: TaskSelection,
    pub(super) tasks: Vec<Fingerprint>,
    pub(super) skipped: Vec<String>,
}

struct Kept {
    digest: String,
    expires_at: Timestamp,
    planned: Planned,
}

#[derive(Default)]
pub(super) struct Previews(Mutex<VecDeque<Kept>>);

impl Previews {
    /// Keeps a preview, and gives its digest and when it ends.
    pub(super) fn keep(&self, planned: Planned, now: Timestamp) -> (String, Timestamp) {
        let expires_at = now.after(LIFETIME);
        let mut kept = self.0.lock();
        kept.retain(|kept| kept.expires_at > now);
        if kept.len() >= MAX_PREVIEWS {
            kept.pop_front();
        }
        // The time makes each preview another one, also of the same tasks.
        let digest = digest(&planned, &expires_at.to_string());
        kept.push_back(Kept { digest: digest.clone(), expires_at, planned });
        (digest, expires_at)
    }

    /// Takes a preview of `queue` to execute it.
    pub(super) fn take(&self, queue: &str, digest: &str, now: Timestamp) -> Option<Planned> {
        let mut kept = self.0.lock();
        let place = kept.iter().position(|kept| kept.is(queue, digest, now))?;
        kept.remove(place).map(|kept| kept.planned)
    }

    /// Looks at a preview of `queue`.
    pub(super) fn peek(
        &self,
        queue: &str,
        digest: &str,
        now: Timestamp,
    ) -> Option<(QueueAction, QueueState, usize)> {
        let kept = self.0.lock();
        let found = kept.iter().find(|kept| kept.is(queue, digest, now))?;
        Some((found.planned.action, found.planned.state, found.planned.tasks.len()))
    }
}

impl Kept {
    fn is(&self, queue: &str, digest: &str, now: Timestamp) -> bool {
        self.digest == digest && self.planned.queue == queue && self.expires_at > now
    }
}

fn digest(planned: &Planned, salt: &str) -> String {
    let mut text =
        format!("{}\0{}\0{}\0{salt}", planned.queue, planned.action.as_str(), planned.state.as_str());
    for task in &planned.tasks {
        for part in [&task.identity, &task.content] {
            text.push('\0');
            text.push_str(part);
        }
    }
    format!("{:032x}", xxhash_rust::xxh3::xxh3_128(text.as_bytes()))
}
