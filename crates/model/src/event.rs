//! Pipeline events: what applications and workers report as it happens.
//!
//! Each family of events is one flat row type, and is kept in one table of the same shape. Times are
//! [`Timestamp`]s, durations are seconds in `f64`, sizes are bytes: the seeds' own units are
//! translated at the edge, in `protocol`.
//!
//! Start reading at [`Event`].

use std::collections::BTreeMap;

use crate::Timestamp;

/// Further facts about an event, by name. Bounded at the edge.
pub type Attributes = BTreeMap<String, String>;

/// One pipeline event.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    /// `job.*`
    Job(JobEvent),
    /// `stage.*`
    Stage(StageEvent),
    /// `component.*`
    Component(ComponentEvent),
    /// `worker.*`
    Worker(WorkerEvent),
    /// `request.finished`
    Request(RequestEvent),
    /// `llm.call`
    LlmCall(LlmCallEvent),
    /// `feedback.given`
    Feedback(FeedbackEvent),
    /// `deploy.finished`
    Deploy(DeployEvent),
    /// `process.exited`
    Exit(ExitEvent),
}

impl Event {
    /// The id by which the sender names this event; unique for a sender, and what makes sending idempotent.
    pub fn event_id(&self) -> &str {
        match self {
            Self::Job(event) => &event.event_id,
            Self::Stage(event) => &event.event_id,
            Self::Component(event) => &event.event_id,
            Self::Worker(event) => &event.event_id,
            Self::Request(event) => &event.event_id,
            Self::LlmCall(event) => &event.event_id,
            Self::Feedback(event) => &event.event_id,
            Self::Deploy(event) => &event.event_id,
            Self::Exit(event) => &event.event_id,
        }
    }

    /// When it happened.
    pub fn time(&self) -> Timestamp {
        match self {
            Self::Job(event) => event.time,
            Self::Stage(event) => event.time,
            Self::Component(event) => event.time,
            Self::Worker(event) => event.time,
            Self::Request(event) => event.time,
            Self::LlmCall(event) => event.time,
            Self::Feedback(event) => event.time,
            Self::Deploy(event) => event.time,
            Self::Exit(event) => event.time,
        }
    }
}

/// An enum whose values are also written as text, in one place.
macro_rules! text_enum {
    ($(#[$meta:meta])* $name:ident { $($(#[$variant_meta:meta])* $variant:ident = $text:literal),+ $(,)? }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum $name { $($(#[$variant_meta])* $variant),+ }

        impl $name {
            /// Every value, in order.
            pub const ALL: &[Self] = &[$(Self::$variant),+];

            /// The value as it is written.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text),+ }
            }
        }

        impl std::str::FromStr for $name {
            type Err = UnknownName;
            fn from_str(text: &str) -> Result<Self, UnknownName> {
                match text {
                    $($text => Ok(Self::$variant),)+
                    _ => Err(UnknownName { text: text.chars().take(64).collect(), expected: &[$($text),+] }),
                }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }
    };
}

/// A text that names none of an enum's values.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown name `{text}`, expected one of {}", expected.join(", "))]
pub struct UnknownName {
    text: String,
    expected: &'static [&'static str],
}

text_enum! {
    /// What happened to a job.
    JobAction {
        /// It was put into a queue.
        Submitted = "job.submitted",
        /// A worker began with it.
        Started = "job.started",
        /// It got further, and is alive.
        Progress = "job.progress",
        /// It ended well.
        Completed = "job.completed",
        /// It ended badly, and will not be tried again.
        Failed = "job.failed",
        /// An attempt ended badly, and another follows.
        Retried = "job.retried",
    }
}

text_enum! {
    /// What happened to a stage of a job.
    StageAction {
        /// It began.
        Started = "stage.started",
        /// It ended, well or badly.
        Finished = "stage.finished",
    }
}

