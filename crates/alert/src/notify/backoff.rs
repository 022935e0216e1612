//! How long to wait before the next attempt, and when to give up.

use std::time::Duration;

use model::Timestamp;

use crate::DeliveryConfig;

/// How far the wait strays from its middle, so that many do not come back at the same moment: ±20 %.
const JITTER: f64 = 0.2;

/// When to try again after `attempts` failures, the last of them at `now`; `None` to give up.
/// `chance` is a number from 0 to 1.
pub(super) fn next_attempt(
    config: &DeliveryConfig,
    created_at: Timestamp,
    attempts: u64,
    now: Timestamp,
    chance: f64,
) -> Option<Timestamp> {
    if attempts >= config.max_attempts || now.since(created_at) >= config.max_age.0 {
        return None;
    }
    let doublings = u32::try_from(attempts.saturating_sub(1)).unwrap_or(u32::MAX).min(20);
    let wait = config.first_retry.0.saturating_mul(1 << doublings).min(config.longest_retry.0);
    let stray = 1.0 + JITTER * (2.0 * chance.clamp(0.0, 1.0) - 1.0);
    Some(now.after(wait.mul_f64(stray).max(Duration::from_millis(1))))
}

/// A number from 0 to 1 that nobody can foresee.
pub(super) fn chance() -> f64 {
    (uuid::Uuid::new_v4().as_u128() >> 64) as u64 as f64 / u64::MAX as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::DurationText;

    #[test]
    fn waits_double_up_to_the_longest_and_end() {
        let seconds = |seconds| DurationText(Duration::from_secs(seconds));
        let config = DeliveryConfig {
            first_retry: seconds(5),
            longest_retry: seconds(60),
            max_age: seconds(3_600),
            max_attempts: 10,
        };
        let created = Timestamp::from_millis(0);
        let now = created.after(Duration::from_secs(100));
        let waited = |attempts, chance| {
            next_attempt(&config, created, attempts, now, chance).map(|next| next.since(now).as_millis())
        };
        let cases = [
            (1, 0.5, Some(5_000)),
            (2, 0.5, Some(10_000)),
            (3, 0.0, Some(16_000)),
            (3, 1.0, Some(24_000)),
            (9, 0.5, Some(60_000)),
            (10, 0.5, None),
        ];
        for (attempts, chance, expected) in cases {
            assert_eq!(waited(attempts, chance), expected, "{attempts} {chance}");
        }
        let old = created.after(Duration::from_secs(3_600));
        assert_eq!(next_attempt(&config, created, 1, old, 0.5), None);
    }
}
