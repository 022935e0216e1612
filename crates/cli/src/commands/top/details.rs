//! What there is about one row: the server's answer as lines of text.
//!
//! Known things come first and in order; whatever else the server says of a subject is listed after
//! them, so that what a newer server adds is seen without a newer terminal.

use serde_json::{Map, Value};
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use super::grid::Subject;
use crate::show::{bytes, clean, number, percent, seconds};

/// The most lines of one subject.
const MAX_LINES: usize = 2_000;
/// The most items of one list.
const MAX_ITEMS: usize = 100;

/// One subject, opened.
#[derive(Clone, Debug)]
pub(crate) struct Details {
    pub(crate) subject: Subject,
    pub(crate) title: String,
    /// What is known, line by line; none until the server has answered.
    lines: Option<Vec<String>>,
    /// Why there is no more.
    pub(crate) trouble: Option<String>,
    /// The first line on the screen, counted after wrapping.
    pub(crate) scroll: usize,
}

/// The columns and lines that details have on a terminal of this size.
pub(crate) fn room((width, height): (u16, u16)) -> (usize, usize) {
    (usize::from(width.saturating_sub(2)).max(1), usize::from(height.saturating_sub(4)).max(1))
}

impl Details {
    /// Before the server has answered.
    pub(crate) fn of(subject: &Subject) -> Self {
        let (kind, name) = match subject {
            Subject::Queue(name) => ("Queue", name.as_str()),
            Subject::Worker(name) => ("Worker", name.as_str()),
            Subject::Job(name) => ("Job", name.as_str()),
            Subject::Alert(name) => ("Alert", name.as_str()),
            Subject::Host(name) => ("Host", name.as_str()),
            Subject::Told(lines) => ("", lines.first().map(String::as_str).unwrap_or_default()),
        };
        let lines = match subject {
            Subject::Told(lines) => Some(lines.iter().map(|line| clean(line)).collect()),
            _ => None,
        };
        let title = clean(format!("{kind} {name}").trim());
        Self { subject: subject.clone(), title, lines, trouble: None, scroll: 0 }
    }

    /// Takes in what the server says.
    pub(crate) fn fill(&mut self, answer: Result<Value, String>) {
        match answer {
            Ok(value) => {
                self.trouble = None;
                if let (Subject::Alert(_), Some(rule)) = (&self.subject, value["rule"].as_str()) {
                    self.title = format!("Alert {}", clean(rule));
                }
                self.lines = Some(lines(&value));
            }
            Err(reason) => self.trouble = Some(clean(&reason)),
        }
    }

    /// The lines, broken at `width` columns.
    pub(crate) fn wrapped(&self, width: usize) -> Vec<String> {
        let Some(lines) = &self.lines else {
            return vec![if self.trouble.is_some() { String::new() } else { "asking …".to_owned() }];
        };
        lines.iter().flat_map(|line| wrap(line, width)).take(MAX_LINES).collect()
    }
}

/// A line in pieces of at most `width` columns; further pieces are indented as the line is.
fn wrap(line: &str, width: usize) -> Vec<String> {
    let indent = (line.chars().take_while(|character| *character == ' ').count() + 2).min(width / 2);
    let (mut pieces, mut piece, mut used) = (Vec::new(), String::new(), 0);
    for character in line.chars() {
        let needed = character.width().unwrap_or(0);
        if used + needed > width && used > 0 {
            // Between words where there are some, else anywhere.
            let words = piece.trim_start().rfind(' ').map(|at| at + piece.len() - piece.trim_start().len());
            let rest = words.map(|at| piece.split_off(at)).unwrap_or_default();
            pieces.push(std::mem::replace(&mut piece, " ".repeat(indent) + rest.trim_start()));
            used = piece.width();
        }
        piece.push(character);
        used += needed;
    }
    pieces.push(piece);
    pieces
}

/// What is said first, whatever the subject.
const FIRST: &[&str] = &[
    "rule",
    "severity",
    "state",
    "status",
    "judgement",
    "error",
    "annotations",
    "labels",
    "value",
    "acknowledged",
    "note",
    "evidence",
    "history",
    "depth",
    "oldest_age_seconds",
];
/// Lists are long, so they come last, in this order.
const LAST: &[&str] = &["attempts", "stages", "filesystems", "gpus", "processes", "tasks", "attributes"];

fn lines(value: &Value) -> Vec<String> {
    let mut out = Vec::new();
    if let Some(fields) = value.as_object() {
        let known = |name: &&String| FIRST.contains(&name.as_str()) || LAST.contains(&name.as_str());
        let other = fields.keys().filter(|name| !known(name)).map(String::as_str);
        for name in FIRST.iter().copied().chain(other).chain(LAST.iter().copied()) {
            if let Some(value) = fields.get(name) {
                field(&mut out, 0, name, value);
            }
        }
    } else {
        out.push(scalar("", value));
    }
    out.truncate(MAX_LINES);
    out
}

