"""Log files: one JSON object a line, rotated, one file for each process.

    {"timestamp": "2025-08-01T21:30:00.000Z", "level": "INFO", "service": "extraction-1",
     "job_id": "…", "message": "Job … completed in 3.2s"}

An error has its traceback under `exception`. The terminal gets errors in one plain line each.
"""

from __future__ import annotations

import json
import logging
import logging.handlers
import sys
from datetime import datetime, timezone
from pathlib import Path

CONTEXT = ("job_id", "document_id", "request_id", "details")
MAX_FILE_BYTES = 10_000_000
OLD_FILES = 3


class JsonLines(logging.Formatter):
    """Formats a record as one line of JSON."""

    def __init__(self, service: str) -> None:
        super().__init__()
        self._service = service

    def format(self, record: logging.LogRecord) -> str:
        time = datetime.fromtimestamp(record.created, timezone.utc)
        line = {
            "timestamp": time.strftime("%Y-%m-%dT%H:%M:%S.") + f"{time.microsecond // 1000:03d}Z",
            "level": record.levelname,
            "service": self._service,
        }
        line.update((name, getattr(record, name)) for name in CONTEXT if getattr(record, name, None))
        line["message"] = record.getMessage()
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False)


class OneLine(logging.Formatter):
    """Formats a record as its message, without the traceback."""

    def __init__(self, service: str) -> None:
        super().__init__()
        self._service = service

    def format(self, record: logging.LogRecord) -> str:
        return f"{self._service}: {record.getMessage()}"


def to_file(directory: str, service: str) -> None:
    """Sends this process's log to `<directory>/<service>.log`."""
    Path(directory).mkdir(parents=True, exist_ok=True)
    file = logging.handlers.RotatingFileHandler(
        Path(directory) / f"{service}.log", maxBytes=MAX_FILE_BYTES, backupCount=OLD_FILES, encoding="utf-8"
    )
    file.setFormatter(JsonLines(service))
    terminal = logging.StreamHandler(sys.stderr)
    terminal.setLevel(logging.ERROR)
    terminal.setFormatter(OneLine(service))
    logging.basicConfig(level=logging.INFO, handlers=[file, terminal], force=True)
