"""Our own server, where it is measured alone: how it is started and asked, and when it has merged what it took."""

from __future__ import annotations

import http.client
import json
import re
import subprocess
import time
import urllib.parse
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import measure
from services import Services

# It looks every minute whether there is something to merge.
STILL_SECONDS = 75
# What collectors of the machine take meanwhile is less.
STILL_CORES = 0.1
MERGE_SECONDS = 3600


@dataclass(frozen=True)
class Times:
    """How long an answer takes, in milliseconds, and what it takes of the server's CPU, on the average."""

    median: float
    slow: float
    cpu: float


class Ours:
    """A server that runs, with a connection to it that stays open."""

    def __init__(self, services: Services, binary: str, more: str = "") -> None:
        self._services = services
        self._binary = binary
        self.data = services.folder / "data"
        self.pid, url = services.watchkeeper(binary, more)
        self.address = url.removeprefix("http://")
        self._token = (self.data / "local.token").read_text().strip()
        self._connection = http.client.HTTPConnection(self.address, timeout=300)

    def get(self, path: str, **parameters: str | int) -> Any:
        """The answer to a question, from JSON."""
        query = f"?{urllib.parse.urlencode(parameters)}" if parameters else ""
        return json.loads(self._asked("GET", path + query))

    def is_there(self, path: str) -> bool:
        """Whether something has this path."""
        status, answer = self._answer("GET", path)
        if status not in (200, 404):
            raise RuntimeError(f"GET {path}: {status}: {answer[:500]!r}")
        return status == 200

    def sql(self, statement: str) -> list[list[Any]]:
        """The rows of the answer to a statement."""
        answer = json.loads(self._asked("POST", "/api/v1/sql", json.dumps({"sql": statement})))
        if answer["truncated"]:
            raise ValueError(f"the answer to {statement} was cut")
        return answer["rows"]

    def metric(self, name: str) -> float:
        """The sum of a metric of its own, whatever its labels."""
        text = self._asked("GET", "/metrics").decode()
        return sum(float(value) for value in re.findall(rf"^{name}(?:\{{.*\}})? (\S+)", text, re.MULTILINE))

    def _asked(self, method: str, path: str, body: str | None = None) -> bytes:
        status, answer = self._answer(method, path, body)
        if status != 200:
            raise RuntimeError(f"{method} {path}: {status}: {answer[:500]!r}")
        return answer

    def _answer(self, method: str, path: str, body: str | None = None) -> tuple[int, bytes]:
        headers = {"Authorization": f"Bearer {self._token}", "Content-Type": "application/json"}
        self._connection.request(method, path, body, headers)
        response = self._connection.getresponse()
        return response.status, response.read()

    def timed(self, what: str, asks: list[Callable[[], bool]]) -> Times:
        """Asks each question once; the first answer finds nothing in memory and is not counted."""
        # The server closes a connection on which nothing was asked for a while; the first question opens another.
        self._connection.close()
        taken = []
        before = 0.0
        for place, ask in enumerate(asks):
            begun = time.perf_counter()
            has_answer = ask()
            taken.append((time.perf_counter() - begun) * 1000)
            if not has_answer:
                raise ValueError(f"{what}: question {place} has no answer")
            if place == 0:
                before = self.cpu_seconds()
        cpu = (self.cpu_seconds() - before) * 1000 / (len(taken) - 1)
        taken = sorted(taken[1:])
        return Times(taken[len(taken) // 2], taken[min(len(taken) - 1, len(taken) * 95 // 100)], cpu)

    def cpu_seconds(self) -> float:
        """What it has used so far."""
        return measure.read(self.pid).cpu_seconds

    def rss_bytes(self) -> int:
        """The memory that it has now."""
        return measure.read(self.pid).rss_bytes

    def wait_until_merged(self, table: str) -> None:
        """Waits until the files of a table have stayed as they are for longer than it takes to look, and nothing
        works on them."""
        deadline = time.monotonic() + MERGE_SECONDS
        while time.monotonic() < deadline:
            files, cpu, begun = self._files(table), self.cpu_seconds(), time.monotonic()
            while self._files(table) == files:
                cores = (self.cpu_seconds() - cpu) / max(1e-3, time.monotonic() - begun)
                if time.monotonic() - begun > STILL_SECONDS:
                    if cores < STILL_CORES:
                        return
                    break
                time.sleep(2)
        raise TimeoutError(f"files of {table} are still being merged after {MERGE_SECONDS} s")

    def stop_and_merge(self, table: str) -> int:
        """Stops it, merges what is left as `store compact` does, and tells the bytes of the table's files."""
        self._connection.close()
        self._services.stop(self.pid)
        compact = [self._binary, "store", "compact", "--data-dir", str(self.data)]
        subprocess.run(compact, check=True, capture_output=True)
        return self.stored_bytes(table)

    def stored_bytes(self, table: str) -> int:
        """The bytes of the table's files, which hold its indexes too."""
        return sum(self._files(table).values())

    def _files(self, table: str) -> dict[Path, int]:
        found = {}
        for path in (self.data / "events").glob(f"*.{table}.parquet"):
            try:
                found[path] = path.stat().st_size
            except FileNotFoundError:
                continue
        return found


def rfc3339(nanoseconds: int) -> str:
    """A time as the API takes it, to the microsecond."""
    seconds, rest = divmod(nanoseconds, 10**9)
    text = datetime.fromtimestamp(seconds, timezone.utc).strftime("%Y-%m-%dT%H:%M:%S")
    return f"{text}.{rest // 1000:06}Z"
