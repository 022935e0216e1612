"""The extraction worker: a document's bytes → text, chunks and vectors, and two tasks for the LLM.

    python -m docpipe.extraction_worker --worker-id extraction-1
"""

from __future__ import annotations

import argparse
from contextlib import contextmanager
from typing import Any, Iterator

import watchkeeper as wk
from redis import Redis

from . import chunks, extraction_queue, llm_queue, text, watch
from .documents import Documents
from .embedding import Embedder
from .extraction_queue import ExtractionQueue
from .faults import Faults
from .llm_queue import LlmQueue
from .settings import Settings
from .stages import stage
from .tasks import Task
from .worker import Worker

PRIORITIES = {"summary": 5, "insight": 1}


class Extraction:
    """What happens to one document."""

    def __init__(self, redis: Redis, faults: Faults) -> None:
        self._documents = Documents(redis)
        self._llm = LlmQueue(redis)
        self._faults = faults
        self._memory = wk.MemoryTracker()

    def work(self, task: Task) -> tuple[Any, int]:
        """Runs the stages, one after the other."""
        body, media_type = self._documents.body(task.document_id)
        self._documents.set_state(task.document_id, "extracting")

        with stage("extract") as step:
            plain = text.extract(body, media_type)
            step.items = len(plain.split())

        with stage("chunk") as step:
            pieces = chunks.split(plain)
            step.items = len(pieces)

        with stage("embed", component="embedder") as step, self._embedder() as embedder:
            self._faults.strike("embedder", task.document_name, task.attempt)
            vectors = embedder.embed(pieces)
            step.items = len(pieces)

        with stage("store") as step:
            self._documents.save(task.document_id, plain, pieces, vectors)
            step.items = len(pieces)

        if pieces:
            for kind, priority in PRIORITIES.items():
                self._submit(kind, priority, plain, task)
        return None, len(plain.encode()) + vectors.nbytes

    def give_up(self, task: Task, error: str) -> None:
        """The document stays without text, and says why."""
        self._documents.set_state(task.document_id, "failed", error)

    @contextmanager
    def _embedder(self) -> Iterator[Embedder]:
        """The embedder, loaded for the time of a block."""
        embedder = Embedder()
        with self._memory.loading("embedder"):
            embedder.load()
        try:
            yield embedder
        finally:
            with self._memory.unloading("embedder"):
                embedder.unload()

    def _submit(self, kind: str, priority: int, plain: str, extracted: Task) -> None:
        task = Task(
            queue=llm_queue.NAME,
            kind=kind,
            document_id=extracted.document_id,
            document_name=extracted.document_name,
            priority=priority,
            text=plain,
        )
        self._llm.submit(task)
        self._documents.set_task(task.document_id, kind, task.id)
        wk.submitted(**task.facts(), input_bytes=len(plain.encode()))


def main() -> None:
    """Runs a worker."""
    parser = argparse.ArgumentParser(prog="docpipe.extraction_worker", description="Extracts, chunks and embeds.")
    parser.add_argument("--worker-id", default="extraction-1", help="the same name after every restart")
    settings, options = Settings.parse(parser)
    watch.begin_worker(settings, options.worker_id, extraction_queue.NAME)
    redis = Redis.from_url(settings.redis)
    queue = ExtractionQueue(redis, options.worker_id, settings.retry_delay)
    extraction = Extraction(redis, Faults(settings.seed, settings.fail_rate))
    Worker(options.worker_id, queue, extraction, settings.max_attempts).run()


if __name__ == "__main__":
    main()
