"""Measures what the package costs, beside the same program without it and with two others, and writes RESULTS.md.

    python bench [PART…]           (`make bench-sdk` prepares what it needs, and calls it)

Parts are stages, requests, throughput, flood, memory and idle; where some are named, they are printed and not written.
With `WATCHKEEPER_BINARY`, what is delivered a second is measured against that server, too.
"""

from __future__ import annotations

import datetime
import importlib.metadata
import os
import platform
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Optional

import measure
import processes
import table
from measure import Figures
from table import Line

RESULTS = Path(__file__).parent / "RESULTS.md"
_PEERS = ("opentelemetry-sdk", "opentelemetry-instrumentation-fastapi", "sentry-sdk", "fastapi", "uvicorn")


def main(binary: Optional[str], chosen: list[str]) -> None:
    """Measures, prints, and writes down."""
    begun = time.monotonic()
    load_before = os.getloadavg()[0]
    lines = [table.HEAD]
    with processes.sink() as sink:
        parts: dict[str, tuple[list[Line], Callable[[], Figures]]] = {
            "stages": (table.STAGES, lambda: measure.added("pipeline", sink)),
            "requests": (table.REQUESTS, lambda: measure.added("requests_inside", sink)),
            "throughput": (table.THROUGHPUT, lambda: measure.throughput(sink)),
            "flood": (table.FLOOD, lambda: measure.flood(sink, binary)),
            "memory": (table.MEMORY, lambda: measure.memory(sink)),
            "idle": (table.IDLE, measure.idle),
        }
        print(table.HEAD, flush=True)
        for part in chosen or parts:
            written, measured = parts[part]
            figures = measured()
            for line in written:
                lines.append(line.written(figures))
                print(lines[-1], flush=True)
    if not chosen:
        page = _page("\n".join(lines), load_before, time.monotonic() - begun)
        RESULTS.write_text(page, encoding="utf-8")


def _page(lines: str, load: float, took: float) -> str:
    versions = ", ".join(f"{name} {importlib.metadata.version(name)}" for name in _PEERS)
    return f"""# What the package costs

<!-- Written by `make bench-sdk`. -->

{lines}

{datetime.datetime.now(datetime.timezone.utc):%Y-%m-%d}, {_processor()}, {os.cpu_count()} cores, Python \
{platform.python_version()}; {versions}. The load of the machine was {load:.1f} before. It took {took:.0f} s.

{_METHOD}
"""


_METHOD = f"""\
Each subject runs in a fresh process, in turns with the others, in {measure.ROUNDS} rounds; figures are medians of \
these. *Added* is what is more than without in the same round. The ratio is Watchkeeper's to the better peer's. \
OpenTelemetry is its SDK with `BatchSpanProcessor`, OTLP over HTTP and the instrumentation of FastAPI; Sentry has \
`traces_sample_rate=1.0`; all other settings are the default ones. All deliver to a small HTTP server that counts, \
in a process of its own. A job has five stages of 0.2 ms of Python and 0.5 ms of waiting, and only what is at the \
borders is timed; Watchkeeper also measures the memory and the CPU of each stage, which the others do not. Requests \
are those of a FastAPI application that checks a small document and gives it back: called within the process with a \
pause of 0.5 ms after each, and under uvicorn (uvloop, httptools, no access log) by 16 connections that ask again at \
once, in slices of less than a second, in turns. What is told of those requests shows what was dropped under that \
load, which makes a package look cheaper. Memory is that of 1,500 jobs whose server never answers, in queues of the \
default size (10,000 events, 2,048 spans, 100 transactions), less what was held after the import. For *delivered \
without a loss* the program waits while its queue is half full."""


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
        if line.startswith("model name"):
            return " ".join(line.partition(":")[2].split())
    return platform.machine()


if __name__ == "__main__":
    main(os.environ.get("WATCHKEEPER_BINARY") or None, sys.argv[1:])
