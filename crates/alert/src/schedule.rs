//! When groups of rules are evaluated: once in each interval, each at its own place in it, side by side but only so
//! many at once. Soon after the start and often in the beginning, however long the interval is.

use std::sync::Arc;
use std::time::{Duration, Instant};

use model::{LabelsBuilder, Timestamp};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::group::{GroupRunner, Groups, hand_over};
use crate::metrics::Iteration;

/// How many groups are evaluated at once.
const GROUPS_AT_ONCE: usize = 4;

/// The longest interval while starting, and the longest that collectors are given to look before the first
/// evaluation: nobody is to wait for an hour to learn whether a rule can be evaluated, and holds.
const STARTING_STEP: Duration = Duration::from_secs(15);

/// How long starting takes: whatever a rule asks about is expected to have been written by then.
const STARTING: Duration = Duration::from_secs(120);

/// A group that is evaluated.
struct Running {
    group: Arc<GroupRunner>,
    /// Ends it once an evaluation that is under way is done.
    retired: CancellationToken,
    task: JoinHandle<()>,
}

/// Evaluates the groups that there are, each for itself, until `stop`. Where groups change, those that stay go on
/// undisturbed, and those that go end with what they are at.
pub(crate) async fn run(mut groups: watch::Receiver<Groups>, stop: CancellationToken) {
    let started = Instant::now();
    let turns = Arc::new(Semaphore::new(GROUPS_AT_ONCE));
    let mut running: Vec<Running> = Vec::new();
    loop {
        let wanted = Arc::clone(&groups.borrow_and_update());
        let is_wanted = |one: &Running| wanted.iter().any(|group| Arc::ptr_eq(group, &one.group));
        let (kept, gone): (Vec<_>, Vec<_>) = running.into_iter().partition(is_wanted);
        let is_new = |group: &&Arc<GroupRunner>| !kept.iter().any(|one| Arc::ptr_eq(group, &one.group));
        let come: Vec<Arc<GroupRunner>> = wanted.iter().filter(is_new).map(Arc::clone).collect();
        hand_over(&ended(gone).await, &come, Timestamp::now()).await;
        running = kept;
        running.extend(come.into_iter().map(|group| {
            let retired = CancellationToken::new();
            let task =
                run_group(Arc::clone(&group), started, Arc::clone(&turns), retired.clone(), stop.clone());
            Running { group, retired, task: tokio::spawn(task) }
        }));
        tokio::select! {
            () = stop.cancelled() => break,
            changed = groups.changed() => if changed.is_err() {
                stop.cancelled().await;
                break;
            },
        }
    }
    ended(running).await;
}

/// Waits for groups to end.
async fn ended(running: Vec<Running>) -> Vec<Arc<GroupRunner>> {
    for one in &running {
        one.retired.cancel();
    }
    let mut groups = Vec::with_capacity(running.len());
    for one in running {
        if let Err(error) = one.task.await {
            tracing::error!(%error, group = one.group.group().name, "a group of rules has ended badly");
        }
        groups.push(one.group);
    }
    groups
}

async fn run_group(
    group: Arc<GroupRunner>,
    started: Instant,
    turns: Arc<Semaphore>,
    retired: CancellationToken,
    stop: CancellationToken,
) {
    let mut last: Option<Timestamp> = None;
    loop {
        let now = Timestamp::now();
        let since_start = started.elapsed();
        let step = step(since_start, group.interval());
        // A group that was changed goes on where it was.
        let is_first = last.is_none() && since_start < STARTING;
        let earliest = if is_first { now.after(step) } else { now };
        let at = next_tick(earliest, step, place(&group.group().key()));
        tokio::select! {
            () = stop.cancelled() => return,
            () = retired.cancelled() => return,
            () = tokio::time::sleep(at.since(now)) => {}
        }
        let missed = last.map_or(0, |last| missed_between(last, at, step));
        last = Some(at);
        let turn = tokio::select! {
            () = stop.cancelled() => return,
            () = retired.cancelled() => return,
            turn = turns.acquire() => turn,
        };
        let Ok(_turn) = turn else { return };
        let began = Instant::now();
        tokio::select! {
            () = stop.cancelled() => return,
            () = group.evaluate(at) => {}
        }
        group.took(&Iteration { at, took: began.elapsed(), missed });
    }
}

/// How far the next evaluation is from the one before, so long after the start.
fn step(since_start: Duration, interval: Duration) -> Duration {
    if since_start < STARTING { interval.min(STARTING_STEP) } else { interval }
}

/// A number that a group always has: where it stands within its interval, so that not all groups are evaluated at once.
fn place(key: &str) -> u64 {
    let mut builder = LabelsBuilder::new();
    builder.set("rule_group", key).build().hash64()
}

/// The next time after `now` at which a group is evaluated: its place within each interval since the epoch. The same
/// after a restart, so that recorded series go on at the same distance.
fn next_tick(now: Timestamp, interval: Duration, place: u64) -> Timestamp {
    let step = i64::try_from(interval.as_millis()).unwrap_or(i64::MAX).max(1);
    let offset = i64::try_from(place % step.unsigned_abs()).unwrap_or(0);
    let ticks = now.as_millis().saturating_sub(offset).div_euclid(step) + 1;
    Timestamp::from_millis(ticks.saturating_mul(step).saturating_add(offset))
}

/// How many ticks between two were left out.
fn missed_between(last: Timestamp, next: Timestamp, interval: Duration) -> u64 {
    let steps = next.since(last).as_millis() / interval.as_millis().max(1);
    u64::try_from(steps.saturating_sub(1)).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_group_is_evaluated_once_in_each_interval_at_its_own_place() {
        let fifteen = Duration::from_secs(15);
        let cases = [
            (0, 0, 15_000),
            (1, 0, 15_000),
            (14_999, 0, 15_000),
            (15_000, 0, 30_000),
            (0, 4_000, 4_000),
            (4_000, 4_000, 19_000),
            (3_999, 15_000 + 4_000, 4_000),
        ];
        for (now, place, next) in cases {
            let at = next_tick(Timestamp::from_millis(now), fifteen, place);
            assert_eq!(at.as_millis(), next, "{now} {place}");
        }
        let places: std::collections::BTreeSet<u64> =
            (0..100).map(|group| place(&format!("rules.yml;{group}")) % 15_000).collect();
        assert!(places.len() > 90, "groups are spread: {places:?}");
        let at = |seconds: i64| Timestamp::from_millis(seconds * 1_000);
        let hour = Duration::from_secs(3_600);
        let second = Duration::from_secs(1);
        for (since_start, interval, expected) in
            [(0, hour, fifteen), (119, hour, fifteen), (120, hour, hour), (0, second, second)]
        {
            let step = step(Duration::from_secs(since_start), interval);
            assert_eq!(step, expected, "a long interval is short in the beginning: {since_start}");
        }
        for (last, next, missed) in [(0, 15, 0), (0, 30, 1), (0, 75, 4), (30, 15, 0)] {
            assert_eq!(missed_between(at(last), at(next), fifteen), missed, "{last} {next}");
        }
    }
}
