//! Events and a store in memory, for tests.

use std::sync::Arc;
use std::time::Duration;

use arrow::array::RecordBatch;
use async_trait::async_trait;
use model::event::{
    Attributes, ComponentAction, ComponentEvent, Event, ExitCause, ExitEvent, JobAction, JobEvent,
    LlmCallEvent, Origin, RequestEvent, SpanEvent, SpanKind, StageAction, StageEvent, StageStatus,
    WorkerAction, WorkerEvent,
};
use model::{Labels, TimeRange, Timestamp};
use parking_lot::Mutex;
use store::{
    AppendError, Appended, Batch, Cancel, Condition, EventPass, EventScan, FilterOp, Matcher, Predicate,
    QueryError, Scalar, SelectRequest, SeriesCursor, StoreStats, TelemetryStore, Test,
};

use crate::{Config, Pipeline};

/// Seconds since some beginning, as a time.
pub(crate) fn at(seconds: i64) -> Timestamp {
    Timestamp::from_millis((1_700_000_000 + seconds) * 1_000)
}

pub(crate) fn pipeline(config: Config) -> Arc<Pipeline> {
    Pipeline::new(config, &prometheus::Registry::new()).expect("a fresh registry")
}

pub(crate) fn job(action: JobAction, id: &str, seconds: i64) -> JobEvent {
    JobEvent::new(at(seconds), format!("{action}-{id}-{seconds}"), action, id.to_owned())
}

pub(crate) fn stage(action: StageAction, id: &str, stage: &str, seconds: i64) -> StageEvent {
    StageEvent {
        time: at(seconds),
        event_id: format!("{action}-{id}-{stage}-{seconds}"),
        action,
        job_id: id.to_owned(),
        stage: stage.to_owned(),
        component: None,
        kind: None,
        document_id: None,
        worker_id: None,
        service: None,
        trace_id: None,
        retry_count: None,
        status: (action == StageAction::Finished).then_some(StageStatus::Completed),
        duration_seconds: None,
        cpu_seconds: None,
        gpu_seconds: None,
        memory_rss_bytes: None,
        memory_vms_bytes: None,
        memory_percent: None,
        memory_peak_bytes: None,
        memory_delta_bytes: None,
        gpu_memory_bytes: None,
        items: None,
        expected_max_seconds: None,
        error_type: None,
        error_message: None,
        attributes: Attributes::new(),
    }
}

pub(crate) fn worker(action: WorkerAction, id: &str, seconds: i64) -> WorkerEvent {
    WorkerEvent {
        time: at(seconds),
        event_id: format!("{action}-{id}-{seconds}"),
        action,
        worker_id: id.to_owned(),
        capability: None,
        service: None,
        host: None,
        pid: None,
        queues: None,
        version: None,
        started_at: None,
        job_id: None,
        is_healthy: None,
        active_tasks: None,
        max_concurrent_tasks: None,
        completed_tasks: None,
        failed_tasks: None,
        timeout_count: None,
        error_count: None,
        consecutive_failures: None,
        total_processing_seconds: None,
        cpu_percent: None,
        memory_percent: None,
        memory_rss_bytes: None,
        gpu_percent: None,
        gpu_memory_percent: None,
        disk_percent: None,
        network_latency_seconds: None,
        bytes_transferred: None,
        reason: None,
        exit_code: None,
        attributes: Attributes::new(),
    }
}

pub(crate) fn loaded(component: &str, seconds: i64, delta: i64) -> ComponentEvent {
    ComponentEvent {
        time: at(seconds),
        event_id: format!("loaded-{component}-{seconds}"),
        action: ComponentAction::Loaded,
        component: component.to_owned(),
        job_id: None,
        stage: None,
        worker_id: None,
        service: None,
        duration_seconds: None,
        memory_rss_bytes: None,
        memory_vms_bytes: None,
        memory_percent: None,
        memory_delta_bytes: Some(delta),
        gpu_memory_bytes: None,
        attributes: Attributes::new(),
    }
}

pub(crate) fn request(path: &str, status_code: u64, seconds: i64) -> RequestEvent {
    RequestEvent {
        time: at(seconds),
        event_id: format!("request-{path}-{seconds}"),
        path: path.to_owned(),
        route: None,
        method: "get".to_owned(),
        status_code,
        duration_seconds: 0.25,
        user_id: None,
        api_key_id: None,
        client_ip: None,
        request_id: None,
        service: Some("gateway".to_owned()),
        trace_id: None,
        request_bytes: None,
        response_bytes: None,
        error_message: None,
        attributes: Attributes::new(),
    }
}

pub(crate) fn exit(id: &str, seconds: i64, cause: ExitCause) -> ExitEvent {
    ExitEvent::new(at(seconds), id.to_owned(), cause, "worker.py".to_owned())
}

pub(crate) fn llm_call(model: &str, seconds: i64) -> LlmCallEvent {
    LlmCallEvent {
        time: at(seconds),
        event_id: format!("llm-{model}-{seconds}"),
        model: model.to_owned(),
        operation: None,
        provider: Some("ollama".to_owned()),
        backend: None,
        job_id: None,
        stage: None,
        document_id: None,
        tenant: None,
        user_id: None,
        worker_id: None,
        service: None,
        trace_id: None,
        duration_seconds: 2.0,
        time_to_first_token_seconds: Some(0.4),
        input_tokens: Some(100),
        output_tokens: Some(20),
        cached_tokens: None,
        cost_usd: None,
        finish_reason: None,
        error_message: None,
        attributes: Attributes::new(),
    }
}

