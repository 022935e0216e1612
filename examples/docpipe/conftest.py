"""What the tests work with: a real redis-server, the pipeline's processes, and a receiver of events."""

from __future__ import annotations

import gzip
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Callable, Iterator, TypeVar

import pytest
from redis import Redis
from redis.exceptions import ConnectionError as RedisIsAway

HERE = Path(__file__).resolve().parent
T = TypeVar("T")


def eventually(look: Callable[[], T], what: str, timeout: float = 60.0) -> T:
    """Looks again and again until the answer is true. Fails when that takes too long."""
    deadline = time.monotonic() + timeout
    while True:
        answer = look()
        if answer:
            return answer
        assert time.monotonic() < deadline, f"waited {timeout} s for {what}"
        time.sleep(0.05)


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


@pytest.fixture(scope="session")
def redis_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a redis-server of our own."""
    port = free_port()
    command = ["redis-server", "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]
    server = subprocess.Popen([*command, "--dir", str(tmp_path_factory.mktemp("redis"))], stdout=subprocess.DEVNULL)
    url = f"redis://127.0.0.1:{port}/0"

    def answers() -> bool:
        try:
            return Redis.from_url(url).ping()
        except RedisIsAway:
            return False

    try:
        eventually(answers, "redis-server to answer")
        yield url
    finally:
        server.terminate()
        server.wait(10)


@pytest.fixture()
def redis(redis_url: str) -> Iterator[Redis]:
    """An empty Redis."""
    with Redis.from_url(redis_url) as client:
        client.flushall()
        yield client


class Receiver:
    """Stands where Watchkeeper stands, and keeps what it is told."""

    def __init__(self) -> None:
        self.events: list[dict[str, Any]] = []
        self.logs: list[str] = []
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    def close(self) -> None:
        """Goes away."""
        self._server.shutdown()
        self._server.server_close()

    def of_type(self, *types: str) -> list[dict[str, Any]]:
        """The events of these types."""
        return [event for event in self.events if event["type"] in types]

    def _handler(receiver) -> type[BaseHTTPRequestHandler]:
        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = gzip.decompress(self.rfile.read(int(self.headers["Content-Length"])))
                answer = b"{}"
                if self.path == "/api/v1/events":
                    events = [json.loads(line) for line in body.splitlines()]
                    receiver.events.extend(events)
                    answer = json.dumps({"accepted": len(events), "duplicates": 0, "rejected": []}).encode()
                else:
                    assert self.path == "/v1/logs"
                    receiver.logs.append(body.decode())
                self.send_response(200)
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, *_: Any) -> None:
                pass

        return Handler


@pytest.fixture()
def receiver() -> Iterator[Receiver]:
    """A receiver of events."""
    receiver = Receiver()
    yield receiver
    receiver.close()


class Pipeline:
    """Starts modules of the package as processes, and stops them."""

    def __init__(self, redis_url: str, folder: Path, watchkeeper: str) -> None:
        self.logs = folder / "logs"
        self._common = ["--redis", redis_url, "--log-dir", str(self.logs), "--watchkeeper", watchkeeper]
        self._started: list[subprocess.Popen[str]] = []

    def start(self, module: str, *arguments: str) -> subprocess.Popen[str]:
        """Runs `python -m MODULE`."""
        process = subprocess.Popen(
            [sys.executable, "-m", module, *self._common, *arguments],
            cwd=HERE,
            env={**os.environ, "OPENBLAS_NUM_THREADS": "1"},
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        self._started.append(process)
        return process

    def log(self, service: str) -> list[dict[str, Any]]:
        """The lines of a log file."""
        path = self.logs / f"{service}.log"
        return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []

    def close(self) -> None:
        """Ends everything that still runs, children too."""
        for process in self._started:
            try:
                os.killpg(process.pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
            process.communicate()


@pytest.fixture()
def pipeline(redis: Redis, redis_url: str, tmp_path: Path, receiver: Receiver) -> Iterator[Pipeline]:
    """The pipeline's processes, with an empty Redis."""
    pipeline = Pipeline(redis_url, tmp_path, receiver.url)
    yield pipeline
    pipeline.close()