text_enum! {
    /// How a stage ended.
    StageStatus {
        /// Well.
        Completed = "completed",
        /// Without an error, and without a result: not a success.
        CompletedEmpty = "completed_empty",
        /// With an error.
        Failed = "failed",
        /// It was not needed.
        Skipped = "skipped",
    }
}

text_enum! {
    /// What happened to a component (a model, an index) of a worker.
    ComponentAction {
        /// It was loaded.
        Loaded = "component.loaded",
        /// It was given back.
        Unloaded = "component.unloaded",
    }
}

text_enum! {
    /// What happened to a worker.
    WorkerAction {
        /// It is alive, and says how it is.
        Heartbeat = "worker.heartbeat",
        /// It has ended, and will not come back under this id unless it says so.
        Stopped = "worker.stopped",
    }
}

text_enum! {
    /// What ended a process.
    ExitCause {
        /// The kernel, or an out-of-memory daemon, for want of memory.
        OomKill = "oom_kill",
        /// A signal that the process did not handle, from outside or of its own making (a segmentation fault).
        Signal = "signal",
        /// It ended by itself, with an exit code.
        Exit = "exit",
        /// It has ended, and nobody can tell how.
        Unknown = "unknown",
    }
}

text_enum! {
    /// What a worker can do.
    Capability {
        /// Work on the CPU.
        Cpu = "cpu",
        /// Work on a GPU.
        Gpu = "gpu",
        /// Both.
        Hybrid = "hybrid",
    }
}

/// Something happened to a job. After seed 001's `TaskMetrics`.
#[derive(Clone, Debug, PartialEq)]
pub struct JobEvent {
    /// When it happened.
    pub time: Timestamp,
    /// The sender's id of this event.
    pub event_id: String,
    /// What happened.
    pub action: JobAction,
    /// The job.
    pub job_id: String,
    /// What kind of job it is: `extraction`, `summary`.
    pub kind: Option<String>,
    /// The queue that it waits in, or came from.
    pub queue: Option<String>,
    /// The document that it works on.
    pub document_id: Option<String>,
    /// For whom it works.
    pub tenant: Option<String>,
    /// The job that submitted it.
    pub parent_id: Option<String>,
    /// The worker that works on it.
    pub worker_id: Option<String>,
    /// The type of its input: `application/pdf`, `audio`.
    pub content_type: Option<String>,
    /// The application that reports.
    pub service: Option<String>,
    /// The trace that it belongs to, 32 hex digits.
    pub trace_id: Option<String>,
    /// The request that caused it.
    pub request_id: Option<String>,
    /// When it was submitted, where that is known here.
    pub submitted_at: Option<Timestamp>,
    /// When this attempt began, where that is known here.
    pub started_at: Option<Timestamp>,
    /// How often it was tried before.
    pub retry_count: Option<u64>,
    /// How often it is tried at the most.
    pub max_retries: Option<u64>,
    /// Its priority, as the queue has it.
    pub priority: Option<f64>,
    /// How far it is, 0 to 1.
    pub progress: Option<f64>,
    /// The stage that it is in.
    pub stage: Option<String>,
    /// What it is doing, in words.
    pub message: Option<String>,
    /// How long what it does now may take, in seconds: suppresses "stuck".
    pub expected_max_seconds: Option<f64>,
    /// The type of the error that ended the attempt.
    pub error_type: Option<String>,
    /// The error that ended the attempt.
    pub error_message: Option<String>,
    /// Whether it ran out of time.
    pub timed_out: Option<bool>,
    /// CPU time used, in seconds.
    pub cpu_seconds: Option<f64>,
    /// GPU time used, in seconds.
    pub gpu_seconds: Option<f64>,
    /// The most memory that it held, in bytes.
    pub memory_peak_bytes: Option<u64>,
    /// The size of its input, in bytes.
    pub input_bytes: Option<u64>,
    /// The size of its output, in bytes.
    pub output_bytes: Option<u64>,
    /// How many pages the document has.
    pub pages: Option<u64>,
    /// How sure the result is, 0 to 1.
    pub confidence_score: Option<f64>,
    /// Whether a lesser method had to be used.
    pub quality_degraded: Option<bool>,
    /// Further facts.
    pub attributes: Attributes,
}

