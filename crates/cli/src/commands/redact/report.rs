//! What a dry run shows: lines with what would be replaced in them, and how often.

use std::collections::BTreeMap;

use comfy_table::{CellAlignment, Table, presets};
use ingest::{Action, Found};
use serde_json::{Value, json};

use crate::show::clean;

/// How what goes and what comes is marked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Colours {
    /// By red and green.
    With,
    /// By `[-…-]` and `{+…+}`, as git marks words.
    Without,
}

const RED: &str = "\u{1b}[31m";
const GREEN: &str = "\u{1b}[32m";
const PLAIN: &str = "\u{1b}[0m";

impl Colours {
    /// On a terminal that shows them, to somebody who wants them.
    pub(super) fn of(is_terminal: bool, variable: impl Fn(&str) -> Option<String>) -> Self {
        let is_unwanted = variable("NO_COLOR").is_some_and(|value| !value.is_empty());
        let is_dumb = variable("TERM").is_none_or(|term| term == "dumb");
        if is_terminal && !is_unwanted && !is_dumb { Self::With } else { Self::Without }
    }

    fn change(self, old: &str, new: &str) -> String {
        match self {
            Self::With => format!("{RED}{}{PLAIN}{GREEN}{}{PLAIN}", shortened(old), clean(new)),
            Self::Without => format!("[-{}-]{{+{}+}}", shortened(old), clean(new)),
        }
    }
}

/// The lines of a text with what would be replaced in them, each with its number; of the text the first has `line`.
pub(super) fn for_people(line: u64, text: &str, found: &[Found<'_>], colours: Colours) -> String {
    let mut shown = String::new();
    let (mut number, mut counted) = (line, 0);
    let mut changes = found.iter().filter(|one| one.action != Action::Keep).peekable();
    while let Some(first) = changes.peek() {
        let start = text[..first.range.start].rfind('\n').map_or(0, |before| before + 1);
        number += text[counted..start].matches('\n').count() as u64;
        counted = start;
        if !shown.is_empty() {
            shown.push('\n');
        }
        shown.push_str(&format!("{number}: "));
        let (mut copied, mut end) = (start, end_of_line(text, start));
        while let Some(one) = changes.next_if(|one| one.range.start <= end) {
            shown.push_str(&clean(&text[copied..one.range.start]));
            shown.push_str(&colours.change(&text[one.range.clone()], &one.replacement));
            copied = one.range.end;
            end = end_of_line(text, copied);
        }
        shown.push_str(&clean(&text[copied..end]));
    }
    shown
}

fn end_of_line(text: &str, from: usize) -> usize {
    text[from..].find('\n').map_or(text.len(), |length| from + length)
}

/// What goes, of which the first line says enough.
fn shortened(old: &str) -> String {
    let lines = old.lines().count();
    match old.lines().next() {
        Some(first) if lines > 1 => format!("{} … {lines} lines", clean(first)),
        _ => clean(old),
    }
}

/// The same for programs; places are bytes.
pub(super) fn as_json(line: u64, text: &str, found: &[Found<'_>], cleaned: &str) -> String {
    let finding = |one: &Found<'_>| {
        json!({
            "start": one.range.start,
            "end": one.range.end,
            "detector": one.detector,
            "action": one.action.as_str(),
            "found": &text[one.range.clone()],
            "replacement": one.replacement,
        })
    };
    let findings: Vec<Value> = found.iter().map(finding).collect();
    json!({ "line": line, "text": cleaned, "findings": findings }).to_string()
}

/// What was found in all texts.
#[derive(Default)]
pub(super) struct Report {
    texts: u64,
    changed: u64,
    findings: BTreeMap<(String, &'static str), u64>,
}

impl Report {
    pub(super) fn text(&mut self, is_changed: bool) {
        self.texts += 1;
        self.changed += u64::from(is_changed);
    }

    pub(super) fn count(&mut self, detector: &str, action: Action) {
        *self.findings.entry((detector.to_owned(), action.as_str())).or_default() += 1;
    }

    /// How often each detector found something, for people.
    pub(super) fn summary(&self) -> String {
        let texts = if self.texts == 1 { "text" } else { "texts" };
        if self.findings.is_empty() {
            return format!("nothing was found in {} {texts}", self.texts);
        }
        let mut table = Table::new();
        table.load_style(presets::NOTHING);
        table.set_header(["DETECTOR", "ACTION", "FOUND"]);
        for ((detector, action), count) in &self.findings {
            table.add_row([clean(detector), (*action).to_owned(), count.to_string()]);
        }
        if let Some(column) = table.column_mut(2) {
            column.set_cell_alignment(CellAlignment::Right);
        }
        format!("\n{}\n\n{} of {} {texts} would change", table.trim_fmt(), self.changed, self.texts)
    }

    /// The same for programs.
    pub(super) fn summary_as_json(&self) -> String {
        let findings: Vec<Value> = self
            .findings
            .iter()
            .map(|((detector, action), count)| json!({ "detector": detector, "action": action, "count": count }))
            .collect();
        json!({ "summary": { "texts": self.texts, "changed": self.changed, "findings": findings } })
            .to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_are_for_terminals_that_show_them_to_those_who_want_them() {
        let colours = |is_terminal: bool, set: &[(&str, &str)]| {
            let of = |name: &str| {
                set.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())
            };
            Colours::of(is_terminal, of)
        };
        assert_eq!(colours(true, &[("TERM", "xterm")]), Colours::With);
        assert_eq!(colours(true, &[("TERM", "xterm"), ("NO_COLOR", "")]), Colours::With);
        assert_eq!(colours(true, &[("TERM", "xterm"), ("NO_COLOR", "1")]), Colours::Without);
        assert_eq!(colours(true, &[("TERM", "dumb")]), Colours::Without);
        assert_eq!(colours(false, &[("TERM", "xterm")]), Colours::Without);
    }

    #[test]
    fn a_line_obeys_no_terminal_but_by_our_colours() {
        let found = [Found {
            range: 2..4,
            detector: "x",
            action: Action::Mask,
            replacement: "[redacted:x]".to_owned(),
        }];
        let shown = for_people(1, "a\u{1b}b\u{7}c", &found, Colours::With);
        assert_eq!(shown, "1: a\u{fffd}\u{1b}[31mb\u{fffd}\u{1b}[0m\u{1b}[32m[redacted:x]\u{1b}[0mc");
    }
}
