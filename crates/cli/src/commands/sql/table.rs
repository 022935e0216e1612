//! An answer as a table for people.

use comfy_table::{CellAlignment, Table, presets};
use serde_json::Value;

use crate::show::clean;

/// Types whose values stand at the right.
const NUMBERS: &[&str] = &["bigint", "integer", "smallint", "tinyint", "double", "real", "decimal"];

/// The rows below the names of their columns, and how many they are.
pub(super) fn shown(answer: &Value) -> String {
    let columns = answer["columns"].as_array().map(Vec::as_slice).unwrap_or_default();
    let rows = answer["rows"].as_array().map(Vec::as_slice).unwrap_or_default();
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    table.set_header(columns.iter().map(|column| clean(column["name"].as_str().unwrap_or_default())));
    for row in rows {
        table.add_row(row.as_array().into_iter().flatten().map(cell));
    }
    for (place, column) in columns.iter().enumerate() {
        let name = column["type"].as_str().unwrap_or_default();
        let is_number = NUMBERS.iter().any(|number| name.starts_with(number));
        if let Some(column) = table.column_mut(place).filter(|_| is_number) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    let count = match rows.len() {
        0 => "no rows".to_owned(),
        1 => "1 row".to_owned(),
        many => format!("{many} rows"),
    };
    format!("{}\n({count})", table.trim_fmt())
}

fn cell(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => clean(text),
        other => clean(&other.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn an_answer_is_a_table_with_numbers_at_the_right() {
        let answer = json!({
            "columns": [{ "name": "service", "type": "text" }, { "name": "n", "type": "bigint" },
                { "name": "attributes", "type": "map(text, text)" }],
            "rows": [["ocr\u{1b}[2J", 12, { "a": "b" }], [null, 3, {}]],
        });
        let lines: Vec<String> = shown(&answer).lines().map(str::to_owned).collect();
        assert_eq!(lines.len(), 4, "{lines:?}");
        assert!(lines[1].contains("ocr\u{fffd}[2J") && lines[1].contains("{\"a\":\"b\"}"), "{lines:?}");
        let end = |line: &str, text: &str| line.find(text).map(|start| start + text.len());
        let (first, second) = (lines[1].replace('\u{fffd}', "?"), &lines[2]);
        assert_eq!(end(&first, " 12"), end(second, " 3"), "{lines:?}");
        assert_eq!(lines[3], "(2 rows)");
        assert!(shown(&json!({ "columns": [], "rows": [] })).ends_with("(no rows)"));
    }
}
