//! Statements of SQL, their answers, and the tables that there are.

use model::DurationText;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A statement.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SqlRequest {
    /// The statement, which only reads: `SELECT`, `WITH`, `VALUES`, `EXPLAIN`, `SHOW` or `DESCRIBE`.
    pub(crate) sql: String,
    /// `json`, `csv`, `ndjson`, `arrow` (a stream of Arrow IPC) or `parquet`; what `Accept` says, or `json`, if left
    /// out.
    pub(crate) format: Option<String>,
    /// The most rows of the answer; 10000 of JSON, and as many as `store.max_scan_rows` of other formats, if left out.
    pub(crate) limit: Option<u64>,
    /// The longest that it may take, as `10s`.
    #[schema(value_type = Option<String>)]
    pub(crate) timeout: Option<DurationText>,
}

/// An answer in JSON.
#[derive(ToSchema)]
#[allow(dead_code, reason = "it describes what is written in pieces")]
pub(crate) struct SqlAnswer {
    /// The columns, in order.
    columns: Vec<SqlAnswerColumn>,
    /// The rows, each a list of values in the order of the columns. Times are RFC 3339, maps are objects, intervals are
    /// texts; NaN and the infinities are null.
    #[schema(value_type = Vec<Vec<Object>>)]
    rows: Vec<Vec<serde_json::Value>>,
    /// Whether the limit has cut rows off.
    truncated: bool,
    /// What it was made of.
    statistics: SqlStatistics,
}

/// A column of an answer.
#[derive(ToSchema)]
#[allow(dead_code, reason = "it describes what is written in pieces")]
pub(crate) struct SqlAnswerColumn {
    /// Its name.
    name: String,
    /// What values it has, in words of SQL.
    r#type: String,
}

/// What an answer was made of.
#[derive(ToSchema)]
#[allow(dead_code, reason = "it describes what is written in pieces")]
pub(crate) struct SqlStatistics {
    /// Rows of the answer.
    rows: u64,
    /// Rows of events and samples that went into it.
    rows_read: u64,
    /// Row groups of files that were read.
    row_groups_read: u64,
    /// Row groups that were passed over, by what statistics and filters say of them.
    row_groups_passed_over: u64,
    /// How long making the plan took, in seconds.
    planning_seconds: f64,
    /// How long all of it took, in seconds.
    seconds: f64,
}

/// The tables that statements can read.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct SqlSchema {
    /// Each table.
    tables: Vec<SqlTable>,
}

/// A table.
#[derive(Debug, Serialize, ToSchema)]
struct SqlTable {
    /// Its name.
    name: &'static str,
    /// What its rows are.
    description: &'static str,
    /// Its columns, in order.
    columns: Vec<SqlColumn>,
}

/// A column of a table.
#[derive(Debug, Serialize, ToSchema)]
struct SqlColumn {
    /// Its name.
    name: String,
    /// What values it has, in words of SQL.
    r#type: String,
    /// Whether it can hold nothing.
    nullable: bool,
    /// What its values are.
    description: &'static str,
}

impl From<Vec<store::SqlTable>> for SqlSchema {
    fn from(tables: Vec<store::SqlTable>) -> Self {
        let column = |column: store::SqlColumn| SqlColumn {
            name: column.name,
            r#type: column.data_type,
            nullable: column.is_nullable,
            description: column.description,
        };
        let tables = tables.into_iter().map(|table| SqlTable {
            name: table.name,
            description: table.description,
            columns: table.columns.into_iter().map(column).collect(),
        });
        Self { tables: tables.collect() }
    }
}
