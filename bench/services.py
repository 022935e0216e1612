"""Starts the programs that are compared, each in a folder of its own and on a free port."""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path

from machine import pinned, postgresql_programs

CONFIGURATION = """
[log]
file = ""
[store]
retention = "30d"
max_series = 2000000
[processes]
enabled = true
[[processes.groups]]
name = "watched"
pattern = 'sleep 86400'
"""


def free_port() -> int:
    """A port that was free a moment ago."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def wait_for(what: str, look: Callable[[], object], seconds: float = 60, pause: float = 0.1) -> None:
    """Looks, with pauses of so many seconds, until `look` neither fails nor is false."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            if look():
                return
            error: object = "no"
        except Exception as failure:  # noqa: BLE001: whatever keeps it from being ready
            error = failure
        if time.monotonic() > deadline:
            raise TimeoutError(f"waited {seconds:.0f} s for {what}: {error}")
        time.sleep(pause)


def get(url: str, token: str = "", timeout: float = 10) -> bytes:
    """What is at `url`."""
    request = urllib.request.Request(url, headers={"Authorization": f"Bearer {token}"} if token else {})
    with urllib.request.urlopen(request, timeout=timeout) as response:
        return response.read()


class Services:
    """What was started; all of it ends with the block."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._running: list[subprocess.Popen[bytes]] = []

    def __enter__(self) -> Services:
        return self

    def __exit__(self, *_: object) -> None:
        for process in reversed(self._running):
            process.terminate()
        for process in self._running:
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def start(self, name: str, *command: str, user: str | None = None) -> int:
        """Starts a server, pinned as all are; its output goes to a file. Returns its process id."""
        with open(self.folder / f"{name}.log", "ab") as log, pinned():
            process = subprocess.Popen(command, stdout=log, stderr=log, stdin=subprocess.DEVNULL, user=user)
        self._running.append(process)
        return process.pid

    def stop(self, pid: int) -> None:
        """Ends a program as one is ended, and waits until it has."""
        process = next(process for process in self._running if process.pid == pid)
        process.terminate()
        process.wait(60)

    def kill(self, pid: int) -> None:
        """Ends a program at once."""
        process = next(process for process in self._running if process.pid == pid)
        process.kill()
        process.wait(60)

    def watchkeeper(self, binary: str, more: str = "") -> tuple[int, str]:
        """Our own server, with `more` behind its usual configuration. Returns its process id and its address."""
        configuration = self.folder / "watchkeeper.toml"
        configuration.write_text(CONFIGURATION + more)
        url = f"http://127.0.0.1:{free_port()}"
        listen, data = url.removeprefix("http://"), str(self.folder / "data")
        pid = self.start(
            "watchkeeper", binary, "serve", "--config", str(configuration), "--data-dir", data, "--listen", listen
        )
        wait_for("watchkeeper", lambda: get(f"{url}/readyz"), 120)
        return pid, url

    def prometheus(self) -> list[int]:
        """Prometheus with the exporters of the host and of processes, as people put them together.

        Scraped every 15 s, as Watchkeeper looks. Returns the process ids."""
        names = ["prometheus", "prometheus-node-exporter", "prometheus-process-exporter"]
        missing = [name for name in names if shutil.which(name) is None]
        if missing:
            raise FileNotFoundError(f"{', '.join(missing)}: run scripts/prepare.sh bench")
        ports = {name: free_port() for name in names}
        groups = self.folder / "processes.yml"
        groups.write_text("process_names:\n- name: '{{.Comm}}'\n  cmdline: ['.+']\n")
        targets = [f"127.0.0.1:{ports[name]}" for name in names[1:]]
        scrape = self.folder / "prometheus.yml"
        scrape.write_text(
            "global: {scrape_interval: 15s}\nscrape_configs:\n- job_name: host\n  static_configs:\n"
            f"  - targets: {targets}\n"
        )
        listen = {name: f"127.0.0.1:{port}" for name, port in ports.items()}
        pids = [
            self.start(names[1], names[1], f"--web.listen-address={listen[names[1]]}"),
            self.start(
                names[2], names[2], f"--web.listen-address={listen[names[2]]}", "-config.path", str(groups)
            ),
            self.start(
                names[0],
                names[0],
                f"--config.file={scrape}",
                f"--storage.tsdb.path={self.folder / 'tsdb'}",
                f"--web.listen-address={listen[names[0]]}",
            ),
        ]
        for name in names:
            wait_for(name, lambda name=name: get(f"http://{listen[name]}/metrics"))
        return pids

    def postgresql(self) -> tuple[int, int]:
        """A PostgreSQL as it comes: a commit is on the disk. Returns its process id and its port."""
        binaries, data, port = postgresql_programs(), self.folder / "postgresql", free_port()
        # It refuses to run as root.
        user = "postgres" if os.geteuid() == 0 else None
        data.mkdir()
        if user:
            shutil.chown(data, user)
        self.folder.chmod(0o755)
        initialize = [str(binaries / "initdb"), "-D", str(data), "-U", "bench", "-A", "trust", "-E", "UTF8"]
        subprocess.run(initialize, check=True, capture_output=True, user=user, cwd="/")
        command = [str(binaries / "postgres"), "-D", str(data), "-p", str(port), "-k", "", "-h", "127.0.0.1"]
        pid = self.start("postgresql-server", *command, user=user)
        log = self.folder / "postgresql-server.log"
        wait_for("postgresql", lambda: re.search(r"ready to accept connections", log.read_text()))
        return pid, port
