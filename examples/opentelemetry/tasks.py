"""docpipe's work as tasks of Celery. Nothing here tells anyone what happens: see README.md for who does.

A document is one task, `extraction`, and its stages are tasks in a chain that runs in the same process: what they hand
on are texts and arrays, which would be too much for a broker. What comes after, a model's work, waits in a queue of its
own.
"""

from __future__ import annotations

import logging
import os
import time

import numpy as np
from celery import Celery, Task, chain
from celery.result import allow_join_result
from celery.signals import setup_logging
from docpipe import chunks, summarizing, text
from docpipe.documents import Documents
from docpipe.embedding import Embedder
from docpipe.faults import Faults, TransientFault
from redis import Redis

REDIS = os.environ.get("REDIS_URL", "redis://127.0.0.1:6379/0")
MODEL_SECONDS = float(os.environ.get("DOCPIPE_LLM_DELAY", "0.2"))
RETRIES = {"autoretry_for": (TransientFault,), "max_retries": 2, "default_retry_delay": 1}

app = Celery("tasks", broker=REDIS)
app.conf.update(
    task_default_queue="extraction",
    task_ignore_result=True,
)

log = logging.getLogger(__name__)


@setup_logging.connect
def set_up_logging(**_: object) -> None:
    """Unless an application does this itself, Celery takes from the root logger whatever handlers others gave it."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(processName)s %(name)s: %(message)s")


documents = Documents(Redis.from_url(REDIS))
faults = Faults(int(os.environ.get("DOCPIPE_SEED", "1")), float(os.environ.get("DOCPIPE_FAIL_RATE", "0.02")))
embedder = Embedder()


@app.task(bind=True, **RETRIES)
def extraction(self: Task, document_id: str, name: str) -> None:
    """One document, stage by stage. Then a model is asked about it, twice."""
    stages = chain(extract.s(document_id), chunk.s(), embed.s(name, self.request.retries), store.s(document_id))
    try:
        # The stages run here and now, so that nothing waits for another worker.
        with allow_join_result():
            stages.apply().get()
    except Exception as error:
        documents.set_state(document_id, "failed", str(error))
        raise
    log.info("document %s is extracted", name)
    for question in (summary, insight):
        question.delay(document_id, name)


@app.task
def extract(document_id: str) -> str:
    """Bytes → text."""
    return text.extract(*documents.body(document_id))


@app.task
def chunk(plain: str) -> tuple[str, list[str]]:
    """Text → pieces of it."""
    return plain, chunks.split(plain)


@app.task
def embed(made: tuple[str, list[str]], name: str, attempt: int) -> tuple[str, list[str], np.ndarray]:
    """Pieces → vectors."""
    embedder.load_once()
    faults.strike("embedder", name, attempt)
    return *made, embedder.embed(made[1])


@app.task
def store(made: tuple[str, list[str], np.ndarray], document_id: str) -> None:
    """Keeps them."""
    documents.save(document_id, *made)


@app.task(bind=True, queue="llm", **RETRIES)
def summary(self: Task, document_id: str, name: str) -> dict:
    """The sentences that say most."""
    return ask(summarizing.summarize, document_id, name, self.request.retries)


@app.task(bind=True, queue="llm", **RETRIES)
def insight(self: Task, document_id: str, name: str) -> dict:
    """The words that weigh most."""
    return ask(summarizing.find_insights, document_id, name, self.request.retries)


def ask(model, document_id: str, name: str, attempt: int) -> dict:
    """Asks the model, which takes its time."""
    time.sleep(MODEL_SECONDS)
    faults.strike("model", name + model.__name__, attempt)
    return model(documents.text(document_id) or "")
