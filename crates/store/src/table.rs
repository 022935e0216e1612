//! Event tables: how rows of `model` and Arrow record batches become each other.
//!
//! [`Row`] is implemented once for each row type, by listing its fields; the Arrow schema follows
//! from the fields' types through [`Column`], so a schema is never written down twice.

use std::sync::{Arc, LazyLock};

use arrow::array::{
    Array, ArrayBuilder, ArrayRef, AsArray, BooleanBuilder, Float64Builder, Int64Builder, MapBuilder,
    MapFieldNames, RecordBatch, StringBuilder, TimestampNanosecondBuilder, UInt64Builder,
};
use arrow::datatypes::{
    DataType, Field, Fields, Float64Type, Int64Type, Schema, SchemaRef, TimeUnit, TimestampNanosecondType,
    UInt64Type,
};
use model::Timestamp;
use model::event::{
    Attributes, Capability, ComponentAction, ComponentEvent, DeployEvent, Event, ExemplarEvent, ExitCause,
    ExitEvent, FeedbackEvent, JobAction, JobEvent, LlmCallEvent, RequestEvent, StageAction, StageEvent,
    StageStatus, WorkerAction, WorkerEvent,
};

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
    /// [`ExitEvent`]
    Exits,
    /// [`ExemplarEvent`]
    Exemplars,
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
        Self::Exits,
        Self::Exemplars,
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
            Self::Exits => "process_exits",
            Self::Exemplars => "exemplars",
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
            Self::StageEvents => &["event_id", "job_id", "document_id"],
            Self::ComponentEvents => &["event_id", "job_id"],
            Self::WorkerEvents => &["event_id", "worker_id"],
            Self::Requests => &["event_id", "request_id", "user_id", "trace_id"],
            Self::LlmCalls => &["event_id", "job_id", "document_id", "trace_id"],
            Self::Feedback => &["event_id", "job_id", "document_id"],
            Self::Deploys => &["event_id", "service"],
            Self::Exits => &["event_id", "worker_id"],
            Self::Exemplars => &["metric", "trace_id"],
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
            Self::Exits => &["command", "message"],
        }
    }
}

