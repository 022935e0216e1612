//! Operations on the tasks of a queue, on the wire.

use std::time::Duration;

use model::{DurationText, Timestamp};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::shape;

/// An operation: first without `digest`, which shows what would be done; then with the digest of what
/// was shown, which does it.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Operation {
    /// `requeue` (tasks wait again) or `remove`.
    #[schema(example = "requeue")]
    pub(crate) action: String,
    /// Which tasks; not together with `digest`.
    #[serde(default)]
    pub(crate) tasks: Option<Tasks>,
    /// `true` to look, `false` to do it, which needs the `digest`. By default what the rest says.
    #[serde(default)]
    pub(crate) preview: Option<bool>,
    /// The digest of a preview: it is executed, once.
    #[serde(default)]
    pub(crate) digest: Option<String>,
}

/// Which tasks are meant: those that fulfil every condition.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Tasks {
    /// Where they are: `pending`, `processing` (by default), `delayed` or `dead`.
    #[serde(default)]
    pub(crate) state: Option<String>,
    /// Those with these ids; 1,000 at the most.
    #[serde(default)]
    pub(crate) ids: Vec<String>,
    /// Those that have been there for longer, like `10m`.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    pub(crate) older_than: Option<DurationText>,
    /// Those in work that no worker has any more.
    #[serde(default)]
    pub(crate) no_owner: bool,
    /// Every task, in place of a condition.
    #[serde(default)]
    pub(crate) all: bool,
}

impl Tasks {
    pub(crate) fn older_than(&self) -> Option<Duration> {
        self.older_than.map(|text| text.0)
    }
}

shape! {
    /// A task that an operation touches.
    TouchedTask from collect::TouchedTask {
        /// Its id; in a stream, that of its entry.
        id: String,
        /// Its kind.
        kind: Option<String>,
        /// Its document.
        document_id: Option<String>,
        /// How long it has been in its state, in seconds, where that is known.
        age_seconds: Option<f64>,
        /// Its score, where the key is a sorted set.
        score: Option<f64>,
        /// The worker that has it, or had it.
        owner: Option<String>,
        /// Why nobody is taken to have it; null when somebody has it, or when that cannot be told.
        unowned: Option<String>,
    }
}

/// What an operation would do, or has done.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct OperationAnswer {
    /// The queue.
    pub(crate) queue: String,
    /// `requeue` or `remove`.
    pub(crate) action: &'static str,
    /// Where the tasks are, or were.
    pub(crate) state: &'static str,
    /// Whether this is a preview, so nothing was done.
    pub(crate) preview: bool,
    /// How many tasks would be touched, or were.
    pub(crate) count: usize,
    /// Whether more are meant than one operation touches (1,000): the rest needs another one.
    pub(crate) more: bool,
    /// What executes the preview, once; null when it was executed.
    pub(crate) digest: Option<String>,
    /// Until then the preview can be executed.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub(crate) expires_at: Option<Timestamp>,
    /// The tasks of a preview, oldest first; empty once it was executed.
    pub(crate) tasks: Vec<TouchedTask>,
    /// The ids of the tasks that it was done with.
    pub(crate) done: Vec<String>,
    /// The ids of those that had moved on by then, so that nothing was done with them.
    pub(crate) gone: Vec<String>,
    /// The ids of those that are meant and hold no task that could be queued again: they stay.
    pub(crate) skipped: Vec<String>,
    /// How many tasks of the state a preview has not looked at: an operation reads the first 5,000.
    pub(crate) unread: u64,
}

impl From<collect::OperationPreview> for OperationAnswer {
    fn from(preview: collect::OperationPreview) -> Self {
        Self {
            queue: preview.queue,
            action: preview.action.as_str(),
            state: preview.state.as_str(),
            preview: true,
            count: preview.tasks.len(),
            more: preview.more,
            digest: Some(preview.digest),
            expires_at: Some(preview.expires_at),
            tasks: preview.tasks.into_iter().map(Into::into).collect(),
            done: Vec::new(),
            gone: Vec::new(),
            skipped: preview.skipped,
            unread: preview.unread,
        }
    }
}

impl From<collect::OperationOutcome> for OperationAnswer {
    fn from(outcome: collect::OperationOutcome) -> Self {
        Self {
            queue: outcome.queue,
            action: outcome.action.as_str(),
            state: outcome.state.as_str(),
            preview: false,
            count: outcome.done.len(),
            more: false,
            digest: None,
            expires_at: None,
            tasks: Vec::new(),
            done: outcome.done,
            gone: outcome.gone,
            skipped: outcome.skipped,
            unread: 0,
        }
    }
}
