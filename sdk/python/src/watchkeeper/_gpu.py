"""GPU time and memory of this process, as NVIDIA's library says them.

The library is loaded by the background thread, never in a stage: that takes up to a second. A stage reads two numbers
that the thread keeps. In a container with process ids of its own the library names processes by the host's ids; what it
says is then of nobody we know, and left out.
"""

from __future__ import annotations

import ctypes
import os
import time
from typing import Any, Optional

_MAX_DEVICES = 64
_MAX_PROCESSES = 1_024
_LONGEST_SECONDS = 1.0
_UNKNOWN = (1 << 64) - 1


class _ProcessMemory(ctypes.Structure):
    # nvmlProcessInfo_t of version 2 and 3 of the calls.
    _fields_ = [
        ("pid", ctypes.c_uint),
        ("used_bytes", ctypes.c_ulonglong),
        ("gpu_instance", ctypes.c_uint),
        ("compute_instance", ctypes.c_uint),
    ]


class _ProcessUse(ctypes.Structure):
    # nvmlProcessUtilizationSample_t.
    _fields_ = [
        ("pid", ctypes.c_uint),
        ("time_us", ctypes.c_ulonglong),
        ("sm_percent", ctypes.c_uint),
        ("memory_percent", ctypes.c_uint),
        ("encoder_percent", ctypes.c_uint),
        ("decoder_percent", ctypes.c_uint),
    ]


class Gpu:
    """What the GPUs do for this process. `look` is called by one thread, the numbers are read by all."""

    def __init__(self) -> None:
        self.renew()

    def renew(self) -> None:
        """Begins anew: after a fork the library must be loaded again."""
        self._library: Any = None
        self._devices: list[ctypes.c_void_p] = []
        self._seen_us: dict[int, int] = {}
        self._looked_at: Optional[float] = None
        self.is_tried = False
        #: Seconds of all GPUs' time since the first look.
        self.seconds: Optional[float] = None
        #: Memory of all GPUs now.
        self.memory_bytes: Optional[int] = None

    def look(self) -> None:
        """Reads the library. Whatever fails is unknown from then on."""
        if not self.is_tried:
            self.is_tried = True
            try:
                self._load()
            except Exception:
                self._library = None
        if self._library is None:
            return
        now = time.monotonic()
        # Between two stages nobody looks; that time is nobody's.
        elapsed = 0.0 if self._looked_at is None else min(_LONGEST_SECONDS, now - self._looked_at)
        self._looked_at = now
        try:
            self.memory_bytes = self._memory()
            share = self._share()
            if share is not None:
                self.seconds = (self.seconds or 0.0) + share * elapsed
        except Exception:
            self.memory_bytes = None

    def _load(self) -> None:
        name = "nvml.dll" if os.name == "nt" else "libnvidia-ml.so.1"
        library: Any = ctypes.CDLL(name)
        if library.nvmlInit_v2() != 0:
            return
        count = ctypes.c_uint()
        if library.nvmlDeviceGetCount_v2(ctypes.byref(count)) != 0:
            return
        for index in range(min(count.value, _MAX_DEVICES)):
            device = ctypes.c_void_p()
            if library.nvmlDeviceGetHandleByIndex_v2(index, ctypes.byref(device)) == 0:
                self._devices.append(device)
        self._library = library if self._devices else None

    def _memory(self) -> Optional[int]:
        ask = getattr(self._library, "nvmlDeviceGetComputeRunningProcesses_v3", None) or getattr(
            self._library, "nvmlDeviceGetComputeRunningProcesses_v2", None
        )
        if ask is None:
            return None
        used: Optional[int] = None
        pid = os.getpid()
        for device in self._devices:
            found = (_ProcessMemory * _MAX_PROCESSES)()
            count = ctypes.c_uint(_MAX_PROCESSES)
            if ask(device, ctypes.byref(count), found) != 0:
                continue
            for entry in found[: count.value]:
                if entry.pid == pid and entry.used_bytes != _UNKNOWN:
                    used = (used or 0) + entry.used_bytes
        return used

    def _share(self) -> Optional[float]:
        """How much of the GPUs this process used lately: 1 is one GPU, all of the time."""
        share: Optional[float] = None
        pid = os.getpid()
        for index, device in enumerate(self._devices):
            found = (_ProcessUse * _MAX_PROCESSES)()
            count = ctypes.c_uint(_MAX_PROCESSES)
            since = ctypes.c_ulonglong(self._seen_us.get(index, 0))
            code = self._library.nvmlDeviceGetProcessUtilization(device, found, ctypes.byref(count), since)
            if code == 6:
                # Nothing new since then: nobody used it.
                share = share or 0.0
                continue
            if code != 0:
                continue
            entries = found[: count.value]
            own = [entry.sm_percent for entry in entries if entry.pid == pid and entry.sm_percent <= 100]
            self._seen_us[index] = max([self._seen_us.get(index, 0), *(entry.time_us for entry in entries)])
            if own:
                share = (share or 0.0) + sum(own) / len(own) / 100.0
            elif self.memory_bytes is not None:
                share = share or 0.0
        return share
