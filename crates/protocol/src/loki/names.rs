//! Which labels have columns. What is not named here, or in the table of OpenTelemetry's names, stays an attribute.

use std::sync::LazyLock;

use model::event::Origin;
use model::event::columns::Column;
use model::event::columns::Place::{Count, Text};

use crate::otlp::rows::names::Names;

/// What labels say of where a stream comes from; of several names that are there the first one holds.
const OF_LABELS: &[Column<Origin>] = &[
    Column {
        name: "service",
        place: Text(|all| &mut all.service),
        names: &["service_name", "service.name", "service", "app", "job", "container"],
    },
    Column {
        name: "service_namespace",
        place: Text(|all| &mut all.service_namespace),
        names: &["service_namespace", "service.namespace"],
    },
    Column {
        name: "service_version",
        place: Text(|all| &mut all.service_version),
        names: &["service_version", "service.version"],
    },
    Column {
        name: "service_instance_id",
        place: Text(|all| &mut all.service_instance_id),
        names: &["service_instance_id", "service.instance.id"],
    },
    Column {
        name: "environment",
        place: Text(|all| &mut all.environment),
        names: &[
            "deployment_environment_name",
            "deployment.environment.name",
            "deployment_environment",
            "deployment.environment",
            "environment",
            "env",
        ],
    },
    Column {
        name: "host",
        place: Text(|all| &mut all.host),
        names: &["host_name", "host.name", "host", "hostname", "node_name", "nodename", "node"],
    },
    Column { name: "pid", place: Count(|all| &mut all.pid), names: &["process_pid", "process.pid", "pid"] },
];

/// What fills the origin of a stream.
pub(super) static LABELS: LazyLock<Names<Origin>> = LazyLock::new(|| Names::new(OF_LABELS));

/// How severe a line is; the first name of several holds. The last is what Loki itself has found out.
pub(super) const LEVELS: &[&str] =
    &["level", "severity", "severity_text", "log_level", "loglevel", "lvl", "detected_level"];
/// The same as a number of OpenTelemetry.
pub(super) const SEVERITY_NUMBER: &str = "severity_number";
/// The trace that a line belongs to.
pub(super) const TRACE_IDS: &[&str] = &["trace_id", "traceID", "traceId", "traceid", "trace.id"];
/// The span.
pub(super) const SPAN_IDS: &[&str] = &["span_id", "spanID", "spanId", "spanid", "span.id"];
