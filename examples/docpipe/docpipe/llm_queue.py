"""The LLM queue, in the format of Document Hub: a real format, with real weaknesses worth watching.

| key                    | type   | holds                                                     |
|------------------------|--------|-----------------------------------------------------------|
| `llm_tasks`            | ZSET   | tasks that wait, as JSON; score = −priority, lowest first |
| `llm_tasks:processing` | SET    | the bare ids of tasks that a worker has taken             |
| `llm_results:<id>`     | string | the result or the error, for an hour                      |

The processing set keeps neither the task nor when it was taken. When a worker dies, its task is
gone and its id stays in the set for ever: nobody can put it back, but a monitor can see it age.
"""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime, timezone
from typing import Any

from redis import Redis

from .tasks import Task

NAME = "llm_tasks"
WAITING = "llm_tasks"
PROCESSING = "llm_tasks:processing"
RESULT = "llm_results:"
RESULT_SECONDS = 3600

SCHEMAS: dict[str, dict[str, Any]] = {
    "summary": {"type": "object", "properties": {"summary": {"type": "string"}}},
    "insight": {"type": "object", "properties": {"keywords": {"type": "array", "items": {"type": "string"}}}},
}


class LlmQueue:
    """One process's view of the queue."""

    name = NAME

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    def submit(self, task: Task) -> None:
        """Lets a task wait; the higher its priority, the sooner it is taken."""
        self._redis.zadd(WAITING, {_encode(task): -task.priority})

    def take(self, timeout: float) -> Task | None:
        """Takes the task with the highest priority, or waits `timeout` seconds for one."""
        found = self._redis.bzpopmin(WAITING, timeout)
        if found is None:
            return None
        task = _decode(found[1])
        self._redis.sadd(PROCESSING, task.id)
        return task

    def abandoned(self) -> list[Task]:
        """Always empty: the processing set does not keep the tasks, so none can be tried again."""
        return []

    def done(self, task: Task, result: Any) -> None:
        """The task ended well."""
        self._finish(task, result, None)

    def retry(self, task: Task) -> None:
        """The attempt failed: the task waits again."""
        pipe = self._redis.pipeline()
        pipe.zadd(WAITING, {_encode(replace(task, attempt=task.attempt + 1)): -task.priority})
        pipe.srem(PROCESSING, task.id)
        pipe.execute()

    def give_up(self, task: Task, error: str) -> None:
        """The last attempt failed: the error is the result."""
        self._finish(task, None, error)

    def state(self, task_id: str) -> dict[str, Any]:
        """What became of a task."""
        stored = self._redis.get(RESULT + task_id)
        if stored is not None:
            outcome = json.loads(stored)
            return {**outcome, "state": "completed" if outcome["error"] is None else "failed"}
        taken = self._redis.sismember(PROCESSING, task_id)
        return {"task_id": task_id, "state": "processing" if taken else "pending"}

    def _finish(self, task: Task, result: Any, error: str | None) -> None:
        outcome = {"task_id": task.id, "result": result, "error": error, "completed_at": _naive_now()}
        pipe = self._redis.pipeline()
        pipe.set(RESULT + task.id, json.dumps(outcome), ex=RESULT_SECONDS)
        pipe.srem(PROCESSING, task.id)
        pipe.execute()


def _naive_now() -> str:
    return _naive(datetime.now(timezone.utc))


def _naive(time: datetime) -> str:
    return time.astimezone(timezone.utc).replace(tzinfo=None).isoformat()


def _encode(task: Task) -> str:
    return json.dumps(
        {
            "task_id": task.id,
            "document_id": task.document_id,
            "task_type": task.kind,
            "text": task.text,
            "schema": SCHEMAS.get(task.kind),
            "callback_data": {
                "document_name": task.document_name,
                "attempt": task.attempt,
                "origin": task.origin,
            },
            "priority": task.priority,
            "created_at": _naive(task.created_at),
        }
    )


def _decode(raw: bytes) -> Task:
    payload = json.loads(raw)
    callback = payload["callback_data"]
    return Task(
        queue=NAME,
        kind=payload["task_type"],
        id=payload["task_id"],
        document_id=payload["document_id"],
        document_name=callback["document_name"],
        origin=callback["origin"],
        priority=payload["priority"],
        attempt=callback["attempt"],
        text=payload["text"],
        created_at=datetime.fromisoformat(payload["created_at"]).replace(tzinfo=timezone.utc),
        raw=raw,
    )
