//! Calls whose sums are on their way to the disk, in every order in which they may end.

use super::*;

/// A call that has not ended, and what it was refused.
fn begun<'c>(cumulative: &'c Cumulative, batch: &MetricBatch) -> Summed<'c> {
    cumulative.add(batch, at(0), &mut SamplesOutcome::default())
}

fn end(call: Summed<'_>, stored: bool) {
    if stored {
        call.unsettled.stored();
    }
}

const FIRST: [(u64, u64, f64); 1] = [(0, 10, 1.0)];
const SECOND: [(u64, u64, f64); 2] = [(10, 15, 1.0), (15, 20, 1.0)];
const THIRD: [(u64, u64, f64); 1] = [(20, 30, 4.0)];
const FOURTH: [(u64, u64, f64); 1] = [(30, 40, 8.0)];

#[test]
fn what_is_not_stored_is_taken_back_to_before_the_call() {
    let cumulative = of_series(10);
    stored(&cumulative, &differences("a", &FIRST));
    end(begun(&cumulative, &differences("a", &SECOND)), false);
    let (again, _) = stored(&cumulative, &differences("a", &SECOND));
    assert_eq!(sums(&again), [(0, 15, 2.0), (0, 20, 3.0)]);
    let ended = begun(&cumulative, &differences("a", &[(20, 30, STALE_NAN)]));
    assert_eq!(cumulative.held().0, 0);
    end(ended, false);
    let (on, _) = stored(&cumulative, &differences("a", &THIRD));
    assert_eq!(sums(&on), [(0, 30, 7.0)]);
}

#[test]
fn of_what_is_in_flight_nothing_is_said_until_it_is_stored() {
    let cumulative = of_series(10);
    let first = begun(&cumulative, &differences("a", &SECOND));
    let twice = begun(&cumulative, &differences("a", &SECOND));
    assert!(twice.later.is_some() && twice.sums.is_empty());
    let malformed = begun(&cumulative, &differences("a", &[(20, 30, f64::NAN)]));
    assert_eq!(malformed.later, None, "that will be wrong later, too");
    end(malformed, true);
    end(twice, false);
    end(first, true);
    let (_, again) = stored(&cumulative, &differences("a", &SECOND));
    assert_eq!(again.duplicate, 2);
}

/// Three calls that build on each other, ended in any order with any outcome. Whoever was told "later" sends again.
#[test]
fn whatever_calls_fail_in_whatever_order_each_difference_is_in_the_last_stored_sum_once() {
    let orders = [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]];
    for order in orders {
        for outcomes in 0..8u8 {
            let case = format!("ended in order {order:?}, stored {outcomes:03b}");
            let cumulative = of_series(10);
            let requests = [differences("a", &SECOND), differences("a", &THIRD), differences("a", &FOURTH)];
            stored(&cumulative, &differences("a", &FIRST));
            let mut calls: Vec<Option<Summed<'_>>> =
                requests.iter().map(|request| Some(begun(&cumulative, request))).collect();
            let is_stored = |call: usize| outcomes & (1 << call) != 0;
            for call in order {
                end(calls[call].take().expect("each ends once"), is_stored(call));
            }
            // What one that was stored has built on is stored with it.
            let carried = (0..3).rev().find(|call| is_stored(*call)).map_or(0, |last| last + 1);
            for (call, request) in requests.iter().enumerate() {
                let (new, outcome) = stored(&cumulative, request);
                let sent = request.sample_count();
                let known = if call < carried { sent } else { 0 };
                assert_eq!(outcome.duplicate, known as u64, "{case}: request {call}");
                assert_eq!((new.sample_count(), outcome.refused()), (sent - known, 0), "{case}: {call}");
            }
            let (on, _) = stored(&cumulative, &differences("a", &[(40, 50, 16.0)]));
            assert_eq!(sums(&on), [(0, 50, 31.0)], "{case}");
            assert_eq!(cumulative.held(), (1, 0, 0), "{case}");
        }
    }
}

#[test]
fn two_calls_that_fail_leave_nothing_that_would_be_acknowledged() {
    let cumulative = of_series(10);
    let first = begun(&cumulative, &differences("a", &FIRST));
    let second = begun(&cumulative, &differences("a", &SECOND));
    end(first, false);
    let again = begun(&cumulative, &differences("a", &FIRST));
    assert!(again.later.is_some(), "the second call may be stored yet, and the first with it");
    end(again, false);
    end(second, false);
    let (summed, outcome) = stored(&cumulative, &differences("a", &FIRST));
    assert_eq!((sums(&summed), outcome.duplicate), (vec![(0, 10, 1.0)], 0));
}

#[test]
fn a_call_that_panics_is_taken_back() {
    let cumulative = of_series(10);
    let panicked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        let _call = begun(&cumulative, &differences("a", &FIRST));
        assert_eq!(cumulative.held().0, 0, "a panic, as of a store");
    }));
    assert!(panicked.is_err());
    let (summed, _) = stored(&cumulative, &differences("a", &FIRST));
    assert_eq!(sums(&summed), [(0, 10, 1.0)]);
}

#[test]
fn a_series_in_flight_is_not_swept() {
    let cumulative = of_series(10);
    let call = begun(&cumulative, &differences("a", &FIRST));
    stored_at(&cumulative, &differences("b", &[(900, 1000, 1.0)]), at(1000));
    end(call, true);
    let (_, again) = stored_at(&cumulative, &differences("a", &FIRST), at(1000));
    assert_eq!(again.duplicate, 1);
}
