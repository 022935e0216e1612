"""The whole pipeline with one command: the gateway, workers of both kinds, and load.

    python -m docpipe --redis redis://127.0.0.1:6379/0 --watchkeeper http://127.0.0.1:7654

Every part is a process of its own. One that dies is started again; SIGINT or SIGTERM stops them all.
"""

from __future__ import annotations

import argparse
import os
import socket
import subprocess
import sys
import time

from .settings import Settings
from .stopping import StopRequest

STOP_TIMEOUT = 30.0
LOOK_EVERY = 0.5
MOST_RESTARTS = 20


class Part:
    """One process of the pipeline: a module of this package and its arguments."""

    def __init__(self, name: str, module: str, arguments: list[str], environment: dict[str, str]) -> None:
        self.name = name
        self.runs_once = module == "load"
        self._restarts = 0
        self._command = [sys.executable, "-m", f"docpipe.{module}", *arguments]
        self._environment = environment
        self._inherited: tuple[int, ...] = ()
        self._process: subprocess.Popen[bytes] | None = None

    def inherit(self, listener: socket.socket) -> None:
        """Hands a listening socket down: its address is known before the part runs, and outlives it."""
        self._inherited = (listener.fileno(),)
        self._command += ["--fd", str(listener.fileno())]

    def start(self) -> None:
        """Starts the process."""
        self._process = subprocess.Popen(self._command, env=self._environment, pass_fds=self._inherited)
        print(f"{self.name}: pid {self._process.pid}", flush=True)

    def keep_running(self) -> bool:
        """Starts the process again when it has died. False when it died too often."""
        if self._process is None or self._process.poll() is None or self.runs_once:
            return True
        self._restarts += 1
        print(f"{self.name}: ended with {self._process.returncode}, restart {self._restarts}", flush=True)
        if self._restarts > MOST_RESTARTS:
            return False
        self.start()
        return True

    def terminate(self) -> None:
        """Asks the process to stop."""
        if self._process is not None and self._process.poll() is None:
            self._process.terminate()

    def wait(self, deadline: float) -> None:
        """Waits until the process has ended, and ends it at the deadline."""
        if self._process is None:
            return
        try:
            self._process.wait(max(0.1, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            print(f"{self.name}: did not stop in time, killed", flush=True)
            self._process.kill()
            self._process.wait()


def _options() -> tuple[Settings, argparse.Namespace]:
    parser = argparse.ArgumentParser(prog="docpipe", description="A small document pipeline.")
    parser.add_argument("--gateway-port", type=int, default=8080, help="0: any free port")
    parser.add_argument("--extraction-workers", type=int, default=1, help="how many")
    parser.add_argument("--llm-workers", type=int, default=1, help="how many; 0 lets the LLM queue grow")
    parser.add_argument("--no-load", action="store_true", help="upload nothing")
    parser.add_argument("--rate", type=float, default=2.0, help="documents uploaded a second")
    parser.add_argument("--count", type=int, default=150, help="documents uploaded; 0: without end")
    parser.add_argument("--slow-every", type=int, default=40, help="each n-th document is very long; 0: none")
    parser.add_argument("--poison-every", type=int, default=60, help="each n-th document is no text; 0: none")
    return Settings.parse(parser)


def _parts(settings: Settings, options: argparse.Namespace, listener: socket.socket, url: str) -> list[Part]:
    environment = {
        **os.environ,
        **settings.environment(),
        # One thread for each process: the workers are what runs in parallel here.
        "OPENBLAS_NUM_THREADS": "1",
    }
    gateway = Part("gateway", "gateway", [], environment)
    gateway.inherit(listener)
    parts = [gateway]
    for kind, count in (("extraction", options.extraction_workers), ("llm", options.llm_workers)):
        for number in range(1, count + 1):
            worker_id = f"{kind}-{number}"
            parts.append(Part(worker_id, f"{kind}_worker", ["--worker-id", worker_id], environment))
    if not options.no_load:
        parts.append(Part("load", "load", ["--gateway", url, *_load_options(options)], environment))
    return parts


def _load_options(options: argparse.Namespace) -> list[str]:
    chosen = {
        "--rate": options.rate,
        "--count": options.count,
        "--slow-every": options.slow_every,
        "--poison-every": options.poison_every,
    }
    return [text for name, value in chosen.items() for text in (name, str(value))]


def main() -> int:
    """Runs the pipeline until it is stopped."""
    settings, options = _options()
    stop = StopRequest()
    listener = socket.create_server(("127.0.0.1", options.gateway_port))
    url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    parts = _parts(settings, options, listener, url)
    print(f"gateway: {url}\nlogs: {os.path.abspath(settings.log_dir)}", flush=True)
    healthy = True
    try:
        for part in parts:
            part.start()
        while healthy and not stop:
            time.sleep(LOOK_EVERY)
            healthy = bool(stop) or all(part.keep_running() for part in parts)
    finally:
        for part in parts:
            part.terminate()
        deadline = time.monotonic() + STOP_TIMEOUT
        for part in parts:
            part.wait(deadline)
    print("stopped", flush=True)
    return 0 if healthy else 1


if __name__ == "__main__":
    sys.exit(main())
