"""How much memory this process holds, and the most that it held during a stretch of work.

Read from `/proc`, so on Linux. Elsewhere the numbers are coarser, and come from `getrusage`.
"""

from __future__ import annotations

import os
import resource
import sys
from dataclasses import dataclass


@dataclass(frozen=True)
class Memory:
    """Sizes in bytes; `percent` is the resident share of the machine's memory, 0 to 100."""

    rss: int
    vms: int
    percent: float


def current() -> Memory:
    """What the process holds now."""
    page = os.sysconf("SC_PAGE_SIZE")
    try:
        with open("/proc/self/statm", encoding="ascii") as statm:
            vms, rss = (int(pages) * page for pages in statm.read().split()[:2])
    except FileNotFoundError:
        vms = rss = _most_ever()
    return Memory(rss=rss, vms=vms, percent=100.0 * rss / (page * os.sysconf("SC_PHYS_PAGES")))


def reset_peak() -> None:
    """Lets the kernel measure the peak anew from here. Where it cannot, `peak` is the peak since the start."""
    try:
        with open("/proc/self/clear_refs", "w", encoding="ascii") as clear_refs:
            clear_refs.write("5")
    except OSError:
        pass


def peak() -> int:
    """The most resident memory since `reset_peak`, in bytes."""
    try:
        with open("/proc/self/status", encoding="ascii") as status:
            for line in status:
                if line.startswith("VmHWM:"):
                    return int(line.split()[1]) * 1024
    except FileNotFoundError:
        pass
    return _most_ever()


def _most_ever() -> int:
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most if sys.platform == "darwin" else most * 1024
