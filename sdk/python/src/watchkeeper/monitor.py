"""What this worker uses, which jobs it runs, and whether it may take another.

::

    from watchkeeper.monitor import ResourceMonitor

    monitor = ResourceMonitor(max_memory_mb=4096, max_jobs=5, max_job_seconds=600)
    with monitor.admit(id=task.id) as admission:
        if not admission:
            queue.put_back(task, admission.reason)
        else:
            work(task)

It works also where Watchkeeper is not configured; where it is, refused jobs and those over their time are told as
`audit.recorded`, and heartbeats say how many jobs the worker takes.

A job over its time is reported. With `cancel=True` an asyncio task is cancelled, too, and ends in a `TimeoutError`.
A thread cannot be ended from outside in Python: of jobs in threads there is a report and nothing else.
"""

from __future__ import annotations

import asyncio
import logging
import threading
import time
import weakref
from dataclasses import dataclass
from typing import Any, Optional

from ._clean import name as clean_name
from ._client import current_client
from ._context import current_job
from ._fork import on_fork
from ._limits import let_through
from ._process import Process
from ._work import Work

__all__ = ["ActiveJob", "Admission", "ResourceMetrics", "ResourceMonitor", "get_resource_monitor"]

logger = logging.getLogger("watchkeeper.monitor")

_MB = 1 << 20
_SECONDS_BETWEEN = 60.0
_CPU_SECONDS = 0.1


@dataclass(frozen=True)
class ResourceMetrics:
    """What this process uses now."""

    #: Resident memory, in megabytes of 1,048,576 bytes. 0 where the system does not say.
    memory_mb: float
    #: Share of the machine's memory, 0 to 100.
    memory_percent: float
    #: CPU of this process since the time before that it was asked; 100 is one core.
    cpu_percent: float
    #: How many jobs run.
    active_jobs: int


@dataclass(frozen=True)
class ActiveJob:
    """A job that runs in this process."""

    #: Its id.
    job_id: str
    #: For how long it runs, in seconds. None of jobs that were not admitted here.
    seconds: Optional[float]
    #: Whether it is over its time.
    is_over_time: bool


class Admission(Work):
    """Whether a job may run: true or false, with the reason where it is refused. Made by `ResourceMonitor.admit`.

    It ends with its `with` (or `async with`), by `finish()`, or when nobody holds it any more: a worker that forgets to
    end them does not refuse everything one day. So hold it while the job runs.
    """

    def __init__(self, monitor: Optional[ResourceMonitor], job_id: str, reason: str, max_seconds: float) -> None:
        #: The job's id.
        self.job_id = job_id
        #: Why it was refused, in words. Empty where it was not.
        self.reason = reason
        #: How many seconds it may take; 0 is without a bound.
        self.max_seconds = max_seconds
        #: Whether it is over its time.
        self.is_over_time = False
        self._monitor = monitor
        self._began = time.monotonic()
        self._task: Optional[asyncio.Task[Any]] = None
        self._loop: Optional[asyncio.AbstractEventLoop] = None
        self._cancelling = 0
        self._is_finished = False
        self._is_cancelled = False

    def __bool__(self) -> bool:
        return not self.reason

    @property
    def seconds(self) -> float:
        """For how long it runs, in seconds."""
        return time.monotonic() - self._began

    def start(self) -> Admission:
        """Gives it back: the job began when it was admitted."""
        return self

    def finish(self, *, error: Optional[BaseException] = None) -> None:
        """The job ended: its place is free. A cancellation for its time, if that is the `error`, becomes a
        `TimeoutError`."""
        self._is_finished = True
        if self._monitor is not None:
            self._monitor._finished(self)
        if self._is_cancelled:
            # Taken back in any case, as `asyncio.timeout` does: a task that caught it is no longer being cancelled.
            # Who cancels it beside us is obeyed. Python 3.10 and older do not count.
            self._is_cancelled = False
            uncancel = getattr(self._task, "uncancel", None)
            is_ours_alone = uncancel is None or uncancel() <= self._cancelling
            if is_ours_alone and isinstance(error, asyncio.CancelledError):
                raise TimeoutError(f"the job took more than {self.max_seconds:g} s") from error

    def _watch(self) -> None:
        try:
            self._task = asyncio.current_task()
            self._loop = asyncio.get_running_loop()
            self._cancelling = getattr(self._task, "cancelling", int)()
        except RuntimeError:
            # No loop runs in this thread.
            pass

    def _cancel(self) -> None:
        task, loop = self._task, self._loop
        if task is not None and loop is not None:
            try:
                loop.call_soon_threadsafe(self._cancel_here)
            except RuntimeError:
                # The loop is closed.
                pass

    def _cancel_here(self) -> None:
        # In the task's own loop: between this and the task's end nothing else runs.
        if self._task is not None and not self._is_finished:
            self._is_cancelled = self._task.cancel()


