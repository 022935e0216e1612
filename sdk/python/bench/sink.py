"""Answers as Watchkeeper, a collector of OTLP and Sentry do, and counts what it was told: a process of its own.

    python sink.py            prints the port that it listens at

What a program sends to `/NAME/…` is counted under that name: `GET /NAME` gives it, by kind. Bodies are read when that
is asked, not when they come, so that to count takes no time from the program that is measured. Whoever sends to
`/silent…` is never answered.
"""

from __future__ import annotations

import gzip
import json
from collections import Counter, defaultdict
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class Handler(BaseHTTPRequestHandler):
    """One connection."""

    protocol_version = "HTTP/1.1"
    # The head and the body of an answer are two writes: without this the second waits for the other side.
    disable_nagle_algorithm = True
    wbufsize = -1
    bodies: dict[str, list[tuple[str, bytes]]] = defaultdict(list)

    def do_POST(self) -> None:
        """Takes a batch."""
        name, _, path = self.path.lstrip("/").partition("/")
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if name.startswith("silent"):
            self.rfile.read(1)
            return
        if self.headers.get("Content-Encoding") == "gzip":
            body = gzip.decompress(body)
        self.bodies[name].append((path, body))
        if path == "api/v1/events":
            answer = {"accepted": body.count(b"\n") + 1, "duplicates": 0, "rejected": []}
            self._answer("application/json", json.dumps(answer).encode())
        elif path == "v1/traces":
            self._answer("application/x-protobuf", b"")
        else:
            self._answer("application/json", b"{}")

    def do_GET(self) -> None:
        """Says what came under a name so far, and forgets it."""
        counts: Counter[str] = Counter()
        for path, body in self.bodies.pop(self.path.strip("/"), []):
            counts.update(_kinds(path, body))
        self._answer("application/json", json.dumps(counts).encode())

    def log_message(self, *args: Any) -> None:
        """Nothing."""

    def _answer(self, kind: str, body: bytes) -> None:
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
        self.wfile.flush()


def _kinds(path: str, body: bytes) -> Iterator[str]:
    """What a body tells of, one kind each."""
    if path == "api/v1/events":
        for line in body.split(b"\n"):
            yield json.loads(line)["type"]
    elif path == "v1/traces":
        yield from _spans(body)
    else:
        yield from _items(body)


def _spans(body: bytes) -> Iterator[str]:
    from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
    from opentelemetry.proto.trace.v1.trace_pb2 import Span

    for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
        for scope in resource.scope_spans:
            for span in scope.spans:
                yield "server span" if span.kind == Span.SPAN_KIND_SERVER else span.name


def _items(envelope: bytes) -> Iterator[str]:
    """The items of an envelope: a line for all, then for each a line about it and its payload."""
    _, _, rest = envelope.partition(b"\n")
    while rest:
        line, _, rest = rest.partition(b"\n")
        item = json.loads(line)
        length = item.get("length", rest.find(b"\n"))
        payload, rest = rest[:length], rest[length + 1 :]
        yield item["type"]
        if item["type"] == "transaction":
            for span in json.loads(payload)["spans"]:
                yield str(span.get("description"))


def main() -> None:
    """Serves until it is ended."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    print(server.server_address[1], flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
