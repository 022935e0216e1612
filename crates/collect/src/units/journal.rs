//! What the journal says of a process that ended: the service manager itself forgets how a process
//! ended as soon as it has started the next, and writes it to the journal before.

use serde::Deserialize;

/// The id of the message "Main process exited" (systemd's `SD_MESSAGE_UNIT_PROCESS_EXIT`).
const PROCESS_EXIT: &str = "98e322203f7a4ed290d09fe03c09fe15";
/// The most entries read of one answer.
pub(super) const MAX_ENTRIES: usize = 20;

/// How a process ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Ending {
    /// Microseconds since the epoch.
    pub(super) at_micros: i64,
    /// 1 by itself, 2 by a signal, 3 by a signal with a core dump.
    pub(super) exit_kind: u64,
    /// Its exit code, or the number of the signal.
    pub(super) exit_status: u64,
}

#[derive(Deserialize)]
struct Entry {
    #[serde(rename = "__REALTIME_TIMESTAMP")]
    at: String,
    #[serde(rename = "EXIT_CODE")]
    code: String,
    #[serde(rename = "EXIT_STATUS")]
    status: String,
}

/// The arguments that ask for the ends of a unit's processes since a second of the epoch.
pub(super) fn arguments(unit: &str, since: i64) -> Vec<String> {
    let message = format!("MESSAGE_ID={PROCESS_EXIT}");
    vec![
        "--no-pager".to_owned(),
        "--quiet".to_owned(),
        "--output=json".to_owned(),
        format!("--lines={MAX_ENTRIES}"),
        format!("--since=@{since}"),
        message.clone(),
        format!("UNIT={unit}"),
        "+".to_owned(),
        message,
        format!("USER_UNIT={unit}"),
    ]
}

/// Reads an answer: one JSON object a line. What is not understood is passed over.
pub(super) fn parse(answer: &str) -> Vec<Ending> {
    let ending = |line: &str| {
        let entry: Entry = serde_json::from_str(line).ok()?;
        let exit_kind = match entry.code.as_str() {
            "exited" => 1,
            "killed" => 2,
            "dumped" => 3,
            _ => return None,
        };
        Some(Ending { at_micros: entry.at.parse().ok()?, exit_kind, exit_status: entry.status.parse().ok()? })
    };
    answer.lines().filter_map(ending).take(MAX_ENTRIES).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ends_are_read_and_everything_else_is_passed_over() {
        let answer = r#"{"__REALTIME_TIMESTAMP":"1754083800000000","EXIT_CODE":"killed","EXIT_STATUS":"9","UNIT":"w.service","MESSAGE":"w.service: Main process exited, code=killed, status=9/KILL"}
{"__REALTIME_TIMESTAMP":"1754083801000000","EXIT_CODE":"exited","EXIT_STATUS":"3"}
{"__REALTIME_TIMESTAMP":"x","EXIT_CODE":"exited","EXIT_STATUS":"3"}
{"__REALTIME_TIMESTAMP":"1","EXIT_CODE":["exited"],"EXIT_STATUS":"3"}
{"__REALTIME_TIMESTAMP":"1","EXIT_CODE":"vanished","EXIT_STATUS":"3"}
no JSON
"#;
        let expected = [
            Ending { at_micros: 1_754_083_800_000_000, exit_kind: 2, exit_status: 9 },
            Ending { at_micros: 1_754_083_801_000_000, exit_kind: 1, exit_status: 3 },
        ];
        assert_eq!(parse(answer), expected);
    }
}
