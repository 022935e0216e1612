//! The tables that SQL knows: the event tables, and the samples of series as rows.

use std::fmt::Write as _;
use std::sync::{Arc, LazyLock};

use arrow::datatypes::{DataType, Field, Fields, Schema, SchemaRef, TimeUnit};

use super::describe::{column_text, table_text};
use crate::{Table, schema};

/// The name of the table of samples.
pub const SAMPLES: &str = "samples";

/// A table, as people browse it.
#[derive(Clone, Debug)]
pub struct SqlTable {
    /// Its name.
    pub name: &'static str,
    /// What its rows are.
    pub description: &'static str,
    /// Its columns, in order.
    pub columns: Vec<SqlColumn>,
}

/// A column, as people browse it.
#[derive(Clone, Debug)]
pub struct SqlColumn {
    /// Its name.
    pub name: String,
    /// What values it has, in words of SQL.
    pub data_type: String,
    /// Whether it can hold nothing.
    pub is_nullable: bool,
    /// What its values are.
    pub description: &'static str,
}

/// Every table with its columns.
pub fn sql_tables() -> Vec<SqlTable> {
    let events = Table::ALL.iter().map(|table| (table.name(), schema(*table)));
    events.chain([(SAMPLES, samples_schema())]).map(|(name, schema)| browsed(name, &schema)).collect()
}

fn browsed(name: &'static str, schema: &Schema) -> SqlTable {
    let columns = schema.fields().iter().map(|field| SqlColumn {
        name: field.name().clone(),
        data_type: type_name(field.data_type()),
        is_nullable: field.is_nullable(),
        description: column_text(name, field.name()),
    });
    SqlTable { name, description: table_text(name), columns: columns.collect() }
}

/// The columns of [`SAMPLES`].
pub fn samples_schema() -> SchemaRef {
    static SCHEMA: LazyLock<SchemaRef> = LazyLock::new(|| {
        let text = |name: &str, nullable| Field::new(name, DataType::Utf8, nullable);
        let entries = Fields::from(vec![text("key", false), text("value", true)]);
        let labels = DataType::Map(Arc::new(Field::new("entries", DataType::Struct(entries), false)), false);
        Arc::new(Schema::new(vec![
            Field::new("time", DataType::Timestamp(TimeUnit::Nanosecond, Some("UTC".into())), false),
            text("name", false),
            Field::new("labels", labels, false),
            Field::new("value", DataType::Float64, true),
            text("histogram", true),
        ]))
    });
    Arc::clone(&SCHEMA)
}

/// A type in words of SQL.
pub fn type_name(data_type: &DataType) -> String {
    let name = match data_type {
        DataType::Null => "null",
        DataType::Boolean => "boolean",
        DataType::Int8 => "tinyint",
        DataType::Int16 => "smallint",
        DataType::Int32 => "integer",
        DataType::Int64 => "bigint",
        DataType::UInt8 => "tinyint unsigned",
        DataType::UInt16 => "smallint unsigned",
        DataType::UInt32 => "integer unsigned",
        DataType::UInt64 => "bigint unsigned",
        DataType::Float16 | DataType::Float32 => "real",
        DataType::Float64 => "double",
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => "text",
        DataType::Binary | DataType::LargeBinary | DataType::BinaryView | DataType::FixedSizeBinary(_) => {
            "bytea"
        }
        DataType::Date32 | DataType::Date64 => "date",
        DataType::Time32(_) | DataType::Time64(_) => "time",
        DataType::Timestamp(..) => "timestamp",
        DataType::Interval(_) | DataType::Duration(_) => "interval",
        DataType::Map(entries, _) => return map_name(entries),
        other => return other.to_string().to_lowercase(),
    };
    name.to_owned()
}

fn map_name(entries: &Field) -> String {
    let DataType::Struct(fields) = entries.data_type() else { return "map".to_owned() };
    let mut text = "map(".to_owned();
    for (place, field) in fields.iter().enumerate() {
        // Writing to a String does not fail.
        _ = write!(text, "{}{}", if place == 0 { "" } else { ", " }, type_name(field.data_type()));
    }
    text.push(')');
    text
}

#[cfg(test)]
mod tests {
    use model::event::{
        AuditCategory, AuditOutcome, Capability, ComponentAction, ExitCause, JobAction, Level, SpanKind,
        SpanStatus, StageAction, StageStatus, WorkerAction,
    };

    use super::*;

    #[test]
    fn every_table_and_every_column_is_described() {
        for table in sql_tables() {
            assert!(!table.description.is_empty(), "{}", table.name);
            for column in &table.columns {
                assert!(!column.description.is_empty(), "{}.{}", table.name, column.name);
            }
        }
    }

    #[test]
    fn columns_with_a_few_values_name_them_all() {
        fn texts<T: ToString>(values: &[T]) -> Vec<String> {
            values.iter().map(ToString::to_string).collect()
        }
        let cases = [
            ("job_events", "action", texts(JobAction::ALL)),
            ("stage_events", "action", texts(StageAction::ALL)),
            ("stage_events", "status", texts(StageStatus::ALL)),
            ("component_events", "action", texts(ComponentAction::ALL)),
            ("worker_events", "action", texts(WorkerAction::ALL)),
            ("worker_events", "capability", texts(Capability::ALL)),
            ("audit_events", "category", texts(AuditCategory::ALL)),
            ("audit_events", "outcome", texts(AuditOutcome::ALL)),
            ("process_exits", "cause", texts(ExitCause::ALL)),
            ("logs", "level", texts(Level::ALL)),
            ("spans", "kind", texts(SpanKind::ALL)),
            ("spans", "status", texts(SpanStatus::ALL)),
        ];
        let tables = sql_tables();
        for (table, column, values) in cases {
            let table = tables.iter().find(|known| known.name == table).expect("a table");
            let column = table.columns.iter().find(|known| known.name == column).expect("a column");
            for value in values {
                assert!(
                    column.description.contains(&format!("`{value}`")),
                    "{column:?} says nothing of {value}"
                );
            }
        }
    }

    /// To bring the page up to date: `WATCHKEEPER_BLESS=1 cargo nextest run -p store the_page_of_tables`.
    #[test]
    fn the_page_of_tables_says_what_there_is() {
        let mut page = String::from(
            "# The tables of SQL\n\n\
             Made from the code. How they are asked stands in [sql.md](sql.md). A column marked with ? can be null.\n",
        );
        for table in sql_tables() {
            _ = write!(page, "\n## {}\n\n{}\n\n", table.name, table.description);
            page.push_str("| column | type | what it is |\n|---|---|---|\n");
            for column in table.columns {
                let mark = if column.is_nullable { "?" } else { "" };
                _ = writeln!(
                    page,
                    "| `{}` | {}{mark} | {} |",
                    column.name, column.data_type, column.description
                );
            }
        }
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/sql-tables.md");
        if std::env::var_os("WATCHKEEPER_BLESS").is_some() {
            std::fs::write(path, &page).expect("written");
        }
        let kept = std::fs::read_to_string(path).unwrap_or_default();
        assert!(kept == page, "docs/sql-tables.md is out of date: WATCHKEEPER_BLESS=1");
    }
}
