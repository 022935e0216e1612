"""Sends a span with a child, a record of a log and a counter by OpenTelemetry's SDK, and prints as JSON what they were.

`telemetry.py grpc` or `telemetry.py http`; everything else comes by the SDK's own variables (OTEL_EXPORTER_OTLP_…).
"""

import json
import sys

from opentelemetry._logs import SeverityNumber
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import SimpleLogRecordProcessor
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.trace import SpanKind, Status, StatusCode

if sys.argv[1] == "grpc":
    from opentelemetry.exporter.otlp.proto.grpc._log_exporter import OTLPLogExporter
    from opentelemetry.exporter.otlp.proto.grpc.metric_exporter import OTLPMetricExporter
    from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter
else:
    from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter
    from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter

resource = Resource.create(
    {
        "service.name": f"ocr-{sys.argv[1]}",
        "service.namespace": "docs",
        "service.version": "1.2",
        "service.instance.id": "i-1",
        "deployment.environment.name": "test",
    }
)
tracers = TracerProvider(resource=resource)
tracers.add_span_processor(SimpleSpanProcessor(OTLPSpanExporter()))
loggers = LoggerProvider(resource=resource)
loggers.add_log_record_processor(SimpleLogRecordProcessor(OTLPLogExporter()))
meters = MeterProvider(resource=resource, metric_readers=[PeriodicExportingMetricReader(OTLPMetricExporter())])

tracer = tracers.get_tracer("docpipe", "0.1")
with tracer.start_as_current_span("job", kind=SpanKind.CONSUMER, attributes={"job_id": "j1"}) as job:
    with tracer.start_as_current_span("chat llama", kind=SpanKind.CLIENT) as chat:
        chat.set_attribute("gen_ai.request.model", "llama")
        chat.set_attribute("gen_ai.usage.input_tokens", 11)
        chat.set_attribute("pages", [1, 2])
        chat.set_status(Status(StatusCode.ERROR, "timed out"))
        chat.record_exception(TimeoutError("no answer"))
        loggers.get_logger("docpipe", "0.1").emit(
            timestamp=chat.start_time + 1_000,
            severity_number=SeverityNumber.WARN,
            severity_text="WARNING",
            body="page 3 took long",
            attributes={"job_id": "j1", "page": 3},
            event_name="page.slow",
        )
meters.get_meter("docpipe").create_counter("pages.done", unit="{page}").add(4, {"queue.name": "ocr"})

for provider in (tracers, loggers, meters):
    provider.shutdown()


def of(span):
    """A span as it was sent."""
    context = span.get_span_context()
    return {
        "trace_id": f"{context.trace_id:032x}",
        "span_id": f"{context.span_id:016x}",
        "start": span.start_time,
        "duration": span.end_time - span.start_time,
    }


print(json.dumps({"job": of(job), "chat": of(chat)}))
