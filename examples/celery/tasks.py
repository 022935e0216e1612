"""Documents as tasks of Celery, watched by Watchkeeper.

celery -A tasks worker -Q documents,models -c 2
"""

from __future__ import annotations

import functools
import logging
import os
import random
import time
import zlib
from pathlib import Path

import numpy as np
import watchkeeper as wk
from celery import Celery, Task
from watchkeeper.integrations import celery

app = Celery("tasks", broker=os.environ.get("REDIS_URL", "redis://127.0.0.1:6379/0"))
app.conf.update(task_default_queue="documents", task_ignore_result=True)

# All that Watchkeeper needs. The address is WATCHKEEPER_URL; without one none of it does anything, but logs.
wk.init(service="library")
wk.logs.configure(console="text", deliver=True)
celery.install(app)

FAIL_RATE = float(os.environ.get("FAIL_RATE", "0.2"))
RETRIES = {"autoretry_for": (TimeoutError,), "max_retries": 3, "default_retry_delay": 1}
WORDS_IN_PIECE = 120
BUCKETS, DIMENSIONS = 32_768, 384

log = logging.getLogger(__name__)


@app.task
def extract(path: str) -> None:
    """A file: read, cut into pieces, each of which becomes a vector. Then a model is asked about it."""
    with wk.stage("read") as stage:
        words = Path(path).read_text(encoding="utf-8").split()
        stage.items = len(words)

    with wk.stage("split") as stage:
        pieces = [words[start : start + WORDS_IN_PIECE] for start in range(0, len(words), WORDS_IN_PIECE)]
        stage.items = len(pieces)
        if not pieces:
            stage.empty()

    with wk.stage("embed", component="embedder") as stage:
        vectors = [embedder().embed(piece) for piece in pieces]
        stage.items = len(vectors)

    log.info("%s has %d pieces", path, len(pieces))
    if pieces:
        summarize.delay(path, " ".join(pieces[0]))


@app.task(bind=True, queue="models", **RETRIES)
def summarize(self: Task, path: str, text: str) -> int:
    """Asks the model. When it does not answer in time, Celery tries again a second later."""
    with wk.stage("generate"), wk.llm_call(model="first-sentence", provider="library") as call:
        call.usage(input=len(text) // 4)
        time.sleep(0.2)
        if fails(path, self.request.retries):
            raise TimeoutError("the model did not answer")
        call.first_token()
        summary = text.partition(".")[0]
        call.usage(output=len(summary) // 4)
        call.finish("stop")
    # What a task returns stands in Celery's log, so this is not the text.
    return len(summary)


def fails(path: str, attempt: int) -> bool:
    """Failures on purpose, which can be repeated: they depend on the name and the attempt alone."""
    return random.Random(f"{Path(path).name} {attempt}").random() < FAIL_RATE


class Embedder:
    """Words → a vector. It takes 48 MiB."""

    def __init__(self) -> None:
        self._rows = np.random.default_rng(7).standard_normal((BUCKETS, DIMENSIONS), dtype=np.float32)

    def embed(self, words: list[str]) -> np.ndarray:
        """The mean of the words' rows."""
        return self._rows[[zlib.crc32(word.encode()) % BUCKETS for word in words]].mean(axis=0)


@functools.cache
def embedder() -> Embedder:
    """Loaded once in each process of the pool, when it is needed."""
    with wk.MemoryTracker().loading("embedder"):
        return Embedder()
