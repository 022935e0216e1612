"""Tells Watchkeeper what a pipeline does.

::

    import watchkeeper as wk

    wk.init(url="http://127.0.0.1:7654", service="extraction")

    with wk.job("extract", id=task.id, document=task.document) as job:
        with job.stage("ocr"):
            recognise(task)

Without an address, given or in `WATCHKEEPER_URL`, everything here does nothing. Nothing here raises into the
application or makes it wait, but `flush` and `shutdown`, which wait as long as they are told to.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Optional

from . import _allocations, _exit, logs
from ._audit import audit
from ._client import Client, current_client, replace_client
from ._context import (
    Origin,
    current_job,
    current_request,
    current_stage,
    current_trace_id,
    extract,
    inject,
    traceparent,
    wrap,
)
from ._counts import Stats
from ._jobs import NO_JOB, NO_STAGE, Job, report_submitted
from ._limits import let_through
from ._llm import LLMCall, llm_call
from ._log import logger
from ._settings import read_settings
from ._stages import Stage
from ._tasks import make_job, task

if TYPE_CHECKING:
    from .memory import MemoryTracker
    from .monitor import ResourceMonitor

__version__ = "0.1.0"

__all__ = [
    "Client",
    "Job",
    "LLMCall",
    "MemoryTracker",
    "Origin",
    "ResourceMonitor",
    "Stage",
    "Stats",
    "audit",
    "current_job",
    "current_request",
    "current_stage",
    "event",
    "extract",
    "flush",
    "init",
    "inject",
    "job",
    "llm_call",
    "logs",
    "shutdown",
    "stage",
    "stats",
    "submitted",
    "task",
    "traceparent",
    "wrap",
]


def __getattr__(name: str) -> Any:
    # Read when they are asked for, so that the import of the package stays quick.
    if name == "MemoryTracker":
        from .memory import MemoryTracker

        return MemoryTracker
    if name == "ResourceMonitor":
        from .monitor import ResourceMonitor

        return ResourceMonitor
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def init(url: Optional[str] = None, **settings: Any) -> Optional[Client]:
    """Begins to report to the Watchkeeper at `url`. Settings that are not given are read from `WATCHKEEPER_*`; all of
    them are in docs/python.md. Gives the client, or None where there is no address.

    Threads begin with the first event, so a process may call this and fork afterwards. Called again with
    other settings it begins anew, after it has given what the client before still holds a second to be delivered.
    """
    try:
        read = read_settings({"url": url, **settings})
        before = current_client()
        if before is not None and before.settings == read and not before.is_closed:
            return before
        client = Client(read) if read.url else None
        before = replace_client(client)
        if before is not None:
            before.shutdown(min(1.0, before.settings.exit_seconds))
        if client is not None:
            _allocations.begin(read)
        if client is not None and read.handle_sigterm:
            _exit.handle_sigterm()
        return client
    except Exception as error:
        logger.warning("Watchkeeper is not told anything: %s", error)
        return None


def job(
    kind: str,
    *,
    id: Any = None,
    document: Any = None,
    tenant: Any = None,
    queue: Optional[str] = None,
    **options: Any,
) -> Job:
    """A job, to be begun by `with` or `async with`.

    `kind` is what kind of job it is, `id` its own (made, if there is none), `document` and `tenant` what and for whom
    it works. `submitted_at` says since when it waited, `submitted=True` reports that, too; `origin` is where its
    payload came from (`extract`). Other options are facts: `content_type`, `priority`, `pages`, `input_bytes`,
    `retry_count`, `max_retries`, `expected_max_seconds`, `request_id`, and attributes of any name.

    Within another job it is a child of that.
    """
    client = current_client()
    if client is None:
        return NO_JOB
    return make_job(client, kind, {"id": id, "document": document, "tenant": tenant, "queue": queue, **options})


def stage(name: Any, **given: Any) -> Stage:
    """A step of the job that runs here, as `job.stage` makes it: for code that is not handed the job. Where none runs,
    it stands for no stage, and keeps nothing."""
    job = current_job()
    return NO_STAGE if job is None else job.stage(name, **given)


def submitted(
    kind: str, *, id: Any = None, document: Any = None, tenant: Any = None, queue: Optional[str] = None, **facts: Any
) -> Optional[str]:
    """Reports that a job was put into a queue, at `submitted_at` or now, and gives back its id. None where nothing is
    configured."""
    client = current_client()
    if client is None:
        return None
    try:
        return report_submitted(client, kind, id, document, tenant, {"queue": queue, **facts})
    except Exception as error:
        client.counts.drop("internal_error")
        let_through(error)
        return None


def event(type: str, /, **facts: Any) -> None:
    """Reports an event of any type of docs/events.md, with its fields as they stand there. Where a job runs or a
    request is answered, an event that may belong to a trace and says none belongs to theirs."""
    client = current_client()
    if client is not None:
        if isinstance(type, str) and type in _IN_TRACES and facts.get("trace_id") is None:
            trace_id = current_trace_id()
            if trace_id is not None:
                facts["trace_id"] = trace_id
        client.report(type, facts)


_IN_TRACES = frozenset(
    (
        *("job.submitted", "job.started", "job.progress", "job.completed", "job.failed", "job.retried"),
        *("stage.started", "stage.finished", "llm.call", "feedback.given", "audit.recorded"),
    )
)


def flush(timeout: float = 5.0) -> bool:
    """Waits, at most `timeout` seconds, until all that was reported so far is delivered or in the spool. True when it
    is."""
    client = current_client()
    return True if client is None else client.flush(timeout)


def shutdown(timeout: Optional[float] = None, *, reason: str = "shutdown", exit_code: Optional[int] = None) -> None:
    """Delivers what waits, at most within `timeout` seconds (`exit_seconds` by default), and reports no more. The end
    of the process does this by itself.

    A worker may say why it stops, and with which code: one other than 0 is a crash.
    """
    client = replace_client(None)
    if client is not None:
        client.shutdown(timeout, reason, exit_code)


def stats() -> Stats:
    """What became of all that was reported: delivered, rejected, dropped and why, waiting."""
    client = current_client()
    return Stats() if client is None else client.stats()
