"""What a million series take: memory while they come in, and the time until a start has them again."""

from __future__ import annotations

import shutil
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

import measure
import medians
import servers
from services import Services

# Series, samples of each.
SHAPES = [(10_000, 20), (100_000, 20), (1_000_000, 20)]


@dataclass(frozen=True)
class Growth:
    """One number of series."""

    series: int
    cpu_microseconds: float
    peak_bytes: int
    restart_seconds: float


def measured(folder: Path, binary: str, load: str) -> list[Growth]:
    """Each number of series by itself, with the log as it is when the process is killed; medians of several runs."""
    return [medians.measured(lambda shape=shape: _of(folder, binary, load, *shape)) for shape in SHAPES]


def _of(folder: Path, binary: str, load: str, series: int, steps: int) -> Growth:
    place = folder / f"growth-{series}"
    place.mkdir()
    with Services(place) as services:
        server = servers.watchkeeper(services, binary)
        before = measure.read(server.pid)
        write = [load, server.address, server.write]
        subprocess.run([*write, str(series), str(steps), str(steps), "2"], check=True)
        cpu = measure.read(server.pid).cpu_seconds - before.cpu_seconds
        peak = servers.peak(server.pid)
        services.kill(server.pid)
        begun = time.monotonic()
        services.watchkeeper(binary)
        seconds = time.monotonic() - begun
    shutil.rmtree(place)
    return Growth(series, cpu / (series * steps) * 1e6, peak, seconds)
