"""What a record of `logging` says, taken apart once for every form that it is written in."""

from __future__ import annotations

import logging
import math
from collections.abc import Mapping
from typing import Any, NamedTuple, Optional

from .. import _context
from .._clean import MAX_TEXT, clean, name, shortened, text
from .._limits import let_through
from ._exceptions import structured

#: What stands beside the message, and not in `details`: Watchkeeper has a field for it. Names with a point in them are
#: names of OpenTelemetry's, and stand there too.
BESIDE = frozenset(
    (
        *("request_id", "user_id", "job_id", "task_id", "stage", "document_id", "tenant", "tenant_id", "worker_id"),
        *("trace_id", "span_id", "event_name", "category", "action", "outcome", "target", "actor", "client_ip"),
        *("error_type",),
    )
)

# What every record has; everything else was given by `extra`. `color_message` is uvicorn's message once more, `_logger`
# and `_name` are structlog's own.
_OF_RECORD = frozenset(
    (
        *logging.LogRecord("", 0, "", 0, "", (), None).__dict__,
        *("message", "asctime", "taskName", "color_message", "_logger", "_name"),
    )
)
_IDS = frozenset(("request_id", "user_id", "job_id", "document_id", "worker_id", "tenant", "stage"))


class Entry(NamedTuple):
    """A record, as plain values that can be encoded."""

    message: str
    #: Ids and other fields that Watchkeeper knows, those of the context among them.
    beside: dict[str, Any]
    #: What else was given.
    details: dict[str, Any]
    #: The exception: `type`, `message`, `stacktrace`, `frames`, `chain`.
    exception: Optional[dict[str, Any]]


def entry_of(record: logging.LogRecord) -> Entry:
    """Takes a record apart."""
    beside = context_ids()
    details: dict[str, Any] = {}
    message: Any = None
    error: Any = None
    if type(record.msg) is dict and not record.args and "event" in record.msg:
        # structlog, with `ProcessorFormatter.wrap_for_formatter`: the whole entry is the message.
        fields = {key: value for key, value in record.msg.items() if not _is_private(key)}
        message, error = fields.pop("event"), fields.pop("exc_info", None)
        for key in ("level", "logger", "timestamp"):
            fields.pop(key, None)
        _sort(fields, beside, details)
    given = record.__dict__
    extra = [key for key in list(given) if key not in _OF_RECORD]
    if extra:
        _sort({key: given[key] for key in extra}, beside, details)
    exception = structured(error) or _exception(record)
    return Entry(_text(_message(record) if message is None else message), beside, details, exception)


def entry_of_fields(message: Any, fields: Mapping[str, Any], error: Any = None) -> Entry:
    """The same of an entry of structlog."""
    beside = context_ids()
    details: dict[str, Any] = {}
    _sort({key: value for key, value in fields.items() if not _is_private(key)}, beside, details)
    return Entry(_text(message), beside, details, structured(error))


def context_ids() -> dict[str, Any]:
    """The ids of what runs here: `request_id`, `job_id`, `document_id`, `tenant`, `stage`, `trace_id`, `span_id`, those
    that there are."""
    ids: dict[str, Any] = {}
    request_id, job = _context.current_request_id(), _context.current_job()
    if job is not None and job.id:
        ids["job_id"] = job.id
        for key, value in (("document_id", job.document), ("tenant", job.tenant)):
            if value:
                ids[key] = value
        stage = _context.current_stage()
        if stage is not None:
            ids["stage"] = stage.name
    if request_id:
        ids["request_id"] = request_id
    span = _context.current_span()
    if span is not None:
        ids["trace_id"], ids["span_id"] = span
    return ids


def _sort(fields: dict[Any, Any], beside: dict[str, Any], details: dict[str, Any]) -> None:
    """Puts what was given where it belongs, as plain values."""
    if not _is_plain(fields):
        fields = clean(fields)[0]
    for key, value in fields.items():
        if value is None:
            continue
        if key in BESIDE or "." in key:
            beside[key] = name(value) if key in _IDS else value
        elif key == "details" and isinstance(value, dict):
            details.update(value)
        else:
            details[key] = value


def _is_plain(fields: dict[Any, Any]) -> bool:
    """Whether all of it can be encoded as it is. To ask takes less than to clean."""
    if len(fields) > 64:
        return False
    characters = 0
    for key, value in fields.items():
        kind = type(value)
        if type(key) is not str or len(key) > 128 or not key.isascii():
            return False
        if kind is str:
            characters += len(value)
            if characters > MAX_TEXT or not (value.isascii() or _is_whole(value)):
                return False
        elif kind is int:
            if not -(1 << 63) <= value < 1 << 63:
                return False
        elif kind is float:
            if not math.isfinite(value):
                return False
        elif kind is not bool and value is not None:
            return False
    return True


def _is_whole(value: str) -> bool:
    """Whether it has no halves of characters."""
    try:
        value.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def _message(record: logging.LogRecord) -> str:
    """The message with its arguments. One that does not fit its arguments is told as it is, rather than lost."""
    if not record.args and type(record.msg) is str:
        return record.msg
    try:
        return record.getMessage()
    except Exception as error:
        let_through(error)
        return f"{text(record.msg, 2_000)} ({type(error).__name__}: its arguments do not fit)"


def _text(message: Any) -> str:
    return message if type(message) is str and len(message) <= MAX_TEXT and message.isascii() else text(message)


def _exception(record: logging.LogRecord) -> Optional[dict[str, Any]]:
    info = record.exc_info
    if info:
        error = info[1] if isinstance(info, tuple) and len(info) == 3 else info
        if isinstance(error, BaseException):
            return structured(error)
    if record.exc_text:
        # It went through a queue, or to another process, which keeps its text alone.
        return {"stacktrace": shortened(record.exc_text, MAX_TEXT)}
    if record.stack_info:
        return {"stacktrace": shortened(str(record.stack_info), MAX_TEXT)}
    return None


def _is_private(key: Any) -> bool:
    """Fields that structlog keeps for itself."""
    return isinstance(key, str) and key.startswith("_")