/// A stage of a job began or ended. After seed 004's stages.
#[derive(Clone, Debug, PartialEq)]
pub struct StageEvent {
    /// When it happened.
    pub time: Timestamp,
    /// The sender's id of this event.
    pub event_id: String,
    /// What happened.
    pub action: StageAction,
    /// The job.
    pub job_id: String,
    /// The stage's name.
    pub stage: String,
    /// The component that does the work, where one does.
    pub component: Option<String>,
    /// The kind of job.
    pub kind: Option<String>,
    /// The document.
    pub document_id: Option<String>,
    /// The worker.
    pub worker_id: Option<String>,
    /// The application that reports.
    pub service: Option<String>,
    /// The trace that it belongs to.
    pub trace_id: Option<String>,
    /// Which attempt of the job this is, from 0.
    pub retry_count: Option<u64>,
    /// How it ended.
    pub status: Option<StageStatus>,
    /// How long it took, in seconds.
    pub duration_seconds: Option<f64>,
    /// CPU time used, in seconds.
    pub cpu_seconds: Option<f64>,
    /// GPU time used, in seconds.
    pub gpu_seconds: Option<f64>,
    /// Resident memory at this moment, in bytes.
    pub memory_rss_bytes: Option<u64>,
    /// Virtual memory at this moment, in bytes.
    pub memory_vms_bytes: Option<u64>,
    /// Resident memory as a share of the host's, 0 to 100.
    pub memory_percent: Option<f64>,
    /// The most resident memory during the stage, in bytes.
    pub memory_peak_bytes: Option<u64>,
    /// Resident memory at the end less that at the start, in bytes.
    pub memory_delta_bytes: Option<i64>,
    /// GPU memory at this moment, in bytes.
    pub gpu_memory_bytes: Option<u64>,
    /// How many items (pages, chunks) it handled.
    pub items: Option<u64>,
    /// How long it may take, in seconds: suppresses "stuck".
    pub expected_max_seconds: Option<f64>,
    /// The type of the error that ended it.
    pub error_type: Option<String>,
    /// The error that ended it.
    pub error_message: Option<String>,
    /// Further facts.
    pub attributes: Attributes,
}

/// A component was loaded or given back. After seed 004's components.
#[derive(Clone, Debug, PartialEq)]
pub struct ComponentEvent {
    /// When it happened.
    pub time: Timestamp,
    /// The sender's id of this event.
    pub event_id: String,
    /// What happened.
    pub action: ComponentAction,
    /// The component's name.
    pub component: String,
    /// The job for which it happened.
    pub job_id: Option<String>,
    /// The stage in which it happened.
    pub stage: Option<String>,
    /// The worker.
    pub worker_id: Option<String>,
    /// The application that reports.
    pub service: Option<String>,
    /// How long it took, in seconds.
    pub duration_seconds: Option<f64>,
    /// Resident memory afterwards, in bytes.
    pub memory_rss_bytes: Option<u64>,
    /// Virtual memory afterwards, in bytes.
    pub memory_vms_bytes: Option<u64>,
    /// Resident memory as a share of the host's, 0 to 100.
    pub memory_percent: Option<f64>,
    /// Resident memory afterwards less that before, in bytes.
    pub memory_delta_bytes: Option<i64>,
    /// GPU memory afterwards, in bytes.
    pub gpu_memory_bytes: Option<u64>,
    /// Further facts.
    pub attributes: Attributes,
}

