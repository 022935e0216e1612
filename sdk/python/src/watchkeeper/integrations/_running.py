"""The attempts that run in this process, by the id of their task."""

from __future__ import annotations

import threading
from typing import Any, Generic, Optional, Protocol, TypeVar

from .._context import current_job, current_stage
from .._fork import on_fork


class Attempt(Protocol):
    """What an integration keeps of an attempt."""

    @property
    def work(self) -> Any:
        """The job, or the stage, that it is told as."""


_Kept = TypeVar("_Kept", bound=Attempt)


class Running(Generic[_Kept]):
    """Attempts that run. A message that was delivered twice may run twice in one process: then each ends its own, which
    is known by the job that runs where it ends."""

    def __init__(self) -> None:
        self.after_fork()
        on_fork(self)

    def after_fork(self) -> None:
        """In the child: another thread may have held the lock, and what runs is the parent's."""
        self._lock = threading.RLock()
        self._attempts: dict[Any, list[_Kept]] = {}

    def add(self, id: Any, attempt: _Kept) -> None:
        """It begins."""
        with self._lock:
            self._attempts.setdefault(id, []).append(attempt)

    def of(self, id: Any) -> Optional[_Kept]:
        """The attempt that runs here, else the last that began, if there is one."""
        with self._lock:
            attempts = self._attempts.get(id, ())
            here = (current_job(), current_stage())
            return next((each for each in reversed(attempts) if each.work in here), attempts[-1] if attempts else None)

    def take(self, id: Any) -> Optional[_Kept]:
        """The same, which is over."""
        with self._lock:
            found = self.of(id)
            if found is not None:
                attempts = self._attempts[id]
                attempts.remove(found)
                if not attempts:
                    del self._attempts[id]
            return found
