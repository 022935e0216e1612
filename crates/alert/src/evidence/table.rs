//! What a check fills in: a table, what to make of it, and amounts as people write them.

use serde::{Deserialize, Serialize};

use crate::template::{humanize_1024, humanize_duration};

/// What to make of what a check shows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum CheckVerdict {
    /// Nothing that it looks at is out of order.
    #[default]
    Fine,
    /// Something deserves a look.
    Look,
    /// Something is broken.
    Bad,
}

impl CheckVerdict {
    /// The verdict as it is written.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Fine => "fine",
            Self::Look => "look",
            Self::Bad => "bad",
        }
    }
}

/// Rows for columns, what to make of them, and what is to be said beside them.
#[derive(Debug, Default)]
pub(crate) struct Table {
    pub(super) columns: Vec<&'static str>,
    pub(super) rows: Vec<Vec<String>>,
    pub(super) note: Option<String>,
    pub(super) verdict: CheckVerdict,
    pub(super) reason: String,
    pub(super) max_rows: Option<usize>,
}

impl Table {
    /// A table of which there is nothing bad to say, so far.
    pub(super) fn new<const N: usize>(
        columns: [&'static str; N],
        rows: impl IntoIterator<Item = [String; N]>,
    ) -> Self {
        let rows = rows.into_iter().map(Vec::from).collect();
        Self { columns: columns.to_vec(), rows, ..Self::default() }
    }

    /// What stands in place of a look that was not taken. Not to know is not to be fine.
    pub(super) fn not_looked(note: String) -> Self {
        Self { note: Some(note.clone()), verdict: CheckVerdict::Look, reason: note, ..Self::default() }
    }

    /// What is said when there are no rows.
    pub(super) fn or_else_note(mut self, note: &str) -> Self {
        if self.rows.is_empty() {
            self.note = Some(note.to_owned());
        }
        self
    }

    /// How many rows are shown, where the usual number is too few.
    pub(super) fn keep(&mut self, rows: usize) {
        self.max_rows = Some(rows);
    }

    /// What is to be made of it. The worst that was said stands; of equals, the first.
    pub(super) fn judged(mut self, verdict: CheckVerdict, reason: impl Into<String>) -> Self {
        if verdict > self.verdict || self.reason.is_empty() {
            (self.verdict, self.reason) = (verdict.max(self.verdict), reason.into());
        }
        self
    }
}

pub(super) fn bytes(number: u64) -> String {
    format!("{}B", humanize_1024(number as f64))
}

/// A change of an amount of bytes, with its sign.
pub(super) fn change(bytes: f64) -> String {
    let sign = if bytes < 0.0 { "-" } else { "+" };
    format!("{sign}{}B", humanize_1024(bytes.abs()))
}

pub(super) fn age(seconds: f64) -> String {
    humanize_duration(seconds.round())
}

pub(super) fn share(ratio: Option<f64>) -> String {
    ratio.map_or_else(none, |ratio| format!("{:.0}%", ratio * 100.0))
}

pub(super) fn text(value: Option<&str>) -> String {
    value.map_or_else(none, str::to_owned)
}

pub(super) fn none() -> String {
    "-".to_owned()
}

/// `1 task`, `2 tasks`.
pub(super) fn counted(count: usize, one: &str) -> String {
    if count == 1 { format!("1 {one}") } else { format!("{count} {one}s") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_written_for_people() {
        assert_eq!(bytes(4_831_838_208), "4.5GiB");
        assert_eq!(age(125.4), "2m 5s");
        assert_eq!(share(Some(0.915)), "92%");
        assert_eq!(share(None), "-");
        assert_eq!(change(-1_073_741_824.0), "-1GiB");
        assert_eq!(change(1_048_576.0), "+1MiB");
    }

    #[test]
    fn the_worst_verdict_stands() {
        let table = Table::default()
            .judged(CheckVerdict::Look, "a look")
            .judged(CheckVerdict::Bad, "broken")
            .judged(CheckVerdict::Bad, "broken too")
            .judged(CheckVerdict::Fine, "fine");
        assert_eq!((table.verdict, table.reason.as_str()), (CheckVerdict::Bad, "broken"));
    }
}
