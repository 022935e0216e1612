//! The commands, one file each.

pub(crate) mod access;
pub(crate) mod audit;
pub(crate) mod check;
pub(crate) mod completion;
pub(crate) mod config;
pub(crate) mod diagnose;
pub(crate) mod export;
pub(crate) mod key;
pub(crate) mod logs;
pub(crate) mod man;
pub(crate) mod query;
pub(crate) mod queue;
pub(crate) mod redact;
pub(crate) mod rules;
pub(crate) mod serve;
pub(crate) mod snapshot;
pub(crate) mod sql;
pub(crate) mod store;
pub(crate) mod top;
pub(crate) mod user;
pub(crate) mod version;

/// The width of what is printed, in columns: what the shell says, or that of the narrowest terminal
/// that people still use.
pub(crate) fn width() -> u16 {
    let told = std::env::var("COLUMNS").ok().and_then(|columns| columns.parse().ok());
    told.unwrap_or(80).clamp(40, 500)
}

/// A table that wraps its cells to fit.
pub(crate) fn wrapped_table(width: u16) -> comfy_table::Table {
    let mut table = comfy_table::Table::new();
    table.load_style(comfy_table::presets::NOTHING);
    table.set_content_arrangement(comfy_table::ContentArrangement::Dynamic);
    table.set_width(width);
    table
}
