"""The machine of a run: which cores the servers have, and what else a reader has to know to judge the figures."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

# Every server that is measured has these, whatever else the machine has: a table is about the same two everywhere.
CORES = frozenset(sorted(os.sched_getaffinity(0))[:2])

# What is started, how it says its version, and the package that has it: some builds have forgotten theirs.
PROGRAMS = {
    "VictoriaMetrics": (("victoria-metrics", "victoriametrics"), "-version", "victoria-metrics"),
    "Prometheus": (("prometheus",), "--version", "prometheus"),
    "node_exporter": (("prometheus-node-exporter",), "--version", "prometheus-node-exporter"),
    "process-exporter": (("prometheus-process-exporter",), "-version", "prometheus-process-exporter"),
}


@contextmanager
def pinned() -> Iterator[None]:
    """What is started within has the cores of servers from its first instruction on: some count them then."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, CORES)
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def described(binary: str) -> str:
    """The head of the results."""
    versions = [_said(binary, "version"), *(f"{name} {_version(*program)}" for name, program in PROGRAMS.items())]
    versions.append(_postgresql())
    cores = " and ".join(str(core) for core in sorted(CORES))
    return "\n".join(
        [
            f"- Machine: {_processor()}, {os.cpu_count()} cores, {_memory()} of memory, {platform.machine()}, "
            f"{platform.system()} {platform.release()}.",
            f"- Versions, as they say them: {'; '.join(versions)}.",
            f"- Every server that is measured, ours and the others, is pinned to the cores {cores}; what sends and asks "
            "is not.",
            "",
            "Both sides of each table were measured in the same run on the same machine. Judge by the ratios: the "
            "machine may be shared.",
        ]
    )


def _said(*command: str) -> str:
    """The first line that a program prints."""
    answer = subprocess.run(command, capture_output=True, text=True, check=True)
    return next(iter((answer.stdout + answer.stderr).strip().splitlines()), "")


def _version(names: tuple[str, ...], flag: str, package: str) -> str:
    program = next((name for name in names if shutil.which(name)), None)
    if program is None:
        return "is not there"
    # "prometheus, version 2.42.0+ds (branch: …, revision: 2.42.0+ds-5)"
    version = _said(program, flag).partition("version ")[2].partition("(")[0].strip()
    return version or _packaged(package)


def _packaged(package: str) -> str:
    try:
        version = _said("dpkg-query", "--show", "--showformat=${Version}", package)
    except (OSError, subprocess.CalledProcessError):
        return "of a version that it does not say"
    return f"{version} (its package's: it says none)"


def _postgresql() -> str:
    try:
        return _said(str(postgresql_programs() / "postgres"), "--version").replace("postgres (PostgreSQL)", "PostgreSQL")
    except FileNotFoundError:
        return "PostgreSQL is not there"


def postgresql_programs() -> Path:
    """The folder of the newest PostgreSQL."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parent.name))
    if not found:
        raise FileNotFoundError("postgresql: run scripts/prepare.sh bench")
    return found[-1]


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
        name, _, value = line.partition(":")
        if name.strip() == "model name":
            return value.strip()
    return platform.processor() or "a processor that does not say its name"


def _memory() -> str:
    return f"{os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES') / (1 << 30):.0f} GiB"
