"""The documents, and what was made of them: one Redis hash each, for a day."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime, timezone

import numpy as np
from redis import Redis

KEY = "docpipe:document:"
SECONDS_KEPT = 24 * 3600


@dataclass(frozen=True)
class Document:
    """A document without its body. `state` is uploaded, extracting, extracted or failed."""

    id: str
    name: str
    media_type: str
    state: str
    created_at: str
    words: int
    chunks: int
    error: str
    tasks: dict[str, str]
    """The newest LLM task of each kind: kind → task id."""


class Documents:
    """Where documents are kept."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    def add(self, document_id: str, name: str, media_type: str, body: bytes) -> None:
        """Keeps a new document."""
        created_at = datetime.now(timezone.utc).isoformat()
        key = KEY + document_id
        facts = {"name": name, "media_type": media_type, "body": body, "state": "uploaded", "created_at": created_at}
        pipe = self._redis.pipeline()
        pipe.hset(key, mapping=facts)
        pipe.expire(key, SECONDS_KEPT)
        pipe.execute()

    def get(self, document_id: str) -> Document | None:
        """What is known of a document."""
        names = ("name", "media_type", "state", "created_at", "words", "chunk_count", "error", "summary", "insight")
        values = self._redis.hmget(KEY + document_id, names)
        known = {name: value.decode() for name, value in zip(names, values) if value is not None}
        if "name" not in known:
            return None
        return Document(
            id=document_id,
            name=known["name"],
            media_type=known["media_type"],
            state=known["state"],
            created_at=known["created_at"],
            words=int(known.get("words", 0)),
            chunks=int(known.get("chunk_count", 0)),
            error=known.get("error", ""),
            tasks={kind: known[kind] for kind in ("summary", "insight") if kind in known},
        )

    def body(self, document_id: str) -> tuple[bytes, str]:
        """The uploaded bytes and their media type."""
        body, media_type = self._redis.hmget(KEY + document_id, ("body", "media_type"))
        if body is None or media_type is None:
            raise KeyError(f"document {document_id} is not there any more")
        return body, media_type.decode()

    def text(self, document_id: str) -> str | None:
        """The extracted text, once there is one."""
        text = self._redis.hget(KEY + document_id, "text")
        return None if text is None else text.decode()

    def set_state(self, document_id: str, state: str, error: str = "") -> None:
        """Notes how far the document is."""
        self._redis.hset(KEY + document_id, mapping={"state": state, "error": error})

    def set_task(self, document_id: str, kind: str, task_id: str) -> None:
        """Notes which task makes the summary or the insight."""
        self._redis.hset(KEY + document_id, kind, task_id)

    def save(self, document_id: str, text: str, chunks: list[str], vectors: np.ndarray) -> None:
        """Keeps what the extraction made."""
        made = {
            "text": text,
            "words": len(text.split()),
            "chunks": json.dumps(chunks),
            "chunk_count": len(chunks),
            "vectors": vectors.astype(np.float32).tobytes(),
            "state": "extracted",
            "error": "",
        }
        self._redis.hset(KEY + document_id, mapping=made)

    def passages(self, document_id: str) -> tuple[list[str], np.ndarray]:
        """The chunks and their vectors, one row each."""
        chunks, vectors = self._redis.hmget(KEY + document_id, ("chunks", "vectors"))
        texts = json.loads(chunks) if chunks else []
        rows = np.frombuffer(vectors or b"", dtype=np.float32)
        return texts, rows.reshape(len(texts), -1) if texts else rows.reshape(0, 0)
