"""What became of events, in numbers. Nothing that was reported is missing from them."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Stats:
    """What became of the events of this process, since it began or was forked. Given by `wk.stats()`; of records of
    logs by `wk.logs.stats()`.

    `reported` is the sum of `delivered`, `rejected`, `dropped`, `queued` and `spooled`. What becomes of batches in the
    spool, whoever put them there, is counted by the process that sends them: in `adopted`, and where it failed in
    `dropped` by reasons that begin with `adopted_`, which are not part of that sum.
    """

    #: Events that were reported.
    reported: int = 0
    #: Events that the server has stored, those among them that it had before.
    delivered: int = 0
    #: Events that the server could not understand.
    rejected: int = 0
    #: Events that were lost, by reason: `queue_full`, `closed` (reported after `shutdown`), `unencodable`, `exit`
    #: (the process ended before they were delivered), `spool_full`, `too_large`, `refused`, `internal_error`.
    dropped: dict[str, int] = field(default_factory=dict)
    #: Events that wait in memory.
    queued: int = 0
    #: The bytes of those.
    queued_bytes: int = 0
    #: Events that this process put on the disk.
    spooled: int = 0
    #: Events of the spool, of whatever process, that this one delivered.
    adopted: int = 0
    #: Events that had to be cut or turned into text to be sent. They were sent.
    cleaned: int = 0
    #: Requests that failed and were tried again.
    retries: int = 0
    #: What went wrong last, in words.
    last_error: str = ""


class Counts:
    """The counters behind `Stats`."""

    def __init__(self) -> None:
        self.renew()

    def renew(self) -> None:
        """Begins at zero: for the child of a fork."""
        # Reentrant: a signal's handler may report while its thread counts.
        self._lock = threading.RLock()
        self._dropped: dict[str, int] = {}
        self.delivered = 0
        self.rejected = 0
        self.spooled = 0
        self.adopted = 0
        self.retries = 0
        self.cleaned = 0
        self.last_error = ""

    def drop(self, reason: str, events: int = 1) -> None:
        """Counts events that are lost."""
        with self._lock:
            self._dropped[reason] = self._dropped.get(reason, 0) + events

    def clean(self) -> None:
        """Counts an event that was cut."""
        with self._lock:
            self.cleaned += 1

    def dropped(self) -> dict[str, int]:
        """How many were lost, by reason."""
        with self._lock:
            return dict(self._dropped)
