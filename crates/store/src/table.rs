//! Event tables: how rows of `model` and Arrow record batches become each other.
//!
//! [`Row`] is implemented once for each row type, by listing its fields; the Arrow schema follows
//! from the fields' types, so a schema is never written down twice.

mod column;
mod row;

#[cfg(test)]
mod tests;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use model::event::{
    AuditEvent, ComponentEvent, DeployEvent, Event, ExemplarEvent, ExitEvent, FeedbackEvent, JobEvent,
    LlmCallEvent, LogEvent, RequestEvent, SpanEvent, StageEvent, WorkerEvent,
};

pub use row::Row;

/// An event table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Table {
    /// [`JobEvent`]
    JobEvents,
    /// [`StageEvent`]
    StageEvents,
    /// [`ComponentEvent`]
    ComponentEvents,
    /// [`WorkerEvent`]
    WorkerEvents,
    /// [`RequestEvent`]
    Requests,
    /// [`LlmCallEvent`]
    LlmCalls,
    /// [`FeedbackEvent`]
    Feedback,
    /// [`DeployEvent`]
    Deploys,
    /// [`AuditEvent`]
    AuditEvents,
    /// [`ExitEvent`]
    Exits,
    /// [`ExemplarEvent`]
    Exemplars,
    /// [`LogEvent`]
    Logs,
    /// [`SpanEvent`]
    Spans,
}

impl Table {
    /// Every table.
    pub const ALL: &[Self] = &[
        Self::JobEvents,
        Self::StageEvents,
        Self::ComponentEvents,
        Self::WorkerEvents,
        Self::Requests,
        Self::LlmCalls,
        Self::Feedback,
        Self::Deploys,
        Self::AuditEvents,
        Self::Exits,
        Self::Exemplars,
        Self::Logs,
        Self::Spans,
    ];

    /// The name by which files and SQL know the table. Part of the format on disk.
    pub const fn name(self) -> &'static str {
        match self {
            Self::JobEvents => "job_events",
            Self::StageEvents => "stage_events",
            Self::ComponentEvents => "component_events",
            Self::WorkerEvents => "worker_events",
            Self::Requests => "requests",
            Self::LlmCalls => "llm_calls",
            Self::Feedback => "feedback",
            Self::Deploys => "deploys",
            Self::AuditEvents => "audit_events",
            Self::Exits => "process_exits",
            Self::Exemplars => "exemplars",
            Self::Logs => "logs",
            Self::Spans => "spans",
        }
    }

    /// The table with this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|table| table.name() == name)
    }

    /// Columns that hold ids, by which single rows are looked for: they get bloom filters.
    pub const fn id_columns(self) -> &'static [&'static str] {
        match self {
            Self::JobEvents => &["event_id", "job_id", "document_id", "worker_id", "trace_id"],
            Self::StageEvents => &["event_id", "job_id", "document_id", "trace_id"],
            Self::ComponentEvents => &["event_id", "job_id"],
            Self::WorkerEvents => &["event_id", "worker_id"],
            Self::Requests => &["event_id", "request_id", "user_id", "trace_id"],
            Self::LlmCalls => &["event_id", "job_id", "document_id", "trace_id"],
            Self::Feedback => &["event_id", "job_id", "document_id"],
            Self::Deploys => &["event_id", "service"],
            Self::AuditEvents => {
                &["event_id", "user_id", "target", "job_id", "document_id", "request_id", "trace_id"]
            }
            Self::Exits => &["event_id", "worker_id"],
            Self::Exemplars => &["metric", "trace_id"],
            Self::Logs => &["event_id", "trace_id", "span_id", "job_id", "document_id", "request_id"],
            Self::Spans => {
                &["trace_id", "span_id", "job_id", "document_id", "request_id", "messaging_message_id"]
            }
        }
    }

    /// Columns of which each row, or nearly each, has a value of its own.
    pub const fn unique_columns(self) -> &'static [&'static str] {
        match self {
            Self::Logs => &["event_id", "trace_id", "span_id"],
            // The spans of a trace lie together.
            Self::Spans => &["span_id", "messaging_message_id"],
            Self::JobEvents
            | Self::StageEvents
            | Self::ComponentEvents
            | Self::WorkerEvents
            | Self::Requests
            | Self::LlmCalls
            | Self::Feedback
            | Self::Deploys
            | Self::AuditEvents
            | Self::Exits
            | Self::Exemplars => &["event_id"],
        }
    }

    /// Columns of texts that nearly always are hexadecimal digits in lower case, and how many: an even number. A store
    /// may keep them as bytes.
    pub const fn hex_columns(self) -> &'static [(&'static str, u8)] {
        match self {
            Self::Logs => &[("trace_id", 32), ("span_id", 16)],
            Self::Spans => &[("trace_id", 32), ("span_id", 16), ("parent_span_id", 16)],
            Self::JobEvents
            | Self::StageEvents
            | Self::ComponentEvents
            | Self::WorkerEvents
            | Self::Requests
            | Self::LlmCalls
            | Self::Feedback
            | Self::Deploys
            | Self::AuditEvents
            | Self::Exits
            | Self::Exemplars => &[],
        }
    }

    /// Columns of text in which people search for words: they get filters of the words in them.
    pub const fn text_columns(self) -> &'static [&'static str] {
        match self {
            Self::JobEvents => &["message", "error_message"],
            Self::StageEvents | Self::LlmCalls => &["error_message"],
            Self::ComponentEvents | Self::Exemplars => &[],
            Self::WorkerEvents => &["reason"],
            Self::Requests => &["path", "error_message"],
            Self::Feedback => &["comment"],
            Self::Deploys => &["description"],
            Self::AuditEvents => &["message"],
            Self::Exits => &["command", "message"],
            Self::Logs => &["message", "exception_message", "exception_stacktrace"],
            Self::Spans => &["name", "status_message", "exception_message", "exception_stacktrace"],
        }
    }

    /// Columns of attributes in which people search: they get filters of their names and of the words in their
    /// values.
    pub const fn attribute_columns(self) -> &'static [&'static str] {
        match self {
            Self::Logs | Self::Spans => &["attributes", "resource_attributes"],
            Self::JobEvents
            | Self::StageEvents
            | Self::ComponentEvents
            | Self::WorkerEvents
            | Self::Requests
            | Self::LlmCalls
            | Self::Feedback
            | Self::Deploys
            | Self::AuditEvents
            | Self::Exits
            | Self::Exemplars => &[],
        }
    }
}

