"""What a package holds where nobody answers and its queue, of its usual size, is full.

It imports as little as it can before it looks for the first time.
"""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from subjects import Subject

# Each job has twelve events, or six spans: more than any of the queues holds.
_JOBS = 1_500
# Time enough for a batch to be packed, and to hang in a request.
_SETTLE_SECONDS = 1.5
_MB = 1 << 20


def run(subject: Subject, url: str, how: str) -> dict[str, float]:
    """Megabytes: of the import, and beyond it, at the most. `how` is `rss` or `traced`."""
    before = _rss("VmRSS")
    subject.load()
    imported = _rss("VmRSS")
    if how == "traced":
        return {"traced_mb": _traced(subject, url)}
    _fill(subject, url)
    full = _rss("VmHWM")
    return {"import_mb": (imported - before) / _MB, "queue_mb": (full - imported) / _MB, "share": subject.waiting()}


def _traced(subject: Subject, url: str) -> float:
    import tracemalloc

    tracemalloc.start()
    _fill(subject, url)
    return tracemalloc.get_traced_memory()[1] / _MB


def _fill(subject: Subject, url: str) -> None:
    subject.begin(url)
    for number in range(_JOBS):
        with subject.job(number) as job:
            for _ in range(5):
                with subject.stage(job) as stage:
                    subject.note(stage, 3)
    time.sleep(_SETTLE_SECONDS)


def _rss(name: str) -> int:
    if not sys.platform.startswith("linux"):
        raise OSError("memory is read from /proc")
    with open("/proc/self/status", encoding="ascii") as file:
        return next(int(line.split()[1]) * 1024 for line in file if line.startswith(name + ":"))
