"""The cost of a sample: the same series, sent by remote write to Watchkeeper, VictoriaMetrics and Prometheus in
one run. Watchkeeper answers when a request is on the disk; the others, as they come, do not wait for that."""

from __future__ import annotations

import shutil
import statistics
import subprocess
import time
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import TypeVar

import measure
import servers
from services import Services

# Series, steps of 15 s, jitter in ms.
SHAPES = [(10_000, 600, 2), (100_000, 60, 2), (100_000, 240, 2)]
RUNS = 3

Figures = TypeVar("Figures")


@dataclass(frozen=True)
class Cost:
    """What samples cost a server."""

    cpu_microseconds: float
    wall_microseconds: float
    peak_bytes: int
    disk_bytes: float


def measured(folder: Path, binary: str, load: str, shape: tuple[int, int, int]) -> dict[str, Cost]:
    """Each server's cost a sample, by its name, as medians of several runs; one server after the other, so that they
    do not share the cores."""
    runs = [_run(folder, binary, load, shape) for _ in range(RUNS)]
    return {name: median([run[name] for run in runs]) for name in runs[0]}


def median(figures: list[Figures]) -> Figures:
    """The median of each figure by itself."""
    medians = {field.name: statistics.median(getattr(each, field.name) for each in figures) for field in fields(figures[0])}
    return replace(figures[0], **medians)


def _run(folder: Path, binary: str, load: str, shape: tuple[int, int, int]) -> dict[str, Cost]:
    costs = {}
    for name, start in servers.starters(binary).items():
        place = folder / f"{name}-{shape[0]}-{shape[1]}"
        place.mkdir()
        with Services(place) as services:
            server = start(services)
            cost = _cost(server, load, shape)
            if name != "Watchkeeper":
                server.settle()
        costs[name] = replace(cost, disk_bytes=server.stored() / (shape[0] * shape[1]))
        shutil.rmtree(place)
    return costs


def _cost(server: servers.Server, load: str, shape: tuple[int, int, int]) -> Cost:
    before, begun = measure.read(server.pid), time.monotonic()
    series, steps, jitter = (str(number) for number in shape)
    subprocess.run([load, server.address, server.write, series, steps, steps, jitter], check=True)
    after, seconds = measure.read(server.pid), time.monotonic() - begun
    samples = shape[0] * shape[1]
    cpu = (after.cpu_seconds - before.cpu_seconds) / samples * 1e6
    return Cost(cpu, seconds / samples * 1e6, servers.peak(server.pid), 0)
