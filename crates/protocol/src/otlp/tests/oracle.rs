//! What must be heard of a request, from the messages of the other implementation.

use model::event::{SpanKind, SpanStatus as StatusCode};
use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1 as common;
use opentelemetry_proto::tonic::logs::v1 as logs;
use opentelemetry_proto::tonic::metrics::v1 as metrics;
use opentelemetry_proto::tonic::resource::v1 as resource;
use opentelemetry_proto::tonic::trace::v1 as trace;

use super::Heard;
use crate::otlp::*;

fn value(sent: Option<&common::AnyValue>) -> AnyValue<'_> {
    use common::any_value::Value;
    match sent.and_then(|sent| sent.value.as_ref()) {
        None | Some(Value::StringValueStrindex(_)) => AnyValue::Empty,
        Some(Value::StringValue(text)) => AnyValue::Text(text.into()),
        Some(Value::BoolValue(is_so)) => AnyValue::Bool(*is_so),
        Some(Value::IntValue(number)) => AnyValue::Int(*number),
        Some(Value::DoubleValue(number)) => AnyValue::Double(*number),
        Some(Value::BytesValue(bytes)) => AnyValue::Bytes(bytes.into()),
        Some(Value::ArrayValue(array)) => {
            AnyValue::Array(array.values.iter().map(|one| value(Some(one))).collect())
        }
        Some(Value::KvlistValue(list)) => AnyValue::Map(attributes(&list.values)),
    }
}

fn attributes(sent: &[common::KeyValue]) -> Vec<KeyValue<'_>> {
    sent.iter().map(|sent| KeyValue { key: (&sent.key).into(), value: value(sent.value.as_ref()) }).collect()
}

fn id<const N: usize>(sent: &[u8]) -> Id<N> {
    match <[u8; N]>::try_from(sent) {
        _ if sent.is_empty() => Id::Absent,
        Ok(id) if id != [0; N] => Id::Known(id),
        _ => Id::Invalid,
    }
}

fn note_resource(sent: Option<&resource::Resource>, schema_url: &str, heard: &mut Heard) {
    let empty = resource::Resource::default();
    let sent = sent.unwrap_or(&empty);
    heard.note(&Resource {
        attributes: attributes(&sent.attributes),
        dropped_attributes_count: sent.dropped_attributes_count,
        schema_url: schema_url.into(),
        beyond: Beyond::default(),
    });
}

fn note_scope(sent: Option<&common::InstrumentationScope>, schema_url: &str, heard: &mut Heard) {
    let empty = common::InstrumentationScope::default();
    let sent = sent.unwrap_or(&empty);
    heard.note(&Scope {
        name: (&sent.name).into(),
        version: (&sent.version).into(),
        attributes: attributes(&sent.attributes),
        dropped_attributes_count: sent.dropped_attributes_count,
        schema_url: schema_url.into(),
        beyond: Beyond::default(),
    });
}

pub(super) fn of_logs(request: &ExportLogsServiceRequest) -> Heard {
    let mut heard = Heard::default();
    for group in &request.resource_logs {
        note_resource(group.resource.as_ref(), &group.schema_url, &mut heard);
        for group in &group.scope_logs {
            note_scope(group.scope.as_ref(), &group.schema_url, &mut heard);
            group.log_records.iter().for_each(|record| heard.note(&log_record(record)));
        }
    }
    heard
}

fn log_record(sent: &logs::LogRecord) -> LogRecord<'_> {
    LogRecord {
        time: UnixNanos(sent.time_unix_nano),
        observed_time: UnixNanos(sent.observed_time_unix_nano),
        severity_number: sent.severity_number,
        severity_text: (&sent.severity_text).into(),
        body: value(sent.body.as_ref()),
        attributes: attributes(&sent.attributes),
        dropped_attributes_count: sent.dropped_attributes_count,
        flags: sent.flags,
        trace_id: id(&sent.trace_id),
        span_id: id(&sent.span_id),
        event_name: (&sent.event_name).into(),
        beyond: Beyond::default(),
    }
}

pub(super) fn of_traces(request: &ExportTraceServiceRequest) -> Heard {
    let mut heard = Heard::default();
    for group in &request.resource_spans {
        note_resource(group.resource.as_ref(), &group.schema_url, &mut heard);
        for group in &group.scope_spans {
            note_scope(group.scope.as_ref(), &group.schema_url, &mut heard);
            group.spans.iter().for_each(|sent| heard.note(&span(sent)));
        }
    }
    heard
}

