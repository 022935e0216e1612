"""A real Watchkeeper in a folder of its own: started, killed, started again, and asked what it knows."""

from __future__ import annotations

import http.client
import json
import os
import random
import socket
import subprocess
import time
from collections import Counter
from pathlib import Path
from typing import Any, Optional

import pytest
from conftest import wait_until

# What would watch this machine is off: the tests ask for what they sent.
CONFIG = """
[host]
enabled = false
[gpus]
enabled = false
[processes]
enabled = false
[units]
enabled = false
[kernel_log]
enabled = false
[own]
enabled = false
[probes]
discover = false
"""
# Tables whose rows are events, and the type of these where no column says it.
TABLES = {
    "job_events": None,
    "stage_events": None,
    "component_events": None,
    "worker_events": None,
    "requests": "request.finished",
    "llm_calls": "llm.call",
    "feedback": "feedback.given",
    "deploys": "deploy.finished",
    "audit_events": "audit.recorded",
    "process_exits": "process.exited",
}


def binary() -> Path:
    """The program under test."""
    named = os.environ.get("WATCHKEEPER_BINARY")
    target = os.environ.get("CARGO_TARGET_DIR") or Path.home() / ".cache/watchkeeper/target"
    path = Path(named) if named else Path(target) / "debug/watchkeeper"
    if not path.is_file():
        pytest.fail(
            f"{path} is not there: run `cargo build --package cli`, or name a built program in WATCHKEEPER_BINARY"
        )
    return path


def lasting_port() -> int:
    """A free port that nobody is given by chance while the server is down, as those are that the system chooses: a
    client that tries again and again could even be connected to itself there."""
    while True:
        port = random.randrange(15_000, 30_000)
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port


class Watchkeeper:
    """One server. What it keeps and its port outlive its process."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._process: Optional[subprocess.Popen[bytes]] = None
        self.port = lasting_port()
        self.url = f"http://127.0.0.1:{self.port}"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "watchkeeper.toml").write_text(CONFIG)

    def start(self) -> None:
        """Starts it, with all that it stored before, and waits until it is ready."""
        environment = {name: value for name, value in os.environ.items() if not name.startswith("WATCHKEEPER_")}
        environment["WATCHKEEPER_SERVER__OTLP__GRPC_LISTEN"] = "off"
        environment["WATCHKEEPER_SERVER__OTLP__HTTP_LISTEN"] = "off"
        command: list[Any] = [binary(), "serve", "--config", self._folder / "watchkeeper.toml"]
        command += ["--data-dir", self._folder / "data", "--listen", f"127.0.0.1:{self.port}"]
        with open(self._folder / "watchkeeper.log", "ab") as log:
            self._process = subprocess.Popen(command, env=environment, stdout=log, stderr=log)
        wait_until(self._is_ready, 30)

    def kill(self) -> None:
        """Ends it without warning."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def _is_ready(self) -> bool:
        assert self._process is not None
        assert self._process.poll() is None, (self._folder / "watchkeeper.log").read_text()
        try:
            return self.ask("GET", "/readyz")[0] == 200
        except OSError:
            return False

    def ask(self, method: str, path: str, body: Any = None) -> tuple[int, bytes]:
        """A request as the command line on the same machine makes it: status and body."""
        headers = {"Content-Type": "application/json"}
        token = self._folder / "data/local.token"
        if token.exists():
            headers["Authorization"] = f"Bearer {token.read_text().strip()}"
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        try:
            connection.request(method, path, None if body is None else json.dumps(body), headers)
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()

    def get(self, path: str) -> Any:
        """What the API answers."""
        status, answer = self.ask("GET", path)
        assert status == 200, answer
        return json.loads(answer)

    def rows(self, sql: str) -> list[dict[str, Any]]:
        """The rows of a statement, each without what is null."""
        status, body = self.ask("POST", "/api/v1/sql", {"sql": sql, "limit": 1_000_000})
        assert status == 200, body
        answer = json.loads(body)
        assert answer["truncated"] is False
        names = [column["name"] for column in answer["columns"]]
        rows = [dict(zip(names, row)) for row in answer["rows"]]
        return [{name: value for name, value in row.items() if value is not None} for row in rows]

    def stored(self) -> Counter[str]:
        """How often each event is stored, by its id and its type."""
        types = {table: f"'{type_}'" if type_ else "action" for table, type_ in TABLES.items()}
        all_of_them = " UNION ALL ".join(
            f"SELECT event_id, {type_} AS t FROM {table}" for table, type_ in types.items()
        )
        rows = self.rows(f"SELECT event_id, t, count(*) AS n FROM ({all_of_them}) GROUP BY event_id, t")
        return Counter({f"{row['event_id']} {row['t']}": row["n"] for row in rows})

    @property
    def events(self) -> list[dict[str, Any]]:
        """All that is stored, as it was sent: with a `type`, and a `time` in nanoseconds."""
        found = []
        for table, type_ in TABLES.items():
            for row in self.rows(f"SELECT *, CAST(time AS BIGINT) AS time_ns FROM {table}"):
                row["time"] = row.pop("time_ns")
                row["type"] = type_ or row.pop("action")
                found.append(row)
        return found

    def of(self, type_: str) -> list[dict[str, Any]]:
        """The events of one type."""
        return [event for event in self.events if event["type"] == type_]

    def jobs(self) -> dict[str, dict[str, Any]]:
        """The jobs as the API shows them, by id."""
        found: dict[str, dict[str, Any]] = {}
        while True:
            page = self.get(f"/api/v1/jobs?limit=1000&offset={len(found)}")
            found.update((job["job_id"], job) for job in page["items"])
            if not page["items"] or len(found) >= page["total"]:
                return found

    def wait_for_rows(self, count: int, table: str = "job_events", seconds: float = 20.0) -> None:
        """Waits until a table has so many rows."""
        deadline = time.monotonic() + seconds
        while True:
            rows = self.rows(f"SELECT count(*) AS n FROM {table}")[0]["n"]
            if rows >= count:
                return
            assert time.monotonic() < deadline, f"{rows} of {count} rows in {table}"
            time.sleep(0.02)
