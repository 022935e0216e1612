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


class Queue:
    """Events as bytes, bounded by their number and their size; many threads put, one takes.

    Its lock is reentrant, and its bell is a `SimpleQueue`: handlers of signals and finalizers may report in the middle
    of a report of their own thread.
    """

    def __init__(self, max_events: int, max_bytes: int) -> None:
        self._max_events = max_events
        self._max_bytes = max_bytes
        self.renew()

    def renew(self) -> None:
        """Empties it, and forgets who waits: for the child of a fork, in which nobody else runs."""
        self._lock = threading.RLock()
        self._bell: queue.SimpleQueue[None] = queue.SimpleQueue()
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
                self._bell.put(None)
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

    def wait(self, events: int, size: int, timeout_seconds: Optional[float]) -> None:
        """Sleeps until so many events or bytes wait, the time is over, or `wake` is called."""
        with self._lock:
            if len(self._items) >= events or self.bytes >= size:
                return
            self._wake_at, self._wake_at_bytes = events, size
        try:
            self._bell.get(timeout=timeout_seconds)
            while True:
                self._bell.get_nowait()
        except queue.Empty:
            pass
        with self._lock:
            self._wake_at = self._wake_at_bytes = _NEVER

    def sleep(self, timeout_seconds: Optional[float]) -> None:
        """Sleeps until `wake` is called or the time is over, whatever is put meanwhile."""
        self.wait(_NEVER, _NEVER, timeout_seconds)

    def wait_until_half_full(self, timeout_seconds: float) -> None:
        """Sleeps until half of the room is taken, the time is over, or `wake` is called."""
        self.wait((self._max_events + 1) // 2, (self._max_bytes + 1) // 2, timeout_seconds)

    def wake(self) -> None:
        """Wakes whoever waits, or makes the next wait end at once."""
        self._bell.put(None)
