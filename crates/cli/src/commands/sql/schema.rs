//! The tables and columns that there are.

use anyhow::anyhow;
use comfy_table::{Table, presets};
use serde_json::json;
use store::{SqlTable, sql_tables};

use crate::exit::Failure;

/// Prints all tables, or the columns of the one that is named.
pub(super) fn print(name: &str, as_json: bool) -> Result<(), Failure> {
    let tables = sql_tables();
    if name.is_empty() {
        println!(
            "{}",
            if as_json {
                json!(tables.iter().map(in_json).collect::<Vec<_>>()).to_string()
            } else {
                listed(&tables)
            }
        );
        return Ok(());
    }
    let table = tables.iter().find(|table| table.name == name).ok_or_else(|| {
        let names: Vec<&str> = tables.iter().map(|table| table.name).collect();
        Failure::Usage(anyhow!("there is no table `{name}`: give one of {}", names.join(", ")))
    })?;
    println!("{}", if as_json { in_json(table).to_string() } else { columns(table) });
    Ok(())
}

fn plain(header: [&str; 3]) -> Table {
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    table.set_header(header);
    table
}

fn listed(tables: &[SqlTable]) -> String {
    let mut shown = plain(["TABLE", "COLUMNS", "ROWS"]);
    for table in tables {
        shown.add_row([table.name.to_owned(), table.columns.len().to_string(), table.description.to_owned()]);
    }
    shown.trim_fmt()
}

fn columns(table: &SqlTable) -> String {
    let mut shown = plain(["COLUMN", "TYPE", "WHAT IT IS"]);
    for column in &table.columns {
        let mark = if column.is_nullable { "?" } else { "" };
        shown.add_row([
            column.name.clone(),
            format!("{}{mark}", column.data_type),
            column.description.to_owned(),
        ]);
    }
    shown.trim_fmt()
}

fn in_json(table: &SqlTable) -> serde_json::Value {
    let columns: Vec<_> = table
        .columns
        .iter()
        .map(|column| {
            json!({ "name": column.name, "type": column.data_type, "nullable": column.is_nullable,
                "description": column.description })
        })
        .collect();
    json!({ "name": table.name, "description": table.description, "columns": columns })
}
