"""The cost of a sample: the same series, sent by remote write to Watchkeeper, VictoriaMetrics and Prometheus in
one run. Watchkeeper answers when a request is on the disk; the others, as they come, do not wait for it."""

from __future__ import annotations

import shutil
import subprocess
import time
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import measure
from services import Services, free_port, get, wait_for

# Series, steps of 15 s, jitter in ms.
SHAPES = [(10_000, 600, 2), (100_000, 60, 2)]


@dataclass(frozen=True)
class Cost:
    """What samples cost a server."""

    cpu_microseconds: float
    wall_microseconds: float
    peak_bytes: int
    disk_bytes: float


def measured(folder: Path, binary: str, load: str, shape: tuple[int, int, int]) -> dict[str, Cost]:
    """Each server's cost a sample, by its name; one after the other, so that they do not share the cores."""
    servers: dict[str, Callable[[Services], _Server]] = {
        "Watchkeeper": lambda services: _watchkeeper(services, binary),
        "VictoriaMetrics": _victoria_metrics,
        "Prometheus": _prometheus,
    }
    costs = {}
    for name, start in servers.items():
        place = folder / f"{name}-{shape[0]}"
        place.mkdir()
        with Services(place) as services:
            server = start(services)
            costs[name] = _cost(server, load, shape)
            server.settle()
        costs[name] = Cost(
            costs[name].cpu_microseconds,
            costs[name].wall_microseconds,
            costs[name].peak_bytes,
            server.stored() / (shape[0] * shape[1]),
        )
        shutil.rmtree(place)
    return costs


@dataclass
class _Server:
    pid: int
    address: str
    path: str
    # What makes the server write and merge everything, while it runs.
    settle: Callable[[], None]
    # Bytes on the disk, after it has ended.
    stored: Callable[[], int]


def _cost(server: _Server, load: str, shape: tuple[int, int, int]) -> Cost:
    before, begun = measure.read(server.pid), time.monotonic()
    series, steps, jitter = (str(number) for number in shape)
    subprocess.run([load, server.address, server.path, series, steps, steps, jitter], check=True)
    after, seconds = measure.read(server.pid), time.monotonic() - begun
    samples = shape[0] * shape[1]
    return Cost(
        (after.cpu_seconds - before.cpu_seconds) / samples * 1e6, seconds / samples * 1e6, _peak(server.pid), 0
    )


def _peak(pid: int) -> int:
    status = Path(f"/proc/{pid}/status").read_text()
    line = next(line for line in status.splitlines() if line.startswith("VmHWM:"))
    return int(line.split()[1]) * 1024


def _size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def _watchkeeper(services: Services, binary: str) -> _Server:
    pid, url = services.watchkeeper(binary)
    data = services.folder / "data"

    def stored() -> int:
        subprocess.run([binary, "store", "compact", "--data-dir", str(data)], check=True, capture_output=True)
        return _size(data / "metrics") + (data / "catalog.db").stat().st_size

    return _Server(pid, url.removeprefix("http://"), "/prometheus/api/v1/write", lambda: None, stored)


def _victoria_metrics(services: Services) -> _Server:
    name = next((name for name in ("victoria-metrics", "victoriametrics") if shutil.which(name)), None)
    if name is None:
        raise FileNotFoundError("victoria-metrics: run scripts/prepare.sh bench")
    address, data = f"127.0.0.1:{free_port()}", services.folder / "data"
    pid = services.start(name, name, f"-storageDataPath={data}", f"-httpListenAddr={address}", "-retentionPeriod=1")
    wait_for(name, lambda: get(f"http://{address}/health"))

    def settle() -> None:
        urllib.request.urlopen(f"http://{address}/internal/force_flush", timeout=60).read()
        urllib.request.urlopen(f"http://{address}/internal/force_merge", timeout=60).read()
        wait_for("a merge", lambda: _is_still(data), 120)

    return _Server(pid, address, "/api/v1/write", settle, lambda: _size(data / "data") + _size(data / "indexdb"))


def _is_still(folder: Path) -> bool:
    before = _size(folder)
    time.sleep(3)
    return _size(folder) == before


def _prometheus(services: Services) -> _Server:
    address, data = f"127.0.0.1:{free_port()}", services.folder / "data"
    configuration = services.folder / "prometheus.yml"
    configuration.write_text("global: {}\n")
    pid = services.start(
        "prometheus",
        "prometheus",
        f"--config.file={configuration}",
        f"--storage.tsdb.path={data}",
        f"--web.listen-address={address}",
        "--web.enable-remote-write-receiver",
    )
    wait_for("prometheus", lambda: get(f"http://{address}/-/ready"))
    # It cuts and merges blocks when it finds the time to: what lies there after a minute says nothing.
    return _Server(pid, address, "/api/v1/write", lambda: None, lambda: 0)
