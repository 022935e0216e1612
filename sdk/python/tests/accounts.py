"""What an application reported, written down by itself beside the way to Watchkeeper.

A program of the tests calls `keep_account` first. Where the environment names a folder in `TESTS_ACCOUNT_DIR`, each of
its processes then appends the id and the type of every event that it makes to a file of its own, at once: that outlives
any end of the process. When a client ends, what it says became of its events is written there, too.
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
        _append(f"{folder}/{os.getpid()}.events", "{event_id} {type}".format(**json.loads(made)))
        return made

    def shut_down_and_note(self: Client, *args: Any, **kwargs: Any) -> None:
        shutdown(self, *args, **kwargs)
        # The child of a process that has ended already holds the parent's numbers.
        if self.process.pid == os.getpid():
            _append(f"{folder}/{os.getpid()}-{id(self)}.stats", json.dumps(asdict(self.stats())))

    Encoder.encode = encode_and_note  # type: ignore[method-assign]
    Client.shutdown = shut_down_and_note  # type: ignore[method-assign]


def _append(path: str, line: str) -> None:
    file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        os.write(file, line.encode() + b"\n")
    finally:
        os.close(file)


class Account:
    """All that the processes of a test wrote down."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def reported(self) -> Counter[str]:
        """The ids of the events that were made, each with its type."""
        return Counter(line for path in self._folder.glob("*.events") for line in path.read_text().splitlines())

    def stats(self) -> list[dict[str, Any]]:
        """What each client said at its end."""
        ends = [path.read_text().splitlines()[-1] for path in self._folder.glob("*.stats")]
        return [json.loads(end) for end in ends]
