"""One kept connection to the server, and what each of its answers means.

`http.client` and nothing else: proxies of the environment are not used, and redirects are not followed, because a
batch that went somewhere else would count as delivered.
"""

from __future__ import annotations

import enum
import functools
import http.client
import json
import os
import socket
import time
import zlib
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any, Optional
from urllib.parse import urlsplit

from ._deadline import Response
from ._settings import Settings
from ._version import __version__

if TYPE_CHECKING:
    from ._streams import Stream

_MAX_ANSWER_BYTES = 4 << 20
_MAX_RETRY_AFTER_SECONDS = 120.0

# Connections of a parent, in its forked child. Their buffers may be locked by threads that the child does not have, so
# they are never finalized.
_abandoned: list[Any] = []


class Outcome(enum.Enum):
    """What an answer means for the batch."""

    #: It was read; some of its events may be rejected.
    DELIVERED = "delivered"
    #: It is too much at once.
    TOO_LARGE = "too large"
    #: It cannot be read.
    REFUSED = "refused"
    #: The server is there, and wants it later.
    BUSY = "busy"
    #: The key or the address is wrong: until somebody mends that, trying often is no use.
    DENIED = "denied"
    #: There is no server, or it failed.
    AWAY = "away"


@dataclass(frozen=True)
class Answer:
    """What became of a request."""

    outcome: Outcome
    #: What happened, in words.
    detail: str = ""
    #: How many of the batch were rejected; `detail` is the first one's reason.
    rejected: int = 0
    #: How long the server wants not to be asked.
    retry_after_seconds: Optional[float] = None


def pack(body: bytes) -> bytes:
    """Packs a body with gzip. Level 1: the others take several times as long for a tenth less."""
    packer = zlib.compressobj(1, zlib.DEFLATED, 31)
    return packer.compress(body) + packer.flush()


def unpack(packed: bytes, max_bytes: int = 64 << 20) -> bytes:
    """The reverse of `pack`."""
    unpacker = zlib.decompressobj(31)
    body = unpacker.decompress(packed, max_bytes)
    if not unpacker.eof:
        raise ValueError("it is not whole, or too large")
    return body


class Transport:
    """Sends packed batches of any stream over one connection. One thread uses it at a time; any may `abort`."""

    def __init__(self, settings: Settings) -> None:
        parts = urlsplit(settings.url or "")
        self._host = parts.hostname or ""
        self._port = parts.port
        self._folder = parts.path.rstrip("/")
        self._is_tls = parts.scheme == "https"
        self._settings = settings
        self._tls: Any = None
        self._connection: Optional[http.client.HTTPConnection] = None
        self._headers = {
            "Content-Encoding": "gzip",
            "Accept": "application/json",
            "User-Agent": f"watchkeeper-python/{__version__}",
        }
        if settings.key:
            self._headers["Authorization"] = f"Bearer {settings.key}"

    def send(self, stream: Stream, packed: bytes, timeout_seconds: float) -> Answer:
        """Sends one batch. Never raises: whatever went wrong is an answer, too."""
        for _ in range(2):
            is_kept = self._connection is not None
            try:
                return self._send_once(stream, packed, timeout_seconds)
            except (http.client.HTTPException, OSError, ValueError) as error:
                self.close()
                # The server closes connections that are idle, and that shows at the next request only. Timeouts are
                # not among the reasons to try at once.
                is_stale = isinstance(error, (http.client.RemoteDisconnected, ConnectionError))
                if not (is_kept and is_stale):
                    return Answer(Outcome.AWAY, f"{type(error).__name__}: {error}"[:300])
        return Answer(Outcome.AWAY, "the server closed the connection")

    def close(self) -> None:
        """Closes the connection; the next batch opens another."""
        connection, self._connection = self._connection, None
        if connection is not None:
            try:
                connection.close()
            except Exception:
                pass

    def abort(self) -> None:
        """Makes a request that is under way in another thread fail at once."""
        connection = self._connection
        sock = None if connection is None else connection.sock
        if sock is not None:
            try:
                sock.shutdown(socket.SHUT_RDWR)
            except Exception:
                pass

    def abandon(self) -> None:
        """Lets go of the parent's connection in a forked child, without a word to the server."""
        connection, self._connection = self._connection, None
        if connection is None:
            return
        _abandoned.append(connection)
        try:
            if connection.sock is not None:
                os.close(connection.sock.detach())
        except Exception:
            pass

    def _send_once(self, stream: Stream, packed: bytes, timeout_seconds: float) -> Answer:
        connection = self._connection
        if connection is None:
            connection = self._connection = self._connect(timeout_seconds)
        elif connection.sock is not None:
            connection.sock.settimeout(timeout_seconds)
        headers = {**self._headers, "Content-Type": stream.content_type}
        connection.request("POST", self._folder + stream.path, body=packed, headers=headers)
        deadline = time.monotonic() + timeout_seconds
        connection.response_class = functools.partial(Response, deadline=deadline)  # type: ignore[assignment]
        response = connection.getresponse()
        body = _read(response)
        if response.will_close or not response.isclosed():
            self.close()
        return _understood(stream, response.status, response.headers.get("Retry-After"), body)

    def _connect(self, timeout_seconds: float) -> http.client.HTTPConnection:
        if not self._is_tls:
            return http.client.HTTPConnection(self._host, self._port, timeout=timeout_seconds)
        if self._tls is None:
            # Not every interpreter is built with it, and without https it is not needed.
            import ssl

            self._tls = ssl.create_default_context(cafile=self._settings.ca_file)
            if not self._settings.verify_tls:
                self._tls.check_hostname = False
                self._tls.verify_mode = ssl.CERT_NONE
        return http.client.HTTPSConnection(self._host, self._port, timeout=timeout_seconds, context=self._tls)


