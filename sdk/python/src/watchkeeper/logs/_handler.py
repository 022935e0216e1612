"""Delivers records to Watchkeeper, with the thread, the connection and the promises of events."""

from __future__ import annotations

import logging
from typing import Optional

from .._client import Client, current_client
from .._counts import Stats
from .._limits import let_through
from ._entry import Entry, entry_of
from ._records import record_of


class WatchkeeperHandler(logging.Handler):
    """A handler of `logging` that delivers records to the Watchkeeper that `wk.init` was told of, or by `client`.

    Without one it does nothing. It waits for nobody and takes no lock. What the package itself logs, and what is logged
    while it delivers (by `http.client`, `ssl` and whatever hooks into them), is not delivered: it would go on for ever.
    """

    def __init__(self, level: int = logging.NOTSET, client: Optional[Client] = None) -> None:
        super().__init__(level)
        self._client = client

    def handle(self, record: logging.LogRecord) -> bool:
        """As `logging` has it, but without its lock: many threads may be here at once."""
        kept = self.filter(record)
        if not kept:
            return False
        # Since Python 3.12 a filter may give another record.
        self.emit(kept if isinstance(kept, logging.LogRecord) else record)
        return True

    def emit(self, record: logging.LogRecord) -> None:
        """Delivers a record. It never raises; what cannot be sent is counted."""
        client = self._client or current_client()
        if client is None or is_ours(record.name) or client.is_delivering():
            return
        try:
            deliver(client, entry_of(record), record.created, record.levelno, record.levelname, record.name)
        except Exception as error:
            let_through(error)
            client.log_counts.drop("unencodable")
            client.log_counts.last_error = f"a record cannot be encoded: {type(error).__name__}: {error}"[:300]


def deliver(client: Client, entry: Entry, created: float, level: int, level_name: str, logger: str) -> None:
    """Delivers an entry."""
    client.log(record_of(entry, client.new_id(), created, level, str(level_name), str(logger)))


def is_ours(logger: str) -> bool:
    """Whether a logger is the package's own."""
    return logger == "watchkeeper" or (type(logger) is str and logger.startswith("watchkeeper."))


def stats() -> Stats:
    """What became of the records that were to be delivered: delivered, rejected, dropped and why, waiting. Zeros where
    nothing is configured."""
    client = current_client()
    return Stats() if client is None else client.log_stats()