/// A store that keeps what it is given.
#[derive(Default)]
pub(crate) struct MemoryStore {
    pub(crate) events: Mutex<Vec<Event>>,
    /// Every sample, in the order in which it was appended: labels as text, milliseconds, value.
    pub(crate) samples: Mutex<Vec<(String, i64, f64)>>,
    pub(crate) scans: Mutex<usize>,
    /// Scans that would give more rows are refused, as an engine refuses what does not fit into memory.
    pub(crate) max_rows: Option<usize>,
}

impl MemoryStore {
    pub(crate) fn with(events: Vec<Event>) -> Self {
        Self { events: Mutex::new(events), ..Self::default() }
    }
}

fn job_id(event: &Event) -> Option<&str> {
    match event {
        Event::Job(event) => Some(&event.job_id),
        Event::Stage(event) => Some(&event.job_id),
        _ => None,
    }
}

#[async_trait]
impl TelemetryStore for MemoryStore {
    async fn append(&self, batch: Batch) -> Result<Appended, AppendError> {
        let mut samples = self.samples.lock();
        for (labels, values) in batch.metrics.iter() {
            samples.extend(values.iter().map(|sample| (labels.to_string(), sample.time_ms, sample.value)));
        }
        for rows in &batch.events {
            let events = store::events_from_batch(rows.table, &rows.rows).expect("rows of this version");
            self.events.lock().extend(events);
        }
        Ok(Appended { samples: batch.metrics.sample_count() as u64, ..Appended::default() })
    }

    fn select(&self, _: &SelectRequest) -> Result<Box<dyn SeriesCursor>, QueryError> {
        Err(QueryError::Invalid("not kept here".to_owned()))
    }

    fn series(&self, _: &[Matcher], _: TimeRange, _: usize, _: &Cancel) -> Result<Vec<Labels>, QueryError> {
        Ok(Vec::new())
    }

    fn label_names(&self, _: &[Matcher], _: TimeRange, _: &Cancel) -> Result<Vec<String>, QueryError> {
        Ok(Vec::new())
    }

    fn label_values(
        &self,
        _: &str,
        _: &[Matcher],
        _: TimeRange,
        _: &Cancel,
    ) -> Result<Vec<String>, QueryError> {
        Ok(Vec::new())
    }

    fn scan(&self, scan: &EventScan) -> Result<Vec<RecordBatch>, QueryError> {
        *self.scans.lock() += 1;
        let wanted_job = scan.filters.iter().find_map(|filter| match filter {
            Predicate::Is(Condition { field, test: Test::Compare(FilterOp::Equal, Scalar::Text(id)) })
                if field.column() == "job_id" =>
            {
                Some(id.clone())
            }
            _ => None,
        });
        let events = self.events.lock();
        let batches = store::batches_from_events(events.iter()).expect("rows");
        let Some(batch) = batches.into_iter().find(|batch| batch.table == scan.table) else {
            return Ok(Vec::new());
        };
        let mut rows = store::events_from_batch(scan.table, &batch.rows).expect("rows of this version");
        rows.retain(|event| {
            scan.range.contains(event.time())
                && wanted_job.as_ref().is_none_or(|wanted| job_id(event) == Some(wanted))
        });
        rows.sort_by_key(Event::time);
        rows.truncate(scan.limit);
        if self.max_rows.is_some_and(|most| rows.len() > most) {
            return Err(QueryError::LimitReached("too many rows for this test".to_owned()));
        }
        Ok(store::batches_from_events(&rows).expect("rows").into_iter().map(|batch| batch.rows).collect())
    }

    fn each_batch(
        &self,
        _: &EventPass,
        _: &mut dyn FnMut(&RecordBatch) -> Result<(), QueryError>,
    ) -> Result<(), QueryError> {
        Err(QueryError::Invalid("not asked here".to_owned()))
    }

    fn stats(&self) -> StoreStats {
        StoreStats::default()
    }
}

/// A span of `service`, `id` within `parent`, that took some seconds.
pub(crate) fn span(service: &str, kind: SpanKind, (id, parent): (&str, &str), seconds: u64) -> SpanEvent {
    let origin = Origin { service: Some(service.to_owned()), ..Origin::default() };
    let mut span = SpanEvent::new(at(1), "ab".repeat(16), id.to_owned(), Arc::new(origin));
    span.parent_span_id = (!parent.is_empty()).then(|| parent.to_owned());
    span.name = "work".to_owned();
    span.kind = kind;
    span.duration_ns = seconds * 1_000_000_000;
    span
}

/// A path into `store`.
pub(crate) fn ingest(store: Arc<MemoryStore>) -> Arc<ingest::Ingest> {
    let redactor = ingest::Redactor::new(&ingest::Redaction::default()).expect("the default rules");
    let day = Duration::from_secs(24 * 3600);
    ingest::Ingest::new(store, ingest::Limits::default(), redactor, day, &prometheus::Registry::new())
        .expect("a fresh registry")
}
