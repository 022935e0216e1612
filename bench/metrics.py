"""The cost of a sample: the same series, sent by remote write to Watchkeeper, VictoriaMetrics and Prometheus in
one run. Watchkeeper answers when a request is on the disk; the others, as they come, do not wait for that."""

from __future__ import annotations

import shutil
import subprocess
import time
from dataclasses import dataclass, replace
from pathlib import Path

import measure
import medians
import servers
from services import Services

# Series, steps of 15 s, jitter in ms.
SHAPES = [(10_000, 600, 2), (100_000, 60, 2), (100_000, 240, 2)]

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
    return medians.measured(lambda: _run(folder, binary, load, shape))


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
