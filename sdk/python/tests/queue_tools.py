"""A real Redis on a free port, programs that send to it and work from it, and what arrives of them."""

from __future__ import annotations

import collections
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from typing import Any

import pytest
from conftest import Server

HERE = os.path.dirname(os.path.abspath(__file__))
SOURCE = os.path.join(os.path.dirname(HERE), "src")
ENDS = ("job.completed", "job.failed")


@pytest.fixture
def redis_url(tmp_path: Any) -> Iterator[str]:
    program = shutil.which("redis-server")
    assert program is not None, "redis-server is needed"
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [program, "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", str(tmp_path)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + 30
        while True:
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
                break
            except OSError:
                assert time.monotonic() < deadline, "redis-server does not answer"
                time.sleep(0.02)
        yield f"redis://127.0.0.1:{port}/0"
    finally:
        process.kill()
        process.wait()


class Programs:
    """Starts programs with an address of Watchkeeper and of Redis, and ends them."""

    def __init__(self, server: Server, redis_url: str) -> None:
        self._environment = {
            **os.environ,
            "PYTHONPATH": os.pathsep.join((SOURCE, HERE)),
            "WATCHKEEPER_URL": server.url,
            "WATCHKEEPER_FLUSH_SECONDS": "0.1",
            "WATCHKEEPER_EXIT_SECONDS": "60",
            "REDIS_URL": redis_url,
        }
        self._started: list[subprocess.Popen[bytes]] = []

    def start(self, *arguments: str, **environment: str) -> subprocess.Popen[bytes]:
        process = subprocess.Popen([sys.executable, *arguments], env={**self._environment, **environment}, cwd=HERE)
        self._started.append(process)
        return process

    def run(self, *arguments: str, **environment: str) -> None:
        assert self.start(*arguments, **environment).wait(120) == 0

    def stop(self, process: subprocess.Popen[bytes]) -> None:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(90)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def end(self) -> None:
        for process in self._started:
            if process.poll() is None:
                process.kill()
            process.wait()


@pytest.fixture
def programs(server: Server, redis_url: str) -> Iterator[Programs]:
    made = Programs(server, redis_url)
    yield made
    made.end()


def ended(server: Server) -> set[str]:
    """The ids of the jobs that have ended."""
    return {event["job_id"] for event in list(server.events) if event["type"] in ENDS}


def wait_for_ends(server: Server, ids: set[str], seconds: float = 60.0) -> None:
    deadline = time.monotonic() + seconds
    while not ids <= ended(server):
        assert time.monotonic() < deadline, (ids - ended(server), lives(server))
        time.sleep(0.05)


def lives(server: Server) -> dict[str, list[str]]:
    """What was said of each job, in the order of time."""
    found: dict[str, list[dict[str, Any]]] = collections.defaultdict(list)
    for event in server.events:
        if event["type"].startswith("job.") and event["type"] != "job.progress":
            found[event["job_id"]].append(event)
    order = ("submitted", "started", "retried", "failed", "completed")

    def place(event: dict[str, Any]) -> tuple[int, int]:
        return event["time"], order.index(event["type"][4:])

    return {id: [event["type"][4:] for event in sorted(events, key=place)] for id, events in found.items()}


OK = ["submitted", "started", "completed"]
BAD = ["submitted", "started", "failed"]
TWICE = ["submitted", "started", "retried", "started", "completed"]


def check_lives(server: Server, expected: dict[str, list[str]]) -> None:
    """Every event arrived, and once; ids of events are unique, and attempts are counted from 0."""
    assert lives(server) == expected
    ids = [event["event_id"] for event in server.events]
    assert len(ids) == len(set(ids))
    for id in expected:
        events = [event for event in server.events if event.get("job_id") == id]
        started = sorted((e for e in events if e["type"] == "job.started"), key=lambda e: e["time"])
        assert [event.get("retry_count") for event in started] == list(range(len(started))), id
        assert len({event["trace_id"] for event in events if "trace_id" in event}) == 1, id
        assert len({event["kind"] for event in events if event["type"].startswith("job.")}) == 1, id


def check_worker(server: Server) -> None:
    """Who ran jobs has beaten."""
    beaten = {event["worker_id"] for event in server.of("worker.heartbeat")}
    ran = {event["worker_id"] for event in server.events if event["type"] == "job.started"}
    assert ran
    assert ran <= beaten, (ran, beaten)


def of(server: Server, id: str, type_: str) -> dict[str, Any]:
    """What was told of a job by an event of that type."""
    return next(event for event in server.events if event.get("job_id") == id and event["type"] == type_)


def thrice(lives: dict[str, list[str]]) -> dict[str, list[str]]:
    """What is expected where each was sent three times."""
    return {f"{name}-{number}": life for number in range(3) for name, life in lives.items()}


def check(server: Server, expected: dict[str, list[str]], first: str, kind: str, stages: int) -> dict[str, Any]:
    """What is true under every queue: of each job all was told, and once; a worker that ran one beat; who sent it, and
    its queue, are known. `first` is one of them, of that kind; gives its begin."""
    server.events = [event for event in server.events if event.get("job_id") != "the-upload"]
    check_lives(server, expected)
    check_worker(server)
    assert len(server.of("stage.finished")) == stages
    started = of(server, first, "job.started")
    assert (started["queue"], started["kind"]) == ("extraction", kind)
    assert (started["parent_id"], started["request_id"]) == ("the-upload", "r-1")
    return started
