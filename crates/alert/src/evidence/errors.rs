//! Recent errors of all kinds, those that say the same as one row.
//!
//! Texts come from the store, so they were redacted on their way in.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use model::event::Event;
use model::{TimeRange, Timestamp};
use store::{EventScan, FilterOp, QueryError, Table as Stored, TelemetryStore};

use super::table::{CheckVerdict, counted};
use super::{Check, CheckError, Context, Table, age, none};

/// The most rows read of each kind; of more, the newest.
const MAX_EVENTS: usize = 2_000;
/// Clocks of senders may be ahead of ours by so much.
const AHEAD: Duration = Duration::from_secs(60);
/// The longest text by which errors are told apart, in characters.
const MAX_SHAPE: usize = 80;

pub(super) struct RecentErrors;

/// Errors that say the same.
struct Group {
    count: usize,
    last: Timestamp,
    text: String,
    example: Option<String>,
}

#[async_trait]
impl Check for RecentErrors {
    fn name(&self) -> &'static str {
        "recent_errors"
    }

    fn title(&self) -> &'static str {
        "Recent errors, the same ones as one"
    }

    async fn run(&self, context: &Context) -> Result<Table, CheckError> {
        let window = context.config().errors_window;
        let range = TimeRange::new(context.now.before(window.0), context.now.after(AHEAD));
        let store = Arc::clone(&context.sources.store);
        let read = tokio::task::spawn_blocking(move || read(&*store, range));
        let events = read.await.map_err(CheckError::Broken)??;
        let mut groups: HashMap<(&'static str, String, String), Group> = HashMap::new();
        let mut total = 0;
        for error in events.iter().filter_map(Said::of) {
            total += 1;
            let group =
                groups.entry((error.source, error.place.clone(), shape(&error.text))).or_insert_with(|| {
                    Group { count: 0, last: error.time, text: error.text, example: error.example.clone() }
                });
            group.count += 1;
            if error.time > group.last {
                (group.last, group.example) = (error.time, error.example);
            }
        }
        let mut groups: Vec<_> = groups.into_iter().collect();
        groups.sort_by(|(a_key, a), (b_key, b)| {
            b.count.cmp(&a.count).then(b.last.cmp(&a.last)).then_with(|| a_key.cmp(b_key))
        });
        let rows = groups.into_iter().map(|((source, place, _), group)| {
            [
                group.count.to_string(),
                age(context.now.since(group.last).as_secs_f64()),
                source.to_owned(),
                place,
                group.example.unwrap_or_else(none),
                group.text,
            ]
        });
        let table = Table::new(["times", "last", "of", "where", "for example", "error"], rows)
            .or_else_note("no error is stored");
        let verdict = if total == 0 { CheckVerdict::Fine } else { CheckVerdict::Look };
        Ok(table.judged(verdict, format!("{} within {window}", counted(total, "error"))))
    }
}

/// An error as an event tells it.
struct Said {
    source: &'static str,
    /// The kind of job, the stage, the route or the model.
    place: String,
    time: Timestamp,
    example: Option<String>,
    text: String,
}

impl Said {
    fn of(event: &Event) -> Option<Self> {
        let typed = |kind: &Option<String>, message: &Option<String>| {
            let parts = [kind.as_deref(), message.as_deref()];
            let text = parts.into_iter().flatten().collect::<Vec<_>>().join(": ");
            if text.is_empty() { "no reason given".to_owned() } else { text }
        };
        let (source, place, example, text) = match event {
            Event::Job(job) => (
                "job",
                job.kind.clone(),
                Some(job.job_id.clone()),
                typed(&job.error_type, &job.error_message),
            ),
            Event::Stage(stage) => (
                "stage",
                Some(stage.stage.clone()),
                Some(stage.job_id.clone()),
                typed(&stage.error_type, &stage.error_message),
            ),
            Event::Request(request) => (
                "request",
                Some(format!("{} {}", request.method, request.route.as_ref().unwrap_or(&request.path))),
                request.request_id.clone(),
                typed(&Some(request.status_code.to_string()), &request.error_message),
            ),
            Event::LlmCall(call) => {
                ("llm call", Some(call.model.clone()), call.job_id.clone(), typed(&None, &call.error_message))
            }
            // Ends of processes have a check of their own.
            Event::Component(_)
            | Event::Worker(_)
            | Event::Exit(_)
            | Event::Feedback(_)
            | Event::Deploy(_)
            | Event::Audit(_)
            | Event::Exemplar(_)
            | Event::Log(_)
            | Event::Span(_) => return None,
        };
        Some(Self { source, place: place.unwrap_or_else(none), time: event.time(), example, text })
    }
}

/// What is the same in texts of the same error: all but numbers and ids.
fn shape(text: &str) -> String {
    let words = text
        .split_whitespace()
        .map(|word| if word.bytes().any(|byte| byte.is_ascii_digit()) { "#" } else { word });
    words.collect::<Vec<_>>().join(" ").chars().take(MAX_SHAPE).collect()
}

fn read(store: &dyn TelemetryStore, range: TimeRange) -> Result<Vec<Event>, CheckError> {
    let scan = |table| EventScan::new(table, range, MAX_EVENTS).newest_first();
    let scans = [
        scan(Stored::JobEvents).with("action", FilterOp::Equal, "job.failed"),
        // A retry is an error that was survived.
        scan(Stored::JobEvents).with("action", FilterOp::Equal, "job.retried"),
        scan(Stored::StageEvents).with("status", FilterOp::Equal, "failed"),
        scan(Stored::Requests).with("status_code", FilterOp::AtLeast, 500.0),
        // What contains nothing in particular is there at all.
        scan(Stored::LlmCalls).with("error_message", FilterOp::Contains, ""),
    ];
    let mut events = Vec::new();
    for scan in scans {
        events.extend(rows(store, scan)?);
    }
    Ok(events)
}

/// The rows of a scan; of those too large to be given at once, fewer.
pub(super) fn rows(store: &dyn TelemetryStore, mut scan: EventScan) -> Result<Vec<Event>, CheckError> {
    loop {
        match store.scan(&scan) {
            Err(QueryError::LimitReached(_)) if scan.limit > 1 => scan.limit /= 10,
            Err(error) => return Err(CheckError::Events(error)),
            Ok(batches) => {
                let mut events = Vec::new();
                for batch in batches {
                    events.extend(store::events_from_batch(scan.table, &batch).map_err(CheckError::Rows)?);
                }
                return Ok(events);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_that_differ_in_numbers_and_ids_have_one_shape() {
        let one = shape("Timeout: no answer from 10.0.0.7:11434 after 30.1 s");
        assert_eq!(one, shape("Timeout: no answer from 10.0.0.8:11434 after 29.8 s"));
        assert_ne!(one, shape("Timeout: no answer from the disk after 30.1 s"));
    }
}
