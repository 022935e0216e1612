use proptest::prelude::*;

use super::*;

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_millis(seconds * 1_000)
}

fn said(by: &str, seconds: i64) -> Said {
    Said { by: by.to_owned(), at: at(seconds), note: Some("on it".to_owned()) }
}

fn policy(hold: u64, keep: u64) -> Policy {
    Policy { hold: Duration::from_secs(hold), keep_firing_for: Duration::from_secs(keep) }
}

fn firing(active: i64, fired: i64) -> Standing {
    Standing::Firing { episode: Episode { active_at: at(active), fired_at: at(fired), gone_since: None } }
}

/// A way through the machine, as letters: `+` present, `-` absent, `a` acknowledge, `r` resolve; each
/// input ten seconds after the one before.
fn walk(policy: Policy, inputs: &str) -> Vec<Result<AlertState, NotPossible>> {
    let mut standing = Standing::Inactive;
    let mut states = Vec::new();
    for (index, letter) in (0i64..).zip(inputs.chars()) {
        let now = at(index * 10);
        let input = match letter {
            '+' => Input::Present,
            '-' => Input::Absent,
            'a' => Input::Acknowledge(said("ann", index * 10)),
            _ => Input::Resolve(said("ann", index * 10)),
        };
        match standing.clone().step(policy, input, now) {
            Ok(next) => {
                standing = next;
                states.push(Ok(standing.state()));
            }
            Err(refused) => states.push(Err(refused)),
        }
    }
    states
}

#[test]
fn an_alert_lives_as_its_rule_demands() {
    use AlertState::{Acknowledged as A, Firing as F, Inactive as I, Pending as P, Resolved as R};
    let cases: &[(Policy, &str, &[AlertState])] = &[
        (policy(0, 0), "+-", &[F, R]),
        (policy(20, 0), "+++-", &[P, P, F, R]),
        (policy(20, 0), "++-+++", &[P, P, I, P, P, F]),
        (policy(0, 20), "+--+---", &[F, F, F, F, F, F, R]),
        (policy(0, 0), "+a+-", &[F, A, A, R]),
        (policy(0, 20), "+a---", &[F, A, A, A, R]),
        // Resolved by hand: stays so until the condition has cleared and come back.
        (policy(0, 0), "+r++-+", &[F, R, R, R, R, F]),
        (policy(20, 0), "+r+-++", &[P, R, R, R, P, P]),
        (policy(0, 0), "+ar+", &[F, A, R, R]),
        // The condition was gone already, so nothing holds it back when it comes again.
        (policy(0, 60), "+-r+", &[F, F, R, F]),
        (policy(0, 0), "--", &[I, I]),
        (policy(0, 0), "+-+", &[F, R, F]),
    ];
    for (policy, inputs, expected) in cases {
        let states: Vec<_> = walk(*policy, inputs).into_iter().map(|state| state.expect(inputs)).collect();
        assert_eq!(states, *expected, "{policy:?} {inputs}");
    }
}

#[test]
fn people_cannot_do_what_makes_no_sense() {
    let cases = [
        ("a", AlertState::Inactive, "acknowledged"),
        ("r", AlertState::Inactive, "resolved"),
        ("+a", AlertState::Pending, "acknowledged"),
        ("++++aa", AlertState::Acknowledged, "acknowledged"),
        ("++++-a", AlertState::Resolved, "acknowledged"),
        ("++++-r", AlertState::Resolved, "resolved"),
    ];
    for (inputs, state, action) in cases {
        assert_eq!(walk(policy(30, 0), inputs).pop(), Some(Err(NotPossible { state, action })), "{inputs}");
    }
}

#[test]
fn a_stored_alert_stands_where_it_stood() {
    let episode = Episode { active_at: at(1), fired_at: at(2), gone_since: Some(at(3)) };
    let standings = [
        Standing::Pending { active_at: at(1) },
        firing(1, 2),
        Standing::Firing { episode },
        Standing::Acknowledged { episode, said: said("ann", 5) },
        Standing::Resolved { active_at: at(1), fired_at: Some(at(2)), at: at(9), held: false, by: None },
        Standing::Resolved {
            active_at: at(1),
            fired_at: None,
            at: at(9),
            held: true,
            by: Some(said("bob", 9)),
        },
    ];
    for standing in standings {
        let mut record = crate::clerk::blank_record("id");
        standing.write(&mut record);
        assert_eq!(Standing::of(&record), standing);
    }
}

proptest! {
    /// Against a model that looks at the whole past: with `for` and `keep_firing_for` alone (nobody
    /// acts), an alert fires exactly while some run of presence that lasted long enough is not longer
    /// ago than it is kept.
    #[test]
    fn firing_agrees_with_a_model_of_the_whole_past(
        hold in 0u64..60,
        keep in 0u64..60,
        steps in proptest::collection::vec((1i64..30, any::<bool>()), 1..60),
    ) {
        let policy = policy(hold, keep);
        let mut standing = Standing::Inactive;
        let mut past: Vec<(i64, bool)> = Vec::new();
        let mut now = 0;
        for (gap, present) in steps {
            now += gap;
            past.push((now, present));
            let input = if present { Input::Present } else { Input::Absent };
            standing = standing.step(policy, input, at(now)).expect("evaluation is always possible");
            let fires = matches!(standing.state(), AlertState::Firing);
            prop_assert_eq!(fires, model_fires(hold, keep, &past), "{:?}", past);
            let waits = matches!(standing.state(), AlertState::Pending);
            prop_assert_eq!(waits, present && !fires);
        }
    }
}

/// Recomputed from the beginning, with plain numbers.
fn model_fires(hold: u64, keep: u64, past: &[(i64, bool)]) -> bool {
    let (mut run_start, mut alive, mut gone_at) = (None, false, None);
    for (time, present) in past {
        if *present {
            let start = *run_start.get_or_insert(*time);
            alive = alive || time - start >= i64::try_from(hold).unwrap();
            gone_at = None;
        } else {
            run_start = None;
            let gone = *gone_at.get_or_insert(*time);
            alive = alive && time - gone < i64::try_from(keep).unwrap();
        }
    }
    alive
}
