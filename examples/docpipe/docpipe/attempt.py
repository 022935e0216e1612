"""One attempt at a task: measures it, logs it, and reports it to Watchkeeper.

    with attempt.stage("chunk") as stage:
        chunks = split(text)
        stage.items = len(chunks)
"""

from __future__ import annotations

import logging
import time
from contextlib import contextmanager
from typing import Any, Callable, Iterator, Protocol

from . import memory
from .tasks import Task
from .watch import Watch

log = logging.getLogger(__name__)


class Component(Protocol):
    """Something heavy that is loaded for a while: a model, an index."""

    def load(self) -> None: ...

    def unload(self) -> None: ...


class Attempt:
    """Measures and reports one attempt."""

    def __init__(self, task: Task, worker_id: str, max_attempts: int, watch: Watch) -> None:
        self.task = task
        self.memory_peak = memory.current().rss
        self._watch = watch
        self._worker_id = worker_id
        self._max_retries = max_attempts - 1
        self._began = time.monotonic()
        self._cpu_began = time.process_time()

    @property
    def seconds(self) -> float:
        """How long it has taken so far."""
        return time.monotonic() - self._began

    def started(self) -> None:
        """The attempt begins."""
        self._report_job("job.started")

    @contextmanager
    def stage(self, name: str, component: str | None = None) -> Iterator[Stage]:
        """Runs a block as a stage of the job."""
        stage = Stage()
        facts = {"stage": name, "component": component, **self._job_of_stage()}
        self._report("stage.started", **facts, **stage.beginning())
        try:
            yield stage
        except BaseException as error:
            self._report("stage.finished", **facts, **stage.end("failed"), **_failure(error))
            raise
        else:
            # A stage that made nothing has ended well, and yet it is no success.
            status = "completed_empty" if stage.items == 0 else "completed"
            self._report("stage.finished", **facts, **stage.end(status))
        finally:
            self.memory_peak = max(self.memory_peak, stage.memory_peak)
            self._log(logging.INFO, "Stage %s end: %s", name, stage)

    @contextmanager
    def component(self, name: str, component: Component, stage: str) -> Iterator[None]:
        """Loads a component for the time of a block."""
        self._change("component.loaded", component.load, component=name, stage=stage)
        try:
            yield
        finally:
            self._change("component.unloaded", component.unload, component=name, stage=stage)

    def llm_call(self, **facts: Any) -> None:
        """Reports that a model was called for this job."""
        self._report("llm.call", document_id=self.task.document_id, **facts)

    def completed(self, output_bytes: int) -> None:
        """The attempt ended well."""
        self._report_job("job.completed", output_bytes=output_bytes, **self._cost())
        self._log(logging.INFO, "Job %s completed in %.1fs", self.task.id, self.seconds)

    def failed(self, error: Exception, again: bool) -> None:
        """The attempt ended badly; `again` says whether another one follows."""
        self._report_job("job.retried" if again else "job.failed", **_failure(error), **self._cost())
        outcome = "will be tried again" if again else "is given up"
        text = "Job %s failed after %.1fs and %s: %s"
        self._log(logging.ERROR, text, self.task.id, self.seconds, outcome, error, exc_info=error)

    def _change(self, event: str, change: Callable[[], None], **facts: Any) -> None:
        before, started = memory.current(), time.monotonic()
        change()
        after, seconds = memory.current(), time.monotonic() - started
        self.memory_peak = max(self.memory_peak, after.rss)
        self._report(
            event, **facts, **_held(after), duration_seconds=seconds, memory_delta_bytes=after.rss - before.rss
        )

    def _report_job(self, event: str, **facts: Any) -> None:
        """`_report` adds what only events about the job itself have."""
        self._report(event, **{**self.task.facts(), "max_retries": self._max_retries, **facts})

    def _report(self, event: str, **facts: Any) -> None:
        self._watch.report(event, **{"job_id": self.task.id, "worker_id": self._worker_id, **facts})

    def _job_of_stage(self) -> dict[str, Any]:
        return {"kind": self.task.kind, "document_id": self.task.document_id, "retry_count": self.task.attempt}

    def _cost(self) -> dict[str, Any]:
        return {"memory_peak_bytes": self.memory_peak, "cpu_seconds": time.process_time() - self._cpu_began}

    def _log(self, level: int, text: str, *parts: Any, exc_info: BaseException | None = None) -> None:
        ids = {"job_id": self.task.id, "document_id": self.task.document_id, "request_id": self.task.request_id}
        log.log(level, text, *parts, exc_info=exc_info, extra=ids)


class Stage:
    """Measures one stage. The block that runs as the stage says in `items` how many things it handled."""

    items: int | None = None

    def __init__(self) -> None:
        self._started = time.monotonic()
        self._cpu_started = time.process_time()
        memory.reset_peak()
        self._before = self._after = memory.current()
        self.memory_peak = self._before.rss

    def beginning(self) -> dict[str, Any]:
        """The facts at the start."""
        return _held(self._before)

    def end(self, status: str) -> dict[str, Any]:
        """The facts at the end."""
        self._after, self.memory_peak = memory.current(), memory.peak()
        return {
            **_held(self._after),
            "status": status,
            "items": self.items,
            "duration_seconds": time.monotonic() - self._started,
            "cpu_seconds": time.process_time() - self._cpu_started,
            "memory_peak_bytes": self.memory_peak,
            "memory_delta_bytes": self._after.rss - self._before.rss,
        }

    def __str__(self) -> str:
        delta = self._after.rss - self._before.rss
        return f"{self._after.rss / 2**20:.1f}MB (delta: {delta / 2**20:+.1f}MB)"


def _held(held: memory.Memory) -> dict[str, Any]:
    return {"memory_rss_bytes": held.rss, "memory_vms_bytes": held.vms, "memory_percent": held.percent}


def _failure(error: BaseException) -> dict[str, Any]:
    return {"error_type": type(error).__name__, "error_message": str(error)}
