"""What an application reported, written down by itself beside the way to Watchkeeper.

A program of the tests calls `keep_account` first. Where the environment names a folder in `TESTS_ACCOUNT_DIR`, each of
its processes then appends every event that it makes to a file of its own, at once: that outlives any end of the
process. When a client ends, what it says became of its events is written there, too.
"""

from __future__ import annotations

import json
import os
from collections import Counter
from dataclasses import asdict
from pathlib import Path
from typing import Any

VARIABLE = "TESTS_ACCOUNT_DIR"


def keep_account() -> None:
    folder = os.environ.get(VARIABLE)
    if not folder:
        return
    from watchkeeper._client import Client
    from watchkeeper._events import Encoder

    encode, shutdown = Encoder.encode, Client.shutdown

    def encode_and_note(self: Encoder, *args: Any, **kwargs: Any) -> bytes:
        made = encode(self, *args, **kwargs)
        _append(f"{folder}/{os.getpid()}.events", made)
        return made

    def shut_down_and_note(self: Client, *args: Any, **kwargs: Any) -> None:
        shutdown(self, *args, **kwargs)
        # The child of a process that has ended already holds the parent's numbers.
        if self.process.pid == os.getpid():
            _append(f"{folder}/{os.getpid()}-{id(self)}.stats", json.dumps(asdict(self.stats())).encode())

    Encoder.encode = encode_and_note  # type: ignore[method-assign]
    Client.shutdown = shut_down_and_note  # type: ignore[method-assign]


def _append(path: str, line: bytes) -> None:
    file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        os.write(file, line + b"\n")
    finally:
        os.close(file)


class Account:
    """All that the processes of a test wrote down."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @property
    def events(self) -> list[dict[str, Any]]:
        """The events that were made."""
        # What a process is just writing is not yet a line.
        files = [path.read_bytes().rpartition(b"\n")[0] for path in self._folder.glob("*.events")]
        return [json.loads(line) for file in files for line in file.splitlines()]

    def reported(self) -> Counter[str]:
        """How often each event was made, by its id and its type."""
        return Counter(f"{event['event_id']} {event['type']}" for event in self.events)

    def stats(self) -> list[dict[str, Any]]:
        """What each client said at its end."""
        ends = [path.read_text().splitlines()[-1] for path in self._folder.glob("*.stats")]
        return [json.loads(end) for end in ends]
