"""The bounded queue between whoever reports and the thread that delivers.

When it is full the newest event is dropped, not the oldest: what is in it has been taken, the first events of a trouble
say what began it, and to turn one away costs less than to take another out.
"""

from __future__ import annotations

import queue
import threading
from collections import deque
from typing import Optional

_NEVER = 1 << 62


class Bell:
    """What the thread that delivers sleeps by. Whoever rings does not wait, and a bell that rang before is heard."""

    def __init__(self) -> None:
        self.renew()

    def renew(self) -> None:
        """Forgets who waits: for the child of a fork."""
        self._rung: queue.SimpleQueue[None] = queue.SimpleQueue()

    def ring(self) -> None:
        """Wakes whoever waits, or makes the next wait end at once."""
        self._rung.put(None)

    def wait(self, timeout_seconds: Optional[float]) -> None:
        """Sleeps until it rings or the time is over."""
        try:
            self._rung.get(timeout=timeout_seconds)
            while True:
                self._rung.get_nowait()
        except queue.Empty:
            pass


class Queue:
    """Events as bytes, bounded by their number and their size; many threads put, one takes.

    Its lock is reentrant, and its bell is a `SimpleQueue`: handlers of signals and finalizers may report in the middle
    of a report of their own thread. Queues of one thread share its bell.
    """

    def __init__(self, max_events: int, max_bytes: int, bell: Optional[Bell] = None) -> None:
        self._max_events = max_events
        self._max_bytes = max_bytes
        self._bell = Bell() if bell is None else bell
        self.renew()

    def renew(self) -> None:
        """Empties it: for the child of a fork, in which nobody else runs."""
        self._lock = threading.RLock()
        self._items: deque[bytes] = deque()
        self._wake_at = _NEVER
        self._wake_at_bytes = _NEVER
        self.bytes = 0
        #: How many were ever put.
        self.entered = 0

    def __len__(self) -> int:
        return len(self._items)

    def put(self, item: bytes) -> bool:
        """Adds an event, unless there is no room."""
        size = len(item)
        items = self._items
        with self._lock:
            if len(items) >= self._max_events or self.bytes + size > self._max_bytes:
                return False
            items.append(item)
            self.bytes += size
            self.entered += 1
            if len(items) >= self._wake_at or self.bytes >= self._wake_at_bytes:
                self._wake_at = self._wake_at_bytes = _NEVER
                self._bell.ring()
        return True

    def take(self, max_events: int, max_bytes: int) -> list[bytes]:
        """Takes the oldest events: at least one where there is any, and no more than the bounds."""
        taken: list[bytes] = []
        size = 0
        with self._lock:
            while self._items and len(taken) < max_events:
                size += len(self._items[0])
                if taken and size > max_bytes:
                    break
                item = self._items.popleft()
                self.bytes -= len(item)
                taken.append(item)
        return taken

    def put_back(self, items: list[bytes]) -> None:
        """Gives back what was taken, to the front. It had room before."""
        with self._lock:
            self._items.extendleft(reversed(items))
            self.bytes += sum(map(len, items))

    def is_half_full(self) -> bool:
        """Whether half of the room is taken."""
        return len(self._items) * 2 >= self._max_events or self.bytes * 2 >= self._max_bytes

    def arm(self, events: int, size: int) -> bool:
        """Lets the bell ring once so many events or bytes wait. True where they do already."""
        with self._lock:
            if len(self._items) >= events or self.bytes >= size:
                self._wake_at = self._wake_at_bytes = _NEVER
                return True
            self._wake_at, self._wake_at_bytes = events, size
        return False

    def arm_at_half(self) -> bool:
        """The same, for half of the room."""
        return self.arm((self._max_events + 1) // 2, (self._max_bytes + 1) // 2)

    def disarm(self) -> None:
        """Lets no put ring."""
        with self._lock:
            self._wake_at = self._wake_at_bytes = _NEVER
