"""What this process takes of the machine: memory and CPU, read as cheaply as each system allows.

On Linux one file stays open and is read with a single call, which takes some two microseconds. Where a system does not
say, the answer is None, and the fact is left out.
"""

from __future__ import annotations

import ctypes
import os
import sys
import time
from typing import Any, Callable, Optional

from ._limits import let_through


class Process:
    """Measures of this process. A forked child calls `renew`: an open file of /proc belongs to who opened it."""

    def __init__(self) -> None:
        self._statm = -1
        # Which file that is: the application may have closed the descriptor, and its number be another file's.
        self._statm_file: Optional[tuple[int, int]] = None
        self._page_bytes = 4096
        self._other: Optional[Callable[[], Optional[int]]] = None
        self.total_memory_bytes = _total_memory()
        self.renew()

    def renew(self) -> None:
        """Opens anew what it reads."""
        if self._statm >= 0 and _file_of(self._statm) == self._statm_file:
            _close(self._statm)
        self._statm = -1
        #: When this process began, or was forked.
        self.started_ns = time.time_ns()
        self.pid = os.getpid()
        if sys.platform.startswith("linux"):
            self._open()
        elif sys.platform == "darwin":
            self._other = _macos_reader(self.pid)
        elif sys.platform == "win32":
            self._other = _windows_reader()

    def memory(self) -> tuple[Optional[int], Optional[int]]:
        """Resident and virtual memory now, with one look. Virtual memory is said by Linux alone."""
        try:
            if self._statm >= 0:
                virtual, resident, _ = os.pread(self._statm, 128, 0).split(b" ", 2)
                return int(resident) * self._page_bytes, int(virtual) * self._page_bytes
            return (None if self._other is None else self._other()), None
        except Exception as error:
            let_through(error)
            if self._statm >= 0 and _file_of(self._statm) != self._statm_file:
                # A daemon closes all descriptors when it begins.
                self._open()
            return None, None

    def rss_bytes(self) -> Optional[int]:
        """Resident memory now."""
        return self.memory()[0]

    def vms_bytes(self) -> Optional[int]:
        """Virtual memory now. Linux alone is asked."""
        return self.memory()[1]

    def _open(self) -> None:
        try:
            self._page_bytes = os.sysconf("SC_PAGE_SIZE")
            self._statm = os.open("/proc/self/statm", os.O_RDONLY | os.O_CLOEXEC)
            self._statm_file = _file_of(self._statm)
        except (OSError, ValueError):
            self._statm = -1

    def reset_peak(self) -> bool:
        """Makes the kernel begin its peak anew. Linux alone can, and not in every container."""
        try:
            file = os.open("/proc/self/clear_refs", os.O_WRONLY | getattr(os, "O_CLOEXEC", 0))
            try:
                os.write(file, b"5")
            finally:
                os.close(file)
            return True
        except OSError:
            return False

    def kernel_peak_bytes(self) -> Optional[int]:
        """The most resident memory since the kernel began to count."""
        try:
            with open("/proc/self/status", "rb") as file:
                for line in file:
                    if line.startswith(b"VmHWM:"):
                        return int(line.split()[1]) * 1024
        except (OSError, ValueError, IndexError):
            pass
        return None


def _file_of(descriptor: int) -> Optional[tuple[int, int]]:
    """Which file a descriptor is of."""
    try:
        found = os.fstat(descriptor)
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _close(file: int) -> None:
    try:
        os.close(file)
    except OSError:
        pass


def _total_memory() -> Optional[int]:
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, OSError, ValueError):
        return None


def _macos_reader(pid: int) -> Optional[Callable[[], Optional[int]]]:
    try:
        library: Any = ctypes.CDLL("/usr/lib/libproc.dylib")
    except OSError:
        return None
    # struct rusage_info_v0: a UUID of 16 bytes, and then 64-bit numbers, of which the seventh is the resident size.
    buffer = (ctypes.c_uint64 * 64)()

    def read() -> Optional[int]:
        if library.proc_pid_rusage(pid, 0, ctypes.byref(buffer)) != 0:
            return None
        return int(buffer[2 + 6])

    return read


def _windows_reader() -> Optional[Callable[[], Optional[int]]]:
    class Counters(ctypes.Structure):
        _fields_ = [
            ("cb", ctypes.c_uint32),
            ("page_faults", ctypes.c_uint32),
            ("peak_working_set", ctypes.c_size_t),
            ("working_set", ctypes.c_size_t),
            ("others", ctypes.c_size_t * 6),
        ]

    try:
        kernel: Any = getattr(ctypes, "WinDLL")("kernel32")  # noqa: B009
        kernel.GetCurrentProcess.restype = ctypes.c_void_p
        ask = kernel.K32GetProcessMemoryInfo
        ask.argtypes = [ctypes.c_void_p, ctypes.c_void_p, ctypes.c_uint32]
    except (AttributeError, OSError):
        return None

    def read() -> Optional[int]:
        counters = Counters()
        counters.cb = ctypes.sizeof(counters)
        done = ask(kernel.GetCurrentProcess(), ctypes.byref(counters), counters.cb)
        return int(counters.working_set) if done else None

    return read