/// Rows of one table.
#[derive(Clone, Debug)]
pub struct EventBatch {
    /// The table.
    pub table: Table,
    /// The rows, in the table's [`schema`].
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

/// A type that can be a column of a table.
trait Column: Sized {
    /// Whether the column can hold nothing.
    const NULLABLE: bool = false;
    type Builder: ArrayBuilder;
    fn data_type() -> DataType;
    fn builder(capacity: usize) -> Self::Builder;
    fn append(&self, builder: &mut Self::Builder);
    fn append_null(builder: &mut Self::Builder);
    /// The value in row `row` of `array`, which is of this type and not null there.
    fn read(array: &dyn Array, row: usize, column: &'static str) -> Result<Self, ColumnError>;
}

macro_rules! primitive_column {
    ($type:ty, $builder:ty, $data_type:expr, $arrow:ty) => {
        impl Column for $type {
            type Builder = $builder;
            fn data_type() -> DataType {
                $data_type
            }
            fn builder(capacity: usize) -> $builder {
                <$builder>::with_capacity(capacity)
            }
            fn append(&self, builder: &mut $builder) {
                builder.append_value(*self);
            }
            fn append_null(builder: &mut $builder) {
                builder.append_null();
            }
            fn read(array: &dyn Array, row: usize, column: &'static str) -> Result<Self, ColumnError> {
                let array = array.as_primitive_opt::<$arrow>().ok_or(ColumnError::Unexpected { column })?;
                Ok(array.value(row))
            }
        }
    };
}

primitive_column!(u64, UInt64Builder, DataType::UInt64, UInt64Type);
primitive_column!(i64, Int64Builder, DataType::Int64, Int64Type);
primitive_column!(f64, Float64Builder, DataType::Float64, Float64Type);

impl Column for bool {
    type Builder = BooleanBuilder;
    fn data_type() -> DataType {
        DataType::Boolean
    }
    fn builder(capacity: usize) -> BooleanBuilder {
        BooleanBuilder::with_capacity(capacity)
    }
    fn append(&self, builder: &mut BooleanBuilder) {
        builder.append_value(*self);
    }
    fn append_null(builder: &mut BooleanBuilder) {
        builder.append_null();
    }
    fn read(array: &dyn Array, row: usize, column: &'static str) -> Result<Self, ColumnError> {
        Ok(array.as_boolean_opt().ok_or(ColumnError::Unexpected { column })?.value(row))
    }
}

impl Column for Timestamp {
    type Builder = TimestampNanosecondBuilder;
    fn data_type() -> DataType {
        DataType::Timestamp(TimeUnit::Nanosecond, Some("UTC".into()))
    }
    fn builder(capacity: usize) -> Self::Builder {
        TimestampNanosecondBuilder::with_capacity(capacity).with_data_type(Self::data_type())
    }
    fn append(&self, builder: &mut Self::Builder) {
        builder.append_value(self.as_nanos());
    }
    fn append_null(builder: &mut Self::Builder) {
        builder.append_null();
    }
    fn read(array: &dyn Array, row: usize, column: &'static str) -> Result<Self, ColumnError> {
        let array =
            array.as_primitive_opt::<TimestampNanosecondType>().ok_or(ColumnError::Unexpected { column })?;
        Ok(Self::from_nanos(array.value(row)))
    }
}

fn read_text<'a>(array: &'a dyn Array, row: usize, column: &'static str) -> Result<&'a str, ColumnError> {
    Ok(array.as_string_opt::<i32>().ok_or(ColumnError::Unexpected { column })?.value(row))
}

impl Column for String {
    type Builder = StringBuilder;
    fn data_type() -> DataType {
        DataType::Utf8
    }
    fn builder(capacity: usize) -> StringBuilder {
        StringBuilder::with_capacity(capacity, capacity * 16)
    }
    fn append(&self, builder: &mut StringBuilder) {
        builder.append_value(self);
    }
    fn append_null(builder: &mut StringBuilder) {
        builder.append_null();
    }
    fn read(array: &dyn Array, row: usize, column: &'static str) -> Result<Self, ColumnError> {
        read_text(array, row, column).map(str::to_owned)
    }
}

/// An enum is kept as its text.
macro_rules! text_column {
    ($($type:ty),+) => {$(
        impl Column for $type {
            type Builder = StringBuilder;
            fn data_type() -> DataType {
                DataType::Utf8
            }
            fn builder(capacity: usize) -> StringBuilder {
                StringBuilder::with_capacity(capacity, capacity * 16)
            }
            fn append(&self, builder: &mut StringBuilder) {
                builder.append_value(self.as_str());
            }
            fn append_null(builder: &mut StringBuilder) {
                builder.append_null();
            }
            fn read(array: &dyn Array, row: usize, column: &'static str) -> Result<Self, ColumnError> {
                let text = read_text(array, row, column)?;
                text.parse().map_err(|_| ColumnError::UnknownValue { column, value: text.to_owned() })
            }
        }
    )+};
}

text_column!(JobAction, StageAction, StageStatus, ComponentAction, WorkerAction, Capability, ExitCause);

impl Column for Attributes {
    type Builder = MapBuilder<StringBuilder, StringBuilder>;
    fn data_type() -> DataType {
        let entries = Fields::from(vec![
            Field::new("key", DataType::Utf8, false),
            Field::new("value", DataType::Utf8, true),
        ]);
        DataType::Map(Arc::new(Field::new("entries", DataType::Struct(entries), false)), false)
    }
    fn builder(capacity: usize) -> Self::Builder {
        let names = MapFieldNames { entry: "entries".into(), key: "key".into(), value: "value".into() };
        MapBuilder::with_capacity(Some(names), StringBuilder::new(), StringBuilder::new(), capacity)
    }
    fn append(&self, builder: &mut Self::Builder) {
        for (key, value) in self {
            builder.keys().append_value(key);
            builder.values().append_value(value);
        }
        builder.append(true).expect("as many keys as values were appended just above");
    }
    fn append_null(builder: &mut Self::Builder) {
        builder.append(false).expect("no key and no value is as many keys as values");
    }
    fn read(array: &dyn Array, row: usize, column: &'static str) -> Result<Self, ColumnError> {
        let entries = array.as_map_opt().ok_or(ColumnError::Unexpected { column })?.value(row);
        (0..entries.len())
            .map(|entry| {
                let key = read_text(entries.column(0), entry, column)?;
                Ok((key.to_owned(), read_text(entries.column(1), entry, column)?.to_owned()))
            })
            .collect()
    }
}

impl<T: Column> Column for Option<T> {
    const NULLABLE: bool = true;
    type Builder = T::Builder;
    fn data_type() -> DataType {
        T::data_type()
    }
    fn builder(capacity: usize) -> T::Builder {
        T::builder(capacity)
    }
    fn append(&self, builder: &mut T::Builder) {
        match self {
            Some(value) => value.append(builder),
            None => T::append_null(builder),
        }
    }
    fn append_null(builder: &mut T::Builder) {
        T::append_null(builder);
    }
    fn read(array: &dyn Array, row: usize, column: &'static str) -> Result<Self, ColumnError> {
        if array.is_null(row) { Ok(None) } else { T::read(array, row, column).map(Some) }
    }
}

/// A row of a table.
pub trait Row: Sized {
    /// The table that such rows are kept in.
    const TABLE: Table;

