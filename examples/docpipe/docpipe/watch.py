"""Begins to tell Watchkeeper what this process does. Without an address only the logs are set up."""

from __future__ import annotations

from pathlib import Path

import watchkeeper as wk

from . import __version__
from .settings import Settings


def begin(settings: Settings, service: str, name: str) -> None:
    """For any process. Its log is `<log_dir>/<name>.log`, and goes to Watchkeeper; the terminal gets the errors."""
    wk.init(url=settings.watchkeeper, service=service, version=__version__)
    _configure_logs(settings, name)


def begin_worker(settings: Settings, worker_id: str, queue: str) -> None:
    """For a worker, which says every few seconds that it lives."""
    wk.init(
        url=settings.watchkeeper,
        service="docpipe",
        version=__version__,
        worker=True,
        worker_id=worker_id,
        queues=queue,
        capability="cpu",
        max_concurrent_tasks=1,
        heartbeat_seconds=settings.heartbeat,
        kernel_peak=True,
    )
    _configure_logs(settings, worker_id)


def _configure_logs(settings: Settings, name: str) -> None:
    file = Path(settings.log_dir) / f"{name}.log"
    wk.logs.configure(service=name, file=file, console="brief", console_level="ERROR", deliver=True)
