"""The extraction queue: Redis lists, so first in, first out, and nothing is lost when a worker dies.

The keys are named as Document Hub names those of its OCR queues: `document-hub:ocr:easyocr:` and

| key                     | type | holds                                                |
|-------------------------|------|------------------------------------------------------|
| `extraction`            | LIST | tasks that wait, as JSON; the oldest is at the right |
| `extraction:processing` | LIST | tasks that a worker has taken                        |
| `delayed`               | ZSET | tasks to try again; score = when, in epoch seconds   |
| `dlq`                   | LIST | tasks that were given up, with their error           |
| `owners`                | HASH | task id → the worker that has it                     |
"""

from __future__ import annotations

import json
import time
from dataclasses import replace
from datetime import datetime, timezone
from typing import Any

from redis import Redis

from .tasks import Task

NAME = "extraction"
PREFIX = "document-hub:ocr:easyocr:"
WAITING = PREFIX + "extraction"
PROCESSING = PREFIX + "extraction:processing"
DELAYED = PREFIX + "delayed"
DEAD = PREFIX + "dlq"
OWNERS = PREFIX + "owners"
MOST_DEAD = 1000


class ExtractionQueue:
    """One worker's or the gateway's view of the queue."""

    name = NAME

    def __init__(self, redis: Redis, worker_id: str = "", retry_delay: float = 2.0) -> None:
        self._redis = redis
        self._worker_id = worker_id
        self._retry_delay = retry_delay

    def submit(self, task: Task) -> None:
        """Puts a task at the end of the queue."""
        self._redis.lpush(WAITING, _encode(task))

    def take(self, timeout: float) -> Task | None:
        """Takes the oldest task, or waits `timeout` seconds for one."""
        self._wake_delayed()
        raw = self._redis.blmove(WAITING, PROCESSING, timeout, "RIGHT", "LEFT")
        if raw is None:
            return None
        task = _decode(raw)
        self._redis.hset(OWNERS, task.id, self._worker_id)
        return task

    def abandoned(self) -> list[Task]:
        """What a worker of this name had taken before it died. Other workers' tasks stay theirs."""
        taken = [_decode(raw) for raw in self._redis.lrange(PROCESSING, 0, -1)]
        mine = self._worker_id.encode()
        return [task for task in taken if self._redis.hget(OWNERS, task.id) == mine]

    def done(self, task: Task, _result: Any) -> None:
        """The task ended well."""
        self._release(task, self._redis.pipeline())

    def retry(self, task: Task) -> None:
        """The attempt failed: another one follows, a little later."""
        pipe = self._redis.pipeline()
        pipe.zadd(DELAYED, {_encode(replace(task, attempt=task.attempt + 1)): time.time() + self._retry_delay})
        self._release(task, pipe)

    def give_up(self, task: Task, error: str) -> None:
        """The last attempt failed: the task goes to the dead letters, where a person can look at it."""
        letter = {
            "job_id": task.id,
            "document_id": task.document_id,
            "attempt": task.attempt,
            "max_attempts": task.attempt + 1,
            "error": error,
            "at": datetime.now(timezone.utc).isoformat(),
        }
        pipe = self._redis.pipeline()
        pipe.lpush(DEAD, json.dumps(letter))
        pipe.ltrim(DEAD, 0, MOST_DEAD - 1)
        self._release(task, pipe)

    def _release(self, task: Task, pipe: Any) -> None:
        pipe.lrem(PROCESSING, 1, task.raw)
        pipe.hdel(OWNERS, task.id)
        pipe.execute()

    def _wake_delayed(self) -> None:
        for raw in self._redis.zrangebyscore(DELAYED, 0, time.time(), start=0, num=100):
            # Whoever removes it may move it: two workers that both see it do not queue it twice.
            if self._redis.zrem(DELAYED, raw):
                self._redis.lpush(WAITING, raw)


def _encode(task: Task) -> str:
    return json.dumps(
        {
            "job_id": task.id,
            "document_id": task.document_id,
            "document_name": task.document_name,
            "origin": task.origin,
            "attempt": task.attempt,
            "created_at": task.created_at.isoformat(),
        }
    )


def _decode(raw: bytes) -> Task:
    payload = json.loads(raw)
    return Task(
        queue=NAME,
        kind="extraction",
        id=payload["job_id"],
        document_id=payload["document_id"],
        document_name=payload["document_name"],
        origin=payload["origin"],
        attempt=payload["attempt"],
        created_at=datetime.fromisoformat(payload["created_at"]),
        raw=raw,
    )
