//! What is known of a queue's tasks from pass to pass, and what follows: arrivals, ends, ages.
//!
//! While every key is read whole, tasks are compared one by one: an id that was not there before has
//! arrived; one that is gone has ended, well or badly as its result says. Of a queue too long to be
//! read whole, only what is seen to leave is known one by one; arrivals then follow from the depths
//! (what is there now, less what was there, plus what left).

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use model::Timestamp;
use pipeline::{QueueSnapshot, QueueState, QueueTask};

use super::payload::Facts;
use super::read::{Member, Reading};

/// The most tasks remembered of one queue.
const MAX_TASKS: usize = 20_000;
/// The most tasks listed for each state.
const MAX_LISTED: usize = 200;
/// So many tasks that are taken next are listed whatever their age: with priorities, the next task is
/// often not the oldest.
const HEAD: u64 = 20;
/// A task that is gone, and whose result is awaited, is given up after so many passes.
const PASSES_UNTIL_LOST: u64 = 20;
/// Tasks move between keys while these are read one after the other; a later state wins.
const READING_ORDER: [QueueState; 4] =
    [QueueState::Pending, QueueState::Delayed, QueueState::Processing, QueueState::Dead];

/// How a task ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    Completed,
    Failed,
}

/// What a pass has read, by state.
pub(crate) type Readings = BTreeMap<QueueState, Reading>;

/// Tasks that arrived and ended since the collector began.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Totals {
    pub(crate) enqueued: u64,
    pub(crate) completed: u64,
    pub(crate) failed: u64,
}

/// A task that is followed.
#[derive(Clone, Debug)]
struct Task {
    facts: Option<Arc<Facts>>,
    score: Option<f64>,
    /// How many are before it in its key.
    position: Option<u64>,
    created_at: Option<Timestamp>,
    /// `None` while it is gone, and not known to have ended.
    state: Option<QueueState>,
    since: Timestamp,
    last_pass: u64,
}

/// Follows the tasks of one queue.
pub(crate) struct Tracker {
    tasks: HashMap<String, Task>,
    totals: Totals,
    pass: u64,
    has_results: bool,
    /// Whether the last pass read every key whole; `None` before the first.
    was_whole: Option<bool>,
    last_depth: u64,
    /// Tasks that left the queue in this pass.
    left: u64,
    forgotten: u64,
}

impl Tracker {
    pub(crate) fn new(has_results: bool) -> Self {
        Self {
            tasks: HashMap::new(),
            totals: Totals::default(),
            pass: 0,
            has_results,
            was_whole: None,
            last_depth: 0,
            left: 0,
            forgotten: 0,
        }
    }

    /// Tasks that were forgotten for want of room since the last call.
    pub(crate) fn take_forgotten(&mut self) -> u64 {
        std::mem::take(&mut self.forgotten)
    }

    /// Whether every task of this pass and the last is known by its id.
    fn is_exact(&self, readings: &Readings) -> bool {
        self.was_whole == Some(true) && is_whole(readings)
    }

    /// Takes note of what a pass has read, and gives the ids of the tasks that are gone, for which a
    /// result should be looked up: identity, and the id under which its result would stand.
    pub(crate) fn observe(&mut self, readings: &Readings, now: Timestamp) -> Vec<(String, String)> {
        self.pass += 1;
        self.left = 0;
        let exact = self.is_exact(readings);
        let mut present: HashMap<&str, (QueueState, u64, &Member)> = HashMap::new();
        for state in READING_ORDER {
            let members = readings.get(&state).into_iter().flat_map(|reading| &reading.members);
            for (position, member) in (0..).zip(members) {
                present.insert(&member.identity, (state, position, member));
            }
        }
        for (identity, (state, position, member)) in &present {
            self.note_present(identity, *state, member, exact, now);
            if let Some(task) = self.tasks.get_mut(*identity) {
                task.position = Some(*position);
            }
        }
        let present: HashSet<&str> = present.into_keys().collect();
        self.note_absent(&present, readings);
        self.make_room();
        self.tasks
            .iter()
            .filter(|(_, task)| task.state.is_none())
            .map(|(identity, task)| (identity.clone(), task.result_id(identity).to_owned()))
            .collect()
    }

