//! The fields of a span or an event as values, without secrets and without control characters.
//!
//! Three nets: a field whose name says `password`, `token` and the like is never shown; the shapes of
//! credentials are replaced, as in what is stored; and the secrets of the configuration are known by
//! heart, whatever their shape.

use std::fmt;
use std::sync::Arc;

use anyhow::Context as _;
use ingest::{Redaction, Redactor};
use serde_json::{Map, Value};
use tracing::field::{Field, Visit};

use crate::causes::told;

/// Shorter secrets are not searched for: they would blot out half of every line.
const SHORTEST_SECRET: usize = 4;
/// The longest text of one field, in characters.
const MAX_CHARS: usize = 4096;

/// Takes secrets out of what is logged.
pub(super) struct Cleaner {
    redactor: Redactor,
}

impl Cleaner {
    /// Knows `secrets` by heart.
    pub(super) fn new(secrets: &[String]) -> anyhow::Result<Self> {
        let long = |secret: &&String| secret.chars().count() >= SHORTEST_SECRET;
        let secrets: Vec<String> = secrets.iter().filter(long).cloned().collect();
        let redactor = Redactor::new(&Redaction::default())
            .and_then(|redactor| redactor.knowing("configured", &secrets))
            .context("the secrets of the configuration")?;
        Ok(Self { redactor })
    }

    fn clean(&self, name: &str, text: &str) -> String {
        if self.redactor.is_secret_name(name) {
            return "[redacted:name]".to_owned();
        }
        let mut text = self.redactor.redact(text, |_| ()).into_owned();
        if let Some((end, _)) = text.char_indices().nth(MAX_CHARS) {
            text.truncate(end);
            text.push('…');
        }
        text
    }
}

/// Gathers fields.
pub(super) struct Gathered {
    cleaner: Arc<Cleaner>,
    /// The field `message`, which an event has beside the others.
    pub(super) message: String,
    pub(super) fields: Map<String, Value>,
}

impl Gathered {
    pub(super) fn new(cleaner: &Arc<Cleaner>) -> Self {
        Self { cleaner: Arc::clone(cleaner), message: String::new(), fields: Map::new() }
    }

    fn text(&mut self, field: &Field, text: &str) {
        let text = self.cleaner.clean(field.name(), text);
        if field.name() == "message" {
            self.message = text;
        } else {
            self.fields.insert(field.name().to_owned(), Value::String(text));
        }
    }

    fn value(&mut self, field: &Field, value: Value) {
        self.fields.insert(field.name().to_owned(), value);
    }
}

impl Visit for Gathered {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.text(field, &format!("{value:?}"));
    }

    /// The default tells no causes.
    fn record_error(&mut self, field: &Field, value: &(dyn std::error::Error + 'static)) {
        self.text(field, &told(value));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.text(field, value);
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        // JSON has no NaN: `null` stands for it.
        self.value(field, Value::from(value));
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.value(field, Value::from(value));
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.value(field, Value::from(value));
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.value(field, Value::from(value));
    }
}
