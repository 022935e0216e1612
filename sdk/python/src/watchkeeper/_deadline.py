"""Answers of a server up to a point in time. The timeout of a socket begins anew with each byte, so a server that sends
one now and then would hold up delivery for ever."""

from __future__ import annotations

import http.client
import io
import socket
import time
from typing import Any


class _Reader(io.RawIOBase):
    def __init__(self, sock: socket.socket, deadline: float) -> None:
        self._sock = sock
        self._deadline = deadline
        # It keeps the socket open while it is read, though the connection may be closed.
        self._inner = sock.makefile("rb", buffering=0)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> Any:
        left = self._deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError("the answer takes too long")
        self._sock.settimeout(left)
        return self._inner.readinto(buffer)

    def close(self) -> None:
        self._inner.close()
        super().close()


class _Source:
    """Of a socket, what `HTTPResponse` wants."""

    def __init__(self, sock: socket.socket, deadline: float) -> None:
        self._sock = sock
        self._deadline = deadline

    def makefile(self, mode: str) -> io.BufferedReader:
        return io.BufferedReader(_Reader(self._sock, self._deadline))


class Response(http.client.HTTPResponse):
    """An answer that must be there, whole, by `deadline` of `time.monotonic`: else reading raises `TimeoutError`."""

    def __init__(self, sock: socket.socket, *args: Any, deadline: float, **kwargs: Any) -> None:
        super().__init__(_Source(sock, deadline), *args, **kwargs)  # type: ignore[arg-type]