/// A worker says that it is alive, or that it ends. After seed 001's `WorkerMetrics`.
#[derive(Clone, Debug, PartialEq)]
pub struct WorkerEvent {
    /// When it happened.
    pub time: Timestamp,
    /// The sender's id of this event.
    pub event_id: String,
    /// What happened.
    pub action: WorkerAction,
    /// The worker.
    pub worker_id: String,
    /// What it can do.
    pub capability: Option<Capability>,
    /// The application that reports.
    pub service: Option<String>,
    /// The host that it runs on.
    pub host: Option<String>,
    /// Its process id on that host.
    pub pid: Option<u64>,
    /// The queues that it takes jobs from, joined by commas.
    pub queues: Option<String>,
    /// The release that it runs.
    pub version: Option<String>,
    /// When its process began.
    pub started_at: Option<Timestamp>,
    /// The job that it works on.
    pub job_id: Option<String>,
    /// Whether it holds itself to be healthy.
    pub is_healthy: Option<bool>,
    /// Jobs that it works on.
    pub active_tasks: Option<u64>,
    /// Jobs at once that it takes at the most.
    pub max_concurrent_tasks: Option<u64>,
    /// Jobs completed since it began.
    pub completed_tasks: Option<u64>,
    /// Jobs failed since it began.
    pub failed_tasks: Option<u64>,
    /// Jobs that ran out of time since it began.
    pub timeout_count: Option<u64>,
    /// Errors since it began.
    pub error_count: Option<u64>,
    /// Jobs failed since the last that did not.
    pub consecutive_failures: Option<u64>,
    /// Time spent on jobs since it began, in seconds.
    pub total_processing_seconds: Option<f64>,
    /// CPU, 0 to 100 of one core and more for several.
    pub cpu_percent: Option<f64>,
    /// Memory as a share of the host's, 0 to 100.
    pub memory_percent: Option<f64>,
    /// Resident memory, in bytes.
    pub memory_rss_bytes: Option<u64>,
    /// GPU, 0 to 100.
    pub gpu_percent: Option<f64>,
    /// GPU memory, 0 to 100.
    pub gpu_memory_percent: Option<f64>,
    /// Disk, 0 to 100.
    pub disk_percent: Option<f64>,
    /// Latency to its broker, in seconds.
    pub network_latency_seconds: Option<f64>,
    /// Bytes sent and received since it began.
    pub bytes_transferred: Option<u64>,
    /// Why it stopped.
    pub reason: Option<String>,
    /// The exit code that it stopped with.
    pub exit_code: Option<i64>,
    /// Further facts.
    pub attributes: Attributes,
}

/// A process ended in a way that somebody should know of: the kernel killed it for want of memory, a
/// signal ended it, or its service manager had to start it again.
#[derive(Clone, Debug, PartialEq)]
pub struct ExitEvent {
    /// When it ended.
    pub time: Timestamp,
    /// The sender's id of this event.
    pub event_id: String,
    /// What ended it.
    pub cause: ExitCause,
    /// The program's name.
    pub name: String,
    /// The host that it ran on.
    pub host: Option<String>,
    /// Its process id on that host.
    pub pid: Option<u64>,
    /// Its command line, secrets masked.
    pub command: Option<String>,
    /// The configured group of processes that it belonged to.
    pub group: Option<String>,
    /// The unit of the service manager that it ran in.
    pub unit: Option<String>,
    /// The control group that it ran in.
    pub cgroup: Option<String>,
    /// The worker that it was, where that is known.
    pub worker_id: Option<String>,
    /// The signal that ended it: `SIGKILL`.
    pub signal: Option<String>,
    /// The exit code that it ended with.
    pub exit_code: Option<i64>,
    /// Resident memory at its end, in bytes.
    pub memory_rss_bytes: Option<u64>,
    /// The part of that which no file stands behind, in bytes.
    pub memory_anon_bytes: Option<u64>,
    /// Virtual memory at its end, in bytes.
    pub memory_vms_bytes: Option<u64>,
    /// What was said of it, in words.
    pub message: Option<String>,
    /// Further facts.
    pub attributes: Attributes,
}