fn field(out: &mut Vec<String>, depth: usize, name: &str, value: &Value) {
    if out.len() >= MAX_LINES || depth > 6 {
        return;
    }
    let indent = "  ".repeat(depth);
    match value {
        Value::Null => {}
        Value::String(text) if text.is_empty() => {}
        Value::Object(fields) if fields.is_empty() => {}
        Value::Array(items) if items.is_empty() => {}
        Value::Object(fields) => {
            if depth == 0 {
                out.push(String::new());
            }
            out.push(format!("{indent}{}", label(name)));
            for (name, value) in fields {
                field(out, depth + 1, name, value);
            }
        }
        Value::Array(items) => list(out, depth, name, items),
        scalar_value => {
            out.push(named(&indent, name, &scalar(name, scalar_value)));
        }
    }
}

/// A name and its value, the values below each other.
fn named(indent: &str, name: &str, value: &str) -> String {
    format!("{indent}{:<18} {value}", label(name))
}

fn list(out: &mut Vec<String>, depth: usize, name: &str, items: &[Value]) {
    let indent = "  ".repeat(depth);
    if items.iter().all(|item| !item.is_object() && !item.is_array()) {
        let texts: Vec<String> = items.iter().take(MAX_ITEMS).map(|item| scalar(name, item)).collect();
        out.push(named(&indent, name, &texts.join(", ")));
        return;
    }
    out.push(String::new());
    out.push(format!("{indent}{} ({})", label(name), items.len()));
    let known = columns_of(name)
        .filter(|fields| items.iter().any(|item| fields.iter().any(|field| !item[*field].is_null())));
    if let Some(fields) = known {
        out.extend(table(items, fields).into_iter().map(|row| format!("{indent}  {row}")));
    }
    for item in items.iter().take(if known.is_some() { 0 } else { MAX_ITEMS }) {
        if let Some(rows) = item["rows"].as_array() {
            check(out, &indent, item, rows);
        } else if let Some(fields) = item.as_object() {
            out.push(format!("{indent}  {}", in_one_line(fields)));
        } else {
            out.push(format!("{indent}  {}", scalar(name, item)));
        }
    }
    if items.len() > MAX_ITEMS {
        out.push(format!("{indent}  … and {} more", items.len() - MAX_ITEMS));
    }
}

/// What a runbook's check gave: a table.
fn check(out: &mut Vec<String>, indent: &str, result: &Value, rows: &[Value]) {
    let text = |value: &Value| clean(value.as_str().unwrap_or_default());
    out.push(format!("{indent}  {}", text(&result["title"])));
    let header: Vec<String> = result["columns"].as_array().into_iter().flatten().map(text).collect();
    let mut table: Vec<Vec<String>> = vec![header];
    table.extend(
        rows.iter().take(MAX_ITEMS).map(|row| row.as_array().into_iter().flatten().map(text).collect()),
    );
    if !rows.is_empty() {
        out.extend(aligned(&table).into_iter().map(|row| format!("{indent}    {row}")));
    }
    if let Some(note) = result["note"].as_str() {
        out.push(format!("{indent}    {}", clean(note)));
    }
}

/// Rows with their cells below each other.
fn aligned(table: &[Vec<String>]) -> Vec<String> {
    let columns = table.iter().map(Vec::len).max().unwrap_or(0);
    let width = |column: usize| {
        table.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count()).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..columns).map(|column| width(column).min(40)).collect();
    let in_line = |row: &Vec<String>| {
        let cells: Vec<String> =
            row.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}")).collect();
        cells.join("  ").trim_end().to_owned()
    };
    table.iter().map(in_line).collect()
}

/// The fields of a known list that are shown as columns; the others have too many to be read.
fn columns_of(name: &str) -> Option<&'static [&'static str]> {
    Some(match name {
        "attempts" => &["number", "outcome", "worker_id", "started_at", "ended_at", "error"],
        "stages" => {
            &["stage", "status", "duration_seconds", "memory_peak_bytes", "items", "worker_id", "error"]
        }
        "history" => &["time", "from", "to", "actor", "note"],
        "processes" => &["pid", "name", "rss_bytes", "cpu_ratio", "group", "started_at"],
        "filesystems" => &["mountpoint", "size_bytes", "available_bytes", "fstype"],
        "tasks" => &["id", "state", "age_seconds", "kind", "priority", "payload_bytes"],
        _ => return None,
    })
}

/// A known list as a table; columns that nothing is in are left out.
fn table(items: &[Value], fields: &'static [&'static str]) -> Vec<String> {
    let cell = |item: &Value, field: &str| match &item[field] {
        Value::Object(inner) => in_one_line(inner),
        value => scalar(field, value),
    };
    let told: Vec<&str> =
        fields.iter().copied().filter(|field| items.iter().any(|item| !item[*field].is_null())).collect();
    let mut rows = vec![told.iter().map(|field| label(field)).collect::<Vec<String>>()];
    let items = items.iter().take(MAX_ITEMS);
    rows.extend(items.map(|item| told.iter().map(|field| cell(item, field)).collect()));
    aligned(&rows)
}

