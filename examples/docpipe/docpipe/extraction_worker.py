"""The extraction worker: a document's bytes → text, chunks and vectors, and two tasks for the LLM.

    python -m docpipe.extraction_worker --worker-id extraction-1
"""

from __future__ import annotations

import argparse
from typing import Any

from redis import Redis

from . import chunks, llm_queue, logs, text
from .attempt import Attempt
from .documents import Documents
from .embedding import Embedder
from .extraction_queue import ExtractionQueue
from .faults import Faults
from .llm_queue import LlmQueue
from .settings import Settings
from .tasks import Task
from .watch import Watch
from .worker import Worker

PRIORITIES = {"summary": 5, "insight": 1}


class Extraction:
    """What happens to one document."""

    def __init__(self, redis: Redis, watch: Watch, faults: Faults) -> None:
        self._documents = Documents(redis)
        self._llm = LlmQueue(redis)
        self._watch = watch
        self._faults = faults

    def work(self, attempt: Attempt) -> tuple[Any, int]:
        """Runs the stages, one after the other."""
        task = attempt.task
        body, media_type = self._documents.body(task.document_id)
        self._documents.set_state(task.document_id, "extracting")

        with attempt.stage("extract") as stage:
            plain = text.extract(body, media_type)
            stage.items = len(plain.split())

        with attempt.stage("chunk") as stage:
            pieces = chunks.split(plain)
            stage.items = len(pieces)

        embedder = Embedder()
        with attempt.component("embedder", embedder, stage="embed"):
            with attempt.stage("embed", component="embedder") as stage:
                self._faults.strike("embedder", task.document_name, task.attempt)
                vectors = embedder.embed(pieces)
                stage.items = len(pieces)

        with attempt.stage("store") as stage:
            self._documents.save(task.document_id, plain, pieces, vectors)
            stage.items = len(pieces)

        if pieces:
            for kind, priority in PRIORITIES.items():
                self._submit(kind, priority, plain, parent=task)
        return None, len(plain.encode()) + vectors.nbytes

    def give_up(self, task: Task, error: str) -> None:
        """The document stays without text, and says why."""
        self._documents.set_state(task.document_id, "failed", error)

    def _submit(self, kind: str, priority: int, plain: str, parent: Task) -> None:
        task = Task(
            queue=llm_queue.NAME,
            kind=kind,
            document_id=parent.document_id,
            document_name=parent.document_name,
            request_id=parent.request_id,
            parent_id=parent.id,
            priority=priority,
            text=plain,
        )
        self._llm.submit(task)
        self._documents.set_task(task.document_id, kind, task.id)
        self._watch.report("job.submitted", **task.facts(), input_bytes=len(plain.encode()))


def main() -> None:
    """Runs a worker."""
    parser = argparse.ArgumentParser(prog="docpipe.extraction_worker", description="Extracts, chunks and embeds.")
    parser.add_argument("--worker-id", default="extraction-1", help="the same name after every restart")
    settings, options = Settings.parse(parser)
    logs.to_file(settings.log_dir, options.worker_id)
    redis = Redis.from_url(settings.redis)
    queue = ExtractionQueue(redis, options.worker_id, settings.retry_delay)
    watch = Watch(settings.watchkeeper, service="docpipe")
    extraction = Extraction(redis, watch, Faults(settings.seed, settings.fail_rate))
    Worker(options.worker_id, queue, extraction, settings, watch).run()


if __name__ == "__main__":
    main()
