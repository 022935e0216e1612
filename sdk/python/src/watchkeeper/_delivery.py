"""The thread that delivers: batches by size and time, retries, and the spool where the server is away.

A batch that is under way stays whole until it is settled: delivered, rejected, dropped and counted, or on the disk.
Its events have ids, so a batch whose answer was lost is sent again and stored once.
"""

from __future__ import annotations

import random
import threading
import time
from collections import deque
from typing import Callable, Optional

from ._counts import Counts
from ._log import Warnings
from ._queue import Queue
from ._settings import Settings
from ._spool import Claim, Spool
from ._transport import Answer, Outcome, Transport, pack

_FIRST_PAUSE_SECONDS = 0.25
# Somebody must change a key or an address first.
_DENIED_PAUSE_SECONDS = 30.0
_SECONDS_BETWEEN_LOOKS = 15.0
_SECONDS_BETWEEN_TELLING = 60.0
_SMALLEST_BATCH_BYTES = 16 << 10


class _Parcel:
    """A batch under way, in as many parts as the server wants it."""

    def __init__(self, events: list[bytes], claim: Optional[Claim] = None) -> None:
        self.parts: deque[list[bytes]] = deque([events])
        self.claim = claim

    def rest(self) -> list[bytes]:
        return [event for part in self.parts for event in part]


