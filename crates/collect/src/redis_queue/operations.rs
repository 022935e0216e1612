//! What an operator does with the tasks of a queue: queue them again, or remove them.
//!
//! First a preview says exactly which tasks would be touched, and is kept for a while under its digest;
//! then the digest executes it. What is executed is what was seen, less what has moved on since: each
//! task is moved by one step inside Redis that first makes sure that the task is still where it was, so
//! a worker that takes it meanwhile wins, and no task is lost or doubled.
//!
//! A task's payload is read to move it, and is forgotten with the answer.

mod act;
mod previews;
mod route;
mod select;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use model::Timestamp;
use pipeline::{Pipeline, QueueState};

use super::mapping::Mapping;
use super::read::Reading;
use crate::collector::CollectError;
use crate::redis_server::Server;
use act::Acted;
use previews::{Planned, Previews};
use route::{Prepared, Route};
use select::Candidate;

/// The most tasks of one operation.
pub(crate) const MAX_TASKS: usize = 1_000;
/// The most ids that one selection names.
const MAX_IDS: usize = 1_000;
/// How long an operation may take, however many tasks it moves.
const TIME_LIMIT: Duration = Duration::from_secs(20);

/// What is done with tasks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum QueueAction {
    /// They wait again, at the end from which tasks are taken next.
    Requeue,
    /// They are gone.
    Remove,
}

impl QueueAction {
    /// The action as it is written.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Requeue => "requeue",
            Self::Remove => "remove",
        }
    }
}

/// Which tasks are meant: those in a state that fulfil every condition.
#[derive(Clone, Debug, PartialEq)]
pub struct TaskSelection {
    /// Where they are.
    pub state: QueueState,
    /// Those with these ids; all when empty.
    pub ids: Vec<String>,
    /// Those that have been there for longer. A task of unknown age is not.
    pub older_than: Option<Duration>,
    /// Those in work that no worker has any more.
    pub no_owner: bool,
    /// Stands in place of a condition, where every task is meant.
    pub all: bool,
}

/// A task that an operation touches.
#[derive(Clone, Debug, PartialEq)]
pub struct TouchedTask {
    /// Its id; in a stream, that of its entry.
    pub id: String,
    /// Its kind.
    pub kind: Option<String>,
    /// Its document.
    pub document_id: Option<String>,
    /// How long it has been in its state, in seconds, where that is known.
    pub age_seconds: Option<f64>,
    /// Its score, where the key is a sorted set.
    pub score: Option<f64>,
    /// The worker that has it, or had it.
    pub owner: Option<String>,
    /// Why nobody is taken to have it; `None` when somebody has it, or when that cannot be told.
    pub unowned: Option<String>,
}

/// What an operation would do.
#[derive(Clone, Debug, PartialEq)]
pub struct OperationPreview {
    /// The queue.
    pub queue: String,
    /// What would be done.
    pub action: QueueAction,
    /// Where the tasks are.
    pub state: QueueState,
    /// What executes it, once.
    pub digest: String,
    /// Until then it can be executed.
    pub expires_at: Timestamp,
    /// The tasks, oldest first.
    pub tasks: Vec<TouchedTask>,
    /// Whether more tasks than one operation touches are meant: the rest needs another one.
    pub more: bool,
    /// Those that are meant and hold no task that could be queued again: they stay.
    pub skipped: Vec<String>,
    /// How many tasks of the state were not looked at, because an operation reads only so many.
    pub unread: u64,
}

/// What an operation has done.
#[derive(Clone, Debug, PartialEq)]
pub struct OperationOutcome {
    /// The queue.
    pub queue: String,
    /// What was done.
    pub action: QueueAction,
    /// Where the tasks were.
    pub state: QueueState,
    /// The tasks that it was done with.
    pub done: Vec<String>,
    /// Those that had moved on, or no longer were as selected; nothing was done with them.
    pub gone: Vec<String>,
    /// Those that held no task that could be queued again when they were previewed.
    pub skipped: Vec<String>,
}

/// An operation that was not done.
#[derive(Debug, thiserror::Error)]
pub enum OperationError {
    /// No mapped queue has this name.
    #[error("no queue `{0}` is mapped in [[redis.queues]]")]
    UnknownQueue(String),
    /// The selection cannot be meant so.
    #[error("{0}")]
    Selection(String),
    /// The queue does not lie so that it can be done.
    #[error("queue `{queue}`: {reason}")]
    NotPossible {
        /// The queue.
        queue: String,
        /// Why, and what can be done instead.
        reason: String,
    },
    /// The preview is not known: it was executed, is too old, or never was.
    #[error("there is no such preview of this queue: it was executed, or is too old; preview again")]
    NoPreview,
    /// Redis did not do it.
    #[error("the tasks could not be reached")]
    Redis(#[source] CollectError),
    /// Redis stopped in the middle; what was done is done.
    #[error("redis broke off after {} tasks; preview again to see the rest", done.len())]
    BrokenOff {
        /// The tasks that it was certainly done with.
        done: Vec<String>,
        /// What Redis said.
        #[source]
        source: CollectError,
    },
}

/// A mapped queue, and where it is.
struct Mapped {
    server: Arc<Server>,
    mapping: Mapping,
}

/// The operations on all mapped queues.
pub struct QueueOperations {
    queues: HashMap<String, Mapped>,
    pipeline: Arc<Pipeline>,
    previews: Previews,
}

impl QueueOperations {
    pub(crate) fn new(pipeline: Arc<Pipeline>) -> Self {
        Self { queues: HashMap::new(), pipeline, previews: Previews::default() }
    }

