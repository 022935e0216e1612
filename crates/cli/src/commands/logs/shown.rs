//! A record as a line, for people or for programs.

use std::io::{self, Write};

use serde_json::Value;

use crate::exit::Failure;
use crate::show::clean;

/// Writes records, as the API shows them, each as a line. `false` when nobody reads on.
pub(super) fn write<'v>(
    out: &mut impl Write,
    records: impl IntoIterator<Item = &'v Value>,
    json: bool,
) -> Result<bool, Failure> {
    let mut all = records.into_iter();
    let written =
        all.try_for_each(
            |record| {
                if json { writeln!(out, "{record}") } else { writeln!(out, "{}", line(record)) }
            },
        );
    match written.and_then(|()| out.flush()) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(false),
        Err(error) => Err(Failure::from(anyhow::Error::from(error).context("writing"))),
        Ok(()) => Ok(true),
    }
}

/// Time, level, service and message; of what was thrown, what it says.
fn line(record: &Value) -> String {
    let text = |value: &Value| clean(value.as_str().unwrap_or_default());
    let level = record["level"].as_str().map_or_else(|| "-".to_owned(), clean);
    let said = &record["conventions"];
    let mut shown = format!("{}  {level:5}", text(&record["time"]));
    for part in [&record["origin"]["service"], &record["message"]] {
        if part.is_string() {
            shown.push_str("  ");
            shown.push_str(&text(part));
        }
    }
    if said["exception_type"].is_string() {
        let thrown = [&said["exception_type"], &said["exception_message"]].map(text);
        shown.push_str(&format!("  ({}: {})", thrown[0], thrown[1]));
    }
    shown
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_record_is_one_line_whatever_it_says() {
        let record = json!({
            "time": "2026-11-30T08:00:00Z", "level": "error", "origin": { "service": "ocr" },
            "message": "no\n\u{1b}[31mway", "conventions": { "exception_type": "KeyError", "exception_message": "'x'" },
        });
        let bare = json!({ "time": "2026-11-30T08:00:01Z", "origin": {}, "conventions": {} });
        let mut out = Vec::new();
        assert!(write(&mut out, [&record, &bare], false).expect("written"));
        let expected = "2026-11-30T08:00:00Z  error  ocr  no \u{fffd}[31mway  (KeyError: 'x')\n\
            2026-11-30T08:00:01Z  -    \n";
        assert_eq!(String::from_utf8(out).expect("UTF-8"), expected);
        let mut out = Vec::new();
        assert!(write(&mut out, [&record], true).expect("written"));
        assert_eq!(serde_json::from_slice::<Value>(&out).expect("JSON"), record);
    }
}