class Delivery:
    """Takes events out of the queue and brings them to the server. Nothing of it runs before `start`."""

    def __init__(
        self,
        settings: Settings,
        queue: Queue,
        counts: Counts,
        tell_drops: Callable[[dict[str, int]], bool],
    ) -> None:
        self._settings = settings
        self._queue = queue
        self._counts = counts
        self._tell_drops = tell_drops
        self._warnings = Warnings()
        self.transport = Transport(settings)
        self.spool: Optional[Spool] = None
        if settings.spool_dir:
            spool = Spool(settings.spool_dir, settings.spool_bytes, counts)
            if spool.is_usable:
                self.spool = spool
            else:
                self._warnings.say("there is no spool: this system has no locks of files")
        self._parcel: Optional[_Parcel] = None
        self.renew()

    def renew(self) -> None:
        """Begins without a thread and without a batch: what the parent of a fork has under way is the parent's."""
        parcel, self._parcel = self._parcel, None
        if parcel is not None and parcel.claim is not None:
            parcel.claim.release()
        self.transport.abandon()
        self._settled_or_not = threading.Condition()
        self._starting = threading.Lock()
        self._salvaging = threading.Lock()
        self._thread: Optional[threading.Thread] = None
        self._stop_at: Optional[float] = None
        self._is_salvaged = False
        # How many of the events that were put into the queue need nothing more.
        self._settled = 0
        self._flush_up_to = 0
        self._failures = 0
        self._retry_at = 0.0
        self._look_at = 0.0
        self._is_spool_full = False
        self._batch_bytes = self._settings.batch_bytes
        self._told: dict[str, int] = {}
        self._tell_at = 0.0

    @property
    def is_running(self) -> bool:
        """Whether its thread was started."""
        return self._thread is not None

    @property
    def waiting(self) -> int:
        """How many events of the queue are under way."""
        parcel = self._parcel
        return 0 if parcel is None or parcel.claim is not None else sum(map(len, list(parcel.parts)))

    def start(self) -> None:
        """Starts the thread, once. Where none can be started, what waits is delivered at the end of the process."""
        if not self._starting.acquire(blocking=False):
            return
        try:
            if self._thread is None and self._stop_at is None:
                thread = threading.Thread(target=self._run, name="watchkeeper-delivery", daemon=True)
                thread.start()
                self._thread = thread
        except RuntimeError as error:
            self._counts.last_error = f"no thread: {error}"
        finally:
            self._starting.release()

    def flush(self, timeout_seconds: float) -> bool:
        """Waits until all that was reported so far is settled. False when the time was over before."""
        target = self._queue.entered
        deadline = time.monotonic() + timeout_seconds
        with self._settled_or_not:
            if self._settled >= target:
                return True
            self._flush_up_to = max(self._flush_up_to, target)
        self._retry_at = 0.0
        self.start()
        self._queue.wake()
        with self._settled_or_not:
            return self._settled_or_not.wait_for(
                lambda: self._settled >= target or self._is_salvaged, max(0.0, deadline - time.monotonic())
            ) and self._settled >= target

    def stop(self, timeout_seconds: float) -> None:
        """Delivers what waits, within the time, and ends. What is left goes to the spool, or is counted."""
        if self._stop_at is None:
            self._stop_at = time.monotonic() + timeout_seconds
        self._queue.wake()
        thread = self._thread
        if thread is None:
            self._finish()
        elif thread is not threading.current_thread():
            thread.join(timeout_seconds + 0.1)
            if thread.is_alive():
                # It hangs in a request. Its batch may arrive nevertheless, and is kept all the same.
                self.transport.abort()
                self._salvage()

    def _run(self) -> None:
        while self._stop_at is None:
            try:
                self._sleep()
                if self._stop_at is None:
                    self._work()
            except Exception as error:
                # A fault of ours must not end delivery for good.
                self._failed(Answer(Outcome.AWAY, f"{type(error).__name__}: {error}"))
            with self._settled_or_not:
                self._settled_or_not.notify_all()
        self._finish()

    def _sleep(self) -> None:
        queue, settings = self._queue, self._settings
        pause = self._retry_at - time.monotonic()
        if pause > 0:
            if self.spool is None or self._is_spool_full:
                queue.sleep(pause)
            else:
                queue.wait_until_half_full(pause)
            return
        if self._parcel is not None:
            return
        idle = None if self.spool is None else max(0.0, self._look_at - time.monotonic())
        queue.wait(1, 1, idle)
        # Looked at after the wait above, which may have taken the bell of a `flush` or a `stop` with it.
        if self._stop_at is None and self._settled >= self._flush_up_to and len(queue) > 0:
            events = min(settings.flush_events, max(1, settings.queue_events // 2))
            size = max(1, min(self._batch_bytes, settings.batch_bytes // 2, settings.queue_bytes // 2))
            queue.wait(events, size, settings.flush_seconds)

    def _work(self) -> None:
        if self._retry_at > time.monotonic():
            self._spill()
            return
        if self._parcel is None:
            self._parcel = self._next()
        if self._parcel is not None:
            self._attempt(self._parcel, self._settings.timeout_seconds)

    def _next(self) -> Optional[_Parcel]:
        """What goes next: the oldest of the spool, unless the queue is about to be full."""
        now = time.monotonic()
        if self.spool is not None and now >= self._look_at and not self._queue.is_half_full():
            claim = self.spool.claim()
            if claim is not None:
                return _Parcel(claim.events, claim)
            self._is_spool_full = False
            self._look_at = now + _SECONDS_BETWEEN_LOOKS
        events = self._queue.take(self._settings.batch_events, self._batch_bytes)
        return _Parcel(events) if events else None

    def _attempt(self, parcel: _Parcel, timeout_seconds: float) -> bool:
        """Sends the first part. False where the server did not take it, and is to be left alone for a while."""
        part = parcel.parts[0]
        body = b"\n".join(part)
        answer = self.transport.send(pack(body), timeout_seconds)
        if self._is_salvaged:
            # The end of the process did not wait for this answer: these events are in the spool, or counted.
            return False
        if answer.outcome is Outcome.DELIVERED:
            self._delivered(parcel, len(part), answer)
        elif answer.outcome in (Outcome.TOO_LARGE, Outcome.REFUSED):
            self._halve(parcel, answer, len(body))
        else:
            self._failed(answer)
            return False
        self._failures = 0
        self._retry_at = 0.0
        if not parcel.parts:
            if parcel.claim is not None:
                parcel.claim.done()
                self._is_spool_full = False
            self._parcel = None
        self._tell(force=False)
        return True

    def _delivered(self, parcel: _Parcel, events: int, answer: Answer) -> None:
        rejected = min(len(answer.rejected), events)
        if parcel.claim is None:
            self._counts.delivered += events - rejected
            self._counts.rejected += rejected
        else:
            self._counts.adopted += events - rejected
            if rejected:
                self._counts.drop("adopted_rejected", rejected)
        if rejected:
            self._counts.last_error = f"an event was rejected: {answer.detail}"
            self._warnings.say(f"Watchkeeper rejected {rejected} events, the first because: {answer.detail}")
        self._settle(parcel)

    def _halve(self, parcel: _Parcel, answer: Answer, size: int) -> None:
        """Finds what is too large or cannot be read by halves. One event alone is dropped."""
        part = parcel.parts[0]
        self._counts.last_error = answer.detail
        if len(part) == 1:
            reason = "too_large" if answer.outcome is Outcome.TOO_LARGE else "refused"
            self._counts.drop(reason if parcel.claim is None else "adopted_" + reason)
            self._warn(answer.detail)
            self._settle(parcel)
            return
        if answer.outcome is Outcome.TOO_LARGE:
            self._batch_bytes = max(_SMALLEST_BATCH_BYTES, min(self._batch_bytes, size // 2))
        parcel.parts.popleft()
        middle = len(part) // 2
        parcel.parts.extendleft((part[middle:], part[:middle]))

    def _settle(self, parcel: _Parcel) -> None:
        part = parcel.parts.popleft()
        if parcel.claim is None:
            with self._settled_or_not:
                self._settled += len(part)

    def _failed(self, answer: Answer) -> None:
        self._counts.retries += 1
        self._counts.last_error = answer.detail
        longest = self._settings.retry_seconds
        if answer.retry_after_seconds is not None:
            pause = answer.retry_after_seconds
        elif answer.outcome is Outcome.DENIED:
            pause = _DENIED_PAUSE_SECONDS * random.uniform(0.5, 1.0)
        else:
            pause = min(longest, _FIRST_PAUSE_SECONDS * 2.0 ** min(self._failures, 20)) * random.uniform(0.5, 1.0)
        self._failures += 1
        self._retry_at = time.monotonic() + pause
        # Whoever flushes has had an attempt; further ones come in their time.
        self._flush_up_to = 0
        self._warn(answer.detail)

    def _warn(self, detail: str) -> None:
        lost = sum(self._counts.dropped().values())
        waiting = len(self._queue) + self.waiting
        self._warnings.say(
            f"Watchkeeper at {self._settings.url} cannot be told: {detail}. "
            f"{waiting} events wait, {lost} were dropped so far"
        )

    def _spill(self) -> None:
        """Brings events to the disk until there is room in the queue again."""
        spool, queue = self.spool, self._queue
        if spool is None:
            return
        while queue.is_half_full() and self._stop_at is None:
            events = queue.take(self._settings.batch_events, self._settings.batch_bytes)
            if not self._to_disk(events):
                queue.put_back(events)
                self._is_spool_full = True
                self._warn(self._counts.last_error)
                return

    def _to_disk(self, events: list[bytes]) -> bool:
        if self.spool is None or not self.spool.write(events):
            return False
        self._counts.spooled += len(events)
        self._look_at = 0.0
        with self._settled_or_not:
            self._settled += len(events)
            self._settled_or_not.notify_all()
        return True

    def _tell(self, force: bool) -> None:
        """Reports what was dropped, as an event, once a minute at most."""
        dropped = self._counts.dropped()
        now = time.monotonic()
        if dropped == self._told or (now < self._tell_at and not force):
            return
        new = {reason: count - self._told.get(reason, 0) for reason, count in dropped.items()}
        if self._tell_drops({reason: count for reason, count in new.items() if count > 0}):
            self._told = dropped
            self._tell_at = now + _SECONDS_BETWEEN_TELLING

    def _finish(self) -> None:
        """The end: one attempt after the other until all is delivered or the time is over."""
        deadline = self._stop_at or 0.0
        was_away = self._failures > 0
        try:
            self._tell(force=True)
            while (self._parcel is not None or len(self._queue) > 0) and not self._is_salvaged:
                left = deadline - time.monotonic()
                if left <= 0:
                    break
                if self._parcel is None:
                    self._parcel = _Parcel(self._queue.take(self._settings.batch_events, self._batch_bytes))
                if not self._attempt(self._parcel, min(self._settings.timeout_seconds, left)):
                    # A server that has been away, or a spool that keeps it all, is no reason to wait.
                    if was_away or self.spool is not None:
                        break
                    time.sleep(max(0.0, min(0.2, deadline - time.monotonic())))
        except Exception as error:
            self._counts.last_error = f"{type(error).__name__}: {error}"
        self._salvage()
        self.transport.close()
        with self._settled_or_not:
            self._settled_or_not.notify_all()

    def _salvage(self) -> None:
        """Brings what is left to the disk, or counts it. Whoever comes first does it: the thread, or who waits for it.
        """
        if not self._salvaging.acquire(timeout=1.0):
            return
        try:
            self._is_salvaged = True
            parcel, self._parcel = self._parcel, None
            left: list[bytes] = []
            if parcel is not None and parcel.claim is not None:
                parcel.claim.release()
            elif parcel is not None:
                left = parcel.rest()
            while left or len(self._queue) > 0:
                left = left or self._queue.take(self._settings.batch_events, self._settings.batch_bytes)
                if not self._to_disk(left):
                    self._counts.drop("exit" if self.spool is None else "spool_full", len(left))
                left = []
        finally:
            self._salvaging.release()
