use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;

fn starts(runs: &[(i64, i64)]) -> Starts {
    let mut starts = Starts::default();
    runs.iter().for_each(|(from_ms, start_ms)| starts.push(*from_ms, *start_ms));
    starts
}

#[test]
fn a_start_is_written_down_where_it_changes() {
    let mut found = starts(&[(10, NO_START), (20, 5), (30, 5), (40, 35), (50, NO_START)]);
    let runs: Vec<(i64, i64)> = found.runs().iter().map(|run| (run.from_ms, run.start_ms)).collect();
    assert_eq!(runs, [(20, 5), (40, 35), (50, NO_START)]);
    assert_eq!([19, 20, 39, 40, 49, 50].map(|time| found.at(time)), [0, 5, 5, 35, 35, 0]);
    found.push(30, 7);
    assert_eq!([29, 30, 60].map(|time| found.at(time)), [5, 7, 7], "what was said of later times is gone");
}

#[test]
fn starts_of_a_newer_source_follow_those_of_an_older_one() {
    let newer = starts(&[(5, 1), (30, 20), (50, 40)]);
    let mut all = starts(&[(10, 2)]);
    all.follow((20, 45), &newer);
    assert_eq!([19, 20, 29, 30, 45, 60].map(|time| all.at(time)), [2, 1, 1, 20, 20, 20]);
    all.follow((70, 80), &Starts::default());
    assert_eq!([69, 70].map(|time| all.at(time)), [20, NO_START], "one without any begins without");
    let mut none = Starts::default();
    none.follow((1, 2), &Starts::default());
    assert!(none.is_empty());
}

proptest! {
    #[test]
    fn any_order_of_samples_gives_each_its_start(
        samples in proptest::collection::vec((-20i64..20, prop_oneof![Just(NO_START), 1i64..4]), 0..60),
    ) {
        let mut expected: BTreeMap<i64, i64> = BTreeMap::new();
        let mut found = Starts::default();
        for (time_ms, start_ms) in samples {
            if expected.contains_key(&time_ms) {
                continue;
            }
            match expected.last_key_value() {
                Some((newest, _)) if *newest > time_ms => found.insert(time_ms, start_ms),
                _ => found.push(time_ms, start_ms),
            }
            expected.insert(time_ms, start_ms);
            let times: Vec<i64> = expected.keys().copied().collect();
            let mut of = Vec::new();
            found.of(&times, &mut of);
            if found.is_empty() {
                of.resize(times.len(), NO_START);
            }
            prop_assert_eq!(&of, &expected.values().copied().collect::<Vec<_>>());
            prop_assert!(times.iter().zip(&of).all(|(time, start)| found.at(*time) == *start));
            prop_assert!(found.runs().is_sorted_by(|a, b| a.from_ms < b.from_ms && a.start_ms != b.start_ms));
            prop_assert!(found.runs().first().is_none_or(|run| run.start_ms != NO_START));
        }
    }
}

/// Whether a sample at 20 began again after one at 10.
fn begins_again(before: i64, after: i64) -> bool {
    Moment { time_ms: 20, start_ms: after }.began_again_after(Moment { time_ms: 10, start_ms: before })
}

#[test]
fn a_start_behind_the_sample_before_is_a_reset_and_one_at_it_only_where_each_sample_counts_for_itself() {
    for before in [NO_START, 3, 10, 15] {
        assert!(begins_again(before, 11) && begins_again(before, 19));
        assert!(!begins_again(before, NO_START), "nothing is known");
        assert!(!begins_again(before, 20), "what OpenTelemetry does not know begins with the sample");
        assert!(!begins_again(before, 21), "nothing begins behind its sample");
        assert!(!begins_again(before, 9), "it counted before");
    }
    assert!(begins_again(3, 10), "a difference since the sample before");
    assert!(!begins_again(NO_START, 10) && !begins_again(10, 10) && !begins_again(11, 10));
}

#[test]
fn samples_overlap_where_one_counts_since_before_the_last_and_since_another_time_than_that() {
    let overlaps = |before: i64, after: i64| {
        Moment { time_ms: 20, start_ms: after }.overlaps(Moment { time_ms: 10, start_ms: before })
    };
    assert!(overlaps(3, 5) && overlaps(NO_START, 5));
    assert!(!overlaps(5, 5) && !overlaps(3, 10) && !overlaps(3, 15) && !overlaps(3, NO_START));
}
