//! What telemetry comes from.

use super::Attributes;

/// What a record of OpenTelemetry comes from: a service, its process and host (the resource), and the library in it
/// that reports (the scope). All records of one source in a request share it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Origin {
    /// The application that reports.
    pub service: Option<String>,
    /// The group of applications that it belongs to.
    pub service_namespace: Option<String>,
    /// The release that it runs.
    pub service_version: Option<String>,
    /// Which of several that run it is.
    pub service_instance_id: Option<String>,
    /// Where it runs: `production`.
    pub environment: Option<String>,
    /// The host.
    pub host: Option<String>,
    /// Its process id on that host.
    pub pid: Option<u64>,
    /// The library that reports.
    pub scope_name: Option<String>,
    /// That library's version.
    pub scope_version: Option<String>,
    /// Further facts about the resource.
    pub resource_attributes: Attributes,
    /// Further facts about the scope.
    pub scope_attributes: Attributes,
    /// Attributes of both that are not here: the sender left them out, or they were too many.
    pub dropped_resource_attributes: Option<u64>,
}
