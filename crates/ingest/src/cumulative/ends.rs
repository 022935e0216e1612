//! When the newest differences of a series ended, so that one that is sent again is told from one that comes late.

/// How many are remembered of a series. A sender that got no answer sends one request again, which rarely has more than
/// one difference of a series in it; a long list would take more memory than the sum itself.
const REMEMBERED: usize = 8;

/// The ends of the newest differences of a series. Takes no memory of its own, so it needs no bound but this.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ends {
    last_ms: i64,
    /// How many milliseconds before the last one the others ended, the newest first; 0 where there is none.
    before_ms: [u32; REMEMBERED - 1],
}

impl Ends {
    /// One alone.
    pub(super) fn of(end_ms: i64) -> Self {
        Self { last_ms: end_ms, before_ms: [0; REMEMBERED - 1] }
    }

    /// The latest.
    pub(super) fn last_ms(&self) -> i64 {
        self.last_ms
    }

    /// Whether one that is remembered ended just then.
    pub(super) fn have(&self, end_ms: i64) -> bool {
        match u32::try_from(self.last_ms.saturating_sub(end_ms)) {
            Ok(0) => true,
            Ok(ago) => self.before_ms.contains(&ago),
            Err(_) => false,
        }
    }

    /// These and a later one. What ended 49 days before it is forgotten.
    pub(super) fn and(&self, end_ms: i64) -> Self {
        let mut ends = Self::of(end_ms);
        let Ok(step) = u32::try_from(end_ms.saturating_sub(self.last_ms)) else { return ends };
        let others = self.before_ms.iter().filter(|ago| **ago > 0).filter_map(|ago| ago.checked_add(step));
        for (place, ago) in ends.before_ms.iter_mut().zip([step].into_iter().chain(others)) {
            *place = ago;
        }
        ends
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_are_remembered_and_those_before_them_forgotten() {
        let ends = (2..=10).fold(Ends::of(10), |ends, end| ends.and(end * 10));
        assert_eq!(ends.last_ms(), 100);
        let known: Vec<i64> = (0..=11).map(|end| end * 10).filter(|end| ends.have(*end)).collect();
        assert_eq!(known, (3..=10).map(|end| end * 10).collect::<Vec<_>>());
        assert!(!ends.have(95) && !ends.have(101));
    }

    #[test]
    fn what_ended_long_before_is_forgotten_alone() {
        let far = i64::from(u32::MAX);
        let ends = Ends::of(0).and(1).and(far);
        assert!(ends.have(far) && ends.have(1) && ends.have(0));
        let ends = ends.and(far + 1);
        assert!(ends.have(far + 1) && ends.have(far) && ends.have(1) && !ends.have(0));
        let ends = ends.and(3 * far);
        assert!(ends.have(3 * far) && !ends.have(far));
        assert!(!Ends::of(i64::MAX).have(i64::MIN));
    }
}
