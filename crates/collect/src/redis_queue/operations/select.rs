//! Reads the tasks that an operation could touch, and finds those that are meant.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use model::Timestamp;
use pipeline::{Owners, Ownership, Pipeline, QueueState, QueueTask};
use redis::aio::MultiplexedConnection;

use super::previews::Fingerprint;
use super::route::task_in;
use super::{TaskSelection, TouchedTask};
use crate::collector::CollectError;
use crate::redis_queue::mapping::{DeadTask, Key, Mapping, MaxMembers};
use crate::redis_queue::payload::{Facts, PayloadReader};
use crate::redis_queue::read::{KeyReader, Member, Reading};

/// A task that is meant.
#[derive(Clone, Debug)]
pub(super) struct Candidate {
    pub(super) member: Member,
    pub(super) shown: TouchedTask,
    /// The id of the task in a dead letter.
    inside: Option<String>,
    copy: u32,
}

impl Candidate {
    pub(super) fn fingerprint(&self) -> Fingerprint {
        let content = match (&self.member.held, &self.member.facts) {
            (Some(held), _) => format!("{}\0{}", held.consumer, held.deliveries),
            (None, Some(facts)) => facts.payload_hash.clone(),
            (None, None) => String::new(),
        };
        Fingerprint {
            identity: self.member.identity.clone(),
            content,
            copy: self.copy,
            shown_id: self.shown.id.clone(),
        }
    }

    /// Whether the member is an id and nothing more.
    pub(super) fn is_bare(&self) -> bool {
        self.member.facts.as_ref().is_some_and(|facts| facts.bare)
    }
}

/// The members of a key, oldest first, as far as one operation reads.
pub(super) async fn read(
    connection: MultiplexedConnection,
    mapping: &Mapping,
    key: &Key,
    now: Timestamp,
) -> Result<Reading, CollectError> {
    let mut payloads = PayloadReader::new(mapping.paths.clone());
    let reader = KeyReader::new(connection, &mut payloads, MaxMembers::HIGHEST, now);
    reader.with_payloads().read(key).await
}

/// The members that are meant.
pub(super) fn candidates(
    pipeline: &Pipeline,
    mapping: &Mapping,
    selection: &TaskSelection,
    members: Vec<Member>,
    now: Timestamp,
) -> Vec<Candidate> {
    let followed: HashMap<String, QueueTask> = pipeline
        .queues()
        .get(&mapping.name)
        .into_iter()
        .flat_map(|view| view.tasks)
        .filter(|task| task.state == selection.state)
        .map(|task| (task.id.clone(), task))
        .collect();
    let owners = pipeline.owners();
    let wanted: HashSet<&str> = selection.ids.iter().map(String::as_str).collect();
    let mut copies: HashMap<(String, String), u32> = HashMap::new();
    let mut payloads = PayloadReader::new(mapping.paths.clone());
    members
        .into_iter()
        .map(|member| {
            let inside = task_inside(mapping, selection.state, &mut payloads, &member);
            let candidate = candidate(&owners, &followed, selection.state, (member, inside), now);
            let Fingerprint { identity, content, .. } = candidate.fingerprint();
            let copy = copies.entry((identity, content)).or_default();
            *copy += 1;
            Candidate { copy: *copy, ..candidate }
        })
        .filter(|candidate| is_meant(selection, &wanted, candidate))
        .collect()
}

/// What is known of the task in a dead letter, when that says who it is.
fn task_inside(
    mapping: &Mapping,
    state: QueueState,
    payloads: &mut PayloadReader,
    member: &Member,
) -> Option<Arc<Facts>> {
    let (QueueState::Dead, Some(DeadTask::At(path))) = (state, &mapping.dead_task) else { return None };
    let task = task_in(Some(path), member.payload.as_deref()?)?;
    Some(payloads.read(&task)).filter(|facts| facts.says_id())
}

fn candidate(
    owners: &Owners,
    followed: &HashMap<String, QueueTask>,
    state: QueueState,
    (member, inside): (Member, Option<Arc<Facts>>),
    now: Timestamp,
) -> Candidate {
    let facts = member.facts.as_deref();
    let id_of = |facts: Option<&Facts>| facts.map_or(&member.identity, |facts| &facts.id).clone();
    let listed = id_of(facts);
    // A letter that does not say who it is goes by the task in it.
    let facts = inside.as_deref().filter(|_| facts.is_some_and(|facts| !facts.says_id())).or(facts);
    let id = id_of(facts);
    let task = followed.get(&listed).cloned().or_else(|| {
        // What no pass of the collector has listed is as old as its key says, if it says so.
        let created_at = facts.and_then(|facts| facts.created_at).or(member.created_at);
        let first_seen = member.since.or(created_at.filter(|_| state != QueueState::Processing))?;
        Some(QueueTask {
            id: id.clone(),
            kind: facts.and_then(|facts| facts.kind.clone()),
            document_id: facts.and_then(|facts| facts.document_id.clone()),
            priority: None,
            created_at,
            first_seen,
            state,
            payload_hash: String::new(),
            payload_bytes: 0,
            score: member.score,
            position: None,
        })
    });
    let ownership = match &task {
        Some(task) if state == QueueState::Processing => owners.owner(task, now),
        _ => Ownership::Unknown,
    };
    let (owner, unowned) = match ownership {
        Ownership::Held { worker } => (Some(worker), None),
        Ownership::Nobody { worker, reason } => (worker, Some(reason)),
        Ownership::Unknown => (member.held.as_ref().map(|held| held.consumer.clone()), None),
    };
    let shown = TouchedTask {
        kind: task.as_ref().and_then(|task| task.kind.clone()),
        document_id: task.as_ref().and_then(|task| task.document_id.clone()),
        age_seconds: task.as_ref().map(|task| task.age_seconds(now)),
        score: member.score,
        owner,
        unowned,
        id,
    };
    Candidate { member, shown, inside: inside.map(|facts| facts.id.clone()), copy: 0 }
}

fn is_meant(selection: &TaskSelection, wanted: &HashSet<&str>, candidate: &Candidate) -> bool {
    let shown = &candidate.shown;
    let named = wanted.is_empty()
        || wanted.contains(shown.id.as_str())
        || wanted.contains(candidate.member.identity.as_str())
        || candidate.inside.as_deref().is_some_and(|id| wanted.contains(id));
    let old = selection
        .older_than
        .is_none_or(|limit| shown.age_seconds.is_some_and(|age| age > limit.as_secs_f64()));
    named && old && (!selection.no_owner || shown.unowned.is_some())
}
