"""Whether somebody asked this process to stop."""

from __future__ import annotations

import signal


class StopRequest:
    """True once SIGINT or SIGTERM has come.

    A plain flag on purpose: a `threading.Event` takes a lock in `set`, and a second signal that
    comes while the first is handled would wait for that lock for ever.
    """

    def __init__(self) -> None:
        self._came = False
        signal.signal(signal.SIGINT, self._note)
        signal.signal(signal.SIGTERM, self._note)

    def __bool__(self) -> bool:
        return self._came

    def _note(self, *_: object) -> None:
        self._came = True