    pub(crate) fn add(&mut self, server: Arc<Server>, mapping: Mapping) {
        self.queues.insert(mapping.name.clone(), Mapped { server, mapping });
    }

    /// What would be done; nothing is changed.
    pub async fn preview(
        &self,
        queue: &str,
        action: QueueAction,
        selection: TaskSelection,
    ) -> Result<OperationPreview, OperationError> {
        selection.check()?;
        let mapped = self.mapped(queue)?;
        let route = mapped.route(action, selection.state)?;
        let now = Timestamp::now();
        let (prepared, unread) = self.select(mapped, &route, &selection, now).await?;
        let Prepared { candidates: mut found, skipped, reason } = prepared;
        if let (true, Some(reason)) = (found.is_empty(), reason) {
            return Err(mapped.not_possible(reason));
        }
        let more = found.len() > MAX_TASKS || (selection.all && unread > 0);
        found.truncate(MAX_TASKS);
        let tasks = found.iter().map(|candidate| candidate.shown.clone()).collect();
        let planned = Planned {
            queue: queue.to_owned(),
            action,
            state: selection.state,
            selection,
            tasks: found.iter().map(Candidate::fingerprint).collect(),
            skipped: skipped.clone(),
        };
        let (queue, state) = (planned.queue.clone(), planned.state);
        let (digest, expires_at) = self.previews.keep(planned, now);
        Ok(OperationPreview { queue, action, state, digest, expires_at, tasks, more, skipped, unread })
    }

    /// Does what a preview has shown. A digest works once.
    pub async fn execute(&self, queue: &str, digest: &str) -> Result<OperationOutcome, OperationError> {
        let mapped = self.mapped(queue)?;
        let now = Timestamp::now();
        let planned = self.previews.take(queue, digest, now).ok_or(OperationError::NoPreview)?;
        let route = mapped.route(planned.action, planned.state)?;
        // Selected once more: a task that a worker has taken up since is no longer stuck.
        let (prepared, _) = self.select(mapped, &route, &planned.selection, now).await?;
        let mut found: HashMap<_, _> =
            prepared.candidates.into_iter().map(|candidate| (candidate.fingerprint(), candidate)).collect();
        let (mut still, mut gone) = (Vec::new(), Vec::new());
        for fingerprint in &planned.tasks {
            match found.remove(fingerprint) {
                Some(candidate) => still.push(candidate),
                None => gone.push(fingerprint.shown_id.clone()),
            }
        }
        let connection = mapped.server.connection().await.map_err(OperationError::Redis)?;
        let mut acted = Acted { done: Vec::new(), gone };
        let acting = act::act(connection, &route, still, &mut acted);
        let ended = tokio::time::timeout(TIME_LIMIT, acting).await;
        if let Err(source) = ended.unwrap_or(Err(CollectError::TimedOut(TIME_LIMIT))) {
            return Err(OperationError::BrokenOff { done: acted.done, source });
        }
        let Planned { queue, action, state, skipped, .. } = planned;
        Ok(OperationOutcome { queue, action, state, done: acted.done, gone: acted.gone, skipped })
    }

    /// What a preview that was not executed yet would do: for the audit log of what then fails.
    pub fn previewed(&self, queue: &str, digest: &str) -> Option<(QueueAction, QueueState, usize)> {
        self.previews.peek(queue, digest, Timestamp::now())
    }

    fn mapped(&self, queue: &str) -> Result<&Mapped, OperationError> {
        let unknown = || OperationError::UnknownQueue(queue.chars().take(128).collect());
        self.queues.get(queue).ok_or_else(unknown)
    }

    /// The tasks that are meant, and how many could not be looked at.
    async fn select(
        &self,
        mapped: &Mapped,
        route: &Route,
        selection: &TaskSelection,
        now: Timestamp,
    ) -> Result<(Prepared, u64), OperationError> {
        let connection = mapped.server.connection().await.map_err(OperationError::Redis)?;
        let reading = select::read(connection, &mapped.mapping, route.from(), now);
        let read = tokio::time::timeout(TIME_LIMIT, reading).await;
        let Reading { members, depth, whole } =
            read.unwrap_or(Err(CollectError::TimedOut(TIME_LIMIT))).map_err(OperationError::Redis)?;
        let unread = if whole { 0 } else { depth.saturating_sub(members.len() as u64).max(1) };
        let candidates = select::candidates(&self.pipeline, &mapped.mapping, selection, members, now);
        Ok((route.prepare(candidates), unread))
    }
}

impl Mapped {
    fn route(&self, action: QueueAction, state: QueueState) -> Result<Route, OperationError> {
        Route::of(&self.mapping, action, state).map_err(|reason| self.not_possible(reason))
    }

    fn not_possible(&self, reason: String) -> OperationError {
        OperationError::NotPossible { queue: self.mapping.name.clone(), reason }
    }
}

impl TaskSelection {
    fn check(&self) -> Result<(), OperationError> {
        let fail = |text: &str| Err(OperationError::Selection(text.to_owned()));
        let has_condition = !self.ids.is_empty() || self.older_than.is_some() || self.no_owner;
        if !has_condition && !self.all {
            return fail("no task is chosen: give ids, older_than or no_owner, or all to mean every task");
        }
        if has_condition && self.all {
            return fail("all stands alone: leave it out, or leave the conditions out");
        }
        if self.no_owner && self.state != QueueState::Processing {
            return fail("no_owner is about tasks in processing: elsewhere no task has an owner");
        }
        if self.ids.len() > MAX_IDS {
            return Err(OperationError::Selection(format!("{MAX_IDS} ids are the most of one operation")));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
