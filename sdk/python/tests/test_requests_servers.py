"""The frameworks under the servers that they run under: every request is told, once."""

from __future__ import annotations

import concurrent.futures
import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections import Counter

import pytest
from conftest import wait_until

TESTS = os.path.dirname(os.path.abspath(__file__))
SOURCE = os.path.join(os.path.dirname(TESTS), "src")
REQUESTS = 200

UVICORN = ["uvicorn", "--log-level", "warning"]
GUNICORN = ["gunicorn", "--log-level", "warning"]
SERVERS = {
    "fastapi-uvicorn": [*UVICORN, "request_apps:fastapi_app", "--port"],
    "fastapi-gunicorn": [*GUNICORN, "request_apps:fastapi_app", "-k", "uvicorn_worker.UvicornWorker", "-w", "4", "-b"],
    "flask": [*GUNICORN, "request_apps:flask_app", "-w", "1", "--threads", "4", "-b"],
    "django": [*GUNICORN, "request_apps:django_app", "-w", "2", "-b"],
    "django-asgi": [*UVICORN, "request_apps:django_asgi_app", "--lifespan", "off", "--port"],
}


class Application:
    def __init__(self, name, server):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        command = SERVERS[name]
        address = str(self.port) if command[0] == "uvicorn" else f"127.0.0.1:{self.port}"
        paths = os.pathsep.join(filter(None, [SOURCE, TESTS, os.environ.get("PYTHONPATH")]))
        environment = {**os.environ, "PYTHONPATH": paths, "WATCHKEEPER_URL": server.url, "WATCHKEEPER_SERVICE": name}
        environment["WATCHKEEPER_EXIT_SECONDS"] = "60"
        self.process = subprocess.Popen([sys.executable, "-m", *command, address], env=environment)
        wait_until(self.answers, 60)

    def answers(self):
        assert self.process.poll() is None
        try:
            return self.get("/healthz")[0] in (200, 404)
        except OSError:
            return False

    def get(self, path, method="GET", body=None, headers=None):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            connection.request(method, path, body, headers or {})
            answer = connection.getresponse()
            return answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read()
        finally:
            connection.close()

    def stop(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        assert self.process.wait(60) is not None


@pytest.fixture
def start(server):
    started = []

    def make(name):
        started.append(Application(name, server))
        return started[-1]

    yield make
    for application in started:
        application.stop()


def one(server, request_id):
    def mine(events):
        return [event for event in events if event["type"] == "request.finished" and event["request_id"] == request_id]

    server.wait_for(lambda events: bool(mine(events)))
    found = mine(server.events)
    assert len(found) == 1
    return found[0]


@pytest.mark.parametrize("name", list(SERVERS))
def test_every_request_arrives_once(start, server, name):
    application = start(name)

    def ask(number):
        status, headers, _ = application.get(f"/documents/{number}", headers={"X-Request-ID": f"r-{number}"})
        assert headers["x-request-id"] == f"r-{number}"
        assert float(headers["x-process-time"]) >= 0
        return status

    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        assert set(pool.map(ask, range(REQUESTS))) == {200}
    # The end delivers the rest.
    application.stop()
    finished = [event for event in server.of("request.finished") if event["path"] != "/healthz"]
    assert Counter(event["request_id"] for event in finished) == {f"r-{number}": 1 for number in range(REQUESTS)}
    assert len({event["event_id"] for event in finished}) == REQUESTS
    route = "/documents/{number}" if name.startswith("fastapi") else "/documents/<int:number>"
    assert {(event["route"], event["method"], event["status_code"]) for event in finished} == {(route, "GET", 200)}
    assert {event["service"] for event in finished} == {name}
    submitted = server.of("job.submitted")
    assert Counter(event["job_id"] for event in submitted) == {f"job-{number}": 1 for number in range(REQUESTS)}
    assert all(event["request_id"] == "r-" + event["job_id"][4:] for event in submitted)
    traces = {event["request_id"]: event["trace_id"] for event in finished}
    assert all(traces[event["request_id"]] == event["trace_id"] for event in submitted)


def test_all_workers_of_gunicorn_report(start, server):
    application = start("fastapi-gunicorn")
    deadline, pids = time.monotonic() + 60, set()
    while len(pids) < 2 and time.monotonic() < deadline:
        pids.add(json.loads(application.get("/documents/1")[2])["pid"])
    application.stop()
    assert len(pids) >= 2
    prefixes = {event["event_id"].partition("-")[0] for event in server.of("request.finished")}
    assert len(prefixes) >= len(pids)


def test_fastapi(start, server):
    application = start("fastapi-uvicorn")

    def told(path, **more):
        status, headers, body = application.get(path, **more)
        event = one(server, headers["x-request-id"])
        assert event["status_code"] == status
        return event, body

    for path, route in (
        ("/v1/pages/7", "/v1/pages/{page}"),
        ("/tenants/acme/things/7", "/tenants/{tenant}/things/{thing}"),
        ("/documents/no-number", "/documents/{number}"),
        ("/openapi.json", "/openapi.json"),
    ):
        assert told(path)[0]["route"] == route
    assert "route" not in told("/nothing/here")[0]
    assert told("/threads/7")[0]["user_id"] == "7"

    event, _ = told("/upload", method="POST", body=b'{"a":1}', headers={"Content-Type": "application/json"})
    assert (event["request_bytes"], event["response_bytes"]) == (7, 1)
    event, body = told("/stream", headers={"X-API-Key": "secret"})
    assert (event["response_bytes"], body) == (30, b"x" * 30)
    assert event["attributes"]["time_to_first_byte_seconds"] <= event["duration_seconds"]
    assert len(event["api_key_id"]) == 16
    assert "secret" not in json.dumps(event)
    event, _ = told("/later")
    server.wait_for(lambda events: any(e["type"] == "job.started" and e["kind"] == "later" for e in events))
    started = next(e for e in server.of("job.started") if e["kind"] == "later")
    # It ends before what it began in the background does begin.
    assert event["time"] <= started["time"]

    status, _, _ = application.get("/fails", headers={"X-Request-ID": "fails"})
    event = one(server, "fails")
    assert (status, event["status_code"], event["error_message"]) == (500, 500, "the file is encrypted")
    assert "in fails" in event["attributes"]["traceback"]
    assert event["attributes"]["error_type"] == "ValueError"
    application.get("/healthz")
    assert not [event for event in server.of("request.finished") if event["path"] == "/healthz"]


@pytest.mark.parametrize("name", ["fastapi-uvicorn", "flask"])
def test_a_client_that_leaves_in_the_middle(start, server, name):
    application = start(name)
    with socket.create_connection(("127.0.0.1", application.port), 60) as client:
        client.sendall(b"GET /endless HTTP/1.1\r\nHost: a\r\nX-Request-ID: leaves\r\n\r\n")
        assert client.recv(20_000)
    event = one(server, "leaves")
    assert (event["status_code"], event["route"], event["response_bytes"] > 0) == (200, "/endless", True)
    assert event["attributes"]["client_disconnected"] is True
    assert "error_message" not in event


@pytest.mark.parametrize("name", ["flask", "django", "django-asgi"])
def test_flask_and_django(start, server, name):
    application = start(name)

    def told(path, **more):
        status, headers, body = application.get(path, **more)
        event = one(server, headers["x-request-id"])
        assert event["status_code"] == status
        return event, body

    event, _ = told("/v1/pages/7")
    assert event["route"] == ("/v1/pages/<page>" if name == "flask" else "/v1/pages/(?P<number>[0-9]+)$")
    assert "route" not in told("/nothing/here")[0]
    event, _ = told("/fails")
    assert (event["status_code"], event["error_message"]) == (500, "the file is encrypted")
    assert "in fails" in event["attributes"]["traceback"]
    event, body = told("/stream")
    assert (event["response_bytes"], body) == (30, b"x" * 30)
    assert event["attributes"].keys() == {"time_to_first_byte_seconds"}
    event, _ = told("/upload", method="POST", body=b"1234567")
    assert event["request_bytes"] == 7
    if name == "flask":
        pieces = [event for event in server.of("job.completed") if event["kind"] == "piece"]
        assert {piece.get("request_id") for piece in pieces} != {None}
    else:
        event, body = told("/file")
        assert (event["response_bytes"], event["route"]) == (len(body), "/file")
        assert "client_disconnected" not in event.get("attributes", {})
