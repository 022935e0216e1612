//! What is audited: who did what to what, and whether it was allowed.

use super::Attributes;
use super::names::text_enum;
use crate::Timestamp;

text_enum! {
    /// What kind of thing it is that was done.
    AuditCategory {
        /// A person, or somebody's key, did something.
        UserAction = "user_action",
        /// A system did something of its own accord.
        System = "system",
        /// It concerns who may do what: logins, keys, permissions, what was denied.
        Security = "security",
    }
}

text_enum! {
    /// What became of it.
    AuditOutcome {
        /// It was done.
        Success = "success",
        /// It was tried and has failed.
        Failure = "failure",
        /// It was not allowed.
        Denied = "denied",
    }
}

/// Somebody did something that an application keeps account of.
#[derive(Clone, Debug, PartialEq)]
pub struct AuditEvent {
    /// When it was done.
    pub time: Timestamp,
    /// The sender's id of this event.
    pub event_id: String,
    /// What was done: `document.delete`, `login`.
    pub action: String,
    /// What kind of thing that is.
    pub category: AuditCategory,
    /// What became of it.
    pub outcome: Option<AuditOutcome>,
    /// Who did it.
    pub user_id: Option<String>,
    /// To what it was done.
    pub target: Option<String>,
    /// In words.
    pub message: Option<String>,
    /// From which address.
    pub client_ip: Option<String>,
    /// For whom.
    pub tenant: Option<String>,
    /// The application.
    pub service: Option<String>,
    /// The machine.
    pub host: Option<String>,
    /// The job that it concerns.
    pub job_id: Option<String>,
    /// The document that it concerns.
    pub document_id: Option<String>,
    /// The request in which it was done.
    pub request_id: Option<String>,
    /// The trace that it belongs to, 32 hex digits.
    pub trace_id: Option<String>,
    /// Further facts.
    pub attributes: Attributes,
}
