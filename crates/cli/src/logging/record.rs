//! Lines as JSON, in the shape that seed document 002 gives for logs:
//!
//! ```json
//! {"timestamp":"2025-08-01T21:30:00.000Z","level":"INFO","service":"watchkeeper","request_id":"req-12345",
//!  "user_id":"anna","message":"answered","details":{"module":"server::guard::edge","status":200}}
//! ```
//!
//! `request_id` and `user_id` stand there when something is said about a request. What else is known
//! of it, and of the spans around it, is in `details`.

use std::io::Write;
use std::sync::Arc;

use model::Timestamp;
use serde::Serialize;
use serde_json::{Map, Value};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::Context;
use tracing_subscriber::registry::{LookupSpan, Scope};

use super::fields::{Cleaner, Gathered};

const SERVICE: &str = "watchkeeper";

/// One line.
#[derive(Serialize)]
struct Line<'a> {
    timestamp: String,
    level: &'static str,
    service: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    request_id: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    user_id: Option<Value>,
    message: &'a str,
    details: Map<String, Value>,
}

/// Writes each event as one line.
pub(super) struct Records<W> {
    cleaner: Arc<Cleaner>,
    writer: W,
}

impl<W> Records<W> {
    pub(super) fn new(cleaner: &Arc<Cleaner>, writer: W) -> Self {
        Self { cleaner: Arc::clone(cleaner), writer }
    }
}

/// What a span knows; kept beside it while it is open.
struct OfSpan(Map<String, Value>);

impl<S, W> Layer<S> for Records<W>
where
    S: Subscriber + for<'span> LookupSpan<'span>,
    W: for<'writer> MakeWriter<'writer> + 'static,
{
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        let Some(span) = context.span(id) else { return };
        let mut gathered = Gathered::new(&self.cleaner);
        attributes.record(&mut gathered);
        span.extensions_mut().replace(OfSpan(gathered.fields));
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, context: Context<'_, S>) {
        let Some(span) = context.span(id) else { return };
        let mut gathered = Gathered::new(&self.cleaner);
        values.record(&mut gathered);
        if let Some(OfSpan(fields)) = span.extensions_mut().get_mut() {
            fields.append(&mut gathered.fields);
        }
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        let mut gathered = Gathered::new(&self.cleaner);
        event.record(&mut gathered);
        let metadata = event.metadata();
        let mut details = Map::new();
        details.insert("module".to_owned(), Value::from(metadata.target()));
        // The outermost first: what is said further inside is nearer to the event.
        for span in context.event_scope(event).into_iter().flat_map(Scope::from_root) {
            if let Some(OfSpan(fields)) = span.extensions().get() {
                details.extend(fields.clone());
            }
        }
        details.append(&mut gathered.fields);
        let line = Line {
            timestamp: milliseconds(Timestamp::now()),
            level: level(*metadata.level()),
            service: SERVICE,
            request_id: details.remove("request_id"),
            user_id: details.remove("user_id"),
            message: &gathered.message,
            details,
        };
        if let Ok(mut text) = serde_json::to_vec(&line) {
            text.push(b'\n');
            // The writer counts what it loses.
            let _ = self.writer.make_writer_for(metadata).write_all(&text);
        }
    }
}

/// RFC 3339 in UTC with three fractional digits, always.
fn milliseconds(now: Timestamp) -> String {
    let whole = Timestamp::from_millis(now.as_millis().div_euclid(1000) * 1000).to_string();
    format!("{}.{:03}Z", whole.trim_end_matches('Z'), now.as_millis().rem_euclid(1000))
}

/// The level's name as the seed writes it.
fn level(level: Level) -> &'static str {
    match level {
        Level::ERROR => "ERROR",
        Level::WARN => "WARNING",
        Level::INFO => "INFO",
        Level::DEBUG => "DEBUG",
        Level::TRACE => "TRACE",
    }
}

#[cfg(test)]
mod tests;
