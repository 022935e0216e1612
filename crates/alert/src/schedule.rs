//! When groups of rules are evaluated: at whole multiples of their interval, side by side but only so
//! many at once. Each for the first time soon after the start, however long its interval is.

use std::sync::Arc;
use std::time::{Duration, Instant};

use model::Timestamp;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

use crate::group::GroupRunner;

/// How many groups are evaluated at once.
const GROUPS_AT_ONCE: usize = 4;

/// The longest that the first evaluation of a group waits: nobody is to wait for an hour to learn whether
/// a rule can be evaluated at all. Not at once, because collectors have to have looked before.
const FIRST_WITHIN: Duration = Duration::from_secs(15);

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
    let mut last: Option<Timestamp> = None;
    loop {
        let now = Timestamp::now();
        let at = next_tick(now, step(last, group.interval()));
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(at.since(now)) => {}
        }
        let missed = last.map_or(0, |last| missed_between(last, at, group.interval()));
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

/// Of what the next evaluation falls on a whole multiple.
fn step(last: Option<Timestamp>, interval: Duration) -> Duration {
    if last.is_none() { interval.min(FIRST_WITHIN) } else { interval }
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
        for (last, interval, expected) in [
            (None, hour, fifteen),
            (Some(at(15)), hour, hour),
            (None, Duration::from_secs(1), Duration::from_secs(1)),
        ] {
            assert_eq!(step(last, interval), expected, "the first of a long interval comes soon: {last:?}");
        }
        for (last, next, missed) in [(0, 15, 0), (0, 30, 1), (0, 75, 4), (30, 15, 0)] {
            assert_eq!(missed_between(at(last), at(next), fifteen), missed, "{last} {next}");
        }
    }
}
