"""A small real server that answers as a test wants, and clients that tell it things."""

from __future__ import annotations

import gzip
import json
import socket
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Callable, Optional

import pytest
from llm_server import ModelServer

import watchkeeper as wk
from watchkeeper import _client
from watchkeeper._settings import read_settings

# What a test answers a request with: a status, or a function of its events that gives a status, headers and a body.
Reply = Any


class Server:
    """Takes events like Watchkeeper does. `replies` are answered first, one each; then all is well."""

    def __init__(self, port: int = 0) -> None:
        self.events: list[dict[str, Any]] = []
        self.batches: list[int] = []
        self.headers: list[dict[str, str]] = []
        self.replies: list[Reply] = []
        self.always: Optional[Reply] = None
        # Records of logs, as `flat` makes them, and what requests of theirs are answered with.
        self.records: list[dict[str, Any]] = []
        self.log_replies: list[Reply] = []
        self.always_logs: Optional[Reply] = None
        self.log_requests: list[dict[str, Any]] = []
        self.release = threading.Event()
        self._changed = threading.Condition()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = gzip.decompress(self.rfile.read(int(self.headers["Content-Length"])))
                if self.path == "/v1/logs":
                    outer.take_logs(self, json.loads(body))
                else:
                    outer.take(self, body)

            def log_message(self, *args: Any) -> None:
                pass

        self._http = ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self._http.daemon_threads = True
        self.port = self._http.server_address[1]
        self.url = f"http://127.0.0.1:{self.port}"
        threading.Thread(target=self._http.serve_forever, args=(0.01,), daemon=True).start()

    def take(self, handler: BaseHTTPRequestHandler, body: bytes) -> None:
        events = [json.loads(line) for line in body.split(b"\n")]
        self.headers.append(dict(handler.headers))
        reply = self.replies.pop(0) if self.replies else self.always
        status, headers, answer = 200, {}, None
        if callable(reply):
            status, headers, answer = reply(events)
        elif reply is not None:
            status = reply
        if status == 200 and answer is None:
            with self._changed:
                self.events.extend(events)
                self.batches.append(len(events))
                self._changed.notify_all()
            answer = {"accepted": len(events), "duplicates": 0, "rejected": []}
        self.answer(handler, status, headers, answer)

    def take_logs(self, handler: BaseHTTPRequestHandler, request: dict[str, Any]) -> None:
        """Takes records of logs; those whose id is known are not kept again, as Watchkeeper has it."""
        self.log_requests.append(request)
        records = flat(request)
        reply = self.log_replies.pop(0) if self.log_replies else self.always_logs
        status, headers, answer = 200, {}, None
        if callable(reply):
            status, headers, answer = reply(records)
        elif reply is not None:
            status = reply
        if status == 200 and answer is None:
            with self._changed:
                known = {record["log.record.uid"] for record in self.records}
                self.records.extend(record for record in records if record["log.record.uid"] not in known)
                self._changed.notify_all()
        self.answer(handler, status, headers, {} if status == 200 and answer is None else answer)

    @staticmethod
    def answer(handler: BaseHTTPRequestHandler, status: int, headers: dict[str, str], answer: Any) -> None:
        if answer is None:
            answer = {"type": "urn:watchkeeper:problem:tested", "detail": f"status {status}"}
        data = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
        handler.send_response(status)
        for name, value in headers.items():
            handler.send_header(name, value)
        handler.send_header("Content-Length", str(len(data)))
        handler.end_headers()
        handler.wfile.write(data)

    def wait_for(self, condition: Callable[[list[dict[str, Any]]], bool], seconds: float = 30.0) -> None:
        with self._changed:
            assert self._changed.wait_for(lambda: condition(self.events), seconds), [e["type"] for e in self.events]

    def wait_for_records(self, count: int, seconds: float = 30.0) -> None:
        with self._changed:
            assert self._changed.wait_for(lambda: len(self.records) >= count, seconds), len(self.records)

    def of(self, type_: str) -> list[dict[str, Any]]:
        return [event for event in self.events if event["type"] == type_]

    def stop(self) -> None:
        self.release.set()
        self._http.shutdown()
        self._http.server_close()


def flat(request: dict[str, Any]) -> list[dict[str, Any]]:
    """The records of a request of OTLP, each with its attributes and those of its resource beside its fields."""
    found = []
    for resource in request["resourceLogs"]:
        shared = {attribute["key"]: plain(attribute["value"]) for attribute in resource["resource"]["attributes"]}
        for scope in resource["scopeLogs"]:
            for record in scope["logRecords"]:
                own = {attribute["key"]: plain(attribute["value"]) for attribute in record.pop("attributes")}
                record["body"] = plain(record["body"])
                found.append({**shared, **own, **record})
    return found


def plain(value: dict[str, Any]) -> Any:
    """A value of OTLP."""
    ((kind, inner),) = value.items()
    return int(inner) if kind == "intValue" else inner


@pytest.fixture
def server() -> Iterator[Server]:
    made = Server()
    yield made
    made.stop()


@pytest.fixture(autouse=True)
def nothing_left() -> Iterator[None]:
    yield
    left = _client.replace_client(None)
    if left is not None:
        left.shutdown(0.0)


@pytest.fixture
def client(server: Server) -> wk.Client:
    """The client that `init` makes, without heartbeats and quick to send."""
    made = wk.init(server.url, service="tests", heartbeat_seconds=0, flush_seconds=0.02, handle_sigterm=False)
    assert made is not None
    return made


@pytest.fixture
def closed_port() -> int:
    """A port at which nobody listens."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
    return port


@pytest.fixture
def make_client() -> Iterator[Callable[..., wk.Client]]:
    """Clients beside the one of `init`."""
    made: list[wk.Client] = []

    def make(url: str, **settings: Any) -> wk.Client:
        given = {"heartbeat_seconds": 0, "flush_seconds": 0.02, "retry_seconds": 0.05, "timeout_seconds": 60}
        made.append(_client.Client(read_settings({"url": url, **given, **settings}, {})))
        return made[-1]

    yield make
    for client in made:
        client.shutdown(0.0)


def wait_until(condition: Callable[[], bool], seconds: float = 30.0) -> None:
    """Waits for a condition, and fails without it."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.005)


def balance(stats: wk.Stats) -> int:
    """What is not accounted for: 0."""
    dropped = sum(count for reason, count in stats.dropped.items() if not reason.startswith("adopted_"))
    settled = stats.delivered + stats.rejected + dropped + stats.queued + stats.spooled
    return stats.reported - settled


@pytest.fixture
def models() -> Iterator[ModelServer]:
    """A server of models."""
    made = ModelServer()
    yield made
    made.stop()


@pytest.fixture
def calls(server: Server, client: wk.Client) -> Callable[[], list[dict[str, Any]]]:
    """The calls of models that were reported so far."""

    def told() -> list[dict[str, Any]]:
        assert client.flush(60)
        assert client.stats().dropped == {}
        assert client.stats().cleaned == 0
        return server.of("llm.call")

    return told


@pytest.fixture
def told(server: Server, client: wk.Client) -> Callable[[], dict[str, Any]]:
    """The only request that was told since it was last asked for."""

    def only() -> dict[str, Any]:
        assert client.flush(60)
        assert client.stats().dropped == {}
        (event,) = server.of("request.finished")
        server.events.clear()
        return event

    return only
