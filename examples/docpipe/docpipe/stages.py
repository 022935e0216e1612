"""A stage of the job that runs: what it takes is measured and reported, and its memory stands in the log.

    with stage("chunk") as step:
        chunks = split(text)
        step.items = len(chunks)
"""

from __future__ import annotations

import logging
from contextlib import contextmanager
from typing import Iterator

import watchkeeper as wk

log = logging.getLogger(__name__)


@contextmanager
def stage(name: str, component: str | None = None) -> Iterator[wk.Stage]:
    """Runs a block as a stage. The block says in `items` how many things it handled."""
    running = wk.stage(name, component=component)
    try:
        with running:
            yield running
            if running.items == 0:
                running.empty()  # it has ended well, and yet it is no success
    finally:
        if running.measured:
            rss, delta = (running.measured[f"memory_{which}_bytes"] / 2**20 for which in ("rss", "delta"))
            log.info("Stage %s end: %.1fMB (delta: %+.1fMB)", name, rss, delta)
