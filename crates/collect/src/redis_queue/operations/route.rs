//! From where to where an operation moves tasks, and whether the mapping allows it.

use pipeline::QueueState;

use super::QueueAction;
use super::select::Candidate;
use crate::redis_queue::mapping::{Access, DeadTask, Key, Mapping, Path};

/// The way of an operation.
#[derive(Clone, Debug)]
pub(super) enum Route {
    /// Members are taken out of a set, sorted set or list.
    Remove { from: Key },
    /// Members go to the pending key, sorted sets' with their score.
    Move {
        from: Key,
        to: Key,
        /// Where in the member the task stands; `None` when the member is the task.
        inside: Option<Path>,
        /// Whether a bare id is no task here.
        has_payloads: bool,
    },
    /// Entries are taken out of a stream.
    RemoveEntries { from: Key, group: Option<String>, taken: bool },
    /// Entries that were delivered are added anew, and acknowledged.
    AddEntriesAnew { from: Key, group: String },
}

/// Why bare ids cannot be queued again, and what can be done.
const ONLY_IDS: &str = "the key holds bare ids and the tasks are JSON; Redis no longer has the payload, and \
    Watchkeeper never keeps one, so these tasks can only be removed: submit them again at their source";

impl Route {
    pub(super) fn of(mapping: &Mapping, action: QueueAction, state: QueueState) -> Result<Self, String> {
        let key = match state {
            QueueState::Pending => &mapping.pending,
            QueueState::Processing => &mapping.processing,
            QueueState::Delayed => &mapping.delayed,
            QueueState::Dead => &mapping.dead,
        };
        let from = key.clone().ok_or_else(|| format!("it has no mapped key `{}`", state.as_str()))?;
        match action {
            QueueAction::Remove => Ok(Self::removal(from)),
            QueueAction::Requeue => Self::back(mapping, from, state),
        }
    }

    fn removal(from: Key) -> Self {
        let (group, taken) = match &from.access {
            Access::StreamWaiting { group, .. } => (group.clone(), false),
            Access::StreamTaken { group } => (Some(group.clone()), true),
            Access::Zset { .. } | Access::Set | Access::List { .. } => return Self::Remove { from },
        };
        Self::RemoveEntries { from, group, taken }
    }

    /// The way back to pending.
    fn back(mapping: &Mapping, from: Key, state: QueueState) -> Result<Self, String> {
        if state == QueueState::Pending {
            return Err("its pending tasks wait already".to_owned());
        }
        let inside = match (state, &mapping.dead_task) {
            (QueueState::Dead, None) => {
                return Err("what a dead letter holds is not mapped, so dead letters can only be removed; \
                    set dead_task = \".\" when a letter is the task itself, or the path to it"
                    .to_owned());
            }
            (QueueState::Dead, Some(DeadTask::At(path))) => Some(path.clone()),
            _ => None,
        };
        let to = mapping.pending.clone().ok_or("it has no mapped key `pending` to put tasks back to")?;
        match (&from.access, &to.access) {
            (Access::StreamTaken { group }, Access::StreamWaiting { .. }) if from.name == to.name => {
                let group = group.clone();
                Ok(Self::AddEntriesAnew { from, group })
            }
            (Access::StreamTaken { .. } | Access::StreamWaiting { .. }, _)
            | (_, Access::StreamTaken { .. } | Access::StreamWaiting { .. }) => {
                Err("tasks cannot be moved between a stream and another key".to_owned())
            }
            (Access::Zset { score, .. }, Access::Zset { score: wanted, .. }) if score == wanted => {
                Ok(Self::Move { from, to, inside, has_payloads: mapping.has_payloads })
            }
            // A bare id is refused for a better reason, once it has been seen.
            (Access::Set, Access::Zset { .. }) if mapping.has_payloads => Err(ONLY_IDS.to_owned()),
            (_, Access::Zset { .. }) => Err(format!(
                "`{}` is a sorted set, and `{}` does not keep the score that a task had there, so these tasks can only be removed",
                to.name, from.name
            )),
            _ => Ok(Self::Move { from, to, inside, has_payloads: mapping.has_payloads }),
        }
    }

    /// The key that tasks are taken from.
    pub(super) fn from(&self) -> &Key {
        match self {
            Self::Remove { from }
            | Self::Move { from, .. }
            | Self::RemoveEntries { from, .. }
            | Self::AddEntriesAnew { from, .. } => from,
        }
    }

    /// Leaves out what would arrive as something else than a task.
    pub(super) fn prepare(&self, candidates: Vec<Candidate>) -> Prepared {
        let mut prepared = Prepared::default();
        for candidate in candidates {
            match self.unfit(&candidate) {
                None => prepared.candidates.push(candidate),
                Some(reason) => {
                    prepared.skipped.push(candidate.shown.id);
                    prepared.reason.get_or_insert(reason);
                }
            }
        }
        prepared
    }

    fn unfit(&self, candidate: &Candidate) -> Option<String> {
        let Self::Move { inside, has_payloads, .. } = self else { return None };
        if inside.is_none() && *has_payloads && candidate.is_bare() {
            return Some(ONLY_IDS.to_owned());
        }
        let task = candidate.member.payload.as_deref().and_then(|member| task_in(inside.as_ref(), member));
        task.is_none().then(|| format!("there is no task inside of {}", candidate.shown.id))
    }
}

/// Tasks that are meant, and those that the way is not for.
#[derive(Debug, Default)]
pub(super) struct Prepared {
    pub(super) candidates: Vec<Candidate>,
    /// The ids of those that hold no task.
    pub(super) skipped: Vec<String>,
    /// Why the first of them is skipped.
    pub(super) reason: Option<String>,
}

/// The task that stands in a member: the text of a JSON string, or an object as it was written there.
pub(super) fn task_in(inside: Option<&Path>, member: &[u8]) -> Option<Vec<u8>> {
    let Some(path) = inside else { return Some(member.to_vec()) };
    let task = path.cut(member)?.get();
    match task.as_bytes().first()? {
        b'{' => Some(task.as_bytes().to_vec()),
        b'"' => {
            serde_json::from_str::<String>(task).ok().filter(|task| !task.is_empty()).map(String::into_bytes)
        }
        _ => None,
    }
}
