//! What else there was when an alert began.

use model::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use super::jobs::LlmCall;
use super::records::LogRecord;
use super::shape;
use super::traces::TraceSummary;

/// What the labels of an alert name.
#[derive(Clone, Debug, Default, Serialize, ToSchema)]
pub(crate) struct AlertSubject {
    /// The service.
    pub(crate) service: Option<String>,
    /// The host.
    pub(crate) host: Option<String>,
    /// The queue.
    pub(crate) queue: Option<String>,
    /// The worker.
    pub(crate) worker: Option<String>,
    /// The model.
    pub(crate) model: Option<String>,
    /// Where the model is called.
    pub(crate) backend: Option<String>,
    /// The kind of job.
    pub(crate) kind: Option<String>,
    /// The stage.
    pub(crate) stage: Option<String>,
    /// The job.
    pub(crate) job_id: Option<String>,
}

/// Log records of that time.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct LogsThen {
    /// The search that finds them all, for `/api/v1/logs` with `from` and `to`.
    pub(crate) q: String,
    /// The newest of them.
    pub(crate) items: Vec<LogRecord>,
    /// Whether there are more.
    pub(crate) more: bool,
}

/// Traces of that time.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct TracesThen {
    /// The search that finds them all, for `/api/v1/traces` with `from` and `to`.
    pub(crate) q: String,
    /// Those with the newest spans that failed.
    pub(crate) items: Vec<TraceSummary>,
    /// Whether there are more.
    pub(crate) more: bool,
}

shape! {
    /// A job that failed.
    FailedJob from model::event::JobEvent {
        /// When.
        #[schema(value_type = String, format = DateTime)]
        time: Timestamp,
        /// Its id.
        job_id: String,
        /// What kind of job it is.
        kind: Option<String>,
        /// Its queue.
        queue: Option<String>,
        /// Its document.
        document_id: Option<String>,
        /// The worker.
        worker_id: Option<String>,
        /// The application that reports.
        service: Option<String>,
        /// The stage that it was in.
        stage: Option<String>,
        /// Its trace.
        trace_id: Option<String>,
        /// The type of the error.
        error_type: Option<String>,
        /// What it says.
        error_message: Option<String>,
    }
}

/// Jobs that failed in that time.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct FailedJobs {
    /// The statement that lists them all, for `/api/v1/sql`.
    pub(crate) sql: String,
    /// The newest of them.
    pub(crate) items: Vec<FailedJob>,
    /// Whether there are more.
    pub(crate) more: bool,
}

/// Calls of models in that time.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct CallsThen {
    /// The statement that lists them all, for `/api/v1/sql`.
    pub(crate) sql: String,
    /// Those that failed, newest first, and then the newest others.
    pub(crate) items: Vec<LlmCall>,
    /// Whether there are more.
    pub(crate) more: bool,
}

/// What there was around the beginning of an alert.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct AlertContext {
    /// What its labels name: what is shown is of that, or of everything where nothing is named.
    pub(crate) subject: AlertSubject,
    /// From when on is looked at.
    #[schema(value_type = String, format = DateTime)]
    pub(crate) from: Timestamp,
    /// Until when.
    #[schema(value_type = String, format = DateTime)]
    pub(crate) to: Timestamp,
    /// Warnings and errors in logs.
    pub(crate) logs: LogsThen,
    /// Traces with spans that failed.
    pub(crate) traces: TracesThen,
    /// Jobs that failed.
    pub(crate) jobs: FailedJobs,
    /// Calls of models.
    pub(crate) llm_calls: CallsThen,
}
