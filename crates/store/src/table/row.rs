//! Rows of tables: which columns each of them has, in which order.

use std::sync::{Arc, LazyLock};

use arrow::array::{Array, ArrayRef, RecordBatch, RecordBatchOptions};
use arrow::datatypes::{Field, Schema, SchemaRef};
use model::Timestamp;
use model::event::{
    Attributes, AuditCategory, AuditEvent, AuditOutcome, Capability, ComponentAction, ComponentEvent,
    Conventions, DeployEvent, ExemplarEvent, ExitCause, ExitEvent, FeedbackEvent, Flaws, JobAction, JobEvent,
    Level, LlmCallEvent, LogEvent, Origin, RequestEvent, SpanEvent, SpanKind, SpanLink, SpanOccurrence,
    SpanStatus, StageAction, StageEvent, StageStatus, WorkerAction, WorkerEvent,
};

use super::column::{Column, Gathered};
use super::{ColumnError, Table};

/// A row of a table.
pub trait Row: Sized {
    /// The table that such rows are kept in.
    const TABLE: Table;

    /// The table's schema.
    fn schema() -> SchemaRef;

    /// Gathers rows into one batch, of the columns in which there is something.
    fn to_batch(rows: &[Self]) -> Result<RecordBatch, ColumnError> {
        Self::batch_of(&rows.iter().collect::<Vec<_>>())
    }

    /// The same of rows that lie apart. Columns in which no row has anything are left out.
    fn batch_of(rows: &[&Self]) -> Result<RecordBatch, ColumnError>;

    /// About what the row takes in a batch, in bytes.
    fn size_bytes(&self) -> usize;

    /// When it happened.
    fn time(&self) -> Timestamp;

    /// Takes a batch apart. Columns may stand in any order; a column that the batch lacks (because it
    /// was written before the column existed) reads as null where it may be null.
    fn from_batch(batch: &RecordBatch) -> Result<Vec<Self>, ColumnError>;
}

fn read_column<T: Column>(
    array: Option<&ArrayRef>,
    row: usize,
    column: &'static str,
) -> Result<T, ColumnError> {
    match array {
        Some(array) if T::NULLABLE || !array.is_null(row) => T::read(array.as_ref(), row, column),
        Some(_) => Err(ColumnError::Unexpected { column }),
        None => T::nothing().ok_or(ColumnError::Unexpected { column }),
    }
}

/// A batch of the columns of a schema in which there is something.
fn narrow_batch(
    schema: &SchemaRef,
    columns: impl IntoIterator<Item = Option<ArrayRef>>,
    rows: usize,
) -> Result<RecordBatch, ColumnError> {
    let columns = columns.into_iter().enumerate();
    let (kept, columns): (Vec<usize>, Vec<ArrayRef>) =
        columns.filter_map(|(place, column)| Some((place, column?))).unzip();
    let options = RecordBatchOptions::new().with_row_count(Some(rows));
    Ok(RecordBatch::try_new_with_options(Arc::new(schema.project(&kept)?), columns, &options)?)
}

/// A row type by its fields, and by the fields of what it has in one piece: their columns stand beside its own.
macro_rules! row {
    (
        $row:ty, $table:expr, { $($field:ident: $type:ty),+ $(,)? }
        $(, $piece:ident: $piece_type:ident { $($inner:ident: $inner_type:ty),+ $(,)? })*
    ) => {
        impl Row for $row {
            const TABLE: Table = $table;

            fn schema() -> SchemaRef {
                static SCHEMA: LazyLock<SchemaRef> = LazyLock::new(|| {
                    Arc::new(Schema::new(vec![
                        $(field::<$type>(stringify!($field)),)+
                        $($(field::<$inner_type>(stringify!($inner)),)+)*
                    ]))
                });
                Arc::clone(&SCHEMA)
            }

            fn batch_of(rows: &[&Self]) -> Result<RecordBatch, ColumnError> {
                $(let mut $field = Gathered::<$type>::new(rows.len());)+
                $($(let mut $inner = Gathered::<$inner_type>::new(rows.len());)+)*
                for row in rows {
                    $($field.append(&row.$field);)+
                    $($($inner.append(&row.$piece.$inner);)+)*
                }
                let columns = [$($field.finish(),)+ $($($inner.finish(),)+)*];
                narrow_batch(&Self::schema(), columns, rows.len())
            }

            fn size_bytes(&self) -> usize {
                let own = [$(Column::size_bytes(&self.$field)),+];
                own.into_iter().sum::<usize>()
                    $(+ [$(Column::size_bytes(&self.$piece.$inner)),+].into_iter().sum::<usize>())*
            }

            fn time(&self) -> Timestamp {
                self.time
            }

            fn from_batch(batch: &RecordBatch) -> Result<Vec<Self>, ColumnError> {
                $(let $field = batch.column_by_name(stringify!($field));)+
                $($(let $inner = batch.column_by_name(stringify!($inner));)+)*
                (0..batch.num_rows())
                    .map(|row| {
                        $(let $piece = $piece_type {
                            $($inner: read_column::<$inner_type>($inner, row, stringify!($inner))?),+
                        };)*
                        Ok(Self {
                            $($field: read_column::<$type>($field, row, stringify!($field))?,)+
                            $($piece: $piece.into(),)*
                        })
                    })
                    .collect()
            }
        }
    };
}

