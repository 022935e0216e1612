"""The thread that delivers all streams of a process, one request after the other over one connection.

Each stream has its own queue, bounds and pauses (`_lane`): a flood of logs takes no room from events, and an endpoint
that is refused holds up no other.
"""

from __future__ import annotations

import threading
import time
from typing import Callable, Optional

from ._counts import Counts
from ._lane import Lane, Means
from ._log import Warnings
from ._queue import Bell, Queue
from ._settings import Settings
from ._spool import Spool
from ._streams import Stream
from ._transport import Answer, Outcome, Transport

_SECONDS_TO_START = 1.0
_SECONDS_BETWEEN_STARTS = 1.0


class Delivery:
    """Takes what waits out of queues and brings it to the server. Nothing of it runs before `start`."""

    def __init__(self, settings: Settings, counts: Counts) -> None:
        self._counts = counts
        self._bell = Bell()
        warnings = Warnings()
        spool: Optional[Spool] = None
        if settings.spool_dir:
            spool = Spool(settings.spool_dir, settings.spool_bytes, counts)
            if not spool.is_usable:
                spool = None
                warnings.say("there is no spool: this system has no locks of files")
        self._means = Means(settings, Transport(settings), spool, warnings)
        self._lanes = self._means.lanes
        self.renew()

    def add(
        self,
        stream: Stream,
        max_items: int,
        max_bytes: int,
        counts: Counts,
        tell_drops: Callable[[dict[str, int]], bool],
        head: Callable[[], bytes] = bytes,
    ) -> Lane:
        """One more stream. Those that were added first go first. Before `start` only."""
        lane = Lane(stream, self._means, Queue(max_items, max_bytes, self._bell), counts, head, tell_drops)
        lane.renew(self._settled_or_not)
        self._lanes.append(lane)
        return lane

    def renew(self) -> None:
        """Begins without a thread and with empty queues: what the parent of a fork has under way is the parent's."""
        self._means.transport.abandon()
        self._bell.renew()
        self._settled_or_not = threading.Condition()
        self._starting = threading.Lock()
        self._ending = threading.Lock()
        self._means.is_ending = False
        self._thread: Optional[threading.Thread] = None
        self._start_at = 0.0
        self._stop_at: Optional[float] = None
        #: The thread that delivers just now; what it logs is not delivered.
        self.working_thread = 0
        for lane in self._lanes:
            lane.queue.renew()
            lane.counts.renew()
            lane.renew(self._settled_or_not)

    @property
    def is_running(self) -> bool:
        """Whether its thread was started."""
        return self._thread is not None

    def start(self) -> None:
        """Starts the thread, once. Where none can be started it is tried again a second later; else what waits is
        delivered at the end of the process."""
        if time.monotonic() < self._start_at or not self._starting.acquire(blocking=False):
            return
        try:
            if self._thread is None and self._stop_at is None:
                # Of the same kind as the thread: gevent may have come between, and a greenlet that waits at a bell of
                # the system would stop all others.
                self._bell.renew()
                thread = threading.Thread(target=self._run, name="watchkeeper-delivery", daemon=True)
                thread.start()
                self._thread = thread
        except RuntimeError as error:
            self._start_at = time.monotonic() + _SECONDS_BETWEEN_STARTS
            self._counts.last_error = f"no thread: {error}"
        finally:
            self._starting.release()

    def become_part(self) -> None:
        """From now on another process warns for this one."""
        self._means.is_part = True

    def flush(self, timeout_seconds: float) -> bool:
        """Waits until all that was reported so far is settled. False when the time was over before."""
        deadline = time.monotonic() + timeout_seconds
        targets = [(lane, lane.queue.entered) for lane in self._lanes]

        def is_settled() -> bool:
            return all(lane.is_settled(target) for lane, target in targets)

        if is_settled():
            return True
        for lane, target in targets:
            if not lane.is_settled(target):
                lane.hasten(target)
        self._start_at = 0.0
        self.start()
        self._bell.ring()
        with self._settled_or_not:
            self._settled_or_not.wait_for(
                lambda: is_settled() or all(lane.is_salvaged for lane in self._lanes),
                max(0.0, deadline - time.monotonic()),
            )
            return is_settled()

    def stop(self, timeout_seconds: float) -> None:
        """Delivers what waits, within the time, and ends. What is left goes to the spool, or is counted."""
        # Another thread may be about to start ours: two that deliver would send the same, and miscount it. The lock may
        # be held by this very thread, which a signal's handler interrupted, and so is not waited for long.
        is_held = self._starting.acquire(timeout=_SECONDS_TO_START)
        try:
            if self._stop_at is None:
                self._stop_at = time.monotonic() + timeout_seconds
                self._means.is_ending = True
            thread = self._thread
        finally:
            if is_held:
                self._starting.release()
        self._bell.ring()
        if thread is None:
            self._finish()
        elif thread is not threading.current_thread():
            thread.join(timeout_seconds + 0.1)
            if thread.is_alive():
                # It hangs in a request. Its batch may arrive nevertheless, and is kept all the same.
                self._means.transport.abort()
                self._salvage()

    def _run(self) -> None:
        self.working_thread = threading.get_ident()
        while self._stop_at is None:
            try:
                self._sleep()
            except Exception as error:
                self._counts.last_error = f"{type(error).__name__}: {error}"
                time.sleep(1.0)
            for lane in self._lanes:
                if self._stop_at is not None:
                    break
                try:
                    lane.work()
                except Exception as error:
                    self._failed(lane, error)
                with self._settled_or_not:
                    self._settled_or_not.notify_all()
        self._finish()

    def _failed(self, lane: Lane, error: Exception) -> None:
        """A fault of ours, or no memory, must not end delivery for good."""
        try:
            lane.failed(Answer(Outcome.AWAY, f"{type(error).__name__}: {error}"))
        except Exception as another:
            lane.counts.last_error = f"{type(another).__name__}: {another}"
            time.sleep(1.0)

    def _sleep(self) -> None:
        pauses = [lane.seconds_until_due() for lane in self._lanes]
        known = [pause for pause in pauses if pause is not None]
        pause = min(known) if known else None
        # A bell that rang after this was asked is heard by the wait.
        if self._stop_at is None and (pause is None or pause > 0):
            self._bell.wait(pause)
        for lane in self._lanes:
            lane.queue.disarm()

    def _finish(self) -> None:
        before, self.working_thread = self.working_thread, threading.get_ident()
        # All say first what they lost, because that is an event, and events are the first to go.
        ends: list[Callable[[Lane], None]] = [
            lambda lane: lane.tell(force=True),
            lambda lane: lane.finish(self._stop_at or 0.0),
        ]
        for end in ends:
            for lane in self._lanes:
                try:
                    end(lane)
                except Exception as error:
                    lane.counts.last_error = f"{type(error).__name__}: {error}"
        self._salvage()
        self._means.transport.close()
        self.working_thread = before
        with self._settled_or_not:
            self._settled_or_not.notify_all()

    def _salvage(self) -> None:
        for lane in self._lanes:
            lane.salvage()
        # Once, by whoever comes here first.
        if self._ending.acquire(blocking=False):
            self._means.is_ending = False
            for lane in self._lanes:
                lane.last_words()
            for lane in self._lanes:
                lane.salvage()
