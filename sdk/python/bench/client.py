"""Asks a server as fast as it answers, over a few kept connections: a process of its own.

    python client.py          reads lines `PORT SECONDS`, and prints how many requests were answered a second

It knows no more of HTTP than it needs, so that it is never what is waited for.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from typing import cast

import uvloop

CONNECTIONS = 16
_MORE_SECONDS = 10.0
BODY = json.dumps(
    {"document": "invoice-4711.pdf", "pages": 12, "text": "lorem ipsum " * 8, "tags": ["a", "b"]}
).encode()
REQUEST = (
    b"POST /echo/acme HTTP/1.1\r\nHost: 127.0.0.1\r\nUser-Agent: bench\r\nAccept: */*\r\n"
    b"Content-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(BODY)
) + BODY
_END, _LENGTH = b"\r\n\r\n", b"content-length: "


class Connection(asyncio.Protocol):
    """Asks again as soon as it is answered, until the time is over."""

    def __init__(self, until: float) -> None:
        self.answered = 0
        self.failed = 0
        self.is_done = asyncio.get_running_loop().create_future()
        self._until = until
        self._read = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Asks first."""
        # uvloop's are none by their class.
        self._transport = cast("asyncio.Transport", transport)
        self._transport.write(REQUEST)

    def data_received(self, data: bytes) -> None:
        """Reads the answer."""
        self._read += data
        head = self._read.find(_END)
        if head < 0:
            return
        at = self._read.index(_LENGTH) + len(_LENGTH)
        length = int(self._read[at : self._read.index(b"\r", at)])
        if len(self._read) < head + len(_END) + length:
            return
        if self._read.startswith(b"HTTP/1.1 200"):
            self.answered += 1
        else:
            self.failed += 1
        self._read = b""
        if time.monotonic() < self._until:
            self._transport.write(REQUEST)
        else:
            self._transport.close()

    def connection_lost(self, error: Exception | None) -> None:
        """It is over."""
        self.is_done.set_result(None)


async def load(port: int, seconds: float) -> dict[str, float]:
    """How many requests were answered a second, and how many were not answered well."""
    loop = asyncio.get_running_loop()
    begun = time.monotonic()
    made = [
        await loop.create_connection(lambda: Connection(begun + seconds), "127.0.0.1", port) for _ in range(CONNECTIONS)
    ]
    connections = [connection for _, connection in made]
    await asyncio.wait_for(asyncio.gather(*(connection.is_done for connection in connections)), seconds + _MORE_SECONDS)
    took = time.monotonic() - begun
    answered = sum(connection.answered for connection in connections)
    return {
        "answered": answered,
        "failed": sum(connection.failed for connection in connections),
        "per_second": answered / took,
    }


def main() -> None:
    """Answers each line."""
    for line in sys.stdin:
        port, seconds = line.split()
        print(json.dumps(uvloop.run(load(int(port), float(seconds)))), flush=True)


if __name__ == "__main__":
    main()