/// The field of a column in a schema.
fn field<T: Column>(name: &str) -> Field {
    Field::new(name, T::data_type(), T::NULLABLE)
}

row!(JobEvent, Table::JobEvents, {
    time: Timestamp, event_id: String, action: JobAction, job_id: String, kind: Option<String>,
    queue: Option<String>, document_id: Option<String>, tenant: Option<String>, parent_id: Option<String>,
    worker_id: Option<String>, content_type: Option<String>, service: Option<String>,
    trace_id: Option<String>, request_id: Option<String>, submitted_at: Option<Timestamp>,
    started_at: Option<Timestamp>, retry_count: Option<u64>, max_retries: Option<u64>, priority: Option<f64>,
    progress: Option<f64>, stage: Option<String>, message: Option<String>, expected_max_seconds: Option<f64>,
    error_type: Option<String>, error_message: Option<String>, timed_out: Option<bool>,
    cpu_seconds: Option<f64>, gpu_seconds: Option<f64>, memory_peak_bytes: Option<u64>,
    input_bytes: Option<u64>, output_bytes: Option<u64>, pages: Option<u64>, confidence_score: Option<f64>,
    quality_degraded: Option<bool>, attributes: Attributes,
});

row!(StageEvent, Table::StageEvents, {
    time: Timestamp, event_id: String, action: StageAction, job_id: String, stage: String,
    component: Option<String>, kind: Option<String>, document_id: Option<String>, worker_id: Option<String>,
    service: Option<String>, trace_id: Option<String>, retry_count: Option<u64>, status: Option<StageStatus>,
    duration_seconds: Option<f64>, cpu_seconds: Option<f64>, gpu_seconds: Option<f64>,
    memory_rss_bytes: Option<u64>, memory_vms_bytes: Option<u64>, memory_percent: Option<f64>,
    memory_peak_bytes: Option<u64>, memory_delta_bytes: Option<i64>, gpu_memory_bytes: Option<u64>,
    items: Option<u64>, expected_max_seconds: Option<f64>, error_type: Option<String>,
    error_message: Option<String>, attributes: Attributes,
});

row!(ComponentEvent, Table::ComponentEvents, {
    time: Timestamp, event_id: String, action: ComponentAction, component: String, job_id: Option<String>,
    stage: Option<String>, worker_id: Option<String>, service: Option<String>, duration_seconds: Option<f64>,
    memory_rss_bytes: Option<u64>, memory_vms_bytes: Option<u64>, memory_percent: Option<f64>,
    memory_delta_bytes: Option<i64>, gpu_memory_bytes: Option<u64>, attributes: Attributes,
});

row!(WorkerEvent, Table::WorkerEvents, {
    time: Timestamp, event_id: String, action: WorkerAction, worker_id: String,
    capability: Option<Capability>, service: Option<String>, host: Option<String>, pid: Option<u64>,
    queues: Option<String>, version: Option<String>, started_at: Option<Timestamp>, job_id: Option<String>,
    is_healthy: Option<bool>, active_tasks: Option<u64>, max_concurrent_tasks: Option<u64>,
    completed_tasks: Option<u64>, failed_tasks: Option<u64>, timeout_count: Option<u64>,
    error_count: Option<u64>, consecutive_failures: Option<u64>, total_processing_seconds: Option<f64>,
    cpu_percent: Option<f64>, memory_percent: Option<f64>, memory_rss_bytes: Option<u64>,
    gpu_percent: Option<f64>, gpu_memory_percent: Option<f64>, disk_percent: Option<f64>,
    network_latency_seconds: Option<f64>, bytes_transferred: Option<u64>, reason: Option<String>,
    exit_code: Option<i64>, attributes: Attributes,
});

row!(RequestEvent, Table::Requests, {
    time: Timestamp, event_id: String, path: String, route: Option<String>, method: String,
    status_code: u64, duration_seconds: f64, user_id: Option<String>, api_key_id: Option<String>,
    client_ip: Option<String>, request_id: Option<String>, service: Option<String>,
    trace_id: Option<String>, request_bytes: Option<u64>, response_bytes: Option<u64>,
    error_message: Option<String>, attributes: Attributes,
});

