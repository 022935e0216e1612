"""Sets up `logging` with one call."""

from __future__ import annotations

import logging
import os
import sys
from typing import Any, Optional, Union

from .._log import logger as _own_logger
from ._files import SharedRotatingFileHandler
from ._handler import WatchkeeperHandler
from ._json import JsonFormatter

_TEXT = "%(asctime)s - %(name)s - %(levelname)s - %(message)s"

# Servers and workers that write by themselves, to handlers of their own.
_TAKEN_ALONG = (
    *("uvicorn", "uvicorn.error", "uvicorn.access", "uvicorn.asgi"),
    *("gunicorn", "gunicorn.error", "gunicorn.access"),
    *("hypercorn.error", "hypercorn.access"),
    *("celery", "celery.task", "celery.worker", "celery.redirected"),
)

_handlers: list[logging.Handler] = []
_arguments: Optional[dict[str, Any]] = None
_has_celery = False

Level = Union[int, str]


def configure(
    *,
    service: Optional[str] = None,
    level: Level = "INFO",
    console: str = "auto",
    console_level: Level = logging.NOTSET,
    file: Optional[Union[str, os.PathLike[str]]] = None,
    file_format: str = "json",
    max_bytes: int = 10 << 20,
    backup_count: int = 10,
    deliver: bool = False,
    take_along: bool = True,
    capture_warnings: bool = True,
) -> None:
    """Sets up the root logger. Called again, it takes the place of what it set up before. It does so also where
    Watchkeeper is not configured.

    - `service`: what `service` says in each line of JSON, by default what `wk.init` was told.
    - `level`: of the root logger, a name or a number of `logging`.
    - `console`: `text` or `json` on standard error, `auto` for text on a terminal and JSON elsewhere, `brief` for the
      message alone without its traceback, `off`.
    - `console_level`: from which level on the console gets records, of those that the root logger gets.
    - `file`: a file in `file_format` (`json` or `text`), rotated when it has `max_bytes` (10 MiB), of which
      `backup_count` are kept. Its folder is made. Several processes may write it.
    - `deliver`: whether records go to Watchkeeper directly, over the network.
    - `take_along`: whether uvicorn, gunicorn, hypercorn and Celery write there, too, in place of their own consoles.
    - `capture_warnings`: whether `warnings` are logged.

    What makes no sense is a warning and the default. Handlers that others gave to the root logger stay, but those that
    write to the console.
    """
    global _arguments
    console = _one_of("console", console, ("auto", "text", "json", "brief", "off"))
    file_format = _one_of("file_format", file_format, ("json", "text"))
    made: list[logging.Handler] = []
    if console != "off":
        made.append(_console(console, service))
        _set_level(made[0], "of the console", console_level, logging.NOTSET)
    if file is not None:
        try:
            writer = SharedRotatingFileHandler(file, max_bytes, backup_count)
            writer.setFormatter(JsonFormatter(service) if file_format == "json" else logging.Formatter(_TEXT))
            made.append(writer)
        except Exception as error:
            _own_logger.warning("there is no file of logs: %s", error)
    if deliver:
        made.append(WatchkeeperHandler())
    root = logging.getLogger()
    for handler in list(root.handlers):
        if handler in _handlers or (console != "off" and _is_console(handler)):
            root.removeHandler(handler)
    before, _handlers[:] = list(_handlers), made
    for handler in made:
        root.addHandler(handler)
    for handler in before:
        handler.close()
    _set_level(root, "of logs", level, logging.INFO)
    if capture_warnings:
        logging.captureWarnings(True)
    if take_along:
        _take_along()
        _hold_celery()


def configured_handlers() -> list[logging.Handler]:
    """The handlers that `configure` made."""
    return list(_handlers)


def _console(form: str, service: Optional[str]) -> logging.Handler:
    stream = sys.stderr
    handler: logging.StreamHandler[Any] = logging.StreamHandler(stream)
    if form == "brief":
        handler.setFormatter(_Brief(service))
        return handler
    if form == "auto":
        form = "text" if _is_terminal(stream) else "json"
    encoding = (getattr(stream, "encoding", None) or "").lower().replace("-", "")
    handler.setFormatter(
        logging.Formatter(_TEXT) if form == "text" else JsonFormatter(service, ensure_ascii=encoding != "utf8")
    )
    return handler


def _set_level(of: Union[logging.Logger, logging.Handler], what: str, level: Level, default: int) -> None:
    try:
        of.setLevel(level.upper() if isinstance(level, str) else level)
    except (ValueError, TypeError) as error:
        of.setLevel(default)
        _own_logger.warning("the level %s is %s: %s", what, logging.getLevelName(default), error)


class _Brief(logging.Formatter):
    """A line with the service and the message: where several programs share a terminal, and files have the rest."""

    def __init__(self, service: Optional[str]) -> None:
        super().__init__()
        self._service = service

    def format(self, record: logging.LogRecord) -> str:
        return f"{self._service or record.name}: {record.getMessage()}"


def _is_terminal(stream: Any) -> bool:
    try:
        return bool(stream.isatty())
    except Exception:
        return False


def _is_console(handler: logging.Handler) -> bool:
    """Whether it is a plain handler that writes to the console; `sys.stdout` may have been replaced since."""
    if not isinstance(handler, logging.StreamHandler) or isinstance(handler, logging.FileHandler):
        return False
    if type(handler).__module__.partition(".")[0] not in ("logging", "uvicorn", "gunicorn", "celery"):
        return False
    consoles = (sys.stdout, sys.stderr, sys.__stdout__, sys.__stderr__)
    stream = getattr(handler, "stream", None)
    return any(stream is console for console in consoles) or getattr(stream, "name", None) in ("<stdout>", "<stderr>")


def _take_along() -> None:
    for name in _TAKEN_ALONG:
        # Made now where it is not there yet: then whoever comes later finds it so, unless it sets it up itself.
        taken = logging.getLogger(name)
        for handler in list(taken.handlers):
            if _is_console(handler):
                taken.removeHandler(handler)
        taken.propagate = True


def _hold_celery() -> None:
    """Celery sets up the root logger of its workers by itself, unless somebody answers its signal."""
    global _has_celery
    signals = sys.modules.get("celery.signals")
    if signals is None or _has_celery:
        return
    try:
        signals.setup_logging.connect(_on_celery, weak=False, dispatch_uid="watchkeeper.logs")
        _has_celery = True
    except Exception as error:
        _own_logger.warning("Celery sets up its logs by itself: %s", error)


def _on_celery(**_: Any) -> None:
    _take_along()


def _one_of(name: str, value: Any, known: tuple[str, ...]) -> str:
    if value in known:
        return str(value)
    _own_logger.warning("%s is %s: it is one of %s", name, known[0], ", ".join(known))
    return known[0]
