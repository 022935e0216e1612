"""A folder of batches that could not be delivered yet.

A batch is one file: magic, version, how many events, how many bytes, their CRC-32, and packed with gzip a line that
says whose they are (empty for events) and the events, one a line. The ending of its name says of which stream it is.
It is written under a temporary name and renamed, so that a file with its own name is whole. Many processes share the
folder: whoever locks a file (`flock`) may send and remove it, and the lock of a process that died is gone, so others
adopt what it left. A batch that is sent twice, because its sender died before it removed the file, is stored once.
"""

from __future__ import annotations

import itertools
import os
import struct
import time
import zlib
from typing import Optional

from ._counts import Counts
from ._streams import EVENTS, LOGS, Stream
from ._transport import pack, unpack

try:
    import fcntl
except ImportError:  # Windows: without locks processes would send each other's batches over and over.
    fcntl = None  # type: ignore[assignment]

_HEADER = struct.Struct(">4sIII")
_MAGIC = b"WKS1"
_TEMPORARY = ".wktmp"
_ENDINGS = (EVENTS.ending, LOGS.ending, _TEMPORARY)
_FORGOTTEN_SECONDS = 60.0
_MAX_FILE_BYTES = 64 << 20


class Claim:
    """A batch of the spool that this process, and no other, sends."""

    def __init__(self, path: str, file: int, events: list[bytes], head: bytes = b"") -> None:
        self.events = events
        self.head = head
        self._path = path
        self._file = file

    def done(self) -> None:
        """The batch is settled: the file goes."""
        try:
            os.unlink(self._path)
        except OSError:
            pass
        self.release()

    def release(self) -> None:
        """Gives the file back; another process, or this one later, sends it."""
        file, self._file = self._file, -1
        if file >= 0:
            try:
                os.close(file)
            except OSError:
                pass


class Spool:
    """The folder."""

    def __init__(self, folder: str, max_bytes: int, counts: Counts) -> None:
        self._folder = folder
        self._max_bytes = max_bytes
        self._counts = counts
        self._numbers = itertools.count()
        self.is_usable = fcntl is not None

    def write(
        self, events: list[bytes], stream: Stream = EVENTS, head: bytes = b"", counts: Optional[Counts] = None
    ) -> bool:
        """Puts a batch there. False where there is no room or the disk fails; nothing is left of it then."""
        counts = counts or self._counts
        temporary = os.path.join(self._folder, f"{time.time_ns():020d}-{os.getpid()}-{next(self._numbers)}{_TEMPORARY}")
        try:
            payload = pack(b"\n".join([head, *events]))
            os.makedirs(self._folder, mode=0o700, exist_ok=True)
            if self._used_bytes() + _HEADER.size + len(payload) > self._max_bytes:
                counts.last_error = "the spool is full"
                return False
            header = _HEADER.pack(_MAGIC, len(events), len(payload), zlib.crc32(payload))
            file = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_CLOEXEC", 0), 0o600)
            try:
                fcntl.flock(file, fcntl.LOCK_EX)
                _write_all(file, header + payload)
                os.fsync(file)
                os.rename(temporary, temporary[: -len(_TEMPORARY)] + stream.ending)
            finally:
                # A child that was forked meanwhile holds the same lock, and may live long.
                fcntl.flock(file, fcntl.LOCK_UN)
                os.close(file)
        except (OSError, MemoryError) as error:
            counts.last_error = f"the spool: {type(error).__name__}: {error}"[:300]
            try:
                os.unlink(temporary)
            except OSError:
                pass
            return False
        return True

    def claim(self, stream: Stream = EVENTS, counts: Optional[Counts] = None) -> Optional[Claim]:
        """The oldest batch of a stream that nobody else sends, if there is one."""
        for entry in self._entries():
            path = os.path.join(self._folder, entry)
            if entry.endswith(_TEMPORARY):
                self._remove_forgotten(path)
                continue
            if not entry.endswith(stream.ending):
                continue
            claim = self._claim(path, counts or self._counts)
            if claim is not None:
                return claim
        return None

    def _claim(self, path: str, counts: Counts) -> Optional[Claim]:
        file = _locked(path)
        if file is None:
            return None
        claim = Claim(path, file, [])
        try:
            count, events = _opened(_read_all(file))
        except (OSError, MemoryError) as error:
            # The disk, or the memory, may recover: the file stays for later.
            counts.last_error = f"the spool: {type(error).__name__}: {error}"[:300]
            claim.release()
            return None
        if events is None:
            counts.drop("adopted_corrupt", count)
            claim.done()
            return None
        claim.head, claim.events = events[0], events[1:]
        return claim

    def _entries(self) -> list[str]:
        try:
            return sorted(name for name in os.listdir(self._folder) if name.endswith(_ENDINGS))
        except OSError:
            return []

    def _used_bytes(self) -> int:
        used = 0
        for name in self._entries():
            try:
                used += os.stat(os.path.join(self._folder, name)).st_size
            except OSError:
                continue
        return used

    @staticmethod
    def _remove_forgotten(path: str) -> None:
        """Removes what a process that died was writing."""
        try:
            if time.time() - os.stat(path).st_mtime < _FORGOTTEN_SECONDS:
                return
        except OSError:
            return
        file = _locked(path)
        if file is not None:
            Claim(path, file, []).done()


def _locked(path: str) -> Optional[int]:
    """The open file, if it is ours now and still there."""
    try:
        file = os.open(path, os.O_RDONLY | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_NOFOLLOW", 0))
    except OSError:
        return None
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        # Between opening and locking another process may have sent and removed it.
        if os.fstat(file).st_nlink > 0:
            return file
    except OSError:
        pass
    os.close(file)
    return None


def _read_all(file: int) -> bytes:
    parts = []
    size = 0
    while size <= _MAX_FILE_BYTES:
        part = os.read(file, 1 << 20)
        if not part:
            break
        parts.append(part)
        size += len(part)
    return b"".join(parts)


def _write_all(file: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(file, view) :]


def _opened(data: bytes) -> tuple[int, Optional[list[bytes]]]:
    """How many events a file says that it has, and these, if it is whole."""
    if len(data) < _HEADER.size:
        return 1, None
    magic, count, length, crc = _HEADER.unpack_from(data)
    payload = data[_HEADER.size :]
    if magic != _MAGIC:
        return 1, None
    count = max(1, min(count, 10_000))
    if len(payload) != length or zlib.crc32(payload) != crc:
        return count, None
    try:
        events = unpack(payload).split(b"\n")
    except (ValueError, zlib.error):
        return count, None
    return count, events if len(events) > 1 else None
