//! An entry of systemd's journal, as `journalctl --output=json` prints it: an object a line, whose values are texts, or
//! lists of bytes where they are none, or lists of texts where a field was given more than once
//! (<https://systemd.io/JOURNAL_EXPORT_FORMATS/#journal-json-format>).

use std::sync::Arc;

use model::Timestamp;
use model::event::{Flaw, LogEvent, Origin};
use serde_json::{Map, Value};

use super::severity::Severity;

/// The fields that are read; `journalctl` need print no others.
pub const JOURNAL_FIELDS: &[&str] = &[
    "MESSAGE",
    "PRIORITY",
    "SYSLOG_IDENTIFIER",
    "_COMM",
    "_HOSTNAME",
    "_PID",
    "_SYSTEMD_UNIT",
    "_SYSTEMD_USER_UNIT",
    "_TRANSPORT",
];

/// An entry.
#[derive(Clone, Debug, PartialEq)]
pub struct JournalEntry {
    /// Where it is in the journal; reading can go on after it.
    pub cursor: String,
    /// What it says.
    pub log: LogEvent,
}

/// Reads an entry; nothing when it is none.
pub fn read_journal_entry(line: &[u8]) -> Option<JournalEntry> {
    let Ok(Value::Object(fields)) = serde_json::from_slice(line) else { return None };
    let cursor = fields.get("__CURSOR")?.as_str()?.to_owned();
    let micros: i64 = fields.get("__REALTIME_TIMESTAMP")?.as_str()?.parse().ok()?;
    let unit = text(&fields, "_SYSTEMD_USER_UNIT").or_else(|| text(&fields, "_SYSTEMD_UNIT"));
    let identifier = text(&fields, "SYSLOG_IDENTIFIER").or_else(|| text(&fields, "_COMM"));
    let service = unit.as_deref().and_then(|unit| unit.strip_suffix(".service")).map(str::to_owned);
    let origin = Origin {
        service: service.or_else(|| identifier.clone()),
        host: text(&fields, "_HOSTNAME"),
        pid: text(&fields, "_PID").and_then(|pid| pid.parse().ok()),
        scope_name: identifier,
        ..Origin::default()
    };
    let mut log = LogEvent::new(Timestamp::from_nanos(micros.checked_mul(1000)?), Arc::new(origin));
    let priority = text(&fields, "PRIORITY");
    let severity = priority.as_deref().and_then(|number| number.parse().ok()).and_then(Severity::of_syslog);
    log.level = severity.map(|severity| severity.level);
    log.severity_number = severity.map(|severity| severity.number);
    log.severity_text = priority;
    log.message = text(&fields, "MESSAGE");
    if log.message.as_ref().is_some_and(|message| message.contains(char::REPLACEMENT_CHARACTER)) {
        log.flaws.insert(Flaw::Binary);
    }
    let parts = [("systemd.unit", unit), ("journal.transport", text(&fields, "_TRANSPORT"))];
    log.attributes.extend(parts.into_iter().filter_map(|(name, part)| Some((name.to_owned(), part?))));
    Some(JournalEntry { cursor, log })
}

fn text(fields: &Map<String, Value>, name: &str) -> Option<String> {
    match fields.get(name)? {
        Value::String(text) => Some(text.clone()),
        Value::Array(items) => {
            let bytes: Option<Vec<u8>> =
                items.iter().map(|item| item.as_u64().and_then(|byte| u8::try_from(byte).ok())).collect();
            match bytes {
                Some(bytes) => Some(String::from_utf8_lossy(&bytes).into_owned()),
                None => items.iter().find_map(|item| item.as_str().map(str::to_owned)),
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use model::event::Level;

    use super::*;

    #[test]
    fn an_entry_has_its_time_its_level_and_where_it_comes_from() {
        let line = br#"{"__CURSOR":"s=1;i=2","__REALTIME_TIMESTAMP":"1754083800000001","PRIORITY":"3","MESSAGE":"no",
            "_SYSTEMD_UNIT":"ocr.service","SYSLOG_IDENTIFIER":"python3","_HOSTNAME":"box","_PID":"7"}"#;
        let entry = read_journal_entry(line).expect("an entry");
        let log = &entry.log;
        assert_eq!((entry.cursor.as_str(), log.time.as_nanos()), ("s=1;i=2", 1_754_083_800_000_001_000));
        assert_eq!((log.level, log.message.as_deref()), (Some(Level::Error), Some("no")));
        assert_eq!(log.origin.service.as_deref(), Some("ocr"));
        assert_eq!(
            (log.origin.host.as_deref(), log.origin.scope_name.as_deref()),
            (Some("box"), Some("python3"))
        );
        assert_eq!((log.origin.pid, log.attributes.get("process.pid")), (Some(7), None));
    }

    #[test]
    fn bytes_and_fields_given_twice_are_read_and_what_is_no_entry_is_none() {
        let line = br#"{"__CURSOR":"c","__REALTIME_TIMESTAMP":"1","MESSAGE":[104,105,255],"SYSLOG_IDENTIFIER":["a","b"]}"#;
        let log = read_journal_entry(line).expect("an entry").log;
        assert_eq!((log.message.as_deref(), log.origin.service.as_deref()), (Some("hi\u{fffd}"), Some("a")));
        assert!(log.flaws.contains(Flaw::Binary));
        for line in [&b"{}"[..], b"x", br#"{"__CURSOR":"c","__REALTIME_TIMESTAMP":"x"}"#] {
            assert_eq!(read_journal_entry(line), None);
        }
    }
}
