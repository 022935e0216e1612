"""Programs, the sink, the load and the server, each in a process of its own, which ends with the measurement."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
_START_SECONDS = 20.0
# Nothing of the caller's settings may reach a package that is measured.
_FOREIGN = ("WATCHKEEPER_", "OTEL_", "SENTRY_", "PYTHON")


def environment() -> dict[str, str]:
    """That of a program."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(_FOREIGN)}
    return {**kept, "PYTHONPATH": str(HERE.parent / "src"), "PYTHONDONTWRITEBYTECODE": "1"}


def run(program: str, subject: str, url: str, *more: str) -> dict[str, float]:
    """The figures of a program."""
    command = [sys.executable, str(HERE / "programs" / "start.py"), program, subject, url, *more]
    done = subprocess.run(command, env=environment(), capture_output=True, text=True, timeout=120)
    if done.returncode:
        raise RuntimeError(f"{program} with {subject} failed:\n{done.stderr[-2000:]}")
    figures: dict[str, float] = json.loads(done.stdout.strip().splitlines()[-1])
    return figures


class Sink:
    """The sink, as its caller sees it."""

    def __init__(self, port: int) -> None:
        self._url = f"http://127.0.0.1:{port}"
        self._names = 0

    def name(self) -> str:
        """A name that nothing was counted under."""
        self._names += 1
        return f"run{self._names}"

    def url(self, name: str) -> str:
        """Where a program sends what is counted under that name."""
        return f"{self._url}/{name}"

    @property
    def silent(self) -> str:
        """Where nobody answers."""
        return f"{self._url}/silent"

    def counted(self, name: str) -> dict[str, int]:
        """What came under that name."""
        with urllib.request.urlopen(f"{self._url}/{name}", timeout=60) as answer:
            counts: dict[str, int] = json.load(answer)
            return counts


class Load:
    """The client, which asks when it is told to."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def ask(self, port: int, seconds: float) -> dict[str, float]:
        """Asks the server at `port` as fast as it answers."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(f"{port} {seconds}\n")
        self._process.stdin.flush()
        figures: dict[str, float] = json.loads(self._process.stdout.readline())
        if figures["failed"]:
            raise RuntimeError(f"{figures['failed']} requests were not answered well")
        return figures


@contextmanager
def sink() -> Iterator[Sink]:
    """Starts the sink."""
    with _started([sys.executable, str(HERE / "sink.py")]) as process:
        assert process.stdout is not None
        yield Sink(int(process.stdout.readline()))


@contextmanager
def load() -> Iterator[Load]:
    """Starts the client."""
    with _started([sys.executable, str(HERE / "client.py")]) as process:
        yield Load(process)


@contextmanager
def served(urls: dict[str, str]) -> Iterator[dict[str, tuple[int, int]]]:
    """Starts the application with each subject, and gives their ports and process ids."""
    with ExitStack() as stack:
        servers = {}
        for subject, url in urls.items():
            port = free_port()
            command = [sys.executable, str(HERE / "programs" / "start.py"), "serve", subject, url, str(port)]
            servers[subject] = (port, stack.enter_context(_started(command)).pid)
        for port, _ in servers.values():
            _wait_for(port)
        yield servers


@contextmanager
def watchkeeper(binary: str) -> Iterator[str]:
    """Starts the real server, with an empty store, and gives its address."""
    port = free_port()
    with tempfile.TemporaryDirectory(prefix="watchkeeper-sdk-bench.") as folder:
        command = [binary, "serve", "--data-dir", folder, "--listen", f"127.0.0.1:{port}"]
        with _started(command, cwd=folder):
            _wait_for(port)
            yield f"http://127.0.0.1:{port}"


def cpu_seconds(pid: int) -> float:
    """What all threads of a process have used so far, by the clock of the scheduler."""
    used = 0
    for task in Path(f"/proc/{pid}/task").iterdir():
        used += int((task / "schedstat").read_text().split()[0])
    return used / 1e9


def free_port() -> int:
    """A port at which nobody listens."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
    return port


@contextmanager
def _started(command: list[str], **options: Any) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        command,
        env=environment(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        **options,
    )
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        for stream in (process.stdin, process.stdout):
            if stream is not None:
                stream.close()


def _wait_for(port: int) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), 1.0).close()
            return
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.02)
