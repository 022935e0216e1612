//! Requests of logs.

use super::Read;
use super::object::object;
use super::request::{Names, walk};
use super::scalar::Severity;
use crate::otlp::bounds::Bounds;
use crate::otlp::logs::{LogRecord, LogSink};

#[derive(Default)]
struct Logs;

impl Names for Logs {
    const RESOURCES: &'static str = "resourceLogs";
    const SCOPES: &'static str = "scopeLogs";
    const RECORDS: &'static str = "logRecords";
}

/// Takes a request apart.
pub(in crate::otlp) fn decode(body: &[u8], sink: &mut impl LogSink) -> Read<()> {
    let bounds = Bounds::default();
    walk::<Logs, LogRecord<'_>, _>(body, &bounds, sink, |record, sink| {
        sink.record(&LogRecord { beyond: bounds.beyond(), ..record });
        Ok(())
    })
}

object!(LogRecord<'de>, "a log record", {
    "timeUnixNano" => time,
    "observedTimeUnixNano" => observed_time,
    "severityNumber" => severity_number as Severity,
    "severityText" => severity_text,
    "body" => body,
    "attributes" => attributes,
    "droppedAttributesCount" => dropped_attributes_count,
    "flags" => flags,
    "traceId" => trace_id,
    "spanId" => span_id,
    "eventName" => event_name,
});
