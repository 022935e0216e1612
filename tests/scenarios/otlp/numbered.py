"""Sends numbered spans and records of logs by OpenTelemetry's SDK until its standard input ends, and prints as JSON how
many of each there were, and which of them its exporters gave up.

`numbered.py grpc SERVICE` or `numbered.py http SERVICE`; everything else comes by the SDK's own variables
(OTEL_EXPORTER_OTLP_…, OTEL_BSP_…, OTEL_BLRP_…).
"""

import json
import sys
import threading

from opentelemetry._logs import SeverityNumber
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import BatchLogRecordProcessor, LogRecordExporter, LogRecordExportResult
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult

transport, service = sys.argv[1:]
if transport == "grpc":
    from opentelemetry.exporter.otlp.proto.grpc._log_exporter import OTLPLogExporter
    from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter
else:
    from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter


class WatchedSpans(SpanExporter):
    """Hands spans on, and remembers the numbers of those that were given up."""

    def __init__(self, exporter):
        self.exporter, self.given_up = exporter, []

    def export(self, spans):
        result = self.exporter.export(spans)
        if result is not SpanExportResult.SUCCESS:
            self.given_up += [span.attributes["number"] for span in spans]
        return result

    def shutdown(self):
        self.exporter.shutdown()


class WatchedLogs(LogRecordExporter):
    """The same of records of logs."""

    def __init__(self, exporter):
        self.exporter, self.given_up = exporter, []

    def export(self, batch):
        result = self.exporter.export(batch)
        if result is not LogRecordExportResult.SUCCESS:
            self.given_up += [each.log_record.attributes["number"] for each in batch]
        return result

    def shutdown(self):
        self.exporter.shutdown()

    def force_flush(self, timeout_millis=30_000):
        return self.exporter.force_flush(timeout_millis)


spans, logs = WatchedSpans(OTLPSpanExporter()), WatchedLogs(OTLPLogExporter())
resource = Resource.create({"service.name": service})
tracers = TracerProvider(resource=resource)
tracers.add_span_processor(BatchSpanProcessor(spans))
loggers = LoggerProvider(resource=resource)
loggers.add_log_record_processor(BatchLogRecordProcessor(logs))

ended = threading.Event()
threading.Thread(target=lambda: (sys.stdin.read(), ended.set()), daemon=True).start()
tracer, logger = tracers.get_tracer("numbered"), loggers.get_logger("numbered")
number = 0
while not ended.wait(0.01):
    tracer.start_span("numbered", attributes={"number": number}).end()
    logger.emit(
        severity_number=SeverityNumber.INFO,
        body="numbered",
        attributes={"number": number, "log.record.uid": f"{service}-{number}"},
    )
    number += 1

for provider in (tracers, loggers):
    # A shutdown alone would end the waits between attempts.
    provider.force_flush()
    provider.shutdown()
print(json.dumps({"sent": number, "given_up": {"spans": spans.given_up, "logs": logs.given_up}}))
