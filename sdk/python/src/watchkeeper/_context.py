"""Which job and which stage run here, and how others are told: threads, tasks, and processes behind a queue."""

from __future__ import annotations

import functools
from collections.abc import Mapping, MutableMapping
from contextvars import ContextVar
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Callable, Optional, TypeVar
from urllib.parse import quote, unquote

from . import _trace
from ._limits import let_through

if TYPE_CHECKING:
    from ._jobs import Job
    from ._requests import Request
    from ._stages import Stage

_job: ContextVar[Optional[Job]] = ContextVar("watchkeeper_job", default=None)
_stage: ContextVar[Optional[Stage]] = ContextVar("watchkeeper_stage", default=None)
_request: ContextVar[Optional[Request]] = ContextVar("watchkeeper_request", default=None)

_Made = TypeVar("_Made")
_Payload = TypeVar("_Payload", bound="MutableMapping[str, Any]")


@dataclass(frozen=True)
class Origin:
    """Where a payload came from, as `extract` reads it. `wk.job(…, origin=…)` makes the new job a child of that job, in
    its trace."""

    #: The trace of the sender, 32 hex digits.
    trace_id: Optional[str] = None
    #: Its span, 16 hex digits.
    span_id: Optional[str] = None
    #: The job that sent it.
    job_id: Optional[str] = None
    #: The stage of that job.
    stage: Optional[str] = None
    #: The request that it was sent in.
    request_id: Optional[str] = None
    #: When it was put into its queue, in nanoseconds since the epoch.
    submitted_ns: Optional[int] = None


def current_job() -> Optional[Job]:
    """The job that runs here, in this thread or this task of asyncio, else None. Threads and executors have it by
    `wrap`."""
    return _job.get()


def current_stage() -> Optional[Stage]:
    """The innermost stage that runs here, else None."""
    return _stage.get()


def current_request() -> Optional[Request]:
    """The request that is answered here, where one of the middlewares sees it, else None: its `request_id`, its
    `trace_id`, and who asked."""
    return _request.get()


def current_request_id() -> Optional[str]:
    """The id of the request that is answered here, else of the one that the running job was submitted in."""
    request, job = _request.get(), _job.get()
    if request is not None:
        return request.request_id
    return None if job is None else job.request_id


def current_span() -> Optional[tuple[str, str]]:
    """The trace and the span that work here belongs to: of OpenTelemetry's running span, else of the job, else of the
    request that is answered here."""
    span = _trace.running_span()
    if span is not None:
        return span
    job, request = _job.get(), _request.get()
    if job is not None and job.trace_id is not None:
        return job.trace_id, job.span_id
    return None if request is None else (request.trace_id, request.span_id)


def current_trace_id() -> Optional[str]:
    """The trace of `current_span`."""
    span = current_span()
    return None if span is None else span[0]


def traceparent() -> Optional[str]:
    """The header `traceparent` (W3C) for a request that is made here: of OpenTelemetry's running span, else of the job,
    else of the request that is answered here. None where none of them runs."""
    span = current_span()
    return None if span is None else f"00-{span[0]}-{span[1]}-01"


def inject(payload: _Payload) -> _Payload:
    """Writes into a task's payload or headers where it comes from, as two texts: `traceparent` and `watchkeeper`. Gives
    back the same mapping::

        queue.put(wk.inject({"document": "d-7"}))                 # who sends

        with wk.job("extract", origin=wk.extract(payload)):       # who works
            ...

    Nothing is written where no job runs and no request is answered, nor into a mapping that cannot be written to.
    """
    try:
        header = traceparent()
        if header is not None:
            payload["traceparent"] = header
        job, stage = _job.get(), _stage.get()
        fields: list[str] = []
        if job is not None:
            fields.append("job=" + quote(job.id, safe=""))
            if stage is not None:
                fields.append("stage=" + quote(stage.name, safe=""))
        request_id = current_request_id()
        if request_id:
            fields.append("request=" + quote(request_id, safe=""))
        if fields:
            payload["watchkeeper"] = "&".join(fields)
    except Exception as error:
        # A mapping that cannot be written to stays as it is.
        let_through(error)
    return payload


def extract(payload: Mapping[Any, Any]) -> Origin:
    """Reads what `inject` wrote. Whatever is missing or wrong is None; names may be of any case, and bytes, as headers
    of Kafka and RabbitMQ are. Never raises."""
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
    except Exception as error:
        let_through(error)
        return Origin()


def wrap(function: Callable[..., _Made]) -> Callable[..., _Made]:
    """The same function, which runs with the job, the stage and the request of here, whatever thread or executor calls
    it. It may run in many threads at once, as a copied context may not::

        with wk.job("extract") as job, ThreadPoolExecutor() as pool:
            list(pool.map(wk.wrap(recognise), pages))

    Processes do not take it: there it is `inject` and `extract`.
    """
    job, stage, request = _job.get(), _stage.get(), _request.get()
    if job is None and stage is None and request is None:
        return function

    @functools.wraps(function)
    def wrapped(*args: Any, **kwargs: Any) -> _Made:
        before = enter(job, stage)
        request_before = enter_request(request)
        try:
            return function(*args, **kwargs)
        finally:
            leave_request(request_before)
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


def enter_request(request: Optional[Request]) -> Optional[Request]:
    """Makes this the request that is answered here; `leave_request` takes what it gives back."""
    before = _request.get()
    _request.set(request)
    return before


#: Makes that the request here which was it before.
leave_request = _request.set


def _plain(value: Any) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)


def _is_ours(name: Any) -> bool:
    return isinstance(name, (str, bytes)) and len(name) <= 11 and _plain(name).lower() in ("traceparent", "watchkeeper")
