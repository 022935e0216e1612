"""The thread that says that this process lives, and looks at its memory while something runs.

It is a thread of its own and no task of a loop: a job that blocks everything else is when a heartbeat matters. It
sleeps without an end while nothing runs.
"""

from __future__ import annotations

import queue
import threading
import time
from typing import TYPE_CHECKING, Any, Optional

from ._gpu import Gpu
from ._process import Process
from ._settings import Settings

if TYPE_CHECKING:
    from collections.abc import Callable

    from ._measure import Measure

    Report = Callable[[str, dict[str, Any]], None]

_GPU_SECONDS = 0.5
_LAST_STEP_SECONDS = 0.5
_SECONDS_BETWEEN_STARTS = 1.0
# A worker that fails so often in a row is itself the reason, more likely than its jobs.
_UNHEALTHY_FAILURES = 5


class Pulse:
    """Heartbeats of the worker, and the peaks of what runs."""

    def __init__(
        self,
        settings: Settings,
        process: Process,
        gpu: Optional[Gpu],
        report: Report,
        dropped: Callable[[], dict[str, int]],
    ) -> None:
        self._settings = settings
        self._process = process
        self._gpu = gpu
        self._report = report
        self._dropped = dropped
        #: Whether it beats also while no job runs.
        self.is_worker = settings.worker
        #: Whether another process beats for this one.
        self.is_silent = False
        #: Further facts of every heartbeat; integrations set `queues`, `max_concurrent_tasks` and the like.
        self.facts: dict[str, Any] = {
            name: value
            for name, value in (
                ("capability", settings.capability),
                ("max_concurrent_tasks", settings.max_concurrent_tasks or None),
                ("queues", settings.queues),
                ("version", settings.version),
            )
            if value is not None
        }
        self.renew()

    def renew(self) -> None:
        """Begins without a thread and without jobs: those of a fork's parent are the parent's."""
        self._lock = threading.RLock()
        self._starting = threading.Lock()
        self._bell: queue.SimpleQueue[None] = queue.SimpleQueue()
        self._thread: Optional[threading.Thread] = None
        self._start_at = 0.0
        self._is_stopped = False
        self._is_asleep = False
        self._has_beaten = False
        # A job began since the last beat: a worker whose jobs are shorter than a look lives all the same.
        self._has_worked = False
        self._next_beat = 0.0
        self._watched: dict[int, Measure] = {}
        self._alone: Optional[Measure] = None
        self._stages = 0
        self._jobs: dict[int, str] = {}
        self._completed = 0
        self._failed = 0
        self._errors = 0
        self._timeouts = 0
        self._failed_in_row = 0
        self._busy_seconds = 0.0
        self._cpu_at = (time.monotonic(), time.process_time())

    @property
    def active_jobs(self) -> list[str]:
        """The ids of jobs that run in this process."""
        with self._lock:
            return list(self._jobs.values())

    def job_started(self, key: int, job_id: str) -> None:
        """A job began."""
        with self._lock:
            self._jobs[key] = job_id
            self._has_worked = True
        if self._settings.heartbeat_seconds and not self.is_silent:
            self._wake()

    def job_ended(self, key: int, failed: bool, timed_out: bool, seconds: float, retried: bool = False) -> None:
        """An attempt at a job ended; `retried` says of one that failed that another follows."""
        with self._lock:
            self._jobs.pop(key, None)
            self._busy_seconds += seconds
            self._timeouts += timed_out
            if failed:
                self._errors += 1
                self._failed += not retried
                self._failed_in_row += 1
            else:
                self._completed += 1
                self._failed_in_row = 0

    def forget(self, key: Optional[int], measure: Measure) -> None:
        """What was measured is over, however its end went."""
        self.unwatch(measure)
        with self._lock:
            if key is not None:
                self._jobs.pop(key, None)

    def watch(self, measure: Measure) -> None:
        """Looks at the memory for `measure` from now on."""
        if not self._settings.memory_interval_seconds and self._gpu is None:
            return
        self._watched[id(measure)] = measure
        if self._is_asleep or self._thread is None:
            self._wake()

    def unwatch(self, measure: Measure) -> None:
        """No longer."""
        self._watched.pop(id(measure), None)

    def begin_alone(self, measure: Measure) -> bool:
        """Whether no other stage runs, so that the kernel's peak is this one's, as long as none begins."""
        with self._lock:
            self._alone = measure if self._stages == 0 else None
            self._stages += 1
            return self._alone is measure

    def end_alone(self, measure: Measure) -> bool:
        """Whether it stayed so."""
        with self._lock:
            self._stages -= 1
            stayed, self._alone = self._alone is measure, None
            return stayed

    def start(self) -> None:
        """Starts the thread, once."""
        if self._thread is not None or self._is_stopped or time.monotonic() < self._start_at:
            return
        if not self._starting.acquire(blocking=False):
            return
        try:
            if self._thread is None:
                # As that of delivery: gevent may have come between.
                self._bell = queue.SimpleQueue()
                thread = threading.Thread(target=self._run, name="watchkeeper-heartbeat", daemon=True)
                thread.start()
                self._thread = thread
        except RuntimeError:
            # No thread can be started now, at the end of the interpreter for one.
            self._start_at = time.monotonic() + _SECONDS_BETWEEN_STARTS
        finally:
            self._starting.release()

    def stop(self, reason: str = "shutdown", exit_code: Optional[int] = None) -> None:
        """Ends the thread, and says that the worker stopped if it ever said that it lives. Without that word the next
        process under the same id would look like a restart after a crash."""
        if self._is_stopped:
            return
        self._is_stopped = True
        self._bell.put(None)
        thread = self._thread
        if thread is not None and thread is not threading.current_thread():
            # A beat that it is just making would come after the word that the worker stopped.
            thread.join(_LAST_STEP_SECONDS)
        beats = self._settings.heartbeat_seconds and not self.is_silent
        if beats and (self._has_beaten or self._has_worked):
            self._beat()
            facts: dict[str, Any] = {"reason": reason}
            if exit_code is not None:
                facts["exit_code"] = exit_code
            self._report("worker.stopped", facts)

    def _wake(self) -> None:
        if self._thread is None:
            self.start()
        elif self._is_asleep:
            self._is_asleep = False
            self._bell.put(None)

    def _run(self) -> None:
        while not self._is_stopped:
            try:
                pause = self._step()
            except Exception:
                # A fault of ours must not end the heartbeat.
                pause = 1.0
            try:
                self._bell.get(timeout=pause)
            except queue.Empty:
                pass
            self._is_asleep = False

    def _step(self) -> Optional[float]:
        """Does what is due, and says how long there is nothing to do. None is until somebody calls."""
        settings = self._settings
        # Whoever begins something from here on wakes this thread; what was there before is seen below.
        self._is_asleep = True
        pauses: list[float] = []
        beats = settings.heartbeat_seconds and not self.is_silent
        if beats and (self.is_worker or self._jobs or self._has_worked):
            now = time.monotonic()
            if now >= self._next_beat:
                self._next_beat = now + settings.heartbeat_seconds
                self._beat()
            pauses.append(self._next_beat - time.monotonic())
        if self._watched and settings.memory_interval_seconds:
            self._sample()
            pauses.append(settings.memory_interval_seconds)
        if self._gpu is not None and (self._watched or not self._gpu.is_tried):
            self._gpu.look()
            pauses.append(_GPU_SECONDS)
        # While memory is looked at, what begins is seen with the next look, and need not wake anybody.
        self._is_asleep = not self._watched
        return max(0.001, min(pauses)) if pauses else None

    def _sample(self) -> None:
        rss = self._process.rss_bytes()
        if rss is not None:
            for measure in list(self._watched.values()):
                measure.seen(rss)

    def _beat(self) -> None:
        now, cpu = time.monotonic(), time.process_time()
        elapsed, used = now - self._cpu_at[0], cpu - self._cpu_at[1]
        self._cpu_at = (now, cpu)
        self._has_worked = False
        with self._lock:
            jobs = list(self._jobs.values())
            facts: dict[str, Any] = {
                **self.facts,
                "started_at": self._process.started_ns,
                "is_online": True,
                "active_tasks": len(jobs),
                "completed_tasks": self._completed,
                "failed_tasks": self._failed,
                "timeout_count": self._timeouts,
                "error_count": self._errors,
                "is_healthy": self._failed_in_row < _UNHEALTHY_FAILURES,
                "consecutive_failures": self._failed_in_row,
                "total_processing_time": round(self._busy_seconds, 6),
            }
        if len(jobs) == 1:
            facts["job_id"] = jobs[0]
        if elapsed > 0.01:
            facts["cpu_usage"] = round(100.0 * max(0.0, used) / elapsed, 2)
        rss, total = self._process.rss_bytes(), self._process.total_memory_bytes
        if rss is not None:
            facts["memory_rss_bytes"] = rss
            if total:
                facts["memory_usage"] = round(100.0 * rss / total, 3)
        dropped = self._dropped()
        if dropped:
            facts["attributes"] = {f"dropped_{reason}": count for reason, count in dropped.items()}
        self._has_beaten = True
        self._report("worker.heartbeat", facts)
