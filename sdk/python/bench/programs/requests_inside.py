"""Requests that are answered within the process: how long the application takes, without a server around it.

A pause after each, as there is where requests do not come as fast as they are answered.
"""

from __future__ import annotations

import asyncio
import gc
import time
from typing import Any

import client
from echo import make_app
from spread import spread
from subjects import Subject

_WARM_UP_SECONDS = 0.5
_PAUSE_SECONDS = 0.0005
_HEADERS = [
    (b"host", b"127.0.0.1"),
    (b"user-agent", b"bench"),
    (b"accept", b"*/*"),
    (b"content-type", b"application/json"),
    (b"content-length", str(len(client.BODY)).encode()),
]


def run(subject: Subject, url: str, seconds: str) -> dict[str, float]:
    """Microseconds that a request takes."""
    subject.load()
    subject.begin(url)
    app = make_app(subject)
    asyncio.run(_ask(app, _WARM_UP_SECONDS))
    gc.collect()
    took = asyncio.run(_ask(app, float(seconds)))
    subject.flush()
    return {**spread("request", took), "requests": len(took)}


async def _ask(app: Any, seconds: float) -> list[int]:
    clock = time.perf_counter_ns
    until = time.monotonic() + seconds
    took: list[int] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": client.BODY, "more_body": False}

    async def send(message: dict[str, Any]) -> None:
        assert message.get("status", 200) == 200

    while time.monotonic() < until:
        begun = clock()
        await app(_scope(), receive, send)
        took.append(clock() - begun)
        await asyncio.sleep(_PAUSE_SECONDS)
    return took


def _scope() -> dict[str, Any]:
    return {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "method": "POST",
        "scheme": "http",
        "path": "/echo/acme",
        "raw_path": b"/echo/acme",
        "query_string": b"",
        "root_path": "",
        "headers": list(_HEADERS),
        "client": ("127.0.0.1", 50_000),
        "server": ("127.0.0.1", 80),
        "state": {},
    }
