"""Jobs: a piece of work from its start to its end.

::

    with watchkeeper.job("extract", id=task.id, document=task.document) as job:
        with job.stage("ocr", expected_max_seconds=120) as stage:
            stage.items = recognise(task)
"""

from __future__ import annotations

import datetime
import time
from typing import TYPE_CHECKING, Any, Optional, Union

from . import _context, _trace
from ._clean import name as clean_name
from ._clean import text as clean_text
from ._errors import error_facts, is_cancellation, is_failure
from ._events import encode_members
from ._facts import JOB_FIELDS, seconds, share
from ._limits import is_interruption, let_through
from ._measure import Measure
from ._stages import Stage, stage_name
from ._work import ToldWork

if TYPE_CHECKING:
    from ._client import Client

#: A time: seconds or nanoseconds since the epoch, or a `datetime`.
Time = Union[int, float, datetime.datetime]


class Job(ToldWork):
    """A job, begun by `with` or `async with`. One that raises has failed, and the exception goes on.

    Made by `wk.job`. No method raises or waits. Where nothing is configured it is one object that keeps nothing.
    """

    def __init__(
        self,
        client: Optional[Client],
        kind: Any,
        *,
        id: Any = None,
        document: Any = None,
        tenant: Any = None,
        origin: Optional[_context.Origin] = None,
        submitted: bool = False,
        submitted_at: Optional[Time] = None,
        given: Optional[dict[str, Any]] = None,
    ) -> None:
        self._client = client
        self._facts: dict[str, Any] = {}
        self._attributes: dict[str, Any] = {}
        self._measure: Optional[Measure] = None
        self._before: _context.Before = (None, None)
        self._ended = False
        self._submitted = submitted
        self._span_id: Optional[str] = None
        self._ended_ns: Optional[int] = None
        #: What every event of the job and its stages says, as JSON.
        self.encoded = ""
        #: Its id, the given one or one that was made up. Empty where nothing is configured.
        self.id: str = ""
        #: The document that it works on.
        self.document: Optional[str] = None
        # Set last: what stands for no job takes nothing after it.
        #: The trace that it belongs to, 32 hex digits.
        self.trace_id: Optional[str] = None
        if client is None:
            return
        self.id = clean_name(id) or client.new_id()
        parent = _context.current_job()
        request_id = _request_of(origin, parent)
        self.trace_id = _trace_of(origin, parent)
        self.document = clean_name(document)
        parent_id = origin.job_id if origin is not None and origin.job_id else parent.id if parent is not None else None
        identity = {"job_id": self.id, "kind": clean_name(kind) or "unnamed", "trace_id": self.trace_id}
        if self.document:
            identity["document_id"] = self.document
        self.encoded = encode_members(identity)
        for key, value in (
            ("tenant", clean_name(tenant)),
            ("parent_id", clean_name(parent_id) if parent_id != self.id else None),
            ("submitted_at", _nanoseconds(submitted_at)),
            ("request_id", clean_name(request_id)),
        ):
            if value:
                self._facts[key] = value
        if origin is not None and origin.submitted_ns and "submitted_at" not in self._facts:
            self._facts["submitted_at"] = origin.submitted_ns
        if given:
            self.set(**given)

    @property
    def request_id(self) -> Optional[str]:
        """The request that it was submitted in, if that is known."""
        value: Optional[str] = self._facts.get("request_id")
        return value

    @property
    def is_ended(self) -> bool:
        """Whether its end was reported: by `finish`, `retry` or `fail`."""
        return self._ended

    @property
    def span_id(self) -> str:
        """Its span in that trace, 16 hex digits."""
        if self._span_id is None:
            self._span_id = _trace.new_span_id()
        return self._span_id

    @property
    def tenant(self) -> Optional[str]:
        """Whom it works for."""
        value: Optional[str] = self._facts.get("tenant")
        return value

    @property
    def input_bytes(self) -> Optional[int]:
        """The size of its input, in bytes."""
        value: Optional[int] = self._facts.get("input_bytes")
        return value

    @input_bytes.setter
    def input_bytes(self, value: Optional[int]) -> None:
        self.set(input_bytes=value)

    @property
    def output_bytes(self) -> Optional[int]:
        """The size of its output, in bytes."""
        value: Optional[int] = self._facts.get("output_bytes")
        return value

    @output_bytes.setter
    def output_bytes(self, value: Optional[int]) -> None:
        self.set(output_bytes=value)

    @property
    def confidence(self) -> Optional[float]:
        """How sure the result is, 0 to 1 (`confidence_score` of docs/events.md)."""
        value: Optional[float] = self._facts.get("confidence_score")
        return value

    @confidence.setter
    def confidence(self, value: Optional[float]) -> None:
        self.set(confidence_score=value)

    @property
    def degraded(self) -> bool:
        """Whether a lesser method had to be used (`quality_degraded`)."""
        return bool(self._facts.get("quality_degraded", False))

    @degraded.setter
    def degraded(self, value: bool) -> None:
        self.set(quality_degraded=value)

    def set(self, **attributes: Any) -> None:
        """Adds facts; they go with its end, and before `start` with its begin, too. `content_type`, `priority`,
        `pages`, `input_bytes`, `output_bytes`, `confidence_score`, `quality_degraded`, `retry_count`, `max_retries`,
        `expected_max_seconds`, `queue` and `request_id` are fields of docs/events.md; any other name is an attribute. A
        field with a value that it cannot have becomes an attribute, too."""
        self._assign(attributes, JOB_FIELDS)

    def stage(self, name: Any, **given: Any) -> Stage:
        """A step of this job, to be begun by `with` or `async with`. `component` (what does the work),
        `expected_max_seconds`, `items` and attributes of any name may be given here or by `Stage.set`."""
        return Stage(self._client, self, stage_name(name), given)

    def progress(
        self,
        done: Optional[float] = None,
        *,
        message: Optional[str] = None,
        stage: Optional[str] = None,
        expected_max_seconds: Optional[float] = None,
    ) -> None:
        """Says how far it is, and that it is alive. `done` is 0 to 1; what is beyond is brought there. `stage` is by
        default the one that runs, `expected_max_seconds` a new bound for the job. Each call is an event, so call it
        some times a second at most."""
        client = self._client
        if client is None:
            return
        try:
            facts: dict[str, Any] = {}
            running = _context.current_stage()
            if stage is None and running is not None and running.job is self:
                stage = running.name
            for key, value in (
                ("progress", share(done)),
                ("stage", clean_name(stage)),
                ("message", clean_text(message, 1_000) if message is not None else None),
                ("expected_max_seconds", seconds(expected_max_seconds)),
            ):
                if value is not None:
                    facts[key] = value
            client.report("job.progress", facts, None, self.encoded)
        except Exception as error:
            self._lost(error)

    def retry(
        self, error: Union[BaseException, str, None] = None, *, max_retries: Optional[int] = None, **given: Any
    ) -> None:
        """This attempt failed, and another follows: `job.retried` is its end, and nothing more is reported of it. The
        next attempt is a `wk.job` with the same `id` and `retry_count` one higher. `error` is the exception or words,
        `max_retries` how often it may be tried after the first attempt. Of a job that was not begun here, this and
        `fail` tell how an attempt ended whose worker cannot: one that died."""
        if self._client is not None:
            self.set(max_retries=max_retries, **given)
            self._end_or_tell(self._client, "job.retried", error)

    def fail(self, error: Union[BaseException, str]) -> None:
        """It failed, though nothing was raised: `error` is an exception, or words. The first end counts: what follows
        reports nothing more."""
        if self._client is not None:
            self._end_or_tell(self._client, "job.failed", error)

    def start(self) -> Job:
        """Begins it, where `with` does not fit, and gives it back. Then `finish` must be called in any case, after
        `retry` or `fail`, too: it takes the job out of what runs here."""
        client = self._client
        if client is None or self._measure is not None or self._ended:
            return self
        try:
            self._before = _context.enter(self, None)
            self._measure = Measure(client)
            started_ns = self._measure.started_ns
            if self._submitted:
                submitted_ns = min(self._facts.get("submitted_at", started_ns), started_ns)
                client.report("job.submitted", self.told(), submitted_ns, self.encoded)
            client.pulse.job_started(id(self), self.id)
            client.report("job.started", self.told(), started_ns, self.encoded)
        except Exception as error:
            if is_interruption(error):
                # Nobody ends what did not begin.
                self.finish(error)
            self._lost(error)
        return self

    def finish(self, error: Optional[BaseException] = None) -> None:
        """Ends it: failed with the exception that is given, else completed."""
        if self._client is None:
            return
        try:
            if error is not None and is_failure(error):
                if not self._ended:
                    if is_cancellation(error):
                        # Its end is that of a failure, because what it was begun for was not done.
                        self.set(ended_by="cancelled")
                    self._end("job.failed", error_facts(error), failed=True)
            else:
                self._end("job.completed", {}, failed=False)
        finally:
            _context.leave(self._before)

    def abandon(self) -> None:
        """Ends it here without a word: another process tells how it ended."""
        client, measure = self._client, self._measure
        if client is not None and measure is not None:
            self._ended = True
            client.pulse.forget(id(self), measure)
            _context.leave(self._before)

    def end_at(self, time_ns: int) -> None:
        """Says when it ended, before its end is reported: where others may begin the next attempt meanwhile."""
        self._ended_ns = time_ns

    def step_out(self) -> None:
        """Lets it run on, but no longer here: for work that goes on in turns, as generators do."""
        if self._client is not None:
            _context.leave(self._before)

    @property
    def retry_count(self) -> Optional[int]:
        """How often it was tried before, if that is known."""
        value: Optional[int] = self._facts.get("retry_count")
        return value

    def _end_or_tell(self, client: Client, type_: str, error: Union[BaseException, str, None]) -> None:
        try:
            facts = {} if error is None else error_facts(error)
        except Exception as fault:
            let_through(fault)
            facts = {}
        if self._measure is not None:
            self._end(type_, facts, failed=True)
        elif not self._ended:
            self._ended = True
            client.report(type_, {**self.told(), **facts}, self._ended_ns, self.encoded)

    def _end(self, type_: str, facts: dict[str, Any], failed: bool) -> None:
        client, measure = self._client, self._measure
        if client is None or measure is None or self._ended:
            return
        self._ended = True
        try:
            measured = measure.end()
            event = {**self.told(), **facts}
            event["duration_seconds"] = measured["duration_seconds"]
            event["cpu_seconds"] = measured["cpu_seconds"]
            for key in ("memory_peak_bytes", "gpu_seconds"):
                if key in measured:
                    event[key] = measured[key]
            timed_out, is_retried = bool(facts.get("timed_out")), type_ == "job.retried"
            client.pulse.job_ended(id(self), failed, timed_out, measure.seconds, is_retried)
            ended_ns = measure.ended_ns if self._ended_ns is None else max(self._ended_ns, measure.started_ns)
            client.report(type_, event, ended_ns, self.encoded)
        except Exception as error:
            client.pulse.forget(id(self), measure)
            self._lost(error)

    def seen(self, rss_bytes: int) -> None:
        """A stage of it held as much memory: the peak of a job is at least that of its stages."""
        if self._measure is not None:
            self._measure.seen(rss_bytes)

    def told(self) -> dict[str, Any]:
        """What is known of it beside what each of its events says."""
        facts = dict(self._facts)
        if self._attributes:
            facts["attributes"] = dict(self._attributes)
        return facts


