"""One stream's way to the server: its queue, the batch that is under way, and when it is tried again.

A batch that is under way stays whole until it is settled: delivered, rejected, dropped and counted, or on the disk.
Its items have ids, so a batch whose answer was lost is sent again and stored once.

The thread that delivers owns it; `_delivery` has that thread.
"""

from __future__ import annotations

import random
import threading
import time
from collections import deque
from dataclasses import dataclass, field
from typing import Callable, Optional

from ._counts import Counts
from ._log import Warnings
from ._queue import Queue
from ._settings import Settings
from ._spool import Claim, Spool
from ._streams import Stream
from ._transport import Answer, Outcome, Transport, pack

_FIRST_PAUSE_SECONDS = 0.25
# Somebody must change a key or an address first.
_DENIED_PAUSE_SECONDS = 30.0
_SECONDS_BETWEEN_LOOKS = 15.0
# What has waited so long for a server that is away goes to the spool: the process may be killed.
_SECONDS_BEFORE_SPOOL = 10.0
# How often, and with which pauses, a server that was not away before is asked at the end of the process.
_LAST_ATTEMPTS = 3
_LAST_PAUSE_SECONDS = 0.2
_SECONDS_BETWEEN_TELLING = 60.0
_SMALLEST_BATCH_BYTES = 16 << 10
_NEVER = float("inf")


class _Parcel:
    """A batch under way, in as many parts as the server wants it."""

    def __init__(self, items: list[bytes], claim: Optional[Claim] = None) -> None:
        self.parts: deque[list[bytes]] = deque([items])
        self.claim = claim

    def rest(self) -> list[bytes]:
        return [item for part in self.parts for item in part]


@dataclass
class Means:
    """What all streams of a process share."""

    settings: Settings
    transport: Transport
    spool: Optional[Spool]
    warnings: Warnings
    lanes: list[Lane] = field(default_factory=list)
    #: Whether the process ends: what went wrong is then said once, at the very end.
    is_ending: bool = False
    #: Whether another process, which lives on, works and warns for this one.
    is_part: bool = False


