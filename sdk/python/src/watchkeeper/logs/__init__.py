"""Logs: JSON with the ids of what runs, files that are rotated, and delivery to Watchkeeper.

::

    import watchkeeper as wk

    wk.init(url="http://127.0.0.1:7654", service="extraction")
    wk.logs.configure(file="logs/extraction.log", deliver=True)

It is not called `logging`, so that nobody takes it for the standard library's.
"""

from __future__ import annotations

from ._bridges import loguru_sink, structlog_processor, structlog_renderer
from ._configure import configure
from ._files import SharedRotatingFileHandler
from ._handler import WatchkeeperHandler, stats
from ._json import JsonFormatter

__all__ = [
    "JsonFormatter",
    "SharedRotatingFileHandler",
    "WatchkeeperHandler",
    "configure",
    "loguru_sink",
    "stats",
    "structlog_processor",
    "structlog_renderer",
]
