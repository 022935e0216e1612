"""A task: one piece of work that waits in a queue for a worker."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import Any


@dataclass(frozen=True)
class Task:
    """What a worker must know. `attempt` counts from 0."""

    queue: str
    kind: str
    document_id: str
    document_name: str = ""
    request_id: str = ""
    parent_id: str = ""
    priority: int = 0
    attempt: int = 0
    text: str = ""
    id: str = field(default_factory=lambda: str(uuid.uuid4()))
    created_at: datetime = field(default_factory=lambda: datetime.now(timezone.utc))
    raw: bytes = b""
    """The bytes that stand in Redis, to find them again. Only a task that was taken has them."""

    def facts(self) -> dict[str, Any]:
        """What every event about this task tells."""
        return {
            "job_id": self.id,
            "kind": self.kind,
            "queue": self.queue,
            "document_id": self.document_id,
            "request_id": self.request_id or None,
            "parent_id": self.parent_id or None,
            "priority": self.priority,
            "retry_count": self.attempt,
            "submitted_at": self.created_at,
        }