fn in_one_line(fields: &Map<String, Value>) -> String {
    let parts: Vec<String> = fields
        .iter()
        .filter(|(_, value)| !value.is_null())
        .map(|(name, value)| match value {
            Value::Object(inner) => in_one_line(inner),
            Value::String(_) => scalar(name, value),
            _ => format!("{} {}", label(name), scalar(name, value)),
        })
        .filter(|part| !part.is_empty())
        .collect();
    parts.join(" · ")
}

/// A field's name as people read it: the unit goes, for the value shows it.
fn label(name: &str) -> String {
    let name = ["_seconds", "_bytes", "_ratio", "_percent"]
        .iter()
        .find_map(|unit| name.strip_suffix(unit))
        .unwrap_or(name);
    clean(&name.replace('_', " "))
}

/// A value with the unit that its field's name says.
fn scalar(name: &str, value: &Value) -> String {
    match value {
        Value::String(text) => clean(text),
        Value::Bool(true) => "yes".to_owned(),
        Value::Bool(false) => "no".to_owned(),
        Value::Number(given) => {
            let value = given.as_f64().unwrap_or(f64::NAN);
            match name {
                _ if name.ends_with("_seconds") => seconds(value),
                _ if name.ends_with("_bytes") => bytes(value),
                _ if name.ends_with("_ratio") => percent(value),
                _ if name.ends_with("_percent") => format!("{value:.0}%"),
                "pid" | "port" => given.to_string(),
                _ => number(value),
            }
        }
        Value::Null => String::new(),
        Value::Array(_) | Value::Object(_) => clean(&value.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn an_alert_shows_its_evidence_as_tables() {
        let mut details = Details::of(&Subject::Alert("abc".to_owned()));
        assert_eq!(details.wrapped(40), ["asking …"]);
        details.fill(Ok(json!({
            "id": "abc", "rule": "QueueBacklog", "severity": "warning", "value": 112.0, "news": { "x": true },
            "evidence": [{ "check": "workers", "title": "Workers", "columns": ["worker", "status"],
                "rows": [["llm-1", "offline\u{1b}[2J"]], "note": "one is gone" }],
        })));
        assert_eq!(details.title, "Alert QueueBacklog");
        let text = details.wrapped(60).join("\n");
        for expected in [
            "rule               QueueBacklog",
            "value              112",
            "llm-1   offline\u{fffd}[2J",
            "one is gone",
            "news\n  x                  yes",
        ] {
            assert!(text.contains(expected), "{expected:?} in {text}");
        }
        assert!(!text.contains('\u{1b}'));
    }

    #[test]
    fn stages_are_a_table_with_what_they_took() {
        let stages = json!([
            { "stage": "ocr", "status": "completed", "duration_seconds": 42, "memory_peak_bytes": 1_048_576, "items": null },
            { "stage": "chunk", "status": null, "error": { "error_type": "Odd", "message": "x\u{1b}" } },
        ]);
        let text = lines(&json!({ "stages": stages }));
        assert_eq!(
            text[1..],
            [
                "stages (2)",
                "  stage  status     duration  memory peak  error",
                "  ocr    completed  42s       1.0M",
                "  chunk                                    Odd · x\u{fffd}",
            ]
        );
    }

    #[test]
    fn units_follow_from_names() {
        let text = lines(&json!({ "duration_seconds": 307, "memory_peak_bytes": 1_048_576, "cpu_ratio": 0.5, "pid": 123_456 })).join("\n");
        for expected in [
            "duration           5m07s",
            "memory peak        1.0M",
            "cpu                50%",
            "pid                123456",
        ] {
            assert!(text.contains(expected), "{expected:?} in {text}");
        }
    }

    #[test]
    fn what_is_too_much_is_cut() {
        let many: Vec<Value> = (0..500).map(|index| json!({ "job": format!("j{index}") })).collect();
        let text = lines(&json!({ "tasks": many }));
        assert!(text.len() < 110 && text.last().is_some_and(|line| line.contains("400 more")), "{text:?}");
        let mut deep = json!(1);
        for _ in 0..100 {
            deep = json!({ "in": deep });
        }
        assert!(lines(&deep).len() < 20);
        assert_eq!(wrap("  abcdefgh", 6), ["  abcd", "   efg", "   h"]);
        assert_eq!(wrap("abc", 0).len(), 3);
        assert_eq!(wrap("one two three", 8), ["one two", "  three"]);
        assert_eq!(wrap("one twothreefour", 8), ["one", "  twothr", "  eefour"]);
        assert_eq!(wrap("漢字漢字", 5), ["漢字", "  漢", "  字"]);
    }
}
