//! Seed 003's statistics: requests and systems over a period.

use model::Timestamp;
use report::{Period, SystemPoint};
use serde::Serialize;
use utoipa::ToSchema;

/// How many endpoints are named.
const TOP_ENDPOINTS: usize = 5;

/// An endpoint and how often it was called.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct TopEndpoint {
    /// The route where the application names it (`/documents/{id}`), or else the path as called.
    path: String,
    /// Requests.
    count: u64,
}

/// Requests of a period.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = SeedRequestStats)]
pub(crate) struct RequestStats {
    /// The period.
    period: &'static str,
    /// Requests.
    request_count: u64,
    /// How long one took on average, in seconds; 0 without any.
    avg_process_time: f64,
    /// Requests with a status of 400 or more.
    error_count: u64,
    /// Errors among the requests, 0 to 1; 0 without any.
    error_rate: f64,
    /// The five endpoints with the most requests.
    top_endpoints: Vec<TopEndpoint>,
}

impl RequestStats {
    pub(crate) fn new(period: Period, stats: report::RequestStats) -> Self {
        let named = stats.groups.into_iter().filter_map(|group| Some((group.key?, group.tally.requests)));
        Self {
            period: period.as_str(),
            request_count: stats.all.requests,
            avg_process_time: stats.all.average_seconds(),
            error_count: stats.all.errors,
            error_rate: stats.all.error_rate(),
            top_endpoints: named
                .map(|(path, count)| TopEndpoint { path, count })
                .take(TOP_ENDPOINTS)
                .collect(),
        }
    }
}

/// The system at one time.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct SystemMetric {
    /// When: the end of the part of the period whose average this is.
    #[schema(value_type = String, format = DateTime)]
    timestamp: Timestamp,
    /// CPU in use, in percent; of several hosts their average.
    cpu_usage: f64,
    /// Memory in use, in percent; of several hosts their average.
    memory_usage: f64,
    /// Tasks that waited in all queues, rounded.
    queue_length: u64,
    /// Tasks of all queues that were being worked on, rounded.
    active_requests: u64,
}

/// The system over a period. What is not known is 0.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct SystemStats {
    /// The period.
    period: &'static str,
    /// CPU in use on average, in percent.
    avg_cpu_usage: f64,
    /// Memory in use on average, in percent.
    avg_memory_usage: f64,
    /// Tasks that waited on average.
    avg_queue_length: f64,
    /// CPU in use now, in percent.
    current_cpu_usage: f64,
    /// Memory in use now, in percent.
    current_memory_usage: f64,
    /// Tasks that wait now.
    current_queue_length: u64,
    /// The period in parts: an hour by 30 seconds, a day by 5 minutes, a week by 30 minutes, a month by
    /// 150 minutes; 340 at the most. Parts of which nothing is stored are left out.
    metrics: Vec<SystemMetric>,
}

impl SystemStats {
    pub(crate) fn new(period: Period, stats: &report::SystemStats) -> Self {
        let average = |value: fn(&SystemPoint) -> Option<f64>| stats.average(value).unwrap_or_default();
        // Where nothing is newer, the last point is what is current.
        let last = stats.points.last().copied().unwrap_or_default();
        let current = |value: fn(&SystemPoint) -> Option<f64>| value(&stats.current).or(value(&last));
        Self {
            period: period.as_str(),
            avg_cpu_usage: average(|point| point.cpu_percent),
            avg_memory_usage: average(|point| point.memory_percent),
            avg_queue_length: average(|point| point.pending),
            current_cpu_usage: current(|point| point.cpu_percent).unwrap_or_default(),
            current_memory_usage: current(|point| point.memory_percent).unwrap_or_default(),
            current_queue_length: whole(current(|point| point.pending)),
            metrics: stats.points.iter().map(SystemMetric::from).collect(),
        }
    }
}

impl From<&SystemPoint> for SystemMetric {
    fn from(point: &SystemPoint) -> Self {
        Self {
            timestamp: point.time,
            cpu_usage: point.cpu_percent.unwrap_or_default(),
            memory_usage: point.memory_percent.unwrap_or_default(),
            queue_length: whole(point.pending),
            active_requests: whole(point.processing),
        }
    }
}

/// A number of things that was averaged, as a whole number again; 0 where it is not known.
pub(super) fn whole(number: Option<f64>) -> u64 {
    number.unwrap_or_default().round() as u64
}
