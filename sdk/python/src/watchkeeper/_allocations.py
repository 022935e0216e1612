"""Which lines of the program hold the most memory, told with a stage that passed its threshold.

`tracemalloc` makes every allocation slower and takes memory itself, so it runs only where a setting says so. To read it
takes long where much is held (a second for some millions of objects), in the thread of the stage; so that is done once
a minute at most.
"""

from __future__ import annotations

import threading
import time
from typing import Any

from ._clean import shortened
from ._limits import let_through
from ._settings import Settings

_SECONDS_BETWEEN = 60.0
_reading = threading.Lock()
_next_at = 0.0


def begin(settings: Settings) -> None:
    """Starts `tracemalloc`, where a threshold is set and nobody did before."""
    if settings.tracemalloc_mb:
        import tracemalloc

        if not tracemalloc.is_tracing():
            tracemalloc.start()


def top_lines(settings: Settings, peak_bytes: int) -> dict[str, Any]:
    """The attribute for a stage whose memory reached `peak_bytes`: `tracemalloc_top`, a text with a line for each.
    Empty where that is below the threshold."""
    global _next_at
    if not settings.tracemalloc_mb or peak_bytes < settings.tracemalloc_mb * (1 << 20):
        return {}
    # Not waited for: whoever comes second goes on without.
    if time.monotonic() < _next_at or not _reading.acquire(blocking=False):
        return {}
    try:
        import tracemalloc

        if not tracemalloc.is_tracing():
            return {}
        ours = tracemalloc.Filter(False, tracemalloc.__file__)
        held = tracemalloc.take_snapshot().filter_traces((ours,)).statistics("lineno")
        lines = [
            f"{line.traceback[0]}: {line.size / (1 << 20):.1f} MB in {line.count}"
            for line in held[: settings.tracemalloc_lines]
        ]
        return {"tracemalloc_top": shortened("\n".join(lines), 8_000)} if lines else {}
    except Exception as error:
        let_through(error)
        return {}
    finally:
        _next_at = time.monotonic() + _SECONDS_BETWEEN
        _reading.release()
