"""What a package costs that is imported and called, but not configured."""

from __future__ import annotations

import asyncio
import time
from typing import Any

from subjects import Subject

_ROUNDS = 20_000


def run(subject: Subject, url: str) -> dict[str, float]:
    """Microseconds of a job with one stage, and of a request to an application that does nothing."""
    subject.load()
    with subject.job(0) as job:
        begun = time.perf_counter()
        for _ in range(_ROUNDS):
            with subject.stage(job) as stage:
                subject.note(stage, 3)
        stage_took = time.perf_counter() - begun
    return {
        "stage_us": stage_took / _ROUNDS * 1e6,
        "request_us": asyncio.run(_requests(subject)) / _ROUNDS * 1e6,
    }


async def _requests(subject: Subject) -> float:
    async def nothing(scope: Any, receive: Any, send: Any) -> None:
        return

    app = subject.guard(nothing)
    scope = {"type": "http", "method": "GET", "path": "/", "headers": [], "query_string": b"", "scheme": "http"}
    begun = time.perf_counter()
    for _ in range(_ROUNDS):
        await app(dict(scope), None, None)
    return time.perf_counter() - begun