/// Rows of one table.
#[derive(Clone, Debug)]
pub struct EventBatch {
    /// The table.
    pub table: Table,
    /// The rows, in the table's [`schema`]; columns in which no row has anything may be left out.
    pub rows: RecordBatch,
}

/// Stored columns that do not fit the table that they are read as.
#[derive(Debug, thiserror::Error)]
pub enum ColumnError {
    /// A column is missing or of another type.
    #[error("column `{column}` is missing or has an unexpected type")]
    Unexpected {
        /// The column.
        column: &'static str,
    },
    /// A column holds a value that this version does not know.
    #[error("column `{column}` holds `{value}`, which this version does not know")]
    UnknownValue {
        /// The column.
        column: &'static str,
        /// The value.
        value: String,
    },
    /// Arrow refused to build a batch.
    #[error("rows could not be gathered into a batch")]
    Arrow(#[from] arrow::error::ArrowError),
}

/// The schema of a table.
pub fn schema(table: Table) -> SchemaRef {
    match table {
        Table::JobEvents => JobEvent::schema(),
        Table::StageEvents => StageEvent::schema(),
        Table::ComponentEvents => ComponentEvent::schema(),
        Table::WorkerEvents => WorkerEvent::schema(),
        Table::Requests => RequestEvent::schema(),
        Table::LlmCalls => LlmCallEvent::schema(),
        Table::Feedback => FeedbackEvent::schema(),
        Table::Deploys => DeployEvent::schema(),
        Table::AuditEvents => AuditEvent::schema(),
        Table::Exits => ExitEvent::schema(),
        Table::Exemplars => ExemplarEvent::schema(),
        Table::Logs => LogEvent::schema(),
        Table::Spans => SpanEvent::schema(),
    }
}

/// The table that an event is a row of.
pub fn table_of(event: &Event) -> Table {
    match event {
        Event::Job(_) => Table::JobEvents,
        Event::Stage(_) => Table::StageEvents,
        Event::Component(_) => Table::ComponentEvents,
        Event::Worker(_) => Table::WorkerEvents,
        Event::Request(_) => Table::Requests,
        Event::LlmCall(_) => Table::LlmCalls,
        Event::Feedback(_) => Table::Feedback,
        Event::Deploy(_) => Table::Deploys,
        Event::Audit(_) => Table::AuditEvents,
        Event::Exit(_) => Table::Exits,
        Event::Exemplar(_) => Table::Exemplars,
        Event::Log(_) => Table::Logs,
        Event::Span(_) => Table::Spans,
    }
}

/// About what an event takes as a row of its table, in bytes: what it comes from counts with each.
pub fn size_of_event(event: &Event) -> usize {
    match event {
        Event::Job(row) => row.size_bytes(),
        Event::Stage(row) => row.size_bytes(),
        Event::Component(row) => row.size_bytes(),
        Event::Worker(row) => row.size_bytes(),
        Event::Request(row) => row.size_bytes(),
        Event::LlmCall(row) => row.size_bytes(),
        Event::Feedback(row) => row.size_bytes(),
        Event::Deploy(row) => row.size_bytes(),
        Event::Audit(row) => row.size_bytes(),
        Event::Exit(row) => row.size_bytes(),
        Event::Exemplar(row) => row.size_bytes(),
        Event::Log(row) => row.size_bytes(),
        Event::Span(row) => row.size_bytes(),
    }
}

/// Sorts events into their tables: one batch for each table that occurs, rows in ascending time, those of the same time
/// in the order given. Texts of a column may have 2 GiB together: whoever has events of any size asks [`size_of_event`]
/// first.
pub fn batches_from_events<'e>(
    events: impl IntoIterator<Item = &'e Event>,
) -> Result<Vec<EventBatch>, ColumnError> {
    let (mut jobs, mut stages, mut components, mut workers) = (vec![], vec![], vec![], vec![]);
    let (mut requests, mut llm_calls, mut feedback) = (vec![], vec![], vec![]);
    let (mut deploys, mut audit, mut exits, mut exemplars) = (vec![], vec![], vec![], vec![]);
    let (mut logs, mut spans): (Vec<&LogEvent>, Vec<&SpanEvent>) = (vec![], vec![]);
    for event in events {
        match event {
            Event::Job(row) => jobs.push(&**row),
            Event::Stage(row) => stages.push(&**row),
            Event::Component(row) => components.push(&**row),
            Event::Worker(row) => workers.push(&**row),
            Event::Request(row) => requests.push(&**row),
            Event::LlmCall(row) => llm_calls.push(&**row),
            Event::Feedback(row) => feedback.push(&**row),
            Event::Deploy(row) => deploys.push(&**row),
            Event::Audit(row) => audit.push(&**row),
            Event::Exit(row) => exits.push(&**row),
            Event::Exemplar(row) => exemplars.push(&**row),
            Event::Log(row) => logs.push(row),
            Event::Span(row) => spans.push(row),
        }
    }
    fn gather<R: Row>(rows: &mut [&R], into: &mut Vec<EventBatch>) -> Result<(), ColumnError> {
        if !rows.is_empty() {
            // Files are in this order, and to move pointers is cheaper than to move rows. Spans come trace by trace: what
            // they are sorted by is gathered once, and not from a row here and a row there at each comparison.
            if !rows.is_sorted_by_key(|row| row.time()) {
                rows.sort_by_cached_key(|row| row.time());
            }
            into.push(EventBatch { table: R::TABLE, rows: R::batch_of(rows)? });
        }
        Ok(())
    }
    let mut batches = Vec::new();
    gather(&mut jobs, &mut batches)?;
    gather(&mut stages, &mut batches)?;
    gather(&mut components, &mut batches)?;
    gather(&mut workers, &mut batches)?;
    gather(&mut requests, &mut batches)?;
    gather(&mut llm_calls, &mut batches)?;
    gather(&mut feedback, &mut batches)?;
    gather(&mut deploys, &mut batches)?;
    gather(&mut audit, &mut batches)?;
    gather(&mut exits, &mut batches)?;
    gather(&mut exemplars, &mut batches)?;
    gather(&mut logs, &mut batches)?;
    gather(&mut spans, &mut batches)?;
    Ok(batches)
}

/// The rows of a batch of any table, as events.
pub fn events_from_batch(table: Table, batch: &RecordBatch) -> Result<Vec<Event>, ColumnError> {
    fn take<R: Row>(batch: &RecordBatch, wrap: fn(Box<R>) -> Event) -> Result<Vec<Event>, ColumnError> {
        Ok(R::from_batch(batch)?.into_iter().map(|row| wrap(Box::new(row))).collect())
    }
    match table {
        Table::JobEvents => take(batch, Event::Job),
        Table::StageEvents => take(batch, Event::Stage),
        Table::ComponentEvents => take(batch, Event::Component),
        Table::WorkerEvents => take(batch, Event::Worker),
        Table::Requests => take(batch, Event::Request),
        Table::LlmCalls => take(batch, Event::LlmCall),
        Table::Feedback => take(batch, Event::Feedback),
        Table::Deploys => take(batch, Event::Deploy),
        Table::AuditEvents => take(batch, Event::Audit),
        Table::Exits => take(batch, Event::Exit),
        Table::Exemplars => take(batch, Event::Exemplar),
        Table::Logs => take(batch, Event::Log),
        Table::Spans => take(batch, Event::Span),
    }
}
