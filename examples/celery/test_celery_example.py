"""The example as a newcomer runs it: a real Redis, a worker with forked processes, and who it tells of its work."""

from __future__ import annotations

import gzip
import json
import os
import random
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Callable, Iterator

import pytest

HERE = Path(__file__).resolve().parent
DOCUMENTS = HERE.parent / "docpipe" / "documents"
FAIL_RATE = 0.5
WORKER = ["celery", "-A", "tasks", "worker", "-Q", "documents,models", "-c", "2", "--loglevel", "WARNING"]


def eventually(look: Callable[[], Any], what: str) -> None:
    deadline = time.monotonic() + 60
    while not look():
        assert time.monotonic() < deadline, f"waited for {what}"
        time.sleep(0.05)


@pytest.fixture()
def redis_url(tmp_path: Path) -> Iterator[str]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    command = ["redis-server", "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", str(tmp_path)]
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL)

    def answers() -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", port)) == 0

    try:
        eventually(answers, "redis-server")
        yield f"redis://127.0.0.1:{port}/0"
    finally:
        server.terminate()
        server.wait(10)


class Receiver(ThreadingHTTPServer):
    """Takes events and records of logs as Watchkeeper does."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.events: list[dict[str, Any]] = []
        self.logs = ""
        self.url = f"http://127.0.0.1:{self.server_address[1]}"

    def of(self, kind: str) -> list[dict[str, Any]]:
        return [event for event in list(self.events) if event["type"] == kind]


class Handler(BaseHTTPRequestHandler):
    server: Receiver

    def do_POST(self) -> None:
        body = gzip.decompress(self.rfile.read(int(self.headers["Content-Length"]))).decode()
        answer: dict[str, Any] = {}
        if self.path == "/api/v1/events":
            events = [json.loads(line) for line in body.splitlines()]
            self.server.events.extend(events)
            answer = {"accepted": len(events), "duplicates": 0, "rejected": []}
        else:
            self.server.logs += body
        self.send_response(200)
        self.end_headers()
        self.wfile.write(json.dumps(answer).encode())

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture()
def receiver() -> Iterator[Receiver]:
    with Receiver() as receiver:
        threading.Thread(target=receiver.serve_forever, daemon=True).start()
        yield receiver
        receiver.shutdown()


def lives(name: str) -> list[str]:
    """How the attempts at a document's summary end, as the example's own dice have it."""
    for attempt in range(4):
        if random.Random(f"{name} {attempt}").random() >= FAIL_RATE:
            return ["retried"] * attempt + ["completed"]
    return ["retried"] * 3 + ["failed"]


def test_the_example_does_what_its_readme_says(redis_url: str, receiver: Receiver, tmp_path: Path) -> None:
    settings = {"REDIS_URL": redis_url, "WATCHKEEPER_URL": receiver.url, "FAIL_RATE": str(FAIL_RATE)}
    environment = {**os.environ, **settings, "OPENBLAS_NUM_THREADS": "1"}
    documents = [path for path in sorted(DOCUMENTS.iterdir()) if path.suffix in (".md", ".txt")]
    unreadable, empty = tmp_path / "unreadable.txt", tmp_path / "empty.txt"
    unreadable.write_bytes(b"\xff\xfeA\0")
    empty.write_bytes(b"")
    files = [str(path) for path in (*documents, unreadable, empty)]

    submit = [sys.executable, "submit.py", *files]
    printed = subprocess.run(submit, cwd=HERE, env=environment, check=True, stdout=subprocess.PIPE, text=True).stdout
    ids = {line.split()[1]: line.split()[0] for line in printed.splitlines()}
    assert {event["job_id"] for event in receiver.of("job.submitted")} == set(ids.values())

    worker = subprocess.Popen([sys.executable, "-m", *WORKER], cwd=HERE, env=environment)
    try:
        wanted = len(files) + len(documents)
        eventually(lambda: len(receiver.of("job.completed") + receiver.of("job.failed")) == wanted, "all jobs to end")
    finally:
        worker.terminate()
        worker.wait(30)

    events = [event for event in receiver.events if event["type"].startswith("job.")]
    of_summaries = Counter(event["type"] for event in events if event["kind"] == "tasks.summarize")
    told = Counter(f"job.{end}" for path in documents for end in lives(path.name))
    assert {kind: of_summaries[kind] for kind in told} == told
    assert told["job.retried"] > 0
    (failed,) = (event for event in receiver.of("job.failed") if event["kind"] == "tasks.extract")
    assert (failed["job_id"], failed["error_type"]) == (ids["unreadable.txt"], "UnicodeDecodeError")

    extracted = {event["job_id"] for event in receiver.of("job.completed") if event["kind"] == "tasks.extract"}
    parents = {event["parent_id"] for event in receiver.of("job.submitted") if event["kind"] == "tasks.summarize"}
    assert parents == extracted - {ids["empty.txt"]}
    stages = Counter((event["stage"], event["status"]) for event in receiver.of("stage.finished"))
    assert stages[("embed", "completed")] == len(documents) + 1
    assert stages[("split", "completed_empty")] == 1
    loaded = receiver.of("component.loaded")
    assert 1 <= len(loaded) <= 2
    assert all(event["stage"] == "embed" and event["memory_delta_bytes"] > 40 << 20 for event in loaded)
    calls = receiver.of("llm.call")
    assert Counter("error_message" in call for call in calls) == {
        False: told["job.completed"],
        True: told["job.retried"] + told["job.failed"],
    }
    assert {event["queue"] for event in events if "queue" in event} == {"documents", "models"}
    assert {event["worker_id"] for event in loaded} <= {event["worker_id"] for event in receiver.of("worker.stopped")}
    assert " pieces" in receiver.logs
