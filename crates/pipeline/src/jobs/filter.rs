//! Which jobs are wanted.

use model::Timestamp;

use super::JobStatus;

/// Conditions on jobs, all of which must hold; `None` is no condition.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct JobFilter {
    /// Where it is in its life.
    pub status: Option<JobStatus>,
    /// Its kind.
    pub kind: Option<String>,
    /// Its queue.
    pub queue: Option<String>,
    /// Its worker.
    pub worker: Option<String>,
    /// Its document.
    pub document: Option<String>,
    /// For whom it works.
    pub tenant: Option<String>,
    /// Its trace; upper and lower case are the same.
    pub trace_id: Option<String>,
    /// Text in its id, document, kind, stage, message or error; upper and lower case are the same.
    pub text: Option<String>,
    /// Something was said of it at this time or later.
    pub since: Option<Timestamp>,
    /// It was first heard of at this time or earlier.
    pub until: Option<Timestamp>,
}
