"""Reports events to Watchkeeper, and never stands in the way of the work.

`report` puts an event into a bounded queue and returns. A thread sends them in batches. When
Watchkeeper is away, a batch is tried again with growing pauses; when the queue is full, new events
are dropped and counted. Every event has its own id, so an event that was sent twice is stored once.

Only the standard library is used: copy this file into your own pipeline as it is.
"""

from __future__ import annotations

import http.client
import json
import logging
import math
import os
import queue
import threading
import time
import urllib.error
import urllib.request
import uuid
from datetime import datetime, timezone
from typing import Any

log = logging.getLogger(__name__)

LONGEST_PAUSE = 30.0
REQUEST_TIMEOUT = 10.0
MAX_TRIES = 20
TRY_AGAIN = {408, 429, 500, 502, 503, 504}


class Watch:
    """A reporter for one process. With an empty `url` it does nothing."""

    def __init__(
        self,
        url: str,
        service: str,
        key: str | None = None,
        capacity: int = 10_000,
        batch_size: int = 500,
        interval: float = 1.0,
    ) -> None:
        self._endpoint = url.rstrip("/") + "/api/v1/events" if url else ""
        self._service = service
        self._key = os.environ.get("WATCHKEEPER_KEY", "") if key is None else key
        self._batch_size = batch_size
        self._interval = interval
        self._queue: queue.Queue[dict[str, Any]] = queue.Queue(maxsize=capacity)
        self._closing = threading.Event()
        self._deadline = float("inf")
        self.sent = 0
        self.dropped = 0
        self._thread = threading.Thread(target=self._run, name="watch", daemon=True)
        if self._endpoint:
            self._thread.start()

    def report(self, type: str, **facts: Any) -> None:
        """Queues one event. Facts that are `None` or not finite are left out; a `datetime` needs its time zone."""
        if not self._endpoint:
            return
        event = {"type": type, "event_id": uuid.uuid4().hex, "time": datetime.now(timezone.utc)}
        event.update(service=self._service)
        event.update((name, value) for name, value in facts.items() if _says_something(value))
        try:
            self._queue.put_nowait(event)
        except queue.Full:
            self.dropped += 1

    def close(self, timeout: float = 10.0) -> None:
        """Sends what is still queued, for at most about `timeout` seconds."""
        self._deadline = time.monotonic() + timeout
        self._closing.set()
        if self._endpoint:
            self._thread.join(timeout + 1.0)
        if self.dropped:
            log.warning("%d events were not delivered to Watchkeeper", self.dropped)

    def _run(self) -> None:
        while not (self._closing.is_set() and self._queue.empty()):
            self._closing.wait(self._interval)
            while batch := self._next_batch():
                if self._deliver(batch):
                    self.sent += len(batch)
                else:
                    self.dropped += len(batch)

    def _next_batch(self) -> list[dict[str, Any]]:
        batch: list[dict[str, Any]] = []
        while len(batch) < self._batch_size:
            try:
                batch.append(self._queue.get_nowait())
            except queue.Empty:
                break
        return batch

    def _deliver(self, batch: list[dict[str, Any]]) -> bool:
        body = json.dumps(batch, default=_as_text).encode()
        pause = 0.5
        for _ in range(MAX_TRIES):
            if time.monotonic() >= self._deadline:
                return False
            try:
                self._post(body)
                return True
            except urllib.error.HTTPError as error:
                if error.code not in TRY_AGAIN:
                    log.error("Watchkeeper refused %d events: %s %s", len(batch), error.code, error.reason)
                    return False
            # Beside a connection that fails, an answer that breaks off or is not Watchkeeper's.
            except (OSError, http.client.HTTPException, ValueError) as error:
                log.debug("Watchkeeper is away: %s", error)
            # Once closing, the event is set and would not make us wait: then the pause must be real.
            if self._closing.wait(pause):
                time.sleep(0.2)
            pause = min(pause * 2, LONGEST_PAUSE)
        return False

    def _post(self, body: bytes) -> None:
        headers = {"Content-Type": "application/json"}
        if self._key:
            headers["Authorization"] = f"Bearer {self._key}"
        request = urllib.request.Request(self._endpoint, data=body, headers=headers, method="POST")
        left = min(REQUEST_TIMEOUT, max(0.1, self._deadline - time.monotonic()))
        with urllib.request.urlopen(request, timeout=left) as response:
            answer = json.loads(response.read() or b"{}")
        for rejected in answer.get("rejected", []):
            log.warning("Watchkeeper rejected event %s: %s", rejected.get("index"), rejected.get("reason"))


def _says_something(value: Any) -> bool:
    # JSON has no NaN and no infinity, and one of them would make the whole batch unreadable.
    return value is not None and not (isinstance(value, float) and not math.isfinite(value))


def _as_text(value: Any) -> str:
    # A type that JSON does not know must not end the thread, and with it all reports.
    return value.isoformat() if isinstance(value, datetime) else str(value)