fn span(sent: &trace::Span) -> Span<'_> {
    let status = sent.status.as_ref();
    Span {
        trace_id: id(&sent.trace_id),
        span_id: id(&sent.span_id),
        parent_span_id: id(&sent.parent_span_id),
        trace_state: (&sent.trace_state).into(),
        flags: sent.flags,
        name: (&sent.name).into(),
        kind: match trace::span::SpanKind::try_from(sent.kind) {
            Ok(trace::span::SpanKind::Internal) => SpanKind::Internal,
            Ok(trace::span::SpanKind::Server) => SpanKind::Server,
            Ok(trace::span::SpanKind::Client) => SpanKind::Client,
            Ok(trace::span::SpanKind::Producer) => SpanKind::Producer,
            Ok(trace::span::SpanKind::Consumer) => SpanKind::Consumer,
            Ok(trace::span::SpanKind::Unspecified) | Err(_) => SpanKind::Unspecified,
        },
        start_time: UnixNanos(sent.start_time_unix_nano),
        end_time: UnixNanos(sent.end_time_unix_nano),
        attributes: attributes(&sent.attributes),
        dropped_attributes_count: sent.dropped_attributes_count,
        events: sent.events.iter().map(event).collect(),
        dropped_events_count: sent.dropped_events_count,
        links: sent.links.iter().map(link).collect(),
        dropped_links_count: sent.dropped_links_count,
        status: SpanStatus {
            code: match status.map(|status| trace::status::StatusCode::try_from(status.code)) {
                Some(Ok(trace::status::StatusCode::Ok)) => StatusCode::Ok,
                Some(Ok(trace::status::StatusCode::Error)) => StatusCode::Error,
                Some(Ok(trace::status::StatusCode::Unset) | Err(_)) | None => StatusCode::Unset,
            },
            message: status.map(|status| status.message.as_str()).unwrap_or_default().into(),
        },
        beyond: Beyond::default(),
    }
}

fn event(sent: &trace::span::Event) -> SpanEvent<'_> {
    SpanEvent {
        time: UnixNanos(sent.time_unix_nano),
        name: (&sent.name).into(),
        attributes: attributes(&sent.attributes),
        dropped_attributes_count: sent.dropped_attributes_count,
    }
}

fn link(sent: &trace::span::Link) -> SpanLink<'_> {
    SpanLink {
        trace_id: id(&sent.trace_id),
        span_id: id(&sent.span_id),
        trace_state: (&sent.trace_state).into(),
        attributes: attributes(&sent.attributes),
        dropped_attributes_count: sent.dropped_attributes_count,
        flags: sent.flags,
    }
}

pub(super) fn of_metrics(request: &ExportMetricsServiceRequest) -> Heard {
    let mut heard = Heard::default();
    for group in &request.resource_metrics {
        note_resource(group.resource.as_ref(), &group.schema_url, &mut heard);
        for group in &group.scope_metrics {
            note_scope(group.scope.as_ref(), &group.schema_url, &mut heard);
            group.metrics.iter().for_each(|metric| note_metric(metric, &mut heard));
        }
    }
    heard
}

fn temporality(sent: i32) -> Temporality {
    match metrics::AggregationTemporality::try_from(sent) {
        Ok(metrics::AggregationTemporality::Delta) => Temporality::Delta,
        Ok(metrics::AggregationTemporality::Cumulative) => Temporality::Cumulative,
        Ok(metrics::AggregationTemporality::Unspecified) | Err(_) => Temporality::Unspecified,
    }
}

fn note_metric(sent: &metrics::Metric, heard: &mut Heard) {
    use metrics::metric::Data;
    let data = match &sent.data {
        None => MetricData::Unknown,
        Some(Data::Gauge(_)) => MetricData::Gauge,
        Some(Data::Sum(sum)) => MetricData::Sum {
            temporality: temporality(sum.aggregation_temporality),
            is_monotonic: sum.is_monotonic,
        },
        Some(Data::Histogram(all)) => {
            MetricData::Histogram { temporality: temporality(all.aggregation_temporality) }
        }
        Some(Data::ExponentialHistogram(all)) => {
            MetricData::ExponentialHistogram { temporality: temporality(all.aggregation_temporality) }
        }
        Some(Data::Summary(_)) => MetricData::Summary,
    };
    heard.note(&Metric {
        name: (&sent.name).into(),
        description: (&sent.description).into(),
        unit: (&sent.unit).into(),
        metadata: attributes(&sent.metadata),
        data,
    });
    match &sent.data {
        None => {}
        Some(Data::Gauge(all)) => all.data_points.iter().for_each(|point| heard.note(&number(point))),
        Some(Data::Sum(all)) => all.data_points.iter().for_each(|point| heard.note(&number(point))),
        Some(Data::Histogram(all)) => all.data_points.iter().for_each(|point| heard.note(&histogram(point))),
        Some(Data::ExponentialHistogram(all)) => {
            all.data_points.iter().for_each(|point| heard.note(&exponential(point)));
        }
        Some(Data::Summary(all)) => all.data_points.iter().for_each(|point| heard.note(&summary(point))),
    }
}

