//! The map of services.

use model::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use super::shape;

shape! {
    /// A service, or a database.
    ServiceNode from report::ServiceNode {
        /// Its name.
        name: String,
        /// Whether it is a database, of which only those know who ask it.
        is_database: bool,
        /// How often it is asked, by requests and by messages, a second; null of what sends no such spans.
        rate: Option<f64>,
        /// Which share of that failed, 0 to 1.
        error_ratio: Option<f64>,
        /// How long half of that takes at the most, in seconds.
        p50_seconds: Option<f64>,
        /// How long 95 of 100 take at the most, in seconds.
        p95_seconds: Option<f64>,
        /// How many spans of any kind it sends, a second; null of what sends none.
        span_rate: Option<f64>,
    }
}

shape! {
    /// A service that asks another.
    ServiceEdge from report::ServiceEdge {
        /// Who asks.
        client: String,
        /// Who is asked.
        server: String,
        /// `messaging_system` or `database`; null of requests.
        connection: Option<String>,
        /// How often, a second.
        rate: f64,
        /// Which share of that failed, 0 to 1.
        failed_ratio: f64,
        /// How long 95 of 100 take at the most where they are answered, in seconds.
        p95_seconds: Option<f64>,
    }
}

/// Which services there are, and which asks which.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ServiceMap {
    /// Of which time.
    #[schema(value_type = String, format = DateTime)]
    pub(crate) from: Timestamp,
    /// Its end.
    #[schema(value_type = String, format = DateTime)]
    pub(crate) to: Timestamp,
    /// Services and databases, those that are asked most first, 500 at most.
    pub(crate) nodes: Vec<ServiceNode>,
    /// Who asks whom, most first, 2,000 at most.
    pub(crate) edges: Vec<ServiceEdge>,
    /// How many nodes are left out.
    pub(crate) more_nodes: usize,
    /// How many edges are left out.
    pub(crate) more_edges: usize,
}
