"""What a process takes: CPU time and memory, read from /proc."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

_TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Reading:
    """What processes have used so far, and what they hold now."""

    cpu_seconds: float
    rss_bytes: int


def tree(pid: int) -> list[int]:
    """The process and all that descend from it and still live."""
    pids = [pid]
    for parent in pids:
        try:
            children = Path(f"/proc/{parent}/task/{parent}/children").read_text()
        except OSError:
            continue
        pids.extend(int(child) for child in children.split())
    return pids


def read(*roots: int) -> Reading:
    """CPU time of the processes, their descendants, and those of them that have ended; memory shared
    between processes counts once (PSS)."""
    cpu = rss = 0
    for pid in {pid for root in roots for pid in tree(root)}:
        try:
            # The name stands in parentheses and may hold anything; the fields follow the last one.
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
            rollup = Path(f"/proc/{pid}/smaps_rollup").read_text()
        except OSError:
            continue
        cpu += sum(int(field) for field in fields[11:15])
        pss = next(line for line in rollup.splitlines() if line.startswith("Pss:"))
        rss += int(pss.split()[1]) * 1024
    return Reading(cpu / _TICKS, rss)
