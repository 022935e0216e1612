//! Which labels have columns. What is not named here, or in the table of OpenTelemetry's names, stays an attribute.

use std::sync::LazyLock;

use model::event::Origin;

use crate::otlp::rows::names::Place::{Count, Text};
use crate::otlp::rows::names::{Field, Names};

/// What labels say of where a stream comes from; of several names that are there the first one holds.
const OF_LABELS: &[Field<Origin>] = &[
    Field {
        place: Text(|all| &mut all.service),
        names: &["service_name", "service.name", "service", "app", "job", "container"],
    },
    Field {
        place: Text(|all| &mut all.service_namespace),
        names: &["service_namespace", "service.namespace"],
    },
    Field { place: Text(|all| &mut all.service_version), names: &["service_version", "service.version"] },
    Field {
        place: Text(|all| &mut all.service_instance_id),
        names: &["service_instance_id", "service.instance.id"],
    },
    Field {
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
    Field {
        place: Text(|all| &mut all.host),
        names: &["host_name", "host.name", "host", "hostname", "node_name", "nodename", "node"],
    },
    Field { place: Count(|all| &mut all.pid), names: &["process_pid", "process.pid", "pid"] },
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
