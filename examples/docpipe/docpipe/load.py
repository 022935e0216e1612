"""The load generator: uploads documents at a steady rate, and looks at them afterwards.

    python -m docpipe.load --rate 2 --count 150 --gateway http://127.0.0.1:8080

Among ordinary documents it sends very long ones, which are slow and need much memory, and ones that
are no text at all, which no worker can read.
"""

from __future__ import annotations

import argparse
import json
import logging
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
from collections import deque
from pathlib import Path
from typing import Any, Iterator

log = logging.getLogger(__name__)

DOCUMENTS = Path(__file__).resolve().parent.parent / "documents"
USERS = ("ada", "grace", "katherine")
LONG_DOCUMENT_BYTES = 1_500_000
LOOK_BACK = 10


def documents(slow_every: int, poison_every: int) -> Iterator[tuple[str, bytes]]:
    """Names and bodies of documents, without end. Each name begins with its number."""
    files = sorted(path for path in DOCUMENTS.iterdir() if path.name != "SOURCES.md")
    number = 0
    while True:
        for file in files:
            number += 1
            body = file.read_bytes()
            if poison_every and number % poison_every == 0:
                yield f"{number:05d}-poison.txt", "A text in UTF-16: ".encode("utf-16") + body[:200]
            elif slow_every and number % slow_every == 0:
                yield f"{number:05d}-long-{file.name}", body * (LONG_DOCUMENT_BYTES // len(body) + 1)
            else:
                yield f"{number:05d}-{file.name}", body


class Gateway:
    """The pipeline's API, as a client sees it."""

    def __init__(self, url: str) -> None:
        self._url = url.rstrip("/")

    def wait_until_ready(self, timeout: float) -> None:
        """Returns when the gateway answers. Raises the last error when it does not in time."""
        deadline = time.monotonic() + timeout
        while True:
            try:
                self._call("GET", "/healthz")
                return
            except OSError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.2)

    def upload(self, name: str, body: bytes, user: str) -> str:
        """Uploads a document. Returns its id."""
        query = urllib.parse.urlencode({"name": name})
        return self._call("POST", f"/documents?{query}", body, user)["document_id"]

    def look_at(self, document_id: str, user: str) -> dict[str, Any]:
        """What the pipeline knows of a document."""
        return self._call("GET", f"/documents/{document_id}", user=user)

    def _call(self, method: str, path: str, body: bytes | None = None, user: str = "") -> Any:
        headers = {"Content-Type": "application/octet-stream", "X-User": user}
        request = urllib.request.Request(self._url + path, data=body, method=method, headers=headers)
        with urllib.request.urlopen(request, timeout=30) as response:
            return json.loads(response.read())


def run(gateway: Gateway, rate: float, count: int, slow_every: int, poison_every: int) -> int:
    """Uploads `count` documents (0: without end), `rate` a second. Returns how many were refused."""
    recent: deque[str] = deque(maxlen=LOOK_BACK)
    refused = 0
    started = time.monotonic()
    for number, (name, body) in enumerate(documents(slow_every, poison_every)):
        if count and number == count:
            break
        time.sleep(max(0.0, started + number / rate - time.monotonic()))
        user = USERS[number % len(USERS)]
        try:
            recent.append(gateway.upload(name, body, user))
            gateway.look_at(recent[0], user)
        except OSError as error:
            refused += 1
            log.error("%s was not taken: %s", name, error)
    return refused


def main() -> None:
    """Uploads. The exit code is 0 when every document was taken."""
    parser = argparse.ArgumentParser(prog="docpipe.load", description="Uploads documents.")
    parser.add_argument("--gateway", default="http://127.0.0.1:8080", help="the gateway's address")
    parser.add_argument("--rate", type=float, default=2.0, help="documents a second")
    parser.add_argument("--count", type=int, default=150, help="how many; 0: until it is stopped")
    parser.add_argument("--slow-every", type=int, default=40, help="each n-th is very long; 0: none")
    parser.add_argument("--poison-every", type=int, default=60, help="each n-th is no text; 0: none")
    options = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="load: %(message)s")
    gateway = Gateway(options.gateway)
    try:
        gateway.wait_until_ready(timeout=30)
        refused = run(gateway, options.rate, options.count, options.slow_every, options.poison_every)
    except KeyboardInterrupt:
        return
    except OSError as error:
        log.error("the gateway at %s does not answer: %s", options.gateway, error)
        sys.exit(1)
    log.info("%d documents sent, %d refused", options.count, refused)
    sys.exit(1 if refused else 0)


if __name__ == "__main__":
    main()