def _read(response: http.client.HTTPResponse) -> bytes:
    """The body, if it is not too large."""
    parts: list[bytes] = []
    size = 0
    while size <= _MAX_ANSWER_BYTES:
        part = response.read1(64 << 10)
        if not part:
            # At the end of a body of known length this marks the response as read.
            response.read()
            return b"".join(parts)
        parts.append(part)
        size += len(part)
    raise ValueError("the answer is too large")


def _understood(stream: Stream, status: int, retry_after: Optional[str], body: bytes) -> Answer:
    if 200 <= status < 300:
        try:
            return stream.read_answer(body)
        except (ValueError, TypeError, KeyError, AttributeError):
            # A proxy's page with a 200 stores nothing.
            return Answer(Outcome.DENIED, "what answers there is not Watchkeeper")
    detail = f"it answered {status}{_problem(body)}"
    if status == 413:
        return Answer(Outcome.TOO_LARGE, detail)
    if status in (400, 422) and _is_ours(body):
        return Answer(Outcome.REFUSED, detail)
    if status in (429, 503):
        return Answer(Outcome.BUSY, detail, retry_after_seconds=_pause(retry_after))
    if status >= 500 or status == 408:
        return Answer(Outcome.AWAY, detail, retry_after_seconds=_pause(retry_after))
    return Answer(Outcome.DENIED, detail)


def _is_ours(body: bytes) -> bool:
    """Whether Watchkeeper says so: a problem of its API, or a status of OTLP. Another program may stand there by
    mistake, and refuse everything; nothing is thrown away for that."""
    try:
        problem = json.loads(body)
        return str(problem.get("type", "")).startswith("urn:watchkeeper:") or {"code", "message"} <= problem.keys()
    except (ValueError, AttributeError):
        return False


def _problem(body: bytes) -> str:
    """What a problem of the API, or a status of OTLP, says."""
    try:
        problem = json.loads(body)
        detail = problem["detail"] if "detail" in problem else problem["message"]
    except (ValueError, TypeError, KeyError):
        return ""
    return f": {str(detail)[:200]}"


def _pause(header: Optional[str]) -> Optional[float]:
    """`Retry-After`, in seconds or as a date, within reason."""
    if not header:
        return None
    try:
        seconds = float(header)
    except ValueError:
        try:
            seconds = parsedate_to_datetime(header).timestamp() - time.time()
        except (ValueError, TypeError):
            return None
    if seconds != seconds:
        return None
    return min(max(seconds, 0.1), _MAX_RETRY_AFTER_SECONDS)
