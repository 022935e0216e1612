//! Messages of log records by template.

use std::collections::BTreeMap;

use model::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use super::records::SearchHint;

/// A record that stands for those of a pattern.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PatternExample {
    /// When it was.
    #[schema(value_type = String, format = DateTime)]
    time: Timestamp,
    /// What tells it from others of its time, for `/api/v1/logs/context`.
    id: String,
    /// What it says, at most 1,024 bytes of it.
    message: String,
}

/// A template, and the log records that have it.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct LogPattern {
    /// The words of the message, with places for what varies: `<num>`, `<time>`, `<hex>`, `<uuid>`, `<id>`, `<ip>`,
    /// `<url>`, `<path>`, `<quoted>`, and `<*>` for what is none of these.
    template: String,
    /// How many records have it.
    count: u64,
    /// The same as a share of all that the search finds, 0 to 1.
    share: f64,
    /// When the first of them was.
    #[schema(value_type = String, format = DateTime)]
    first_seen: Timestamp,
    /// When the last of them was.
    #[schema(value_type = String, format = DateTime)]
    last_seen: Timestamp,
    /// How many of them have each level, by its name.
    levels: BTreeMap<&'static str, u64>,
    /// The last of them.
    example: PatternExample,
}

/// What log records say, by template.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct LogPatterns {
    /// The patterns, those that most records have first.
    items: Vec<LogPattern>,
    /// How many templates there are, of those that were told apart.
    distinct: u64,
    /// How many records have templates that are not shown.
    other: u64,
    /// How many records have no message.
    without: u64,
    /// How many records the search finds.
    total: u64,
    /// Whether all templates were told apart: if not, `other` has records of further ones.
    exact: bool,
    /// What to know of the search.
    hints: Vec<SearchHint>,
}

impl LogPatterns {
    pub(crate) fn of(found: records::Patterns, hints: Vec<SearchHint>) -> Self {
        let total = found.total;
        Self {
            items: found.items.into_iter().map(|pattern| LogPattern::of(pattern, total)).collect(),
            distinct: found.distinct,
            other: found.other,
            without: found.without,
            total,
            exact: found.is_exact,
            hints,
        }
    }
}

impl LogPattern {
    fn of(pattern: records::Pattern, total: u64) -> Self {
        let records::Example { time, id, message } = pattern.example;
        Self {
            template: pattern.template,
            count: pattern.count,
            share: pattern.count as f64 / total.max(1) as f64,
            first_seen: pattern.first_seen,
            last_seen: pattern.last_seen,
            levels: pattern.levels.into_iter().map(|(level, count)| (level.name(), count)).collect(),
            example: PatternExample { time, id: format!("{id:016x}"), message },
        }
    }
}
