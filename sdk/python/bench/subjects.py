"""The same program four times: without a package, and with each of the three that are compared.

A subject imports its package when it begins, so that a process has only the one that is measured.
"""

from __future__ import annotations

import time
from contextlib import AbstractContextManager, nullcontext
from typing import Any, Optional

#: How long a program waits for its package to deliver what is left.
FLUSH_SECONDS = 30.0


class Subject:
    """The program without a package."""

    #: What the table calls it.
    title = "without"
    #: What the sink counts for a stage, and for a request.
    told_stage = told_request = ""

    def load(self) -> None:
        """Imports the package."""

    def begin(self, url: str) -> None:
        """Configures the package to deliver to `url`."""

    def job(self, number: int) -> AbstractContextManager[Any]:
        """A job, for a `with`."""
        return nullcontext()

    def stage(self, job: Any) -> AbstractContextManager[Any]:
        """A stage of what `job` gave."""
        return nullcontext()

    def note(self, stage: Any, items: int) -> None:
        """Says how many items a stage had."""

    def instrument(self, app: Any) -> None:
        """Watches the requests of a FastAPI application."""

    def guard(self, app: Any) -> Any:
        """Watches the requests of any ASGI application."""
        return app

    def waiting(self) -> float:
        """What share of the queue is taken."""
        return 0.0

    def flush(self) -> None:
        """Delivers what waits."""

    def delivered(self) -> int:
        """How many events it says were delivered."""
        return 0


class Watchkeeper(Subject):
    """With the package of this folder."""

    title = "Watchkeeper"
    told_stage, told_request = "stage.finished", "request.finished"

    def load(self) -> None:
        import watchkeeper

        self._wk = watchkeeper

    def begin(self, url: str) -> None:
        self._wk.init(url, service="bench")

    def job(self, number: int) -> AbstractContextManager[Any]:
        return self._wk.job("extract", id=number, document=f"document-{number}", tenant="acme")

    def stage(self, job: Any) -> AbstractContextManager[Any]:
        made: AbstractContextManager[Any] = job.stage("ocr", component="tesseract")
        return made

    def note(self, stage: Any, items: int) -> None:
        stage.items = items

    def instrument(self, app: Any) -> None:
        from watchkeeper.asgi import WatchkeeperMiddleware

        app.add_middleware(WatchkeeperMiddleware)

    def guard(self, app: Any) -> Any:
        from watchkeeper.asgi import WatchkeeperMiddleware

        return WatchkeeperMiddleware(app)

    def waiting(self) -> float:
        stats = self._wk.stats()
        return max(stats.queued / 10_000, stats.queued_bytes / (4 << 20))

    def flush(self) -> None:
        self._wk.flush(FLUSH_SECONDS)

    def delivered(self) -> int:
        delivered: int = self._wk.stats().delivered
        return delivered


class OpenTelemetry(Subject):
    """With the SDK, the processor that sends in batches, OTLP over HTTP, and the instrumentation of FastAPI."""

    title = "OpenTelemetry"
    told_stage, told_request = "ocr", "server span"

    def load(self) -> None:
        from opentelemetry import trace
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor

        self._trace, self._exporter, self._resource = trace, OTLPSpanExporter, Resource
        self._provider, self._processor = TracerProvider, BatchSpanProcessor
        self._tracer = trace.get_tracer("bench")

    def begin(self, url: str) -> None:
        self._batches = self._processor(self._exporter(endpoint=f"{url}/v1/traces"))
        provider = self._provider(resource=self._resource.create({"service.name": "bench"}))
        provider.add_span_processor(self._batches)
        self._trace.set_tracer_provider(provider)
        self._tracer = self._trace.get_tracer("bench")

    def job(self, number: int) -> AbstractContextManager[Any]:
        facts: dict[str, Any] = {"job.id": number, "document.id": f"document-{number}", "tenant": "acme"}
        return self._tracer.start_as_current_span("extract", attributes=facts)

    def stage(self, job: Any) -> AbstractContextManager[Any]:
        return self._tracer.start_as_current_span("ocr", attributes={"component": "tesseract"})

    def note(self, stage: Any, items: int) -> None:
        stage.set_attribute("items", items)

    def instrument(self, app: Any) -> None:
        from opentelemetry.instrumentation.fastapi import FastAPIInstrumentor

        FastAPIInstrumentor.instrument_app(app)

    def guard(self, app: Any) -> Any:
        from opentelemetry.instrumentation.asgi import OpenTelemetryMiddleware

        return OpenTelemetryMiddleware(app)

    def waiting(self) -> float:
        # It tells nobody how full it is.
        inner = self._batches._batch_processor
        return len(inner._queue) / inner._max_queue_size

    def flush(self) -> None:
        self._batches.force_flush(int(FLUSH_SECONDS * 1000))


class Sentry(Subject):
    """With the SDK, which traces everything, and its integrations of FastAPI and Starlette."""

    title = "Sentry"
    told_stage, told_request = "ocr", "transaction"

    def load(self) -> None:
        import sentry_sdk

        self._sdk = sentry_sdk

    def begin(self, url: str) -> None:
        self._sdk.init(dsn=url.replace("://", "://key@") + "/1", traces_sample_rate=1.0)

    def job(self, number: int) -> AbstractContextManager[Any]:
        transaction = self._sdk.start_transaction(op="job", name="extract")
        for name, value in (("job.id", number), ("document.id", f"document-{number}"), ("tenant", "acme")):
            transaction.set_data(name, value)
        return transaction

    def stage(self, job: Any) -> AbstractContextManager[Any]:
        span = self._sdk.start_span(op="stage", name="ocr")
        span.set_data("component", "tesseract")
        return span

    def note(self, stage: Any, items: int) -> None:
        stage.set_data("items", items)

    def guard(self, app: Any) -> Any:
        from sentry_sdk.integrations.asgi import SentryAsgiMiddleware

        return SentryAsgiMiddleware(app)

    def waiting(self) -> float:
        # It tells nobody how full it is.
        queue: Any = getattr(self._sdk.get_client().transport, "_worker")._queue  # noqa: B009
        return float(queue.qsize() / queue.maxsize)

    def flush(self) -> None:
        self._sdk.flush(FLUSH_SECONDS)


SUBJECTS: dict[str, type[Subject]] = {
    "without": Subject,
    "watchkeeper": Watchkeeper,
    "opentelemetry": OpenTelemetry,
    "sentry": Sentry,
}


def wait_for_room(subject: Subject, full: float = 0.5, at_most_seconds: Optional[float] = 30.0) -> None:
    """Waits until less of the queue is taken."""
    deadline = None if at_most_seconds is None else time.monotonic() + at_most_seconds
    while subject.waiting() > full and (deadline is None or time.monotonic() < deadline):
        time.sleep(0.001)
