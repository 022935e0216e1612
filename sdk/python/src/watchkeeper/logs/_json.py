"""Lines of JSON, one a record."""

from __future__ import annotations

import datetime
import json
import logging
from typing import Any, Optional

from .._client import current_client
from .._events import dumps
from .._limits import let_through
from ._entry import Entry, entry_of

_EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)
_OWN = ("timestamp", "level", "service", "message", "details", "logger", "exception")


class JsonFormatter(logging.Formatter):
    """Writes a record as one line of JSON::

        {"timestamp": "2025-08-01T21:30:00.000000Z", "level": "INFO", "service": "telegram-bot",
         "request_id": "req-12345", "user_id": "user-67890", "message": "File upload received",
         "details": {"file_size": 10485760, "file_type": "audio/mp3"}, "logger": "bot.files"}

    `request_id`, `job_id`, `stage`, `trace_id` and `span_id` come from what runs; what `extra` says of them holds.
    Fields of `extra` that Watchkeeper knows, and those with a point in their names, stand beside the message, all
    others in `details`. An exception is `exception`. What there is not is left out.
    """

    def __init__(self, service: Optional[str] = None, *, ensure_ascii: bool = False) -> None:
        """`service` is by default what `watchkeeper.init` was told. `ensure_ascii` writes other letters as `\\u…`."""
        super().__init__()
        self._service = service
        self._ensure_ascii = ensure_ascii

    def format(self, record: logging.LogRecord) -> str:
        """The line. It never raises."""
        try:
            entry = entry_of(record)
        except Exception as error:
            let_through(error)
            entry = Entry(f"a record that cannot be read: {type(error).__name__}", {}, {}, None)
        line = line_of(entry, record.created, record.levelname, str(record.name), self._service)
        return json.dumps(json.loads(line)) if self._ensure_ascii and not line.isascii() else line


def line_of(entry: Entry, created: float, level: str, logger: str, service: Optional[str]) -> str:
    """An entry as a line."""
    if service is None:
        client = current_client()
        service = None if client is None else client.settings.service
    line: dict[str, Any] = {"timestamp": utc(created), "level": level}
    if service:
        line["service"] = service
    beside, details = entry.beside, entry.details
    for key in ("request_id", "user_id"):
        if key in beside:
            line[key] = beside[key]
    line["message"] = entry.message
    if details:
        line["details"] = details
    line["logger"] = logger
    line.update((key, value) for key, value in beside.items() if key not in _OWN)
    if entry.exception:
        line["exception"] = entry.exception
    try:
        return dumps(line)
    except Exception as error:
        let_through(error)
        return dumps({**{key: line[key] for key in ("timestamp", "level", "message")}, "unencodable": str(error)[:200]})


def utc(created: float) -> str:
    """A time as RFC 3339, in UTC and with microseconds."""
    try:
        moment = _EPOCH + datetime.timedelta(microseconds=round(created * 1e6))
        return moment.isoformat(timespec="microseconds")[:26] + "Z"
    except (OverflowError, ValueError):
        return "1970-01-01T00:00:00.000000Z"
