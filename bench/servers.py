"""The servers that take samples and answer PromQL: ours and its peers."""

from __future__ import annotations

import shutil
import subprocess
import time
import urllib.parse
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from services import Services, free_port, get, wait_for


# A connection is closed after two minutes otherwise.
OPTIONS = ["-retentionPeriod=1", "-http.connTimeout=1h"]


@dataclass
class Server:
    """A server that runs."""

    name: str
    pid: int
    address: str
    write: str
    query: str
    # What makes the server write and merge everything, so that it can be asked afterwards.
    settle: Callable[[], None] = lambda: None
    # Bytes on the disk, after it has ended; 0 where nobody knows.
    stored: Callable[[], int] = lambda: 0
    # A parameter that keeps answers from being taken from a cache.
    uncached: dict[str, str] = field(default_factory=dict)
    token: str = ""

    def ask(self, path: str, parameters: dict[str, str]) -> bytes:
        """The answer to a query."""
        return get(f"http://{self.address}{self.query}/{path}?{urllib.parse.urlencode(parameters)}", self.token, 300)


def starters(binary: str) -> dict[str, Callable[[Services], Server]]:
    """How each of the servers is started, by its name; ours first."""
    return {
        "Watchkeeper": lambda services: watchkeeper(services, binary),
        "VictoriaMetrics": _victoria_metrics,
        "Prometheus": _prometheus,
    }


def watchkeeper(services: Services, binary: str) -> Server:
    """Our own."""
    pid, url = services.watchkeeper(binary)
    data = services.folder / "data"

    def compact() -> None:
        subprocess.run([binary, "store", "compact", "--data-dir", str(data)], check=True, capture_output=True)

    def settle() -> None:
        services.stop(server.pid)
        compact()
        server.pid, again = services.watchkeeper(binary)
        server.address = again.removeprefix("http://")
        server.token = (data / "local.token").read_text().strip()

    def stored() -> int:
        compact()
        return size(data / "metrics") + (data / "catalog.db").stat().st_size

    base = "/prometheus/api/v1"
    token = (data / "local.token").read_text().strip()
    address, write, uncached = url.removeprefix("http://"), f"{base}/write", {"nocache": "1"}
    server = Server("Watchkeeper", pid, address, write, base, settle, stored, uncached, token)
    return server


def _victoria_metrics(services: Services) -> Server:
    name = next((name for name in ("victoria-metrics", "victoriametrics") if shutil.which(name)), None)
    if name is None:
        raise FileNotFoundError("victoria-metrics: run scripts/prepare.sh bench")
    address, data = f"127.0.0.1:{free_port()}", services.folder / "data"
    pid = services.start(name, name, f"-storageDataPath={data}", f"-httpListenAddr={address}", *OPTIONS)
    wait_for(name, lambda: get(f"http://{address}/health"))

    def settle() -> None:
        urllib.request.urlopen(f"http://{address}/internal/force_flush", timeout=60).read()
        urllib.request.urlopen(f"http://{address}/internal/force_merge", timeout=60).read()
        wait_for("a merge", lambda: _is_still(data), 120)

    def stored() -> int:
        return size(data / "data") + size(data / "indexdb")

    base = "/api/v1"
    return Server(
        "VictoriaMetrics", pid, address, f"{base}/write", base, settle, stored, {"nocache": "1"}
    )


def _is_still(folder: Path) -> bool:
    before = size(folder)
    time.sleep(3)
    return size(folder) == before


def _prometheus(services: Services) -> Server:
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
    return Server("Prometheus", pid, address, "/api/v1/write", "/api/v1")


def size(folder: Path) -> int:
    """Bytes of all files of a folder, as they come and go."""
    total = 0
    for path in folder.rglob("*"):
        try:
            total += path.stat().st_size if path.is_file() else 0
        except FileNotFoundError:
            continue
    return total


def peak(pid: int) -> int:
    """The most memory that a process has had, in bytes."""
    status = Path(f"/proc/{pid}/status").read_text()
    line = next(line for line in status.splitlines() if line.startswith("VmHWM:"))
    return int(line.split()[1]) * 1024