    fn note_present(
        &mut self,
        identity: &str,
        state: QueueState,
        member: &Member,
        exact: bool,
        now: Timestamp,
    ) {
        let first_pass = self.was_whole.is_none();
        let is_dead = state == QueueState::Dead;
        let died = match self.tasks.get_mut(identity) {
            Some(task) => {
                let moved = task.state != Some(state);
                if moved {
                    (task.state, task.since) = (Some(state), now);
                }
                task.take(member);
                task.last_pass = self.pass;
                moved && is_dead
            }
            None => {
                let task = Task {
                    facts: member.facts.clone(),
                    score: member.score,
                    position: None,
                    created_at: member.created_at,
                    state: Some(state),
                    since: member.since.unwrap_or(now),
                    last_pass: self.pass,
                };
                self.tasks.insert(identity.to_owned(), task);
                self.totals.enqueued += u64::from(exact);
                is_dead && !first_pass
            }
        };
        if died {
            self.totals.failed += 1;
            self.left += 1;
        }
    }

    /// Tasks that are not where they were. Of a key that was not read whole, absence says nothing.
    fn note_absent(&mut self, present: &HashSet<&str>, readings: &Readings) {
        let is_whole = |state: QueueState| readings.get(&state).is_none_or(|reading| reading.whole);
        let all_whole =
            [QueueState::Pending, QueueState::Delayed, QueueState::Processing].into_iter().all(is_whole);
        let (pass, has_results) = (self.pass, self.has_results);
        let mut left = 0;
        self.tasks.retain(|identity, task| {
            let Some(state) = task.state.filter(|_| !present.contains(identity.as_str())) else {
                return true;
            };
            let is_gone = match state {
                QueueState::Dead | QueueState::Processing => is_whole(state),
                // It may have moved into the part of another key that was not read.
                QueueState::Pending | QueueState::Delayed => all_whole,
            };
            if !is_gone {
                return true;
            }
            // A dead letter has ended when it died. And a task that left while the queue was read in
            // part was counted then, by the depth, when no results tell of it.
            if state == QueueState::Dead || (!has_results && task.last_pass + 1 < pass) {
                return false;
            }
            (task.state, task.last_pass) = (None, pass);
            left += 1;
            true
        });
        self.left += left;
    }

    /// Forgets what was not met for longest when there are too many.
    fn make_room(&mut self) {
        if self.tasks.len() <= MAX_TASKS {
            return;
        }
        let mut passes: Vec<u64> = self.tasks.values().map(|task| task.last_pass).collect();
        passes.sort_unstable();
        let horizon = passes[passes.len() - MAX_TASKS * 9 / 10];
        let before = self.tasks.len();
        self.tasks.retain(|_, task| task.last_pass >= horizon);
        self.forgotten += (before - self.tasks.len()) as u64;
    }

    /// A task has ended so: one that is gone, one that was last met when the queue was read in part, or
    /// one that was never seen, because it came and went between two passes.
    pub(crate) fn ended(&mut self, identity: &str, end: End, readings: &Readings) {
        let task = self.tasks.remove(identity);
        let had_left = task.as_ref().is_some_and(|task| task.state.is_none());
        self.left += u64::from(!had_left);
        self.totals.enqueued += u64::from(task.is_none() && self.is_exact(readings));
        match end {
            End::Completed => self.totals.completed += 1,
            End::Failed => self.totals.failed += 1,
        }
    }

    /// Of the tasks whose result has appeared, those that have ended: the identity and the id of each.
    /// A task that was met in this pass has not ended yet, whatever result there is.
    pub(crate) fn not_present(&self, ids: Vec<String>) -> Vec<(String, String)> {
        if ids.is_empty() {
            return Vec::new();
        }
        let followed: HashMap<&str, (&str, &Task)> = self
            .tasks
            .iter()
            .map(|(identity, task)| (task.result_id(identity), (identity.as_str(), task)))
            .collect();
        ids.into_iter()
            .filter_map(|id| match followed.get(id.as_str()) {
                Some((_, task)) if task.state.is_some() && task.last_pass == self.pass => None,
                Some((identity, _)) => Some(((*identity).to_owned(), id)),
                None => Some((id.clone(), id)),
            })
            .collect()
    }

