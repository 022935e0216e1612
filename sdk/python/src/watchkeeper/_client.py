"""Puts the parts together. Integrations use three things of it: `report`, `pulse` and `process`; `watchkeeper.logs`
uses `log`.

::

    client = current_client()
    if client is not None:
        client.report("llm.call", {"model": "qwen3:30b", "duration_seconds": 8.4})
"""

from __future__ import annotations

import os
import threading
from typing import Any, Optional

from . import _exit
from ._counts import Counts, Stats
from ._delivery import Delivery
from ._events import Encoder, Unencodable, dumps
from ._fork import on_fork
from ._gpu import Gpu
from ._heartbeat import Pulse
from ._lane import Lane
from ._limits import let_through
from ._process import Process
from ._settings import Settings
from ._streams import EVENTS, LOGS


class Client:
    """One process' way to Watchkeeper. No method raises or waits, but `flush` and `shutdown`, which wait as long as
    they are told to.

    Made by `wk.init`, whose functions are enough for an application; this is for code that reports by itself.
    """

    def __init__(self, settings: Settings) -> None:
        #: All settings, read and checked.
        self.settings = settings
        self.counts = Counts()
        self.process = Process()
        self.gpu: Optional[Gpu] = Gpu() if settings.gpu else None
        self._is_forked = False
        self._is_closed = False
        self._ends_with_child = False
        self._acts_for: Optional[str] = None
        self._stopping = threading.Lock()
        self._stopped = threading.Event()
        self._encoder = Encoder(self._facts(), self.counts)
        self.log_counts = Counts()
        self._delivery = Delivery(settings, self.counts)
        events = (settings.queue_events, settings.queue_bytes, self.counts, self._report_drops)
        logs = (settings.log_queue_records, settings.log_queue_bytes, self.log_counts, self._report_log_drops)
        self._events = self._delivery.add(EVENTS, *events)
        self._logs = self._delivery.add(LOGS, *logs, self._resource)
        self._queue = self._events.queue
        self.pulse = Pulse(settings, self.process, self.gpu, self.report, self.counts.dropped)
        on_fork(self)
        self._beat()

    @property
    def worker_id(self) -> str:
        """This process, as the server knows it: the setting `worker_id`, else `HOST-PID`."""
        if self._acts_for is not None:
            return self._acts_for
        chosen = self.settings.worker_id
        if chosen is None:
            return f"{self.settings.host}-{self.process.pid}"[-512:]
        return f"{chosen}-{self.process.pid}" if self._is_forked else chosen

    @property
    def is_closed(self) -> bool:
        """Whether it takes no more events, because `shutdown` was called."""
        return self._is_closed

    def report(self, type_: str, facts: dict[str, Any], time_ns: Optional[int] = None, encoded: str = "") -> None:
        """Reports an event of a type of docs/events.md. It is encoded before this returns, so `facts` may change
        afterwards; what does not fit is counted. `time_ns` is when it happened, in nanoseconds since the epoch, by
        default now. `encoded` are facts that are JSON already, for the package itself."""
        try:
            if self._is_closed:
                self.counts.drop("closed")
                return
            if not self._queue.put(self._encoder.encode(type_, facts, time_ns, encoded)):
                self.counts.drop("queue_full")
            if not self._delivery.is_running:
                self._start()
        except Unencodable as error:
            self.counts.drop("unencodable")
            self.counts.last_error = f"an event cannot be encoded: {error}"[:300]
        except Exception as error:
            self.counts.drop("internal_error")
            self.counts.last_error = f"{type(error).__name__}"
            let_through(error)

    def log(self, record: bytes) -> None:
        """Delivers a record of a log, as JSON of OTLP. Nobody may log from within delivery: ask `is_delivering`."""
        try:
            if self._is_closed:
                self.log_counts.drop("closed")
                return
            if not self._logs.queue.put(record):
                self.log_counts.drop("queue_full")
            if not self._delivery.is_running:
                self._start()
        except Exception as error:
            self.log_counts.drop("internal_error")
            self.log_counts.last_error = f"{type(error).__name__}"
            let_through(error)

    def is_delivering(self) -> bool:
        """Whether this is the thread that delivers. What is logged there is about delivery itself."""
        return self._delivery.working_thread == threading.get_ident()

    def work(self, queues: Optional[str] = None, max_concurrent_tasks: Optional[int] = None) -> None:
        """Makes this process a worker, which beats also while it has no job. `queues` are the names of those that it
        takes from, with commas, unless the setting says it; `max_concurrent_tasks` how many jobs it runs at once."""
        facts = {"queues": self.settings.queues or queues, "max_concurrent_tasks": max_concurrent_tasks}
        self.pulse.facts.update({name: value for name, value in facts.items() if value is not None})
        self.pulse.is_worker = True
        if not self._is_closed:
            self._beat()

    def act_for(self, worker_id: str) -> None:
        """Makes this process part of another one's worker: that one beats, and what is reported here is its."""
        self._acts_for = worker_id
        self.pulse.is_silent = True
        self._delivery.become_part()
        self._encoder.renew(self._facts())

    def new_id(self) -> str:
        """An id that nothing else has."""
        return self._encoder.new_id()

    def flush(self, timeout_seconds: float = 5.0) -> bool:
        """Waits until all that was reported so far is delivered, or in the spool. False when the time was over
        before."""
        try:
            return self._delivery.flush(timeout_seconds)
        except Exception as fault:
            let_through(fault)
            return False

    def shutdown(
        self, timeout_seconds: Optional[float] = None, reason: str = "shutdown", exit_code: Optional[int] = None
    ) -> None:
        """Says that the worker stopped, delivers what waits within the time, and takes no more events."""
        # Two ends may come at once: SIGTERM while the interpreter ends. The second waits for the first.
        timeout_seconds = self.settings.exit_seconds if timeout_seconds is None else timeout_seconds
        if not self._stopping.acquire(blocking=False):
            self._stopped.wait(timeout_seconds + 1.0)
            return
        try:
            self.pulse.stop(reason, exit_code)
            self._is_closed = True
            self._delivery.stop(timeout_seconds)
        except Exception as error:
            let_through(error)
            self.counts.last_error = f"{type(error).__name__}: {error}"
        finally:
            self._stopped.set()

    def stats(self) -> Stats:
        """What became of the events so far."""
        return _stats(self._events)

    def log_stats(self) -> Stats:
        """What became of the records of logs so far."""
        return _stats(self._logs)

    def after_fork(self) -> None:
        """In the child: what waits, runs and is under way is the parent's, and ids are new ones."""
        _exit.after_fork()
        was_closed = self._is_closed
        self._is_forked = True
        self._ends_with_child = False
        if was_closed:
            # It may have been in the middle of its end, which is the parent's.
            self._stopped.set()
            return
        self._stopping = threading.Lock()
        self._stopped = threading.Event()
        self.process.renew()
        if self.gpu is not None:
            self.gpu.renew()
        self._delivery.renew()
        self.pulse.renew()
        self._encoder.renew(self._facts())

    def _start(self) -> None:
        self._delivery.start()
        if not self._ends_with_child:
            self._ends_with_child = True
            _exit.at_exit_of_child(self.shutdown)
        self._beat()

    def _beat(self) -> None:
        if self.pulse.is_worker and not self.pulse.is_silent and self.settings.heartbeat_seconds:
            self.pulse.start()

    def _facts(self) -> dict[str, Any]:
        return {
            "service": self.settings.service,
            "worker_id": self.worker_id,
            "host": self.settings.host,
            "pid": os.getpid(),
        }

    def _resource(self) -> bytes:
        """Whose the records of logs are, as OTLP says it once for a batch."""
        settings = self.settings
        facts: dict[str, Any] = {
            "service.name": settings.service or "unknown_service",
            "service.version": settings.version,
            "host.name": settings.host,
            "worker_id": self.worker_id,
        }
        attributes = [{"key": key, "value": {"stringValue": value}} for key, value in facts.items() if value]
        attributes.append({"key": "process.pid", "value": {"intValue": str(os.getpid())}})
        return dumps({"attributes": attributes}).encode("utf-8", "replace")

    def _report_log_drops(self, dropped: dict[str, int]) -> bool:
        return self._report_drops(dropped, "records of logs", "watchkeeper.logs_dropped")

    def _report_drops(
        self, dropped: dict[str, int], what: str = "events", action: str = "watchkeeper.events_dropped"
    ) -> bool:
        """Tells what was lost. It goes where applications keep account of themselves: as a heartbeat it would make a
        worker of a process that is none, and soon a silent one. True when it is in the queue."""
        if not dropped:
            return True
        total = sum(dropped.values())
        named = ", ".join(f"{reason} {count}" for reason, count in sorted(dropped.items()))
        facts = {
            "action": action,
            "category": "system",
            "outcome": "failure",
            "target": self.worker_id,
            "message": f"{total} {what} were lost: {named}",
            "attributes": {"dropped": total, **{f"dropped_{reason}": count for reason, count in dropped.items()}},
        }
        try:
            return self._queue.put(self._encoder.encode("audit.recorded", facts))
        except Unencodable:
            return False


_BEFORE_THE_QUEUE = ("queue_full", "closed", "unencodable", "internal_error")


def _stats(lane: Lane) -> Stats:
    counts = lane.counts
    dropped = counts.dropped()
    # What never got into the queue was dropped before it.
    never_queued = sum(dropped.get(reason, 0) for reason in _BEFORE_THE_QUEUE)
    return Stats(
        reported=lane.queue.entered + never_queued,
        delivered=counts.delivered,
        rejected=counts.rejected,
        dropped=dropped,
        queued=len(lane.queue) + lane.waiting,
        queued_bytes=lane.queue.bytes,
        spooled=counts.spooled,
        adopted=counts.adopted,
        cleaned=counts.cleaned,
        retries=counts.retries,
        last_error=counts.last_error,
    )


_client: Optional[Client] = None


def current_client() -> Optional[Client]:
    """The client that `init` made, if Watchkeeper is configured."""
    return _client


def replace_client(client: Optional[Client]) -> Optional[Client]:
    """Makes `client` the one that all reports go to, and gives back the one before."""
    global _client
    before, _client = _client, client
    if client is not None:
        _exit.at_exit(client.shutdown)
    return before
