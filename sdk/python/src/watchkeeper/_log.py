"""Warnings to the application's log, once a minute at most, and one at the end of a process that loses something.

Only the package's own threads and `init` write here, never the code of a job: a handler of the application may be
slow, or may itself report to Watchkeeper.
"""

from __future__ import annotations

import logging
import time

logger = logging.getLogger("watchkeeper")

_SECONDS_BETWEEN = 60.0


class Warnings:
    """Says something at most once a minute; what was not said is counted and told with the next one."""

    def __init__(self) -> None:
        self._next_at = 0.0
        self._held_back = 0

    def say(self, message: str, is_last: bool = False) -> bool:
        """Logs `message`, unless another was logged within the last minute. Tells whether it was. What `is_last` has no
        later occasion."""
        now = time.monotonic()
        if now < self._next_at and not is_last:
            self._held_back += 1
            return False
        more = f" ({self._held_back} warnings before this one were not shown)" if self._held_back else ""
        self._next_at = now + _SECONDS_BETWEEN
        self._held_back = 0
        try:
            logger.warning("%s%s", message, more)
        except Exception:
            # A handler that fails is the application's matter.
            return False
        return True
