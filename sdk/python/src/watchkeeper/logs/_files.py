"""A file that is rotated by its size, and that several processes may write at once.

`RotatingFileHandler` of the standard library is not safe there: each process renames on its own, and writes on into a
file that another one has renamed twice. Here each line is one write at the end of the file (`O_APPEND`), which the
system does not mix with another's; before it, a process sees whether the file under the name is still the one that it
has open. Whoever finds it full takes a lock (`flock` on `NAME.lock`), looks again, and renames. Nobody waits for the
lock: where another process has it, that one rotates, and this one's lines are the last of the old file, which is
larger by them.
"""

from __future__ import annotations

import logging
import os
from typing import Any, Optional, Union

try:
    import fcntl
except ImportError:  # Windows: there one process alone may write a file.
    fcntl = None  # type: ignore[assignment]


class SharedRotatingFileHandler(logging.Handler):
    """A handler of `logging` for files that several processes write. It writes to `path`, whose folder is made; when
    that has `max_bytes`, it becomes `path.1`, that becomes `path.2`, and so on up to `backup_count`. With a
    `backup_count` or `max_bytes` of 0 it grows for ever."""

    def __init__(
        self,
        path: Union[str, os.PathLike[str]],
        max_bytes: int = 10 << 20,
        backup_count: int = 10,
        level: int = logging.NOTSET,
    ) -> None:
        super().__init__(level)
        #: The file, as an absolute path.
        self.path = os.path.abspath(os.fspath(path))
        self._max_bytes = int(max_bytes) if backup_count > 0 else 0
        self._backup_count = int(backup_count)
        self._file = -1
        self._identity: Any = None
        self._size = 0

    def emit(self, record: logging.LogRecord) -> None:
        """Writes a line. What fails is told as `logging` tells it."""
        try:
            data = (self.format(record) + "\n").encode("utf-8", "replace")
            self._look()
            if self._max_bytes and self._size and self._size + len(data) > self._max_bytes:
                self._rotate()
            self._write(data)
        except Exception:
            self.handleError(record)

    def close(self) -> None:
        """Closes the file."""
        self.acquire()
        try:
            self._close()
        finally:
            self.release()
        super().close()

    def _look(self) -> None:
        """Has the file open that is under the name now."""
        try:
            found = os.stat(self.path)
            if self._file >= 0 and (found.st_dev, found.st_ino) == self._identity:
                self._size = found.st_size
                return
        except OSError:
            pass
        self._close()
        self._open()

    def _open(self) -> None:
        os.makedirs(os.path.dirname(self.path), exist_ok=True)
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | getattr(os, "O_CLOEXEC", 0)
        self._file = os.open(self.path, flags, 0o666)
        status = os.fstat(self._file)
        self._identity, self._size = (status.st_dev, status.st_ino), status.st_size

    def _close(self) -> None:
        file, self._file = self._file, -1
        if file >= 0:
            os.close(file)

    def _write(self, data: bytes) -> None:
        written = os.write(self._file, data)
        self._size += written
        while written < len(data):
            # The disk is nearly full, or a signal came: the rest is still this line's.
            more = os.write(self._file, data[written:])
            written += more
            self._size += more

    def _rotate(self) -> None:
        lock = _Lock(self.path + ".lock")
        if not lock.is_held:
            return
        try:
            # Another one may have rotated between the look and the lock.
            self._look()
            if self._size == 0 or self._size < self._max_bytes // 2:
                return
            if fcntl is None:
                self._close()
            # Up to the first number that is free: what is above a gap moves when the gap has moved there.
            free = 1
            while free < self._backup_count and os.path.exists(f"{self.path}.{free}"):
                free += 1
            for number in range(free - 1, 0, -1):
                _rename(f"{self.path}.{number}", f"{self.path}.{number + 1}")
            _rename(self.path, f"{self.path}.1")
            self._close()
            self._open()
        finally:
            lock.release()


class _Lock:
    """A lock that nobody waits for. It is opened each time: one open before a fork would be both processes'."""

    def __init__(self, path: str) -> None:
        self.is_held = fcntl is None
        self._file: Optional[int] = None
        if fcntl is None:
            return
        try:
            self._file = os.open(path, os.O_RDWR | os.O_CREAT | getattr(os, "O_CLOEXEC", 0), 0o666)
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            self.is_held = True
        except OSError:
            self.release()

    def release(self) -> None:
        file, self._file = self._file, None
        if file is not None:
            if self.is_held:
                # A child that was forked meanwhile holds the same lock, and may live long.
                fcntl.flock(file, fcntl.LOCK_UN)
            os.close(file)


def _rename(source: str, target: str) -> None:
    try:
        os.replace(source, target)
    except FileNotFoundError:
        pass
