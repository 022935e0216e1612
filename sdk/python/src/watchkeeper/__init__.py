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

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Optional, Union

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
from ._jobs import NO_JOB, NO_STAGE, Job, Time, report_submitted
from ._limits import let_through
from ._llm import LLMCall, llm_call
from ._log import logger
from ._settings import read_settings
from ._stages import Stage
from ._tasks import make_job, task
from ._version import __version__

if TYPE_CHECKING:
    from ._requests import Request
    from .memory import MemoryTracker
    from .monitor import ResourceMonitor

__all__ = [
    "Client",
    "Job",
    "LLMCall",
    "MemoryTracker",
    "Origin",
    "Request",
    "ResourceMonitor",
    "Stage",
    "Stats",
    "__version__",
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
    if name == "Request":
        from ._requests import Request

        return Request
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def init(url: Optional[str] = None, **settings: Any) -> Optional[Client]:
    """Begins to report to the Watchkeeper at `url`, for all of the process::

        wk.init(url="http://127.0.0.1:7654", service="extraction", worker=True, spool_dir="/var/spool/watchkeeper")

    `settings` are those of docs/python.md, by their names. One that is not given is read from the environment
    (`service` from `WATCHKEEPER_SERVICE`), and else has its default. One that makes no sense, or is not known, is a
    warning of the logger `watchkeeper`, and left out.

    Gives the client, or None where there is no address: then everything else here does nothing.

    Threads begin with the first event, so a process may call this and fork afterwards. Called again with the same
    settings it does nothing; with others it begins anew, after it has given what the client before still holds a
    second to be delivered.
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
    submitted_at: Optional[Time] = None,
    submitted: bool = False,
    origin: Union[Origin, Mapping[Any, Any], None] = None,
    **facts: Any,
) -> Job:
    """A job, to be begun by `with` or `async with`::

        with wk.job("extract", id=task.id, document=task.document, submitted_at=task.created_at) as job:
            with job.stage("ocr") as stage:
                stage.items = recognise(task)

    - `kind`: what kind of job it is. Statistics are kept of each kind, so there should be few.
    - `id`: its own. Attempts of one job have the same. Without one it is made up.
    - `document`, `tenant`: what it works on, and for whom.
    - `queue`: where it waited.
    - `submitted_at`: since when it waited: a `datetime` (without an offset it is UTC), or a number of seconds or
      nanoseconds since the epoch. With `submitted=True` it is reported as submitted, too, which `wk.submitted` and the
      integrations of queues do by themselves.
    - `origin`: what its payload or its headers say of where it came from; see `inject`.
    - `facts`: `content_type`, `priority`, `pages`, `input_bytes`, `retry_count` (0 for the first attempt),
      `max_retries`, `expected_max_seconds` and `request_id` are fields of docs/events.md. Any other name is an
      attribute, of any value.

    Within another job it is a child of that, in its trace. An id or a name of more than 512 bytes is cut, and
    ends in a hash of all of it.
    """
    client = current_client()
    if client is None:
        return NO_JOB
    options = {"id": id, "document": document, "tenant": tenant, "queue": queue, **facts}
    if submitted_at is not None:
        options["submitted_at"] = submitted_at
    if submitted is not False:
        options["submitted"] = submitted
    if origin is not None:
        options["origin"] = origin
    return make_job(client, kind, options)


def stage(name: Any, **given: Any) -> Stage:
    """A step of the job that runs here, as `job.stage` makes it: for code that is not handed the job. Where none runs,
    it stands for no stage, and keeps nothing."""
    job = current_job()
    return NO_STAGE if job is None else job.stage(name, **given)


def submitted(
    kind: str, *, id: Any = None, document: Any = None, tenant: Any = None, queue: Optional[str] = None, **facts: Any
) -> Optional[str]:
    """Reports that a job was put into a queue, at `submitted_at` or now, and gives back its id: the one that was given,
    else a new one. None where nothing is configured. The worker's `wk.job` must have the same id::

        task_id = wk.submitted("extract", id=task.id, document=task.document, queue="ocr")

    Other facts are those of `wk.job`.
    """
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
    """Reports an event of any type of docs/events.md, with its fields as they stand there::

        wk.event("deploy.finished", version="1.4.2", environment="production")

    Where a job runs or a request is answered, an event that may belong to a trace and says none belongs to theirs. The
    server rejects an event whose fields are wrong: `wk.stats()` counts it, and the reason is logged.
    """
    client = current_client()
    if client is not None:
        if facts.get("trace_id") is None and _is_in_traces(type):
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


def _is_in_traces(type_: Any) -> bool:
    try:
        return type_ in _IN_TRACES
    except Exception as error:
        # No type of an event at all.
        let_through(error)
        return False


def flush(timeout: float = 5.0) -> bool:
    """Waits, at most `timeout` seconds, until all that was reported so far is delivered or in the spool. True when it
    is, and where nothing is configured."""
    client = current_client()
    return True if client is None else client.flush(timeout)


def shutdown(timeout: Optional[float] = None, *, reason: str = "shutdown", exit_code: Optional[int] = None) -> None:
    """Delivers what waits, at most within `timeout` seconds (`exit_seconds` by default), and reports no
    more, until `init` is called again. The end of the process does this by itself.

    A worker may say why it stops, and with which code: one other than 0 is a crash.
    """
    client = replace_client(None)
    if client is not None:
        client.shutdown(timeout, reason, exit_code)


def stats() -> Stats:
    """What became of all that was reported: delivered, rejected, dropped and why, waiting. Zeros where nothing is
    configured."""
    client = current_client()
    return Stats() if client is None else client.stats()
