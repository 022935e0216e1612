"""Tasks of Celery that know nothing of Watchkeeper: what OpenTelemetry tells of them is enough."""

import os
import time

from celery import Celery
from celery.signals import worker_process_init
from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.instrumentation.celery import CeleryInstrumentor
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import SpanKind

app = Celery("tasks", broker=os.environ.get("BROKER_URL", "redis://127.0.0.1:6379/0"))
app.conf.update(task_default_queue="documents", task_ignore_result=True)

tracer = trace.get_tracer(__name__)


def trace_as(service: str) -> TracerProvider:
    """Sends spans to where OTEL_EXPORTER_OTLP_ENDPOINT says."""
    provider = TracerProvider(resource=Resource.create({"service.name": service}))
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    trace.set_tracer_provider(provider)
    CeleryInstrumentor().instrument()
    return provider


@worker_process_init.connect(weak=False)
def begin_to_trace(**_: object) -> None:
    """In each process of a worker: the thread that sends spans does not outlive a fork."""
    trace_as("worker")


class NoText(Exception):
    """There is nothing to read on a page."""


@app.task(bind=True, max_retries=1)
def extract(self, document: str) -> None:
    """Reads a document, and asks a model to sum it up. One named "flaky" succeeds when it is tried again, one named
    "blank" never does."""
    with tracer.start_as_current_span("render"):
        time.sleep(0.05)
        if document == "blank":
            raise NoText("the page is blank")
    if document == "flaky" and self.request.retries == 0:
        raise self.retry(exc=ConnectionError("the model does not answer"), countdown=0)
    with tracer.start_as_current_span("summarize"):
        sum_up()


def sum_up() -> None:
    """What an instrumentation of a client for models would write; there is no model here."""
    with tracer.start_as_current_span("chat small", kind=SpanKind.CLIENT) as span:
        time.sleep(0.02)
        span.set_attributes(
            {
                "gen_ai.operation.name": "chat",
                "gen_ai.provider.name": "ollama",
                "gen_ai.request.model": "small",
                "gen_ai.usage.input_tokens": 120,
                "gen_ai.usage.output_tokens": 30,
            }
        )
