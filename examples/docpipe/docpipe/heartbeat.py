"""Heartbeats: a worker says that it is alive, and how it is.

They come from a thread of the operating system. A worker that beats between two tasks seems dead
during a long one; this one goes on beating while the main thread computes.
"""

from __future__ import annotations

import os
import socket
import threading
import time
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any

from . import __version__, memory
from .watch import Watch


@dataclass
class Tally:
    """What a worker has done since it began. The worker writes it, the heartbeat reads it."""

    job_id: str | None = None
    completed: int = 0
    failed: int = 0
    errors: int = 0
    consecutive_failures: int = 0
    busy_seconds: float = 0.0


class Heartbeat:
    """Beats at once when it is started, then every `interval` seconds, until it is stopped."""

    def __init__(self, worker_id: str, queue: str, tally: Tally, watch: Watch, interval: float) -> None:
        self._tally = tally
        self._watch = watch
        self._interval = interval
        self._identity = {
            "worker_id": worker_id,
            "queues": queue,
            "capability": "cpu",
            "host": socket.gethostname(),
            "pid": os.getpid(),
            "version": __version__,
            "started_at": datetime.now(timezone.utc),
            "max_concurrent_tasks": 1,
        }
        self._cpu = _CpuMeter()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="heartbeat", daemon=True)

    def start(self) -> None:
        """Begins to beat."""
        self._thread.start()

    def stop(self, reason: str, exit_code: int) -> None:
        """Stops beating, and says that the worker has ended."""
        self._stopping.set()
        self._thread.join()
        self._watch.report("worker.stopped", **self._facts(), reason=reason, exit_code=exit_code)

    def _run(self) -> None:
        self._watch.report("worker.heartbeat", **self._facts())
        while not self._stopping.wait(self._interval):
            self._watch.report("worker.heartbeat", **self._facts())

    def _facts(self) -> dict[str, Any]:
        tally, held = self._tally, memory.current()
        return {
            **self._identity,
            "job_id": tally.job_id,
            "is_healthy": tally.consecutive_failures < 5,
            "active_tasks": 0 if tally.job_id is None else 1,
            "completed_tasks": tally.completed,
            "failed_tasks": tally.failed,
            "error_count": tally.errors,
            "consecutive_failures": tally.consecutive_failures,
            "total_processing_time": tally.busy_seconds,
            "cpu_percent": self._cpu.percent(),
            "memory_rss_bytes": held.rss,
            "memory_percent": held.percent,
        }


class _CpuMeter:
    """CPU use since the last look, 100 for one core."""

    def __init__(self) -> None:
        self._wall, self._cpu = time.monotonic(), time.process_time()

    def percent(self) -> float:
        wall, cpu = time.monotonic(), time.process_time()
        used = 100.0 * (cpu - self._cpu) / max(wall - self._wall, 1e-3)
        self._wall, self._cpu = wall, cpu
        return used
