"""Which job and which stage run here, and how others are told: threads, tasks, and processes behind a queue."""

from __future__ import annotations

import functools
from collections.abc import Mapping, MutableMapping
from contextvars import ContextVar
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Callable, Optional, TypeVar
from urllib.parse import quote, unquote

from . import _trace

if TYPE_CHECKING:
    from ._jobs import Job
    from ._stages import Stage

_job: ContextVar[Optional[Job]] = ContextVar("watchkeeper_job", default=None)
_stage: ContextVar[Optional[Stage]] = ContextVar("watchkeeper_stage", default=None)

#: The id of the request that is answered here. The middlewares set it, loggers read it.
REQUEST_ID: ContextVar[Optional[str]] = ContextVar("watchkeeper_request_id", default=None)

_Made = TypeVar("_Made")
_Payload = TypeVar("_Payload", bound="MutableMapping[str, Any]")


@dataclass(frozen=True)
class Origin:
    """Where a payload came from. `job(origin=…)` makes the new job a child of that job, in its trace."""

    trace_id: Optional[str] = None
    span_id: Optional[str] = None
    job_id: Optional[str] = None
    stage: Optional[str] = None
    request_id: Optional[str] = None
    #: When it was put into its queue, in nanoseconds since the epoch.
    submitted_ns: Optional[int] = None


def current_job() -> Optional[Job]:
    """The job that runs here, if one does."""
    return _job.get()


def current_stage() -> Optional[Stage]:
    """The stage that runs here, if one does."""
    return _stage.get()


def traceparent() -> Optional[str]:
    """The header `traceparent` for a request that is made here: of OpenTelemetry's running span, else of the job."""
    span = _trace.running_span()
    if span is None:
        job = _job.get()
        if job is None or job.trace_id is None:
            return None
        span = (job.trace_id, job.span_id)
    return f"00-{span[0]}-{span[1]}-01"


def inject(payload: _Payload) -> _Payload:
    """Writes into a task's payload or headers where it comes from, as two texts: `traceparent` and `watchkeeper`.
    Nothing is written where no job runs; the same mapping is given back."""
    try:
        header = traceparent()
        if header is not None:
            payload["traceparent"] = header
        job, stage = _job.get(), _stage.get()
        if job is not None:
            value = "job=" + quote(job.id, safe="")
            if stage is not None:
                value += "&stage=" + quote(stage.name, safe="")
            if job.request_id is not None:
                value += "&request=" + quote(job.request_id, safe="")
            payload["watchkeeper"] = value
    except Exception:
        # A mapping that cannot be written to stays as it is.
        pass
    return payload


def extract(payload: Mapping[Any, Any]) -> Origin:
    """Reads what `inject` wrote. Whatever is missing or wrong is None; names may be of any case, and bytes."""
    try:
        found = {_plain(name).lower(): value for name, value in payload.items() if _is_ours(name)}
        span = _trace.parse_traceparent(found.get("traceparent"))
        fields = dict(part.partition("=")[::2] for part in _plain(found.get("watchkeeper", ""))[:4096].split("&"))
        at = fields.get("at", "")
        return Origin(
            trace_id=span[0] if span else None,
            span_id=span[1] if span else None,
            job_id=unquote(fields.get("job", "")) or None,
            stage=unquote(fields.get("stage", "")) or None,
            request_id=unquote(fields.get("request", "")) or None,
            submitted_ns=int(at) if at.isascii() and at.isdigit() and len(at) <= 19 else None,
        )
    except Exception:
        return Origin()


def wrap(function: Callable[..., _Made]) -> Callable[..., _Made]:
    """The same function, which runs with the job and the stage of here, whatever thread or executor calls it. It may
    run in many threads at once, as a copied context may not."""
    job, stage = _job.get(), _stage.get()
    if job is None and stage is None:
        return function

    @functools.wraps(function)
    def wrapped(*args: Any, **kwargs: Any) -> _Made:
        before = enter(job, stage)
        try:
            return function(*args, **kwargs)
        finally:
            leave(before)

    return wrapped


Before = tuple[Optional["Job"], Optional["Stage"]]


def enter(job: Optional[Job], stage: Optional[Stage]) -> Before:
    """Makes these the ones that run here; `leave` takes what it gives back.

    No tokens of `contextvars`: those are refused in another context, where generators and callbacks do end.
    """
    before = (_job.get(), _stage.get())
    _job.set(job)
    _stage.set(stage)
    return before


def leave(before: Before) -> None:
    """Makes those run here that ran before."""
    _job.set(before[0])
    _stage.set(before[1])


def _plain(value: Any) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)


def _is_ours(name: Any) -> bool:
    return isinstance(name, (str, bytes)) and len(name) <= 11 and _plain(name).lower() in ("traceparent", "watchkeeper")
