//! Follows units from look to look: which of them ended badly or were started again meanwhile.

use std::collections::HashMap;

use model::event::ExitCause;

use super::show::UnitState;

/// A process of a unit that ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct UnitExit {
    pub(super) unit: String,
    pub(super) pid: u64,
    pub(super) cause: ExitCause,
    /// The number of the signal.
    pub(super) signal: Option<u64>,
    pub(super) exit_code: Option<i64>,
    /// When, in microseconds on the clock that began with the host, where that is still known.
    pub(super) exited_at: Option<u64>,
    /// How often the unit had been started again by then.
    pub(super) restarts: u64,
    pub(super) message: String,
}

/// Units, as they were at the last look.
#[derive(Debug, Default)]
pub(super) struct Follower {
    last: HashMap<String, UnitState>,
}

impl Follower {
    /// Takes note of all units of a look; what has ended since the look before. What ended before a unit
    /// was seen for the first time is history.
    pub(super) fn observe(&mut self, units: &[UnitState]) -> Vec<UnitExit> {
        let mut exits = Vec::new();
        let mut last = std::mem::take(&mut self.last);
        for unit in units.iter().filter(|unit| unit.is_loaded) {
            if let Some(before) = last.remove(&unit.id) {
                exits.extend(exit_since(&before, unit));
            }
            self.last.insert(unit.id.clone(), unit.clone());
        }
        exits
    }
}

fn exit_since(before: &UnitState, now: &UnitState) -> Option<UnitExit> {
    let seen_ending = now.exited_at.is_some() && now.exited_at != before.exited_at;
    if seen_ending {
        // Being stopped on purpose ends by a signal too, and is a success.
        let badly = now.result != "success";
        return badly.then(|| seen(now));
    }
    // Started again within the look: how it ended is forgotten, unless it was seen at the look before.
    let told_before = u64::from(before.exited_at.is_some() && before.result != "success");
    let unseen = now.restarts.saturating_sub(before.restarts).saturating_sub(told_before);
    (unseen > 0).then(|| UnitExit {
        unit: now.id.clone(),
        pid: before.main_pid,
        cause: ExitCause::Unknown,
        signal: None,
        exit_code: None,
        exited_at: None,
        restarts: now.restarts,
        message: format!("{}: started again by the service manager ({unseen} times)", now.id),
    })
}

fn seen(unit: &UnitState) -> UnitExit {
    let (signal, exit_code) = ending(unit.exit_kind, unit.exit_status);
    let cause = match unit.result.as_str() {
        "oom-kill" => ExitCause::OomKill,
        _ => cause_of(signal, exit_code),
    };
    UnitExit {
        unit: unit.id.clone(),
        pid: unit.main_pid,
        cause,
        signal,
        exit_code,
        exited_at: unit.exited_at,
        restarts: unit.restarts,
        message: format!("{}: main process ended, result {}, now {}", unit.id, unit.result, unit.sub),
    }
}

/// The signal or the exit code of an end, as the service manager numbers it.
pub(super) fn ending(exit_kind: u64, exit_status: u64) -> (Option<u64>, Option<i64>) {
    match exit_kind {
        1 => (None, i64::try_from(exit_status).ok()),
        2 | 3 => (Some(exit_status), None),
        _ => (None, None),
    }
}

/// What follows from how a process ended.
pub(super) fn cause_of(signal: Option<u64>, exit_code: Option<i64>) -> ExitCause {
    match (signal, exit_code) {
        (Some(_), _) => ExitCause::Signal,
        (None, Some(_)) => ExitCause::Exit,
        (None, None) => ExitCause::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn running(pid: u64, restarts: u64) -> UnitState {
        UnitState {
            id: "w.service".into(),
            is_loaded: true,
            active: "active".into(),
            sub: "running".into(),
            result: "success".into(),
            restarts,
            main_pid: pid,
            ..UnitState::default()
        }
    }

    fn ended(pid: u64, result: &str, exit_kind: u64, exit_status: u64) -> UnitState {
        UnitState {
            result: result.into(),
            sub: "failed".into(),
            exit_kind,
            exit_status,
            exited_at: Some(pid * 100),
            ..running(pid, 0)
        }
    }

    fn after(states: &[UnitState]) -> Vec<UnitExit> {
        let mut follower = Follower::default();
        states.iter().flat_map(|state| follower.observe(std::slice::from_ref(state))).collect()
    }

    #[test]
    fn an_end_that_is_seen_has_its_cause() {
        let cases = [
            ("signal", 2, 9, ExitCause::Signal, Some(9), None),
            ("core-dump", 3, 11, ExitCause::Signal, Some(11), None),
            ("exit-code", 1, 3, ExitCause::Exit, None, Some(3)),
            ("oom-kill", 2, 9, ExitCause::OomKill, Some(9), None),
            ("watchdog", 3, 6, ExitCause::Signal, Some(6), None),
        ];
        for (result, kind, status, cause, signal, exit_code) in cases {
            let exits = after(&[running(7, 0), ended(7, result, kind, status)]);
            let [exit] = exits.as_slice() else { panic!("{result}: {exits:?}") };
            assert_eq!((exit.cause, exit.signal, exit.exit_code), (cause, signal, exit_code), "{result}");
            assert_eq!((exit.pid, exit.exited_at), (7, Some(700)));
        }
    }

    #[test]
    fn a_unit_that_is_stopped_on_purpose_has_not_crashed() {
        assert_eq!(after(&[running(7, 0), ended(7, "success", 2, 15)]), []);
    }

    #[test]
    fn a_restart_whose_end_was_not_seen_is_told_without_a_cause() {
        let exits = after(&[running(7, 0), running(8, 1), running(8, 1), running(12, 4)]);
        let told: Vec<(u64, ExitCause, u64)> =
            exits.iter().map(|exit| (exit.pid, exit.cause, exit.restarts)).collect();
        assert_eq!(told, [(7, ExitCause::Unknown, 1), (8, ExitCause::Unknown, 4)]);
    }

    #[test]
    fn a_restart_after_an_end_that_was_seen_is_told_once() {
        let exits = after(&[running(7, 0), ended(7, "signal", 2, 9), running(8, 1)]);
        assert_eq!(exits.len(), 1, "{exits:?}");
    }

    #[test]
    fn what_ended_before_the_first_look_is_history() {
        assert_eq!(after(&[ended(7, "signal", 2, 9), ended(7, "signal", 2, 9)]), []);
    }
}
