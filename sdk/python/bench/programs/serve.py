"""The application under uvicorn, with its quick loop and parser, and without a log of requests."""

from __future__ import annotations

import uvicorn
from echo import make_app
from subjects import Subject


def run(subject: Subject, url: str, port: str) -> dict[str, float]:
    """Serves until it is ended."""
    subject.load()
    subject.begin(url)
    uvicorn.run(make_app(subject), port=int(port), loop="uvloop", http="httptools", access_log=False, log_level="error")
    return {}
