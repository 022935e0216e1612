"""What a stretch of work took: time, CPU, memory, GPU. Jobs, stages and whoever else measures begin and end one.

Durations are read from a clock that never jumps; times are the wall clock's, because others must understand them.
"""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Any, Optional

if TYPE_CHECKING:
    from ._client import Client


class Measure:
    """Begun when it is made."""

    __slots__ = (
        "_client",
        "_gpu_seconds",
        "_is_alone",
        "_is_counted",
        "_perf",
        "_process_cpu",
        "_thread",
        "_thread_cpu",
        "_vms_bytes",
        "ended_ns",
        "peak_bytes",
        "rss_bytes",
        "seconds",
        "started_ns",
    )

    def __init__(self, client: Client, kernel_peak: bool = False) -> None:
        self._client = client
        self.started_ns = time.time_ns()
        #: When it ended; never before it began, whatever the wall clock did meanwhile.
        self.ended_ns = self.started_ns
        #: How long it took.
        self.seconds = 0.0
        #: Resident memory at the beginning.
        self.rss_bytes, self._vms_bytes = client.process.memory()
        #: The most resident memory that was seen.
        self.peak_bytes = self.rss_bytes or 0
        pulse = client.pulse
        # The kernel keeps one peak for all of the process: it says something of a stage that runs alone only.
        self._is_counted = kernel_peak
        self._is_alone = kernel_peak and pulse.begin_alone(self) and client.process.reset_peak()
        self._gpu_seconds = client.gpu.seconds if client.gpu is not None else None
        pulse.watch(self)
        self._thread = threading.get_ident()
        self._process_cpu = time.process_time_ns()
        self._thread_cpu = time.thread_time_ns()
        self._perf = time.perf_counter_ns()

    def seen(self, rss_bytes: int) -> None:
        """Somebody looked at the memory."""
        if rss_bytes > self.peak_bytes:
            self.peak_bytes = rss_bytes

    def tell_beginning(self, facts: dict[str, Any]) -> None:
        """Adds the memory at the beginning, as events of stages have it."""
        if self.rss_bytes is not None:
            self._tell(facts, self.rss_bytes, self._vms_bytes)

    def end(self) -> dict[str, Any]:
        """Ends it, and gives the facts as events of stages have them."""
        client = self._client
        self.seconds = (time.perf_counter_ns() - self._perf) / 1e9
        self.ended_ns = max(time.time_ns(), self.started_ns)
        facts: dict[str, Any] = {"duration_seconds": self.seconds, "cpu_seconds": self._cpu_seconds()}
        client.pulse.unwatch(self)
        stayed_alone = self._is_counted and client.pulse.end_alone(self) and self._is_alone
        rss, vms = client.process.memory()
        if rss is not None and self.rss_bytes is not None:
            self.seen(rss)
            if stayed_alone:
                self.seen(client.process.kernel_peak_bytes() or 0)
            self._tell(facts, rss, vms)
            facts["memory_peak_bytes"] = self.peak_bytes
            facts["memory_delta_bytes"] = rss - self.rss_bytes
        gpu = client.gpu
        if gpu is not None:
            if gpu.seconds is not None:
                facts["gpu_seconds"] = round(gpu.seconds - (self._gpu_seconds or 0.0), 6)
            if gpu.memory_bytes is not None:
                facts["gpu_memory_bytes"] = gpu.memory_bytes
        return facts

    def _tell(self, facts: dict[str, Any], rss: int, vms: Optional[int]) -> None:
        total = self._client.process.total_memory_bytes
        facts["memory_rss_bytes"] = rss
        if vms is not None:
            facts["memory_vms_bytes"] = vms
        if total:
            # Three digits, for less than `round` takes.
            facts["memory_percent"] = rss * 100_000 // total / 1000

    def _cpu_seconds(self) -> float:
        """The thread's, where the work stayed in one; else the process'. In one thread that runs many coroutines, what
        the others did meanwhile is in it."""
        if threading.get_ident() == self._thread:
            used = time.thread_time_ns() - self._thread_cpu
        else:
            used = time.process_time_ns() - self._process_cpu
        return max(0, used) / 1e9