class ResourceMonitor:
    """What this process uses, and the limits within which it takes jobs. They may be set later, too; 0 is without a
    limit."""

    def __init__(
        self,
        max_memory_mb: float = 0.0,
        max_jobs: int = 0,
        max_job_seconds: float = 0.0,
        *,
        cancel: bool = False,
    ) -> None:
        #: From which resident memory of this process on no job is admitted, in megabytes of 1,048,576 bytes.
        self.max_memory_mb = max_memory_mb
        #: How many jobs may run in this process at once.
        self.max_jobs = max_jobs
        #: How many seconds each may take, unless `admit` says otherwise. One over its time is reported.
        self.max_job_seconds = max_job_seconds
        #: Whether asyncio tasks over their time are cancelled; threads cannot be.
        self.cancel = cancel
        self._process = Process()
        self._told: dict[str, float] = {}
        self._cpu_percent = 0.0
        self._cpu_at: tuple[float, float] = (0.0, 0.0)
        self._number = 0
        self._renew()
        on_fork(self)

    def after_fork(self) -> None:
        """In the child: no jobs run there, and no thread."""
        self._process.renew()
        self._renew()

    def get_current_metrics(self) -> ResourceMetrics:
        """What this process uses now. CPU is that since the call before, if that is at least 0.1 s ago."""
        rss, total = self._process.rss_bytes() or 0, self._process.total_memory_bytes
        now, cpu = time.monotonic(), time.process_time()
        with self._lock:
            elapsed = now - self._cpu_at[0]
            if elapsed >= _CPU_SECONDS:
                self._cpu_percent = 100.0 * max(0.0, cpu - self._cpu_at[1]) / elapsed
                self._cpu_at = (now, cpu)
            percent = self._cpu_percent
        return ResourceMetrics(
            memory_mb=rss / _MB,
            memory_percent=100.0 * rss / total if total else 0.0,
            cpu_percent=percent,
            active_jobs=len(self.get_active_jobs()),
        )

    def get_active_jobs(self) -> list[ActiveJob]:
        """The jobs that run in this process: those admitted here, and those of `watchkeeper.job`."""
        with self._lock:
            admitted = list(self._active.values())
        jobs = {one.job_id: ActiveJob(one.job_id, one.seconds, one.is_over_time) for one in admitted}
        client = current_client()
        for job_id in client.pulse.active_jobs if client is not None else ():
            jobs.setdefault(job_id, ActiveJob(job_id, None, False))
        return list(jobs.values())

    def admit(self, id: Any = None, max_seconds: Optional[float] = None) -> Admission:
        """Asks whether another job may run, and takes a place if it may. Never waits and never raises: a refusal is an
        `Admission` that is false, with the `reason`. Without `id` it is the job that runs here, if one does.
        `max_seconds` is how long this one may take, by default `max_job_seconds`; 0 is without a bound."""
        try:
            return self._admit(clean_name(id), self.max_job_seconds if max_seconds is None else max_seconds)
        except Exception as fault:
            # A fault of ours must not keep an application from its work.
            let_through(fault)
            client = current_client()
            if client is not None:
                client.counts.drop("internal_error")
            return Admission(None, "", "", 0.0)

    def _admit(self, job_id: Optional[str], max_seconds: float) -> Admission:
        job = current_job()
        if job_id is None:
            job_id = job.id if job is not None else None
        rss_mb = (self._process.rss_bytes() or 0) / _MB
        with self._lock:
            # One lock over the question and its answer: two threads do not both get the last place.
            self._number += 1
            if job_id is None:
                job_id = f"job-{self._process.pid}-{self._number}"
            running = sum(one.job_id != job_id for one in self.get_active_jobs())
            reason = ""
            if self.max_jobs and running >= self.max_jobs:
                limit, reason = "jobs", f"{running} of {self.max_jobs} jobs run"
            elif self.max_memory_mb and rss_mb >= self.max_memory_mb:
                limit, reason = "memory", f"the worker holds {rss_mb:.0f} MB, its limit is {self.max_memory_mb:g} MB"
            admission = Admission(self, job_id, reason, max_seconds)
            if not reason:
                admission._watch()
                self._active[self._number] = admission
        client = current_client()
        if client is not None and self.max_jobs:
            client.pulse.facts["max_concurrent_tasks"] = self.max_jobs
        if reason:
            if self._is_due(limit):
                self._tell("job.refused", "denied", job_id, reason)
        elif max_seconds > 0:
            self._start()
        return admission

    def _renew(self) -> None:
        self._lock = threading.RLock()
        self._active: weakref.WeakValueDictionary[int, Admission] = weakref.WeakValueDictionary()
        self._thread: Optional[threading.Thread] = None
        self._bell = threading.Event()
        self._cpu_at = (time.monotonic(), time.process_time())

    def _finished(self, admission: Admission) -> None:
        with self._lock:
            for number, one in list(self._active.items()):
                if one is admission:
                    del self._active[number]

    def _is_due(self, limit: str) -> bool:
        # A worker that asks ten times a second is told of once a minute.
        with self._lock:
            now = time.monotonic()
            if now < self._told.get(limit, 0.0):
                return False
            self._told[limit] = now + _SECONDS_BETWEEN
            return True

    def _tell(self, action: str, outcome: str, job_id: str, message: str) -> None:
        try:
            logger.warning("%s: job %s: %s", action, job_id, message)
        except Exception as fault:
            # A handler that fails is the application's matter.
            let_through(fault)
        client = current_client()
        if client is not None:
            facts = {"action": action, "category": "system", "outcome": outcome, "target": client.worker_id}
            client.report("audit.recorded", {**facts, "job_id": job_id, "message": message})

    def _start(self) -> None:
        with self._lock:
            if self._thread is None:
                # It knows the monitor weakly, and ends with it.
                thread = threading.Thread(
                    target=_watch, args=(weakref.ref(self), self._bell), name="watchkeeper-monitor", daemon=True
                )
                thread.start()
                self._thread = thread
        self._bell.set()

    def _look(self) -> Optional[float]:
        """Reports what is over its time, and says in how many seconds the next will be."""
        with self._lock:
            active = [one for one in self._active.values() if one.max_seconds > 0 and not one.is_over_time]
        left: list[float] = []
        for one in active:
            remaining = one.max_seconds - one.seconds
            if remaining > 0:
                left.append(remaining)
                continue
            one.is_over_time = True
            ending = "; it is cancelled" if self.cancel and one._task is not None else ""
            self._tell("job.over_time", "failure", one.job_id, f"it runs for more than {one.max_seconds:g} s{ending}")
            if self.cancel:
                one._cancel()
        return min(left) if left else None


def _watch(known: weakref.ref[ResourceMonitor], bell: threading.Event) -> None:
    while True:
        bell.clear()
        monitor = known()
        if monitor is None:
            return
        try:
            pause = monitor._look()
        except Exception:
            # A fault of ours must not end the watch.
            pause = 1.0
        del monitor
        # Never without an end: a monitor that is gone rings no bell.
        bell.wait(min(60.0, max(0.001, pause)) if pause is not None else 60.0)


_shared: list[ResourceMonitor] = []


def get_resource_monitor() -> ResourceMonitor:
    """The one monitor of this process, made when it is first asked for, without limits: set `max_memory_mb`, `max_jobs`
    and `max_job_seconds` on it."""
    if not _shared:
        # Without a lock, which a fork could leave locked: of two that are made at once the first is everybody's.
        _shared.append(ResourceMonitor())
    return _shared[0]