    /// The end of a pass, when all results have been looked up.
    pub(crate) fn finish(&mut self, readings: &Readings) {
        let pass = self.pass;
        let mut completed = 0;
        let has_results = self.has_results;
        self.tasks.retain(|_, task| {
            if task.state.is_some() {
                return true;
            }
            if has_results {
                return pass - task.last_pass < PASSES_UNTIL_LOST;
            }
            // Without results, leaving is all there is to see of an end. One pass later, because a task
            // that was on its way from one key to another is back by then.
            let ended = pass > task.last_pass;
            completed += u64::from(ended);
            !ended
        });
        self.totals.completed += completed;
        let depth = backlog(readings);
        if !self.is_exact(readings) && self.was_whole.is_some() {
            let fell = self.last_depth.saturating_sub(depth);
            if !has_results && fell > self.left {
                // Of what was not read, nothing tells what ends but the depth itself.
                self.totals.completed += fell - self.left;
                self.left = fell;
            }
            self.totals.enqueued += (depth + self.left).saturating_sub(self.last_depth);
        }
        self.last_depth = depth;
        self.was_whole = Some(is_whole(readings));
    }

    /// What to tell of the queue.
    pub(crate) fn snapshot(&self, queue: &str, readings: &Readings, now: Timestamp) -> QueueSnapshot {
        let mut by_state: BTreeMap<QueueState, Vec<QueueTask>> = BTreeMap::new();
        for (identity, task) in &self.tasks {
            // A key that was read in part holds tasks that this pass did not meet; they are not shown,
            // since they may have gone.
            if let Some(state) = task.state.filter(|_| task.last_pass == self.pass) {
                by_state.entry(state).or_default().push(task.shown(identity, state));
            }
        }
        let mut tasks = Vec::new();
        let mut oldest_age_seconds = BTreeMap::new();
        for (state, mut found) in by_state {
            let by_age = |a: &QueueTask, b: &QueueTask| {
                b.age_seconds(now).total_cmp(&a.age_seconds(now)).then_with(|| a.id.cmp(&b.id))
            };
            found.sort_by(by_age);
            if let Some(oldest) = found.first() {
                oldest_age_seconds.insert(state, oldest.age_seconds(now));
            }
            if found.len() > MAX_LISTED {
                // Stable: the heads of the queue, then the oldest of the rest.
                found.sort_by_key(|task| task.position.is_none_or(|position| position >= HEAD));
                found.truncate(MAX_LISTED);
                found.sort_by(by_age);
            }
            tasks.extend(found);
        }
        QueueSnapshot {
            queue: queue.to_owned(),
            system: "redis".to_owned(),
            time: now,
            depth: readings.iter().map(|(state, reading)| (*state, reading.depth)).collect(),
            tasks,
            oldest_age_seconds,
            enqueued_total: Some(self.totals.enqueued),
            completed_total: Some(self.totals.completed),
            failed_total: Some(self.totals.failed),
            ok: true,
        }
    }
}

impl Task {
    /// The id under which its result stands.
    fn result_id<'a>(&'a self, identity: &'a str) -> &'a str {
        self.facts.as_ref().map_or(identity, |facts| &facts.id)
    }

    /// Learns from a member what was not known: a bare id tells less than the payload did.
    fn take(&mut self, member: &Member) {
        if let Some(facts) = &member.facts
            && (!facts.bare || self.facts.is_none())
        {
            self.facts = Some(Arc::clone(facts));
        }
        self.score = member.score;
        self.created_at = member.created_at.or(self.created_at);
        self.since = member.since.unwrap_or(self.since);
    }

    fn shown(&self, identity: &str, state: QueueState) -> QueueTask {
        let facts = self.facts.as_deref();
        QueueTask {
            id: facts.map_or(identity, |facts| &facts.id).to_owned(),
            kind: facts.and_then(|facts| facts.kind.clone()),
            document_id: facts.and_then(|facts| facts.document_id.clone()),
            priority: facts.and_then(|facts| facts.priority),
            created_at: facts.and_then(|facts| facts.created_at).or(self.created_at),
            first_seen: self.since,
            state,
            payload_hash: facts.map(|facts| facts.payload_hash.clone()).unwrap_or_default(),
            payload_bytes: facts.map_or(0, |facts| facts.payload_bytes),
            score: self.score,
            position: self.position,
        }
    }
}

fn is_whole(readings: &Readings) -> bool {
    readings.values().all(|reading| reading.whole)
}

/// Everything that has not ended.
fn backlog(readings: &Readings) -> u64 {
    let lives = |state: &QueueState| *state != QueueState::Dead;
    readings.iter().filter(|(state, _)| lives(state)).map(|(_, reading)| reading.depth).sum()
}

#[cfg(test)]
mod tests;