row!(LlmCallEvent, Table::LlmCalls, {
    time: Timestamp, event_id: String, model: String, operation: Option<String>, provider: Option<String>,
    backend: Option<String>, job_id: Option<String>, stage: Option<String>, document_id: Option<String>,
    tenant: Option<String>, user_id: Option<String>, worker_id: Option<String>, service: Option<String>,
    trace_id: Option<String>, duration_seconds: f64, time_to_first_token_seconds: Option<f64>,
    input_tokens: Option<u64>, output_tokens: Option<u64>, cached_tokens: Option<u64>,
    cost_usd: Option<f64>, finish_reason: Option<String>, error_message: Option<String>,
    attributes: Attributes,
});

row!(FeedbackEvent, Table::Feedback, {
    time: Timestamp, event_id: String, job_id: Option<String>, document_id: Option<String>,
    trace_id: Option<String>, user_id: Option<String>, score: Option<f64>, comment: Option<String>,
    attributes: Attributes,
});

row!(DeployEvent, Table::Deploys, {
    time: Timestamp, event_id: String, service: String, version: String, environment: Option<String>,
    description: Option<String>, url: Option<String>, attributes: Attributes,
});

row!(AuditEvent, Table::AuditEvents, {
    time: Timestamp, event_id: String, action: String, category: AuditCategory,
    outcome: Option<AuditOutcome>, user_id: Option<String>, target: Option<String>,
    message: Option<String>, client_ip: Option<String>, tenant: Option<String>, service: Option<String>,
    host: Option<String>, job_id: Option<String>, document_id: Option<String>, request_id: Option<String>,
    trace_id: Option<String>, attributes: Attributes,
});

row!(ExitEvent, Table::Exits, {
    time: Timestamp, event_id: String, cause: ExitCause, name: String, host: Option<String>,
    pid: Option<u64>, command: Option<String>, group: Option<String>, unit: Option<String>,
    cgroup: Option<String>, worker_id: Option<String>, signal: Option<String>, exit_code: Option<i64>,
    memory_rss_bytes: Option<u64>, memory_anon_bytes: Option<u64>, memory_vms_bytes: Option<u64>,
    message: Option<String>, attributes: Attributes,
});

row!(ExemplarEvent, Table::Exemplars, {
    time: Timestamp, event_id: String, metric: String, series: Attributes, labels: Attributes,
    trace_id: Option<String>, value: f64,
});

/// A row of OpenTelemetry: its own columns, then those of what it comes from and of what conventions name.
macro_rules! record {
    ($row:ty, $table:expr, { $($field:ident: $type:ty),+ $(,)? }) => {
        row!($row, $table, { $($field: $type),+ }, origin: Origin {
            service: Option<String>, service_namespace: Option<String>, service_version: Option<String>,
            service_instance_id: Option<String>, environment: Option<String>, host: Option<String>,
            pid: Option<u64>, scope_name: Option<String>, scope_version: Option<String>,
            resource_attributes: Attributes, scope_attributes: Attributes,
            dropped_resource_attributes: Option<u64>,
        }, conventions: Conventions {
            job_id: Option<String>, stage: Option<String>, document_id: Option<String>,
            tenant: Option<String>, worker_id: Option<String>, user_id: Option<String>,
            request_id: Option<String>, http_method: Option<String>, http_route: Option<String>,
            http_status_code: Option<u64>, url_path: Option<String>, db_system: Option<String>,
            db_operation: Option<String>, db_namespace: Option<String>, db_collection: Option<String>,
            db_query: Option<String>, messaging_system: Option<String>,
            messaging_destination: Option<String>, messaging_operation: Option<String>,
            messaging_message_id: Option<String>, gen_ai_provider: Option<String>,
            gen_ai_operation: Option<String>, gen_ai_request_model: Option<String>,
            gen_ai_response_model: Option<String>, gen_ai_input_tokens: Option<u64>,
            gen_ai_output_tokens: Option<u64>, gen_ai_finish_reason: Option<String>,
            error_type: Option<String>, exception_type: Option<String>,
            exception_message: Option<String>, exception_stacktrace: Option<String>,
        });
    };
}

record!(LogEvent, Table::Logs, {
    time: Timestamp, event_id: Option<String>, observed_time: Option<Timestamp>, level: Option<Level>,
    severity_number: Option<u64>, severity_text: Option<String>, event_name: Option<String>,
    message: Option<String>, trace_id: Option<String>, span_id: Option<String>, trace_flags: Option<u64>,
    attributes: Attributes, dropped_attributes: Option<u64>, flaws: Flaws,
});

record!(SpanEvent, Table::Spans, {
    time: Timestamp, trace_id: String, span_id: String, parent_span_id: Option<String>, name: String,
    kind: SpanKind, duration_ns: u64, status: SpanStatus, status_message: Option<String>,
    trace_flags: Option<u64>, trace_state: Option<String>, events: Vec<SpanOccurrence>,
    links: Vec<SpanLink>, attributes: Attributes, dropped_attributes: Option<u64>,
    dropped_events: Option<u64>, dropped_links: Option<u64>, flaws: Flaws,
});