class Lane:
    """Brings what is in a queue to the server."""

    def __init__(
        self,
        stream: Stream,
        means: Means,
        queue: Queue,
        counts: Counts,
        head: Callable[[], bytes],
        tell_drops: Callable[[dict[str, int]], bool],
    ) -> None:
        self.stream = stream
        self.queue = queue
        self.counts = counts
        self._means = means
        self._settings = means.settings
        self._spool = means.spool
        self._make_head = head
        self._tell_drops = tell_drops
        self._parcel: Optional[_Parcel] = None
        self.renew(threading.Condition())

    def renew(self, settled_or_not: threading.Condition) -> None:
        """Begins without a batch: what the parent of a fork has under way is the parent's."""
        parcel, self._parcel = self._parcel, None
        if parcel is not None and parcel.claim is not None:
            parcel.claim.release()
        self._settled_or_not = settled_or_not
        self._salvaging = threading.Lock()
        self.is_salvaged = False
        self._head: Optional[bytes] = None
        # How many of the items that were put into the queue need nothing more.
        self._settled = 0
        self._flush_up_to = 0
        self._failures = 0
        self._away_since = _NEVER
        self._retry_at = 0.0
        # Until when the server itself wants to be left alone.
        self._busy_until = 0.0
        self._look_at = 0.0
        # When the oldest item of the queue has waited long enough for others; infinite where there is none.
        self._due_at = _NEVER
        self._is_spool_full = False
        self._batch_bytes = self._settings.batch_bytes
        self._told: dict[str, int] = {}
        self._tell_at = 0.0

    @property
    def waiting(self) -> int:
        """How many items of the queue are under way."""
        parcel = self._parcel
        return 0 if parcel is None or parcel.claim is not None else sum(map(len, list(parcel.parts)))

    def is_settled(self, target: int) -> bool:
        """Whether so many of the items that were ever put need nothing more."""
        return self._settled >= target

    def hasten(self, target: int) -> None:
        """Sends so many of the items that were ever put without waiting for more, and tries again at once, unless the
        server wants to be left alone."""
        with self._settled_or_not:
            self._flush_up_to = max(self._flush_up_to, target)
        self._retry_at = self._busy_until

    def seconds_until_due(self) -> Optional[float]:
        """How long there is nothing to do: 0 where there is, None where only the bell will tell."""
        queue, settings = self.queue, self._settings
        now = time.monotonic()
        pause = self._retry_at - now
        if pause > 0:
            can_spill = self._spool is not None and not self._is_spool_full
            return 0.0 if can_spill and (self._is_hastened or queue.arm_at_half()) else pause
        if self._parcel is not None or self._is_spool_due(now):
            return 0.0
        idle = None if self._spool is None else max(0.0, self._look_at - now)
        if not queue.arm(1, 1):
            self._due_at = _NEVER
            return idle
        if self._is_hastened:
            self._due_at = now
        elif self._due_at == _NEVER:
            self._due_at = now + settings.flush_seconds
        count = min(settings.flush_events, max(1, settings.queue_events // 2))
        size = max(1, min(self._batch_bytes, settings.batch_bytes // 2, settings.queue_bytes // 2))
        if queue.arm(count, size):
            self._due_at = now
        left = max(0.0, self._due_at - now)
        return left if idle is None else min(left, idle)

    def work(self) -> None:
        """Does what is due: at most one request."""
        now = time.monotonic()
        if self._retry_at > now:
            if self._is_hastened:
                self._spill_all()
                self._flush_up_to = 0
            else:
                self._spill()
            return
        if self._parcel is None:
            self._parcel = self._next(now)
        if self._parcel is not None:
            self._attempt(self._parcel, self._settings.timeout_seconds)

    def failed(self, answer: Answer) -> None:
        """Leaves the server alone for a while."""
        self.counts.retries += 1
        self.counts.last_error = answer.detail
        longest = self._settings.retry_seconds
        if answer.retry_after_seconds is not None:
            pause = answer.retry_after_seconds
            self._busy_until = time.monotonic() + pause
        elif answer.outcome is Outcome.DENIED:
            pause = _DENIED_PAUSE_SECONDS * random.uniform(0.5, 1.0)
        else:
            pause = min(longest, _FIRST_PAUSE_SECONDS * 2.0 ** min(self._failures, 20)) * random.uniform(0.5, 1.0)
        now = time.monotonic()
        self._failures += 1
        self._away_since = min(self._away_since, now)
        self._retry_at = now + pause
        if self._spool is not None and (self._is_hastened or now - self._away_since >= _SECONDS_BEFORE_SPOOL):
            self._spill_all()
        # Whoever flushes has had an attempt; further ones come in their time.
        self._flush_up_to = 0
        self._warn(answer.detail)

    def tell(self, force: bool) -> None:
        """Reports what was dropped, as an event, once a minute at most."""
        dropped = self.counts.dropped()
        now = time.monotonic()
        if dropped == self._told or (now < self._tell_at and not force):
            return
        new = {reason: count - self._told.get(reason, 0) for reason, count in dropped.items()}
        if self._tell_drops({reason: count for reason, count in new.items() if count > 0}):
            self._told = dropped
            self._tell_at = now + _SECONDS_BETWEEN_TELLING

    def last_words(self) -> None:
        """Says what goes wrong while the process ends, when no event can any more. Where there is a spool, an event
        says it to whoever sends what is there."""
        dropped = self.counts.dropped()
        if dropped != self._told:
            named = ", ".join(f"{reason} {count}" for reason, count in sorted(dropped.items()))
            self._means.warnings.say(
                f"Watchkeeper at {self._settings.url} was not told of all {self.stream.items}, "
                f"these were dropped: {named}. The last trouble: {self.counts.last_error or 'the time was over'}",
                is_last=not self._means.is_part,
            )
            if self._spool is not None:
                self.tell(force=True)
        elif self._failures:
            self._warn(self.counts.last_error)

    def finish(self, deadline: float) -> None:
        """The end: one attempt after the other until all is delivered or the time is over."""
        was_away = self._failures > 0
        while (self._parcel is not None or len(self.queue) > 0) and not self.is_salvaged:
            left = deadline - time.monotonic()
            if left <= 0:
                break
            if self._parcel is None:
                self._parcel = _Parcel(self.queue.take(self._settings.batch_events, self._batch_bytes))
            if not self._attempt(self._parcel, min(self._settings.timeout_seconds, left)):
                # A server that has been away or wants to be left alone, or a spool that keeps it all, is no reason to
                # hold up the end of a process. One that is started anew has a moment.
                is_over = self._failures >= _LAST_ATTEMPTS or self._retry_at > deadline
                if was_away or is_over or self._spool is not None:
                    break
                time.sleep(max(0.0, min(_LAST_PAUSE_SECONDS * self._failures, deadline - time.monotonic())))

    def salvage(self) -> None:
        """Brings what is left to the disk, or counts it: the thread does, or who waits for it, whoever comes first."""
        if not self._salvaging.acquire(timeout=1.0):
            return
        try:
            self.is_salvaged = True
            parcel, self._parcel = self._parcel, None
            left: list[bytes] = []
            if parcel is not None and parcel.claim is not None:
                parcel.claim.release()
            elif parcel is not None:
                left = parcel.rest()
            while left or len(self.queue) > 0:
                left = left or self.queue.take(self._settings.batch_events, self._settings.batch_bytes)
                if not self._to_disk(left):
                    self.counts.drop("exit" if self._spool is None else "spool_full", len(left))
                left = []
        finally:
            self._salvaging.release()

    @property
    def _is_hastened(self) -> bool:
        """Whether somebody waits for items that are not settled."""
        return self._settled < self._flush_up_to

    def _is_spool_due(self, now: float) -> bool:
        is_queue_first = self._is_hastened and len(self.queue) > 0
        return self._spool is not None and now >= self._look_at and not (is_queue_first or self.queue.is_half_full())

    def _next(self, now: float) -> Optional[_Parcel]:
        """What goes next: the oldest of the spool, unless the queue is about to be full or somebody waits for what is
        there."""
        if self._spool is not None and self._is_spool_due(now):
            claim = self._spool.claim(self.stream, self.counts)
            if claim is not None:
                return _Parcel(claim.events, claim)
            self._is_spool_full = False
            self._look_at = now + _SECONDS_BETWEEN_LOOKS
        if self._due_at > now:
            return None
        self._due_at = _NEVER
        items = self.queue.take(self._settings.batch_events, self._batch_bytes)
        return _Parcel(items) if items else None

    def _attempt(self, parcel: _Parcel, timeout_seconds: float) -> bool:
        """Sends the first part. False where the server did not take it, and is to be left alone for a while."""
        part = parcel.parts[0]
        body = self.stream.body(self._own_head() if parcel.claim is None else parcel.claim.head, part)
        answer = self._means.transport.send(self.stream, pack(body), timeout_seconds)
        if self.is_salvaged:
            # The end of the process did not wait for this answer: these items are in the spool, or counted.
            return False
        if answer.outcome is Outcome.DELIVERED:
            self._delivered(parcel, len(part), answer)
        elif answer.outcome in (Outcome.TOO_LARGE, Outcome.REFUSED):
            self._halve(parcel, answer, len(body))
        else:
            self.failed(answer)
            return False
        self._failures = 0
        self._away_since = _NEVER
        self._retry_at = self._busy_until = 0.0
        if not parcel.parts:
            if parcel.claim is not None:
                parcel.claim.done()
                self._is_spool_full = False
            self._parcel = None
        # Of all: where a stream is refused, another one's success is the occasion.
        for lane in self._means.lanes:
            lane.tell(force=False)
        return True

    def _own_head(self) -> bytes:
        if self._head is None:
            self._head = self._make_head()
        return self._head

    def _delivered(self, parcel: _Parcel, items: int, answer: Answer) -> None:
        rejected = min(answer.rejected, items)
        if parcel.claim is None:
            self.counts.delivered += items - rejected
            self.counts.rejected += rejected
        else:
            self.counts.adopted += items - rejected
            if rejected:
                self.counts.drop("adopted_rejected", rejected)
        if rejected:
            what = self.stream.items
            self.counts.last_error = f"of {what}, some were rejected: {answer.detail}"
            self._means.warnings.say(f"Watchkeeper rejected {rejected} {what}, the first because: {answer.detail}")
        self._settle(parcel)

    def _halve(self, parcel: _Parcel, answer: Answer, size: int) -> None:
        """Finds what is too large or cannot be read by halves. One item alone is dropped."""
        part = parcel.parts[0]
        self.counts.last_error = answer.detail
        if len(part) == 1:
            reason = "too_large" if answer.outcome is Outcome.TOO_LARGE else "refused"
            self.counts.drop(reason if parcel.claim is None else "adopted_" + reason)
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

    def _warn(self, detail: str) -> None:
        if self._means.is_ending:
            return
        lost = sum(self.counts.dropped().values())
        waiting = len(self.queue) + self.waiting
        self._means.warnings.say(
            f"Watchkeeper at {self._settings.url} cannot be told: {detail}. {waiting} {self.stream.items} wait, "
            f"{lost} were dropped so far, {self.counts.spooled} went to the spool"
        )

    def _spill(self) -> None:
        """Brings items to the disk until there is room in the queue again."""
        queue = self.queue
        while self._spool is not None and queue.is_half_full() and not self.is_salvaged:
            items = queue.take(self._settings.batch_events, self._settings.batch_bytes)
            if not self._to_disk(items):
                queue.put_back(items)
                self._is_spool_full = True
                self._warn(self.counts.last_error)
                return

    def _spill_all(self) -> None:
        """Brings all that waits to the disk: somebody asks for that, or the server has been away for long."""
        if self._spool is None:
            return
        parcel = self._parcel
        if parcel is not None and parcel.claim is None:
            if not self._to_disk(parcel.rest()):
                self._is_spool_full = True
                return
            self._parcel = None
        while len(self.queue) > 0 and not self.is_salvaged:
            items = self.queue.take(self._settings.batch_events, self._settings.batch_bytes)
            if not self._to_disk(items):
                self.queue.put_back(items)
                self._is_spool_full = True
                return

    def _to_disk(self, items: list[bytes]) -> bool:
        if self._spool is None or not self._spool.write(items, self.stream, self._own_head(), self.counts):
            return False
        self.counts.spooled += len(items)
        self._look_at = 0.0
        with self._settled_or_not:
            self._settled += len(items)
            self._settled_or_not.notify_all()
        return True
