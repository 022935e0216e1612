"""A request that is answered, from its first byte to its last: what both middlewares share.

The middlewares of `asgi` and `wsgi` say what they see, this says what is reported. Nothing here raises.
"""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Optional

from . import _trace
from ._clean import name as clean_name
from ._clean import shortened
from ._errors import error_facts
from ._facts import assign

if TYPE_CHECKING:
    from ._client import Client

#: Where the middlewares keep the request in the scope or the environ: a request is counted once, by the outermost.
KEY = "watchkeeper.request"

_SAFE_ID = re.compile(r"[A-Za-z0-9._:~+/=@-]{1,128}")
_MAX_PATH = 2_048
_MAX_METHOD = 32
# What nginx calls a client that left before it was answered.
_CLIENT_LEFT = 499
# What the line of a request has of its facts.
_LOGGED = ("method", "path", "route", "status_code", "response_bytes")
_LOGGED_IDS = ("request_id", "user_id", "trace_id")
#: Answers that have no body.
NO_BODY = frozenset((204, 304))


class Request:
    """The request that is answered here, for the application to add what it knows::

        request = wk.current_request()
        if request is not None:
            request.user_id = user.id
            request.set(plan="free")

    Made by the middlewares, and given by `wk.current_request()`.
    """

    __slots__ = (
        "_attributes",
        "_client",
        "_duration",
        "_ended_ns",
        "_error",
        "_first_byte",
        "_is_reported",
        "_span_id",
        "_started",
        "_traces",
        "api_key_id",
        "client_disconnected",
        "client_ip",
        "is_complete",
        "is_streamed",
        "log",
        "method",
        "path",
        "request_bytes",
        "request_id",
        "response_bytes",
        "route",
        "status",
        "user_id",
    )

    def __init__(self, client: Client, method: str, path: str, request_id: Optional[str], traceparent: Any) -> None:
        self._started = time.perf_counter()
        self._client = client
        #: `GET` and the like.
        self.method: str = method
        #: The path as called, without what follows `?`.
        self.path: str = path or "/"
        #: Its `X-Request-ID`, if that has 1 to 128 letters, digits and `. _ : ~ + / = @ -`, else a new one.
        self.request_id: str = _safe_id(request_id) or _trace.new_trace_id()
        #: The route that matched. The middleware finds it, where nobody set it.
        self.route: Optional[str] = None
        #: Who asked. The application may set it.
        self.user_id: Any = None
        #: Which API key was used: an id, never the key. The application may set it.
        self.api_key_id: Any = None
        #: The address that asked.
        self.client_ip: Optional[str] = None
        #: The status that was sent, once it was.
        self.status: Optional[int] = None
        #: The size of its body, if that is known.
        self.request_bytes: Optional[int] = None
        #: The bytes of the answer's body that were sent so far.
        self.response_bytes = 0
        #: The client left before it had all.
        self.client_disconnected = False
        #: The last byte was sent.
        self.is_complete = False
        #: The answer came in more than one piece.
        self.is_streamed = False
        #: Who gets a line about it.
        self.log: Optional[logging.Logger] = None
        self._attributes: Optional[dict[str, Any]] = None
        self._error: Optional[dict[str, Any]] = None
        self._first_byte: Optional[float] = None
        self._duration: Optional[float] = None
        self._ended_ns: Optional[int] = None
        self._is_reported = False
        self._span_id: Optional[str] = None
        span = None if traceparent is None else _trace.parse_traceparent(traceparent)
        # The first one counts: two threads may make one at the same time.
        self._traces: list[str] = [] if span is None else [span[0]]

    @property
    def trace_id(self) -> str:
        """The trace that it belongs to: of its `traceparent`, else of OpenTelemetry's running span, else a new one."""
        if not self._traces:
            span = _trace.running_span()
            self._traces.append(_trace.new_trace_id() if span is None else span[0])
        return self._traces[0]

    @property
    def span_id(self) -> str:
        """Its span in that trace, 16 hex digits."""
        if self._span_id is None:
            self._span_id = _trace.new_span_id()
        return self._span_id

    def set(self, **attributes: Any) -> None:
        """Adds attributes of any name and value; they go with `request.finished`."""
        try:
            if self._attributes is None:
                self._attributes = {}
            if assign(attributes, {}, {}, self._attributes):
                self._client.counts.clean()
        except Exception as error:
            self.trouble(error)

    def fail(self, error: BaseException) -> None:
        """The exception behind the answer, where the framework made an answer of it. The first one stays."""
        if self._error is None:
            self._error = error_facts(error)

    @property
    def has_failed(self) -> bool:
        """Whether an exception is known."""
        return self._error is not None

    @property
    def elapsed_seconds(self) -> float:
        """How long ago it came in."""
        return time.perf_counter() - self._started

    def headers(self) -> tuple[str, str]:
        """The values of `X-Request-ID` and `X-Process-Time`."""
        return self.request_id, f"{time.perf_counter() - self._started:.6f}"

    def sent(self, size: int) -> None:
        """A piece of the answer was sent."""
        if size:
            if self._first_byte is None:
                self._first_byte = time.perf_counter() - self._started
            else:
                self.is_streamed = True
            self.response_bytes += size

    def last_byte(self) -> None:
        """Nothing more will be sent, or can be: the duration ends here, whatever the application does afterwards."""
        if self._duration is None:
            self._duration = time.perf_counter() - self._started
            self._ended_ns = time.time_ns()

    @property
    def waits_for_its_error(self) -> bool:
        """Whether the exception behind this answer may yet come."""
        return self._error is None and self.status is not None and self.status >= 500

    def finish(self, route: Optional[str], user: Optional[str], api_key: Optional[str], wrong: str = "") -> None:
        """Reports it, once."""
        if self._is_reported:
            return
        self._is_reported = True
        try:
            self.last_byte()
            if wrong:
                self._client.counts.last_error = wrong
            facts = self._facts(route, user, api_key)
            self._client.report("request.finished", facts, self._ended_ns)
        except Exception as error:
            self.trouble(error)
            self._client.counts.drop("internal_error")
            return
        if self.log is not None:
            self._write(self.log, facts)

    @property
    def is_reported(self) -> bool:
        """Whether it is told already."""
        return self._is_reported

    def pass_by(self) -> None:
        """It turned out to be none of ours."""
        self._is_reported = True

    def trouble(self, error: Exception) -> None:
        """A fault of ours, or of a class of the application: the request is told without that."""
        self._client.counts.last_error = f"a request: {type(error).__name__}"

    def _write(self, log: logging.Logger, facts: dict[str, Any]) -> None:
        try:
            status = facts["status_code"]
            details: dict[str, Any] = {name: facts[name] for name in _LOGGED if name in facts}
            details["seconds"] = facts["duration_seconds"]
            extra: dict[str, Any] = {name: facts[name] for name in _LOGGED_IDS if name in facts}
            level = logging.ERROR if status >= 500 else logging.INFO
            log.log(level, "%s %s: %d", self.method, self.path, status, extra={**extra, "details": details})
        except Exception as error:
            self.trouble(error)

    def _facts(self, route: Optional[str], user: Optional[str], api_key: Optional[str]) -> dict[str, Any]:
        attributes: dict[str, Any] = {}
        status = self._status()
        if not 100 <= status <= 599:
            attributes["status_sent"] = status
            status = 500
        facts: dict[str, Any] = {
            "method": shortened(self.method, _MAX_METHOD),
            "path": shortened(self.path, _MAX_PATH),
            "status_code": status,
            "duration_seconds": round(self._duration or 0.0, 6),
            "request_id": self.request_id,
            "response_bytes": 0 if self.method == "HEAD" or status in NO_BODY else self.response_bytes,
        }
        route = self.route or route
        if route:
            facts["route"] = clean_name(route)
        if not self._traces:
            # One that nothing needed is not made up now; OpenTelemetry's is told.
            span = _trace.running_span()
            if span is not None:
                self._traces.append(span[0])
        if self._traces:
            facts["trace_id"] = self._traces[0]
        if self.client_ip is not None:
            facts["client_ip"] = clean_name(self.client_ip)
        if self.user_id is not None:
            user = clean_name(self.user_id)
        if user:
            facts["user_id"] = user
        if self.api_key_id is not None:
            api_key = clean_name(self.api_key_id)
        if api_key:
            facts["api_key_id"] = api_key
        if self.request_bytes is not None:
            facts["request_bytes"] = self.request_bytes
        if self.client_disconnected:
            attributes["client_disconnected"] = True
        elif not self.is_complete and self.status is not None:
            # It broke off in the middle, and nobody knows of a client that left.
            attributes["incomplete"] = True
        if self.is_streamed and self._first_byte is not None:
            attributes["time_to_first_byte_seconds"] = round(self._first_byte, 6)
        if self._error is not None:
            error = dict(self._error)
            facts["error_message"] = error.pop("error_message")
            attributes.update(error)
        if self._attributes:
            # Ours first: of too many, the last are cut.
            attributes.update((key, value) for key, value in self._attributes.items() if key not in attributes)
        if attributes:
            facts["attributes"] = attributes
        return facts

    def _status(self) -> int:
        if self.status is not None:
            return self.status
        # Servers answer 500 where an application ends without an answer.
        return _CLIENT_LEFT if self.client_disconnected else 500


def _safe_id(value: Any) -> Optional[str]:
    """An id from outside, if it may go into headers, logs and events as it is."""
    return value if isinstance(value, str) and _SAFE_ID.fullmatch(value) else None


def content_length(value: Any) -> Optional[int]:
    """The number that a header `Content-Length` says."""
    if isinstance(value, (bytes, str)) and value.isascii() and value.isdigit() and len(value) <= 15:
        return int(value)
    return None


def is_departure(error: BaseException) -> bool:
    """Whether an exception only says that the client left. By name: Starlette's, Werkzeug's and uvicorn's are among
    them, and none of those is imported here. A broken pipe may be one to a database."""
    names: Iterable[str] = (base.__name__ for base in type(error).__mro__)
    return any(name in _DEPARTURES for name in names)


_DEPARTURES = frozenset(("ClientDisconnect", "ClientDisconnected"))
