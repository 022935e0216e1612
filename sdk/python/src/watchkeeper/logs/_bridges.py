"""structlog and loguru, neither of which is imported here."""

from __future__ import annotations

import logging
import sys
import time
from collections.abc import MutableMapping
from typing import Any

from .._client import current_client
from .._limits import let_through
from ._entry import context_ids, entry_of_fields
from ._handler import WatchkeeperHandler, deliver, is_ours
from ._json import line_of

_LEVELS = {
    "trace": 5,
    "debug": 10,
    "info": 20,
    "msg": 20,
    "warn": 30,
    "warning": 30,
    "error": 40,
    "exception": 40,
    "err": 40,
    "critical": 50,
    "fatal": 50,
}

_direct = WatchkeeperHandler()


Fields = MutableMapping[str, Any]


def structlog_processor(logger: Any, method_name: str, event_dict: Fields) -> Fields:
    """A processor of structlog, to stand before the one that renders, and before `format_exc_info`: it fills in the ids
    of what runs and delivers the entry to Watchkeeper::

        structlog.configure(processors=[
            structlog.stdlib.add_log_level, wk.logs.structlog_processor, wk.logs.structlog_renderer,
        ])

    Where structlog writes to `logging`, it fills in the ids alone: there the handler of `logging` delivers.
    """
    try:
        if not isinstance(logger, logging.Logger):
            _deliver_entry(logger, method_name, event_dict)
        for key, value in context_ids().items():
            event_dict.setdefault(key, value)
    except Exception as fault:
        # Whoever logs is never told.
        let_through(fault)
    return event_dict


def structlog_renderer(logger: Any, method_name: str, event_dict: Fields) -> str:
    """A last processor of structlog: the entry as the line that `JsonFormatter` writes."""
    fields = dict(event_dict)
    message, error, level, name = _taken_apart(logger, method_name, fields)
    return line_of(entry_of_fields(message, fields, error), time.time(), level.upper(), name, None)


def loguru_sink(message: Any) -> None:
    """A sink of loguru: `logger.add(wk.logs.loguru_sink)`. What is logged goes to where `wk.logs.configure` writes, and
    without that to Watchkeeper."""
    from ._configure import configured_handlers

    try:
        record = _of_loguru(message.record)
    except Exception as fault:
        let_through(fault)
        return
    for handler in configured_handlers() or (_direct,):
        if record.levelno >= handler.level:
            handler.handle(record)


def _deliver_entry(logger: Any, method_name: str, event_dict: Fields) -> None:
    client = current_client()
    if client is None or client.is_delivering():
        return
    fields = dict(event_dict)
    message, error, level, name = _taken_apart(logger, method_name, fields)
    if is_ours(name):
        return
    try:
        number = _LEVELS.get(level, 20)
        deliver(client, entry_of_fields(message, fields, error), time.time(), number, level.upper(), name)
    except Exception as fault:
        let_through(fault)
        client.log_counts.drop("unencodable")


def _taken_apart(logger: Any, method_name: str, fields: dict[str, Any]) -> tuple[Any, Any, str, str]:
    """The message, the exception, the level and the logger of an entry; what remains in `fields` is what was given."""
    message = fields.pop("event", "")
    error = fields.pop("exc_info", None)
    if error is None and method_name == "exception":
        error = sys.exc_info()[1]
    for key in ("timestamp", "level_number", "stack_info"):
        fields.pop(key, None)
    level = str(fields.pop("level", None) or method_name)
    name = fields.pop("logger", None) or getattr(logger, "name", None) or "structlog"
    return message, error, level.lower(), str(name)


def _of_loguru(entry: Any) -> logging.LogRecord:
    """An entry of loguru as a record of `logging`."""
    exception = entry["exception"]
    info: Any = None
    if exception is not None and exception.value is not None:
        info = (exception.type, exception.value, exception.traceback)
    record = logging.LogRecord(
        str(entry["name"] or "loguru"),
        entry["level"].no,
        entry["file"].path,
        entry["line"],
        str(entry["message"]),
        None,
        info,
        entry["function"],
    )
    record.levelname = entry["level"].name
    record.created = entry["time"].timestamp()
    record.msecs = (record.created % 1) * 1000
    own = record.__dict__
    for key, value in entry["extra"].items():
        if key not in own and key not in ("message", "asctime"):
            own[key] = value
    return record
