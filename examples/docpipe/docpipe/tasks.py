"""A task: one piece of work that waits in a queue for a worker."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import Any

import watchkeeper as wk


@dataclass(frozen=True)
class Task:
    """What a worker must know. `attempt` counts from 0."""

    queue: str
    kind: str
    document_id: str
    document_name: str = ""
    priority: int = 0
    attempt: int = 0
    text: str = ""
    id: str = field(default_factory=lambda: str(uuid.uuid4()))
    created_at: datetime = field(default_factory=lambda: datetime.now(timezone.utc))
    origin: dict[str, str] = field(default_factory=lambda: wk.inject({}))
    """The request or the job that made it, and the trace of those. It goes through the queue with the task."""
    raw: bytes = b""
    """The bytes that stand in Redis, to find them again. Only a task that was taken has them."""

    def facts(self) -> dict[str, Any]:
        """What Watchkeeper is told of it, when it is submitted and when it is worked on."""
        return {
            "kind": self.kind,
            "id": self.id,
            "document": self.document_id,
            "queue": self.queue,
            "priority": self.priority,
            "retry_count": self.attempt,
            "submitted_at": self.created_at,
        }