fn exemplars(sent: &[metrics::Exemplar]) -> Vec<PointExemplar<'_>> {
    sent.iter().map(exemplar).collect()
}

fn exemplar(sent: &metrics::Exemplar) -> PointExemplar<'_> {
    let metrics::Exemplar { filtered_attributes, time_unix_nano, span_id, trace_id, value } = sent;
    PointExemplar {
        filtered_attributes: attributes(filtered_attributes),
        time: UnixNanos(*time_unix_nano),
        value: value.as_ref().map(|value| match value {
            metrics::exemplar::Value::AsDouble(number) => Number::Double(*number),
            metrics::exemplar::Value::AsInt(number) => Number::Int(*number),
        }),
        trace_id: id(trace_id),
        span_id: id(span_id),
    }
}

fn number(sent: &metrics::NumberDataPoint) -> NumberPoint<'_> {
    NumberPoint {
        attributes: attributes(&sent.attributes),
        start_time: UnixNanos(sent.start_time_unix_nano),
        time: UnixNanos(sent.time_unix_nano),
        value: sent.value.as_ref().map(|value| match value {
            metrics::number_data_point::Value::AsDouble(number) => Number::Double(*number),
            metrics::number_data_point::Value::AsInt(number) => Number::Int(*number),
        }),
        exemplars: exemplars(&sent.exemplars),
        flags: PointFlags(sent.flags),
    }
}

fn histogram(sent: &metrics::HistogramDataPoint) -> HistogramPoint<'_> {
    HistogramPoint {
        attributes: attributes(&sent.attributes),
        start_time: UnixNanos(sent.start_time_unix_nano),
        time: UnixNanos(sent.time_unix_nano),
        count: sent.count,
        sum: sent.sum,
        bucket_counts: sent.bucket_counts.clone(),
        explicit_bounds: sent.explicit_bounds.clone(),
        exemplars: exemplars(&sent.exemplars),
        flags: PointFlags(sent.flags),
        min: sent.min,
        max: sent.max,
    }
}

fn exponential(sent: &metrics::ExponentialHistogramDataPoint) -> ExponentialHistogramPoint<'_> {
    let side = |side: Option<&metrics::exponential_histogram_data_point::Buckets>| {
        side.map_or_else(ExponentialBuckets::default, |side| ExponentialBuckets {
            offset: side.offset,
            counts: side.bucket_counts.clone(),
        })
    };
    ExponentialHistogramPoint {
        attributes: attributes(&sent.attributes),
        start_time: UnixNanos(sent.start_time_unix_nano),
        time: UnixNanos(sent.time_unix_nano),
        count: sent.count,
        sum: sent.sum,
        scale: sent.scale,
        zero_count: sent.zero_count,
        zero_threshold: sent.zero_threshold,
        positive: side(sent.positive.as_ref()),
        negative: side(sent.negative.as_ref()),
        exemplars: exemplars(&sent.exemplars),
        flags: PointFlags(sent.flags),
        min: sent.min,
        max: sent.max,
    }
}

fn summary(sent: &metrics::SummaryDataPoint) -> SummaryPoint<'_> {
    let quantile = |sent: &metrics::summary_data_point::ValueAtQuantile| Quantile {
        quantile: sent.quantile,
        value: sent.value,
    };
    SummaryPoint {
        attributes: attributes(&sent.attributes),
        start_time: UnixNanos(sent.start_time_unix_nano),
        time: UnixNanos(sent.time_unix_nano),
        count: sent.count,
        sum: sent.sum,
        quantiles: sent.quantile_values.iter().map(quantile).collect(),
        flags: PointFlags(sent.flags),
    }
}