/// An HTTP request was answered. After seed 003's `RequestLog`.
#[derive(Clone, Debug, PartialEq)]
pub struct RequestEvent {
    /// When it was answered.
    pub time: Timestamp,
    /// The sender's id of this event.
    pub event_id: String,
    /// The path as called.
    pub path: String,
    /// The route that matched: `/documents/{id}`.
    pub route: Option<String>,
    /// The method.
    pub method: String,
    /// The status code.
    pub status_code: u64,
    /// How long it took, in seconds.
    pub duration_seconds: f64,
    /// Who asked.
    pub user_id: Option<String>,
    /// The id (never the text) of the API key that was used.
    pub api_key_id: Option<String>,
    /// The address that asked.
    pub client_ip: Option<String>,
    /// The request's id.
    pub request_id: Option<String>,
    /// The application that answered.
    pub service: Option<String>,
    /// The trace that it belongs to.
    pub trace_id: Option<String>,
    /// Body bytes received.
    pub request_bytes: Option<u64>,
    /// Body bytes sent.
    pub response_bytes: Option<u64>,
    /// The error behind the answer.
    pub error_message: Option<String>,
    /// Further facts.
    pub attributes: Attributes,
}

/// A model was called.
#[derive(Clone, Debug, PartialEq)]
pub struct LlmCallEvent {
    /// When it was answered.
    pub time: Timestamp,
    /// The sender's id of this event.
    pub event_id: String,
    /// The model.
    pub model: String,
    /// What was asked of it: `chat`, `embeddings`.
    pub operation: Option<String>,
    /// Whose model it is: `ollama`, `openai`.
    pub provider: Option<String>,
    /// The address that was called.
    pub backend: Option<String>,
    /// The job for which it was called.
    pub job_id: Option<String>,
    /// The stage in which it was called.
    pub stage: Option<String>,
    /// The document.
    pub document_id: Option<String>,
    /// For whom.
    pub tenant: Option<String>,
    /// Who asked.
    pub user_id: Option<String>,
    /// The worker.
    pub worker_id: Option<String>,
    /// The application that reports.
    pub service: Option<String>,
    /// The trace that it belongs to.
    pub trace_id: Option<String>,
    /// How long it took, in seconds.
    pub duration_seconds: f64,
    /// How long until the first token, in seconds.
    pub time_to_first_token_seconds: Option<f64>,
    /// Tokens sent.
    pub input_tokens: Option<u64>,
    /// Tokens received.
    pub output_tokens: Option<u64>,
    /// Tokens of the input that the backend had cached.
    pub cached_tokens: Option<u64>,
    /// What it cost, in US dollars.
    pub cost_usd: Option<f64>,
    /// Why it ended: `stop`, `length`.
    pub finish_reason: Option<String>,
    /// The error that ended it.
    pub error_message: Option<String>,
    /// Further facts.
    pub attributes: Attributes,
}

/// A person said how good a result was.
#[derive(Clone, Debug, PartialEq)]
pub struct FeedbackEvent {
    /// When it was said.
    pub time: Timestamp,
    /// The sender's id of this event.
    pub event_id: String,
    /// The job that made the result.
    pub job_id: Option<String>,
    /// The document.
    pub document_id: Option<String>,
    /// The trace that it belongs to.
    pub trace_id: Option<String>,
    /// Who said it.
    pub user_id: Option<String>,
    /// How good, 0 to 1.
    pub score: Option<f64>,
    /// In words.
    pub comment: Option<String>,
    /// Further facts.
    pub attributes: Attributes,
}

/// A release was brought out.
#[derive(Clone, Debug, PartialEq)]
pub struct DeployEvent {
    /// When it was done.
    pub time: Timestamp,
    /// The sender's id of this event.
    pub event_id: String,
    /// The application.
    pub service: String,
    /// The release.
    pub version: String,
    /// Where: `production`.
    pub environment: Option<String>,
    /// In words.
    pub description: Option<String>,
    /// A page about it.
    pub url: Option<String>,
    /// Further facts.
    pub attributes: Attributes,
}