class _NoJob(Job):
    """What `job` gives where Watchkeeper is not configured: one object for all, that keeps nothing."""

    def __setattr__(self, name: str, value: Any) -> None:
        if "trace_id" not in self.__dict__:
            object.__setattr__(self, name, value)

    def stage(self, name: Any, **given: Any) -> Stage:
        return NO_STAGE


class _NoStage(Stage):
    """The same of stages."""

    __slots__ = ()

    def __setattr__(self, name: str, value: Any) -> None:
        if not hasattr(self, "_before"):
            object.__setattr__(self, name, value)

    def add(self, facts: dict[str, Any]) -> None:
        return


NO_JOB: Job = _NoJob(None, "none")
NO_STAGE: Stage = _NoStage(None, NO_JOB, "none", {})


def report_submitted(client: Client, kind: Any, id: Any, document: Any, tenant: Any, given: dict[str, Any]) -> str:
    """Reports that a job was put into a queue, and gives back its id."""
    at = given.pop("submitted_at", None)
    job = Job(client, kind, id=id, document=document, tenant=tenant, submitted_at=at, given=given)
    facts = job.told()
    client.report("job.submitted", facts, facts.get("submitted_at"), job.encoded)
    return job.id


def _trace_of(origin: Optional[_context.Origin], parent: Optional[Job]) -> str:
    span = _trace.running_span()
    if span is not None:
        return span[0]
    if origin is not None and origin.trace_id:
        return origin.trace_id
    if parent is not None and parent.trace_id:
        return parent.trace_id
    request = _context.current_request()
    return _trace.new_trace_id() if request is None else request.trace_id


def _request_of(origin: Optional[_context.Origin], parent: Optional[Job]) -> Optional[str]:
    if origin is not None and origin.request_id:
        return origin.request_id
    request = _context.current_request()
    if request is not None:
        return request.request_id
    return None if parent is None else parent.request_id


def _nanoseconds(value: Optional[Time]) -> Optional[int]:
    """A time as the server takes it; a number is told apart by its size as the server does."""
    if value is None:
        return None
    try:
        if isinstance(value, datetime.datetime):
            if value.tzinfo is None:
                # The server reads times without an offset as UTC, too.
                value = value.replace(tzinfo=datetime.timezone.utc)
            value = value.timestamp()
        if isinstance(value, bool) or not value > 0:
            return None
        for largest, factor in ((1e11, 1_000_000_000), (1e14, 1_000_000), (1e17, 1_000)):
            if value < largest:
                return int(value * factor)
        return int(value) if value < time.time_ns() * 2 else None
    except Exception as error:
        let_through(error)
        return None
