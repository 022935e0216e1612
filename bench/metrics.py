"""The cost of a sample: the same series, sent by remote write to Watchkeeper, VictoriaMetrics and Prometheus in
one run. Watchkeeper answers when a request is on the disk; the others, as they come, do not wait for that."""

from __future__ import annotations

import itertools
import shutil
import subprocess
import time
from dataclasses import dataclass, replace
from pathlib import Path

import measure
import medians
import servers
from services import Services


@dataclass(frozen=True)
class Shape:
    """What is sent: series, steps of 15 s, jitter in ms; how often, and to how many of the servers."""

    series: int
    steps: int
    jitter: int
    runs: int
    servers: int

    @property
    def samples(self) -> int:
        """Of all series together."""
        return self.series * self.steps


# Ten hours of few series, one hour of many, and four hours of these, which are long: without Prometheus.
SHAPES = [Shape(10_000, 2_400, 2, 3, 3), Shape(100_000, 240, 2, 3, 3), Shape(100_000, 960, 2, 3, 2)]


@dataclass(frozen=True)
class Cost:
    """What samples cost a server."""

    cpu_microseconds: float
    wall_microseconds: float
    peak_bytes: int
    disk_bytes: float


def measured(folder: Path, binary: str, load: str, shape: Shape) -> dict[str, Cost]:
    """Each server's cost a sample, by its name, as medians of all runs; one server after the other, so that they
    do not share the cores."""
    return medians.measured(lambda: _run(folder, binary, load, shape), shape.runs)


def _run(folder: Path, binary: str, load: str, shape: Shape) -> dict[str, Cost]:
    costs = {}
    for name, start in itertools.islice(servers.starters(binary).items(), shape.servers):
        place = folder / f"{name}-{shape.series}-{shape.steps}"
        place.mkdir()
        with Services(place) as services:
            server = start(services)
            cost = _cost(server, load, shape)
            if name != "Watchkeeper":
                server.settle()
        costs[name] = replace(cost, disk_bytes=server.stored() / shape.samples)
        shutil.rmtree(place)
    return costs


def _cost(server: servers.Server, load: str, shape: Shape) -> Cost:
    before, begun = measure.read(server.pid), time.monotonic()
    series, steps, jitter = str(shape.series), str(shape.steps), str(shape.jitter)
    subprocess.run([load, server.address, server.write, series, steps, steps, jitter], check=True)
    after, seconds = measure.read(server.pid), time.monotonic() - begun
    cpu = (after.cpu_seconds - before.cpu_seconds) / shape.samples * 1e6
    return Cost(cpu, seconds / shape.samples * 1e6, servers.peak(server.pid), 0)
