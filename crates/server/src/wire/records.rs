//! Records of logs, what of them is the same in spans, and counts of them.

use std::sync::Arc;

use model::Timestamp;
use model::event::{Attributes, Flaw, Flaws, Level, LogEvent};
use serde::Serialize;
use utoipa::ToSchema;

use super::jobs::JobInShort;
use super::shape;

/// A shape of which nothing is shown that is not there.
macro_rules! sparse {
    ($(#[$meta:meta])* $name:ident from $source:ty { $($(#[$field_meta:meta])* $field:ident : $type:ty),+ $(,)? }) => {
        shape! {
            $(#[$meta])*
            $name from $source {
                $($(#[$field_meta])* #[serde(skip_serializing_if = "Option::is_none")] $field: Option<$type>),+
            }
        }
    };
}

sparse! {
    /// What a record comes from.
    RecordOrigin from OriginFields {
        /// The application.
        service: String,
        /// The group of applications that it belongs to.
        service_namespace: String,
        /// The release that it runs.
        service_version: String,
        /// Which of several that run it is.
        service_instance_id: String,
        /// Where it runs.
        environment: String,
        /// The host.
        host: String,
        /// Its process id on that host.
        pid: u64,
        /// The library in it that reports.
        scope_name: String,
        /// That library's version.
        scope_version: String,
        /// Further facts about the resource.
        #[schema(value_type = Option<std::collections::BTreeMap<String, String>>)]
        resource_attributes: Attributes,
        /// Further facts about the library.
        #[schema(value_type = Option<std::collections::BTreeMap<String, String>>)]
        scope_attributes: Attributes,
    }
}

/// The origin, without maps that are empty.
pub(crate) struct OriginFields {
    service: Option<String>,
    service_namespace: Option<String>,
    service_version: Option<String>,
    service_instance_id: Option<String>,
    environment: Option<String>,
    host: Option<String>,
    pid: Option<u64>,
    scope_name: Option<String>,
    scope_version: Option<String>,
    resource_attributes: Option<Attributes>,
    scope_attributes: Option<Attributes>,
}

pub(crate) fn origin(origin: Arc<model::event::Origin>) -> RecordOrigin {
    let origin = Arc::unwrap_or_clone(origin);
    let fields = OriginFields {
        service: origin.service,
        service_namespace: origin.service_namespace,
        service_version: origin.service_version,
        service_instance_id: origin.service_instance_id,
        environment: origin.environment,
        host: origin.host,
        pid: origin.pid,
        scope_name: origin.scope_name,
        scope_version: origin.scope_version,
        resource_attributes: some(origin.resource_attributes),
        scope_attributes: some(origin.scope_attributes),
    };
    fields.into()
}

fn some(map: Attributes) -> Option<Attributes> {
    if map.is_empty() { None } else { Some(map) }
}

sparse! {
    /// What a record says under names that all senders share.
    RecordConventions from model::event::Conventions {
        /// The job that it belongs to.
        job_id: String,
        /// The stage of that job.
        stage: String,
        /// The document that it is about.
        document_id: String,
        /// For whom.
        tenant: String,
        /// The worker.
        worker_id: String,
        /// Who asked.
        user_id: String,
        /// The request that caused it.
        request_id: String,
        /// The method of an HTTP request.
        http_method: String,
        /// The route that matched.
        http_route: String,
        /// The status that was answered.
        http_status_code: u64,
        /// The path that was called.
        url_path: String,
        /// The kind of database.
        db_system: String,
        /// What was asked of it.
        db_operation: String,
        /// The database on its server.
        db_namespace: String,
        /// The table, or what the database has for one.
        db_collection: String,
        /// The query.
        db_query: String,
        /// The kind of queue or broker.
        messaging_system: String,
        /// The queue or topic.
        messaging_destination: String,
        /// What was done with the message.
        messaging_operation: String,
        /// The message.
        messaging_message_id: String,
        /// Whose model was called.
        gen_ai_provider: String,
        /// What was asked of it.
        gen_ai_operation: String,
        /// The model that was asked for.
        gen_ai_request_model: String,
        /// The model that answered.
        gen_ai_response_model: String,
        /// Tokens sent.
        gen_ai_input_tokens: u64,
        /// Tokens received.
        gen_ai_output_tokens: u64,
        /// Why it ended.
        gen_ai_finish_reason: String,
        /// The type of an error that is no exception.
        error_type: String,
        /// The type of an exception.
        exception_type: String,
        /// What it says.
        exception_message: String,
        /// Where it was thrown.
        exception_stacktrace: String,
    }
}

/// A record of a log. What is not known of it is not there.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct LogRecord {
    /// What tells it from others of its time, for `/api/v1/logs/context`.
    id: String,
    /// When it happened.
    #[schema(value_type = String, format = DateTime)]
    time: Timestamp,
    /// When it was seen by whoever collected it.
    #[schema(value_type = Option<String>, format = DateTime)]
    #[serde(skip_serializing_if = "Option::is_none")]
    observed_time: Option<Timestamp>,
    /// `trace`, `debug`, `info`, `warn`, `error` or `fatal`.
    #[serde(skip_serializing_if = "Option::is_none")]
    level: Option<&'static str>,
    /// The same as OpenTelemetry has it, 1 to 24.
    #[serde(skip_serializing_if = "Option::is_none")]
    severity_number: Option<u64>,
    /// The same as the source calls it.
    #[serde(skip_serializing_if = "Option::is_none")]
    severity_text: Option<String>,
    /// `audit` or `security` of what is audited, which is kept longer; other records have none.
    #[serde(skip_serializing_if = "Option::is_none")]
    category: Option<&'static str>,
    /// The name of the event that it is; of what is audited, what was done.
    #[serde(skip_serializing_if = "Option::is_none")]
    event_name: Option<String>,
    /// What it says. What has parts is JSON.
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<String>,
    /// The trace that it belongs to.
    #[serde(skip_serializing_if = "Option::is_none")]
    trace_id: Option<String>,
    /// The span of that trace.
    #[serde(skip_serializing_if = "Option::is_none")]
    span_id: Option<String>,
    /// What it comes from.
    origin: RecordOrigin,
    /// What it says under names that all senders share.
    conventions: RecordConventions,
    /// Further facts.
    #[schema(value_type = std::collections::BTreeMap<String, String>)]
    attributes: Attributes,
    /// What is not right about it, by name.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    flaws: Vec<&'static str>,
}

impl From<LogEvent> for LogRecord {
    fn from(mut log: LogEvent) -> Self {
        let category = records::category_of(&log);
        if category.is_some() {
            log.attributes.remove("category");
        }
        Self {
            id: format!("{:016x}", records::id_of_log(&log)),
            time: log.time,
            observed_time: log.observed_time,
            level: log.level.map(Level::as_str),
            severity_number: log.severity_number,
            severity_text: log.severity_text,
            category,
            event_name: log.event_name,
            message: log.message,
            trace_id: log.trace_id,
            span_id: log.span_id,
            origin: origin(log.origin),
            conventions: log.conventions.into(),
            attributes: log.attributes,
            flaws: flaws(log.flaws),
        }
    }
}

pub(crate) fn flaws(flaws: Flaws) -> Vec<&'static str> {
    flaws.iter().map(Flaw::as_str).collect()
}

/// What a search's writer should know: it was read, and may not be what was meant.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct SearchHint {
    /// The first byte that it is about, from 0.
    start: usize,
    /// The byte behind the last one.
    end: usize,
    /// What to know.
    message: String,
}

pub(crate) fn hints(search: &records::Search) -> Vec<SearchHint> {
    let hint = |hint: &search::Hint| SearchHint {
        start: hint.span.start,
        end: hint.span.end,
        message: hint.message.clone(),
    };
    search.hints().iter().map(hint).collect()
}

/// A page of log records.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct LogPage {
    /// The records.
    pub(crate) items: Vec<LogRecord>,
    /// Where the next page begins; null when there is none.
    pub(crate) next_cursor: Option<String>,
    /// What to know of the search.
    pub(crate) hints: Vec<SearchHint>,
}

