//! Fields as a text for people: the message, then `name=value`.

use std::fmt;
use std::sync::Arc;

use serde_json::Value;
use tracing_subscriber::field::RecordFields;
use tracing_subscriber::fmt::FormatFields;
use tracing_subscriber::fmt::format::Writer;

use super::fields::{Cleaner, Gathered};

/// Writes fields without secrets, and on one line.
#[derive(Clone)]
pub(super) struct Fields {
    cleaner: Arc<Cleaner>,
}

impl Fields {
    pub(super) fn new(cleaner: &Arc<Cleaner>) -> Self {
        Self { cleaner: Arc::clone(cleaner) }
    }
}

impl<'writer> FormatFields<'writer> for Fields {
    fn format_fields<R: RecordFields>(&self, mut writer: Writer<'writer>, fields: R) -> fmt::Result {
        let mut gathered = Gathered::new(&self.cleaner);
        fields.record(&mut gathered);
        let mut space = "";
        if !gathered.message.is_empty() {
            write_line(&mut writer, &gathered.message)?;
            space = " ";
        }
        for (name, value) in &gathered.fields {
            write!(writer, "{space}{name}=")?;
            match value {
                Value::String(text) if is_plain(text) => writer.write_str(text)?,
                value => write!(writer, "{value}")?,
            }
            space = " ";
        }
        Ok(())
    }
}

/// Whether a text needs no quotes.
fn is_plain(text: &str) -> bool {
    !text.is_empty()
        && !text.contains(|letter: char| letter.is_whitespace() || letter.is_control() || letter == '"')
}

/// A message on one line: nobody forges a second one, or speaks to the terminal.
fn write_line(writer: &mut Writer<'_>, text: &str) -> fmt::Result {
    for letter in text.chars() {
        if letter.is_control() {
            write!(writer, "{}", letter.escape_default())?;
        } else {
            writer.write_char(letter)?;
        }
    }
    Ok(())
}
