//! The request log, and what it sums up to.

use model::Timestamp;
use model::event::Attributes;
use serde::Serialize;
use utoipa::ToSchema;

use super::shape;
use crate::params::List;

shape! {
    /// A request that a watched application has answered.
    Request from model::event::RequestEvent {
        /// When it was answered.
        #[schema(value_type = String, format = DateTime)]
        time: Timestamp,
        /// The id of the event that told of it.
        event_id: String,
        /// The path as called.
        path: String,
        /// The route that matched.
        route: Option<String>,
        /// The method.
        method: String,
        /// The status code.
        status_code: u64,
        /// How long it took, in seconds.
        duration_seconds: f64,
        /// Who asked.
        user_id: Option<String>,
        /// The id (never the text) of the API key that was used.
        api_key_id: Option<String>,
        /// The address that asked.
        client_ip: Option<String>,
        /// The request's id.
        request_id: Option<String>,
        /// The application that answered.
        service: Option<String>,
        /// The trace that it belongs to.
        trace_id: Option<String>,
        /// Body bytes received.
        request_bytes: Option<u64>,
        /// Body bytes sent.
        response_bytes: Option<u64>,
        /// What went wrong.
        error_message: Option<String>,
        /// Further facts.
        #[schema(value_type = std::collections::BTreeMap<String, String>)]
        attributes: Attributes,
    }
}

/// What some requests sum up to.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct RequestSum {
    /// How many they are.
    pub(crate) requests: u64,
    /// Those with a status of 400 or more.
    pub(crate) errors: u64,
    /// Errors among the requests, 0 to 1; 0 without any.
    pub(crate) error_rate: f64,
    /// How long one took on average, in seconds; 0 without any.
    pub(crate) average_seconds: f64,
    /// Half of them took no longer, in seconds; right to within 1.1 %. Null without any.
    pub(crate) p50_seconds: Option<f64>,
    /// 95 in 100 of them took no longer, in seconds; right to within 1.1 %. Null without any.
    pub(crate) p95_seconds: Option<f64>,
    /// 99 in 100 of them took no longer, in seconds; right to within 1.1 %. Null without any.
    pub(crate) p99_seconds: Option<f64>,
    /// Body bytes received, as far as they are known.
    pub(crate) request_bytes: u64,
    /// Body bytes sent, as far as they are known.
    pub(crate) response_bytes: u64,
}

impl From<report::RequestTally> for RequestSum {
    fn from(tally: report::RequestTally) -> Self {
        Self {
            requests: tally.requests,
            errors: tally.errors,
            error_rate: tally.error_rate(),
            average_seconds: tally.average_seconds(),
            p50_seconds: tally.durations.quantile(0.5),
            p95_seconds: tally.durations.quantile(0.95),
            p99_seconds: tally.durations.quantile(0.99),
            request_bytes: tally.request_bytes,
            response_bytes: tally.response_bytes,
        }
    }
}

/// The requests of one group.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct RequestGroup {
    /// What they have in common; null for those that do not say.
    pub(crate) key: Option<String>,
    /// What they sum up to.
    #[serde(flatten)]
    pub(crate) sum: RequestSum,
}

impl From<report::RequestGroup> for RequestGroup {
    fn from(group: report::RequestGroup) -> Self {
        Self { key: group.key, sum: group.tally.into() }
    }
}

/// Requests of a time, by group.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct RequestStats {
    /// By what they are grouped: `route`, `user`, `api_key`, `client` or `service`.
    pub(crate) by: &'static str,
    /// Requests answered at this time or later; null for no bound.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub(crate) since: Option<Timestamp>,
    /// Requests answered at this time or earlier; null for no bound.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub(crate) until: Option<Timestamp>,
    /// All of them together.
    pub(crate) all: RequestSum,
    /// Those of further groups, beyond the 1,000 that are told apart.
    pub(crate) beyond: RequestSum,
    /// Groups, those with the most requests first.
    #[serde(flatten)]
    pub(crate) groups: List<RequestGroup>,
}
