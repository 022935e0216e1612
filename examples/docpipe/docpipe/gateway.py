"""The gateway: documents come in over HTTP, and what was made of them goes out.

    python -m docpipe.gateway --port 8080
    curl -F file=@documents/gettysburg-address.txt http://127.0.0.1:8080/documents
"""

from __future__ import annotations

import argparse
import dataclasses
import socket
import uuid
from typing import Any, Dict, List

import numpy as np
import uvicorn
import watchkeeper as wk
from fastapi import APIRouter, Depends, FastAPI, HTTPException, Request
from redis import Redis
from starlette.datastructures import Headers
from watchkeeper.asgi import WatchkeeperMiddleware

from . import __version__, extraction_queue, llm_queue, watch
from .documents import Document, Documents
from .embedding import Embedder
from .extraction_queue import ExtractionQueue
from .llm_queue import LlmQueue
from .settings import Settings
from .tasks import Task
from .uploads import Upload, read_upload

URGENT = 10
MOST_PASSAGES = 20

routes = APIRouter()


class Services:
    """What the routes work with."""

    def __init__(self, redis: Redis) -> None:
        self.redis = redis
        self.documents = Documents(redis)
        self.extraction = ExtractionQueue(redis)
        self.llm = LlmQueue(redis)
        self.embedder = Embedder()


def create_app(redis: Redis) -> FastAPI:
    """The application. Its routes find what they work with in `app.state.services`."""
    app = FastAPI(title="docpipe", version=__version__)
    app.state.services = Services(redis)
    app.add_middleware(WatchkeeperMiddleware, user=_user, log="docpipe.requests")
    app.include_router(routes)
    return app


def _user(scope: Any) -> str | None:
    return Headers(scope=scope).get("x-user")


def _services(request: Request) -> Services:
    return request.app.state.services


def _document(document_id: str, services: Services = Depends(_services)) -> Document:
    document = services.documents.get(document_id)
    if document is None:
        raise HTTPException(404, "There is no such document.")
    return document


@routes.get("/healthz")
def healthz(services: Services = Depends(_services)) -> Dict[str, str]:
    """Whether the gateway and its Redis answer."""
    services.redis.ping()
    return {"status": "ok"}


@routes.post("/documents", status_code=202)
def upload_document(upload: Upload = Depends(read_upload), services: Services = Depends(_services)) -> Dict[str, str]:
    """Takes a document and queues its extraction."""
    document_id = str(uuid.uuid4())
    services.documents.add(document_id, upload.name, upload.media_type, upload.body)
    task = Task(queue=extraction_queue.NAME, kind="extraction", document_id=document_id, document_name=upload.name)
    services.extraction.submit(task)
    wk.submitted(**task.facts(), content_type=upload.media_type, input_bytes=len(upload.body))
    return {"document_id": document_id, "job_id": task.id}


@routes.get("/documents/{document_id}")
def get_document(document: Document = Depends(_document), services: Services = Depends(_services)) -> Dict[str, Any]:
    """How far a document is, with its summary and insights once they are there."""
    tasks = {kind: services.llm.state(task_id) for kind, task_id in document.tasks.items()}
    return {**dataclasses.asdict(document), "tasks": tasks}


@routes.post("/documents/{document_id}/summary", status_code=202)
def summarize_again(document: Document = Depends(_document), services: Services = Depends(_services)) -> Dict[str, str]:
    """Queues a new summary, before all that wait."""
    return _ask_again("summary", document, services)


@routes.post("/documents/{document_id}/insight", status_code=202)
def find_insights_again(
    document: Document = Depends(_document), services: Services = Depends(_services)
) -> Dict[str, str]:
    """Queues new insights, before all that wait."""
    return _ask_again("insight", document, services)


@routes.get("/documents/{document_id}/passages")
def search_passages(
    q: str, document: Document = Depends(_document), services: Services = Depends(_services)
) -> List[Dict[str, Any]]:
    """The passages of a document that lie nearest to a question."""
    texts, vectors = services.documents.passages(document.id)
    if not texts:
        raise HTTPException(409, "The document is not extracted yet.")
    services.embedder.load_once()
    nearness = vectors @ services.embedder.embed([q])[0]
    best = np.argsort(-nearness, kind="stable")[:MOST_PASSAGES]
    return [{"text": texts[index], "nearness": round(float(nearness[index]), 4)} for index in best]


def _ask_again(kind: str, document: Document, services: Services) -> Dict[str, str]:
    text = services.documents.text(document.id)
    if text is None:
        raise HTTPException(409, "The document is not extracted yet.")
    task = Task(
        queue=llm_queue.NAME,
        kind=kind,
        document_id=document.id,
        document_name=document.name,
        priority=URGENT,
        text=text,
    )
    services.llm.submit(task)
    services.documents.set_task(document.id, kind, task.id)
    wk.submitted(**task.facts(), input_bytes=len(text.encode()))
    return {"document_id": document.id, "task_id": task.id}


def main() -> None:
    """Serves until SIGINT or SIGTERM."""
    parser = argparse.ArgumentParser(prog="docpipe.gateway", description="Takes documents over HTTP.")
    parser.add_argument("--host", default="127.0.0.1", help="the address to listen on")
    parser.add_argument("--port", type=int, default=8080, help="the port to listen on")
    parser.add_argument("--fd", type=int, help="a listening socket that was opened by the parent, instead of a port")
    settings, options = Settings.parse(parser)
    watch.begin(settings, service="docpipe-gateway", name="gateway")
    listener = socket.socket(fileno=options.fd) if options.fd is not None else _listen(options.host, options.port)
    app = create_app(Redis.from_url(settings.redis))
    uvicorn.Server(uvicorn.Config(app, log_config=None, access_log=False)).run(sockets=[listener])


def _listen(host: str, port: int) -> socket.socket:
    listener = socket.create_server((host, port))
    print(f"listening on http://{host}:{listener.getsockname()[1]}", flush=True)
    return listener


if __name__ == "__main__":
    main()
