"""What all queues share: what a sender writes into a task's headers, and the job of an attempt in a worker."""

from __future__ import annotations

import functools
import time
from collections.abc import Iterable, Mapping
from typing import Any, Callable, Optional, Union

from .. import _trace
from .._clean import name as clean_name
from .._client import Client, current_client
from .._context import Origin, extract, inject
from .._errors import error_facts
from .._events import encode_members
from .._jobs import Job
from .._limits import let_through
from .._log import logger

#: The names that `Submission.headers` has.
HEADERS = ("traceparent", "watchkeeper")


class Submission:
    """A task on its way into a queue. Made before the queue has it, because a worker may be faster than its sender;
    reported when the queue has it."""

    __slots__ = ("_client", "_time_ns", "_trace_id", "headers")

    def __init__(self, client: Client) -> None:
        self._client = client
        self._time_ns = time.time_ns()
        #: What goes with the task: `traceparent` and `watchkeeper`.
        self.headers: dict[str, str] = inject({})
        span = _trace.parse_traceparent(self.headers.get("traceparent"))
        self._trace_id = span[0] if span is not None else _trace.new_trace_id()
        if span is None:
            self.headers["traceparent"] = f"00-{self._trace_id}-{_trace.new_span_id()}-01"
        before = self.headers.get("watchkeeper")
        self.headers["watchkeeper"] = (f"{before}&" if before else "") + f"at={self._time_ns}"

    def report(self, kind: Any, id: Any, **given: Any) -> None:
        """The queue has it, under this id."""
        job = Job(self._client, kind, id=id, origin=Origin(trace_id=self._trace_id), given=given)
        self._client.report("job.submitted", job.told(), self._time_ns, job.encoded)


def begin(client: Client, kind: Any, id: Any, headers: Optional[Mapping[Any, Any]], **given: Any) -> Job:
    """Begins an attempt. `headers` are where `Submission.headers` went, with whatever else is there. `parent_id` is
    used where they say none; other facts are those of jobs."""
    origin = extract(headers or {})
    parent_id = given.pop("parent_id", None)
    if parent_id and not origin.job_id:
        origin = Origin(origin.trace_id, origin.span_id, parent_id, None, origin.request_id, origin.submitted_ns)
    return Job(client, kind, id=id, origin=origin, given=given).start()


def report_end(
    client: Client,
    type_: str,
    kind: Any,
    id: Any,
    error: Union[BaseException, str],
    error_type: Optional[str] = None,
    **given: Any,
) -> None:
    """Reports the end of an attempt that did not run in this process, or not at all."""
    origin = extract(given.pop("headers", None) or {})
    job = Job(client, kind, id=id, origin=origin, given=given)
    facts = {**job.told(), **error_facts(error)}
    if error_type is not None:
        facts["error_type"] = error_type
    # Where it is not known which trace it belongs to, a new one would part it from the rest of the job.
    named = {"job_id": job.id, "kind": clean_name(kind) or "unnamed"}
    client.report(type_, facts, None, job.encoded if origin.trace_id else encode_members(named))


def guarded(function: Callable[..., None]) -> Callable[..., None]:
    """What an integration does on its own account: it does nothing where Watchkeeper is not configured, and no fault
    of it gets into the application."""

    @functools.wraps(function)
    def run(*args: Any, **kwargs: Any) -> None:
        client = current_client()
        if client is None:
            return
        try:
            function(*args, **kwargs)
        except Exception as error:
            client.counts.drop("internal_error")
            client.counts.last_error = f"{function.__qualname__}: {type(error).__name__}"
            let_through(error)

    return run


def replace(owner: Any, name: str, make: Callable[[Callable[..., Any]], Callable[..., Any]]) -> bool:
    """Replaces a method of a class by what `make` makes of it, once, in the class of its bases that has it. False where
    there is none: other versions of a library have other methods."""
    for base in getattr(owner, "__mro__", (owner,)):
        if name not in vars(base):
            continue
        found = vars(base)[name]
        is_class_method = isinstance(found, classmethod)
        function = found.__func__ if is_class_method else found
        if getattr(function, "_watchkeeper", False):
            return True
        made = functools.wraps(function)(make(function))
        made._watchkeeper = True  # type: ignore[attr-defined]
        setattr(base, name, classmethod(made) if is_class_method else made)
        return True
    return False


def cannot(name: str, error: BaseException) -> None:
    """Says that a library cannot be watched. The application goes on without."""
    logger.warning("%s is not watched: %s: %s", name, type(error).__name__, error)


def names(values: Iterable[Any]) -> Optional[str]:
    """Names of queues as heartbeats have them."""
    return ",".join(sorted({str(value) for value in values})) or None


def whole(value: Any) -> Optional[int]:
    """A number of retries, if it is one: also as a text, as labels have them."""
    try:
        return None if value is None or isinstance(value, bool) else max(0, int(value))
    except (TypeError, ValueError, OverflowError):
        return None
