//! What `systemctl show` prints: a block of `Key=Value` lines for each unit.

/// The properties that are asked for.
pub(super) const PROPERTIES: &str = "Id,LoadState,ActiveState,SubState,Result,NRestarts,ExecMainPID,\
                                     ExecMainCode,ExecMainStatus,ExecMainExitTimestampMonotonic";

/// The most units read of one answer.
const MAX_UNITS: usize = 500;
/// The longest value that is kept, in bytes.
const MAX_VALUE: usize = 256;

/// A unit, as the service manager has it now.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct UnitState {
    pub(super) id: String,
    pub(super) is_loaded: bool,
    /// `active`, `activating`, `failed`, …
    pub(super) active: String,
    /// `running`, `auto-restart`, …
    pub(super) sub: String,
    /// `success`, `signal`, `exit-code`, `oom-kill`, `watchdog`, `timeout`, …
    pub(super) result: String,
    /// How often the service manager has started it again by itself.
    pub(super) restarts: u64,
    pub(super) main_pid: u64,
    /// How the main process ended: 1 by itself, 2 by a signal, 3 by a signal with a core dump. The
    /// service manager forgets it when it starts the unit again.
    pub(super) exit_kind: u64,
    /// Its exit code, or the number of the signal.
    pub(super) exit_status: u64,
    /// When it ended, in microseconds on the clock that began with the host.
    pub(super) exited_at: Option<u64>,
}

/// Reads an answer; what is not understood is passed over.
pub(super) fn parse(answer: &str) -> Vec<UnitState> {
    let mut units = Vec::new();
    let mut unit = UnitState::default();
    // An empty line at the end closes the last block.
    for line in answer.lines().chain([""]) {
        if line.is_empty() {
            let whole = std::mem::take(&mut unit);
            if !whole.id.is_empty() && units.len() < MAX_UNITS {
                units.push(whole);
            }
            continue;
        }
        let Some((key, value)) = line.split_once('=') else { continue };
        let text = || value[..value.floor_char_boundary(MAX_VALUE)].to_owned();
        let number = || value.parse().unwrap_or_default();
        match key {
            "Id" => unit.id = text(),
            "LoadState" => unit.is_loaded = value == "loaded",
            "ActiveState" => unit.active = text(),
            "SubState" => unit.sub = text(),
            "Result" => unit.result = text(),
            "NRestarts" => unit.restarts = number(),
            "ExecMainPID" => unit.main_pid = number(),
            "ExecMainCode" => unit.exit_kind = number(),
            "ExecMainStatus" => unit.exit_status = number(),
            "ExecMainExitTimestampMonotonic" => unit.exited_at = Some(number()).filter(|at| *at > 0),
            _ => {}
        }
    }
    units
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn units_are_told_apart() {
        let answer = "Result=signal\nNRestarts=3\nExecMainExitTimestampMonotonic=4505922475\nExecMainPID=26868\n\
                      ExecMainCode=2\nExecMainStatus=9\nId=w.service\nLoadState=loaded\nActiveState=activating\n\
                      SubState=auto-restart\n\nResult=success\nExecMainExitTimestampMonotonic=0\n\
                      Id=nonesuch.service\nLoadState=not-found\nActiveState=inactive\nSubState=dead\n";
        let units = parse(answer);
        let first = UnitState {
            id: "w.service".into(),
            is_loaded: true,
            active: "activating".into(),
            sub: "auto-restart".into(),
            result: "signal".into(),
            restarts: 3,
            main_pid: 26868,
            exit_kind: 2,
            exit_status: 9,
            exited_at: Some(4_505_922_475),
        };
        assert_eq!(units.len(), 2);
        assert_eq!(units[0], first);
        assert_eq!((units[1].is_loaded, units[1].exited_at), (false, None));
    }

    proptest! {
        #[test]
        fn no_answer_breaks_the_reader(answer in "(\\PC{0,20}\n|Id=\\PC{0,600}\n|NRestarts=[0-9]{0,30}\n|\n){0,40}") {
            for unit in parse(&answer) {
                prop_assert!(unit.id.len() <= MAX_VALUE && !unit.id.is_empty());
            }
        }
    }
}