    /// The table's schema.
    fn schema() -> SchemaRef;

    /// Gathers rows into one batch.
    fn to_batch(rows: &[Self]) -> Result<RecordBatch, ColumnError>;

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
        None if T::NULLABLE => {
            let mut nothing = T::builder(1);
            T::append_null(&mut nothing);
            T::read(nothing.finish().as_ref(), 0, column)
        }
        _ => Err(ColumnError::Unexpected { column }),
    }
}

macro_rules! row {
    ($row:ty, $table:expr, { $($field:ident: $type:ty),+ $(,)? }) => {
        impl Row for $row {
            const TABLE: Table = $table;

            fn schema() -> SchemaRef {
                static SCHEMA: LazyLock<SchemaRef> = LazyLock::new(|| {
                    Arc::new(Schema::new(vec![$(
                        Field::new(stringify!($field), <$type as Column>::data_type(), <$type as Column>::NULLABLE)
                    ),+]))
                });
                Arc::clone(&SCHEMA)
            }

            fn to_batch(rows: &[Self]) -> Result<RecordBatch, ColumnError> {
                $(let mut $field = <$type as Column>::builder(rows.len());)+
                for row in rows {
                    $(Column::append(&row.$field, &mut $field);)+
                }
                Ok(RecordBatch::try_new(Self::schema(), vec![$(Arc::new($field.finish()) as ArrayRef),+])?)
            }

            fn from_batch(batch: &RecordBatch) -> Result<Vec<Self>, ColumnError> {
                $(let $field = batch.column_by_name(stringify!($field));)+
                (0..batch.num_rows())
                    .map(|row| Ok(Self { $($field: read_column::<$type>($field, row, stringify!($field))?),+ }))
                    .collect()
            }
        }
    };
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
        Table::Exits => ExitEvent::schema(),
        Table::Exemplars => ExemplarEvent::schema(),
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
        Event::Exit(_) => Table::Exits,
        Event::Exemplar(_) => Table::Exemplars,
    }
}

