//! When groups of rules are evaluated: at whole multiples of their interval, side by side but only so
//! many at once. Soon after the start and often in the beginning, however long the interval is.

use std::sync::Arc;
use std::time::{Duration, Instant};

use model::Timestamp;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

use crate::group::GroupRunner;

/// How many groups are evaluated at once.
const GROUPS_AT_ONCE: usize = 4;

/// The longest interval while starting, and the longest that collectors are given to look before the first
/// evaluation: nobody is to wait for an hour to learn whether a rule can be evaluated, and holds.
const STARTING_STEP: Duration = Duration::from_secs(15);

/// How long starting takes: whatever a rule asks about is expected to have been written by then.
const STARTING: Duration = Duration::from_secs(120);

/// Evaluates all groups until `stop`.
pub(crate) async fn run(groups: Vec<Arc<GroupRunner>>, stop: CancellationToken) {
    let turns = Arc::new(Semaphore::new(GROUPS_AT_ONCE));
    let mut tasks = tokio::task::JoinSet::new();
    for group in groups {
        tasks.spawn(run_group(group, Arc::clone(&turns), stop.clone()));
    }
    while tasks.join_next().await.is_some() {}
}

async fn run_group(group: Arc<GroupRunner>, turns: Arc<Semaphore>, stop: CancellationToken) {
    let started = Instant::now();
    let mut last: Option<Timestamp> = None;
    loop {
        let now = Timestamp::now();
        let step = step(started.elapsed(), group.interval());
        let at = next_tick(if last.is_none() { now.after(step) } else { now }, step);
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(at.since(now)) => {}
        }
        let missed = last.map_or(0, |last| missed_between(last, at, step));
        last = Some(at);
        let turn = tokio::select! {
            () = stop.cancelled() => return,
            turn = turns.acquire() => turn,
        };
        let Ok(_turn) = turn else { return };
        let began = Instant::now();
        tokio::select! {
            () = stop.cancelled() => return,
            () = group.evaluate(at) => {}
        }
        group.took(began.elapsed(), missed);
    }
}

/// Of what the next evaluation falls on a whole multiple, so long after the start.
fn step(since_start: Duration, interval: Duration) -> Duration {
    if since_start < STARTING { interval.min(STARTING_STEP) } else { interval }
}

/// The next whole multiple of the interval.
fn next_tick(now: Timestamp, interval: Duration) -> Timestamp {
    let step = i64::try_from(interval.as_millis()).unwrap_or(i64::MAX).max(1);
    Timestamp::from_millis((now.as_millis().div_euclid(step) + 1).saturating_mul(step))
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
    fn groups_are_evaluated_at_whole_multiples() {
        let fifteen = Duration::from_secs(15);
        let cases = [(0, 15_000), (1, 15_000), (14_999, 15_000), (15_000, 30_000)];
        for (now, next) in cases {
            assert_eq!(next_tick(Timestamp::from_millis(now), fifteen).as_millis(), next, "{now}");
        }
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