/// Log records around one, in ascending time.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct LogContext {
    /// The records.
    pub(crate) items: Vec<LogRecord>,
    /// Which of them it is, from 0; null when no id was given and none is of that time.
    pub(crate) place: Option<usize>,
    /// Its trace.
    pub(crate) trace_id: Option<String>,
    /// Its job: the one that it names, or that of the span in which it was written. Where neither is known, the jobs of
    /// its trace, 50 at most.
    pub(crate) jobs: Vec<JobInShort>,
    /// Whether its trace has more jobs than these.
    pub(crate) more_jobs: bool,
}

/// Log records of one value over time.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct HistogramSeries {
    /// The value; null of records that have none.
    value: Option<String>,
    /// A count for each bucket.
    counts: Vec<u64>,
}

/// Log records over time.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct LogHistogram {
    /// By what they are told apart.
    by: String,
    /// Where the first bucket begins.
    #[schema(value_type = String, format = DateTime)]
    start: Timestamp,
    /// How long each bucket is, in seconds.
    step_seconds: f64,
    /// How many buckets there are.
    buckets: usize,
    /// By value, those with the most records first.
    series: Vec<HistogramSeries>,
    /// Counts of records with further values, beyond those that are told apart.
    others: Vec<u64>,
    /// How many records there are.
    total: u64,
    /// What to know of the search.
    hints: Vec<SearchHint>,
}

impl LogHistogram {
    pub(crate) fn of(counts: records::Histogram, by: String, hints: Vec<SearchHint>) -> Self {
        let series = counts.series.into_iter();
        Self {
            by,
            start: counts.start,
            step_seconds: counts.step_nanos as f64 / 1e9,
            buckets: counts.buckets,
            series: series.map(|one| HistogramSeries { value: one.value, counts: one.counts }).collect(),
            others: counts.others,
            total: counts.total,
            hints,
        }
    }
}

/// How many records have a value.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct FacetValue {
    /// The value; null of records that have none.
    value: Option<String>,
    /// How many records have it.
    count: u64,
}

/// Records by the values of one field.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct FacetField {
    /// The field, as a search names it.
    field: String,
    /// Values, those that most records have first.
    values: Vec<FacetValue>,
    /// How many values there are, of those that were told apart.
    distinct: u64,
    /// How many records have values that are not shown.
    others: u64,
    /// Whether all values were told apart: if not, rare ones may lack some of their records.
    exact: bool,
}

impl From<records::FacetCounts> for FacetField {
    fn from(counts: records::FacetCounts) -> Self {
        let values = counts.values.into_iter();
        Self {
            field: counts.name,
            values: values.map(|one| FacetValue { value: one.value, count: one.count }).collect(),
            distinct: counts.distinct,
            others: counts.others,
            exact: counts.is_exact,
        }
    }
}

/// Records by the values of several fields.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct LogFacets {
    /// By field, in the order in which they were asked for.
    pub(crate) fields: Vec<FacetField>,
    /// What to know of the search.
    pub(crate) hints: Vec<SearchHint>,
}