/// Sorts events into their tables: one batch for each table that occurs, rows in the order given.
pub fn batches_from_events(events: impl IntoIterator<Item = Event>) -> Result<Vec<EventBatch>, ColumnError> {
    let (mut jobs, mut stages, mut components, mut workers) = (vec![], vec![], vec![], vec![]);
    let (mut requests, mut llm_calls, mut feedback) = (vec![], vec![], vec![]);
    let (mut deploys, mut exits, mut exemplars) = (vec![], vec![], vec![]);
    for event in events {
        match event {
            Event::Job(row) => jobs.push(row),
            Event::Stage(row) => stages.push(row),
            Event::Component(row) => components.push(row),
            Event::Worker(row) => workers.push(row),
            Event::Request(row) => requests.push(row),
            Event::LlmCall(row) => llm_calls.push(row),
            Event::Feedback(row) => feedback.push(row),
            Event::Deploy(row) => deploys.push(row),
            Event::Exit(row) => exits.push(row),
            Event::Exemplar(row) => exemplars.push(row),
        }
    }
    fn gather<R: Row>(rows: &[R], into: &mut Vec<EventBatch>) -> Result<(), ColumnError> {
        if !rows.is_empty() {
            into.push(EventBatch { table: R::TABLE, rows: R::to_batch(rows)? });
        }
        Ok(())
    }
    let mut batches = Vec::new();
    gather(&jobs, &mut batches)?;
    gather(&stages, &mut batches)?;
    gather(&components, &mut batches)?;
    gather(&workers, &mut batches)?;
    gather(&requests, &mut batches)?;
    gather(&llm_calls, &mut batches)?;
    gather(&feedback, &mut batches)?;
    gather(&deploys, &mut batches)?;
    gather(&exits, &mut batches)?;
    gather(&exemplars, &mut batches)?;
    Ok(batches)
}

/// The rows of a batch of any table, as events.
pub fn events_from_batch(table: Table, batch: &RecordBatch) -> Result<Vec<Event>, ColumnError> {
    fn take<R: Row>(batch: &RecordBatch, wrap: fn(R) -> Event) -> Result<Vec<Event>, ColumnError> {
        Ok(R::from_batch(batch)?.into_iter().map(wrap).collect())
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
        Table::Exits => take(batch, Event::Exit),
        Table::Exemplars => take(batch, Event::Exemplar),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn feedback(comment: Option<&str>) -> FeedbackEvent {
        FeedbackEvent {
            time: Timestamp::from_millis(1_754_083_800_123),
            event_id: "e1".into(),
            job_id: Some("j1".into()),
            document_id: None,
            trace_id: None,
            user_id: None,
            score: Some(0.5),
            comment: comment.map(str::to_owned),
            attributes: [("a".to_owned(), "1".to_owned())].into(),
        }
    }

    #[test]
    fn events_survive_the_way_into_batches_and_back() {
        let deploy = DeployEvent {
            time: Timestamp::from_millis(5),
            event_id: "d".into(),
            service: "api".into(),
            version: "1".into(),
            environment: None,
            description: None,
            url: None,
            attributes: Attributes::new(),
        };
        let events = vec![
            Event::Feedback(feedback(Some("good"))),
            Event::Feedback(feedback(None)),
            Event::Deploy(deploy),
        ];
        let batches = batches_from_events(events.clone()).expect("batches");
        let back: Vec<Event> = batches
            .iter()
            .flat_map(|batch| events_from_batch(batch.table, &batch.rows).expect("rows"))
            .collect();
        assert_eq!(back, events);
    }

    #[test]
    fn a_batch_from_before_a_column_existed_reads_as_null_there() {
        let batch = FeedbackEvent::to_batch(&[feedback(Some("good"))]).expect("batch");
        let kept: Vec<usize> =
            (0..batch.num_columns()).filter(|&i| batch.schema().field(i).name() != "comment").collect();
        let older = batch.project(&kept).expect("projection");
        assert_eq!(FeedbackEvent::from_batch(&older).expect("rows"), [feedback(None)]);
        let without_id: Vec<usize> =
            (0..batch.num_columns()).filter(|&i| batch.schema().field(i).name() != "event_id").collect();
        let broken = batch.project(&without_id).expect("projection");
        assert!(matches!(
            FeedbackEvent::from_batch(&broken),
            Err(ColumnError::Unexpected { column: "event_id" })
        ));
    }

    #[test]
    fn every_table_has_a_time_an_event_id_and_its_id_columns() {
        for table in Table::ALL {
            let schema = schema(*table);
            assert_eq!(schema.field(0).name(), "time", "{table:?}");
            for column in table.id_columns().iter().chain(table.text_columns()) {
                assert!(schema.field_with_name(column).is_ok(), "{table:?} {column}");
            }
            assert_eq!(Table::from_name(table.name()), Some(*table));
        }
    }
}
