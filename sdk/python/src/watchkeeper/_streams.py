"""The streams that one connection carries: events, and records of logs. Each has its endpoint and its encoding."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Callable

from ._transport import Answer, Outcome


@dataclass(frozen=True)
class Stream:
    """Where items of a kind go, and how a batch of them is written.

    `head` of `body` is what a whole batch says once. It is kept with batches in the spool, because another process may
    send them.
    """

    #: What its items are called.
    items: str
    #: Where they go, below the server's address.
    path: str
    #: What the body is.
    content_type: str
    #: How its files in the spool end.
    ending: str
    #: A batch as it is sent: its head and its items.
    body: Callable[[bytes, Sequence[bytes]], bytes]
    #: What a 200 says. Raises a `ValueError`, `KeyError` or the like where it is no answer of Watchkeeper's.
    read_answer: Callable[[bytes], Answer]


def _lines(head: bytes, items: Sequence[bytes]) -> bytes:
    return b"\n".join(items)


def _records(head: bytes, items: Sequence[bytes]) -> bytes:
    """A request of OTLP; the head is its resource."""
    parts = (b'{"resourceLogs":[{"resource":', head, b',"scopeLogs":[{"logRecords":[', b",".join(items), b"]}]}]}")
    return b"".join(parts)


def _events_answer(body: bytes) -> Answer:
    answer = json.loads(body)
    reasons = [str(entry.get("reason", ""))[:300] for entry in answer["rejected"]]
    _ = answer["accepted"]
    return Answer(Outcome.DELIVERED, reasons[0] if reasons else "", rejected=len(reasons))


def _records_answer(body: bytes) -> Answer:
    answer = json.loads(body)
    if not isinstance(answer, dict) or not set(answer) <= {"partialSuccess"}:
        raise ValueError("it is no answer of OTLP")
    partial = answer.get("partialSuccess") or {}
    rejected = int(partial.get("rejectedLogRecords", 0))
    return Answer(Outcome.DELIVERED, str(partial.get("errorMessage", ""))[:300], rejected=max(0, rejected))


EVENTS = Stream("events", "/api/v1/events", "application/x-ndjson", ".wkbatch", _lines, _events_answer)
LOGS = Stream("records of logs", "/v1/logs", "application/json", ".wklogs", _records, _records_answer)
