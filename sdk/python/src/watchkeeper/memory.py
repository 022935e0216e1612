"""Memory of each stage and component of a pipeline.

::

    from watchkeeper.memory import MemoryTracker

    tracker = MemoryTracker()
    tracker.record_stage_start("ocr")
    with tracker.loading("embedder"):
        embedder = load()
    tracker.record_stage_end("ocr")
    tracker.get_metrics()

It measures also where Watchkeeper is not configured; where it is, events tell the server the same. No method raises.
"""

from __future__ import annotations

import contextlib
import datetime
import logging
import threading
import time
import weakref
from collections import deque
from collections.abc import Iterator
from typing import Any, Optional

from . import _allocations
from ._clean import name as clean_name
from ._client import Client, current_client
from ._context import current_job, current_stage
from ._events import encode_members
from ._fork import on_fork
from ._limits import let_through
from ._measure import Measure
from ._process import Process
from ._settings import read_settings

__all__ = ["MemoryTracker", "log_memory_warning"]

logger = logging.getLogger("watchkeeper.memory")

_MB = 1 << 20
_MAX_NAMES = 1_000
_MAX_OPEN = 64
_SECONDS_BETWEEN = 60.0


class MemoryTracker:
    """Tracks memory across the stages and components of a pipeline.

    The last `max_history` records are kept. Without `job_id`, stages belong to the job that runs where they begin; a
    stage without any job is measured and kept here, but not told to the server, which knows stages only of jobs.
    The three bounds are by default the settings `memory_warning_mb` (2400), `memory_critical_percent` (110) and
    `memory_early_percent` (80); 0 is never.
    """

    def __init__(
        self,
        max_history: int = 1000,
        *,
        job_id: Any = None,
        warning_mb: Optional[float] = None,
        critical_percent: Optional[float] = None,
        early_percent: Optional[float] = None,
    ) -> None:
        client = current_client()
        settings = client.settings if client is not None else read_settings({})
        #: How many records are kept.
        self.max_history = max(1, max_history)
        #: The records, the oldest first: a copy is `get_history()`.
        self.history: deque[dict[str, Any]] = deque(maxlen=self.max_history)
        #: Of each stage by its name: `start` and `end` (as `get_current_memory` gives them), `delta_mb`, `peak_mb`.
        self.stage_metrics: dict[str, dict[str, Any]] = {}
        #: Of each component by its name: `load` and `unload` (as `get_current_memory` gives them), `delta_mb` (what it
        #: took), `freed_mb`, `kept_mb` (what it took and did not give back).
        self.component_metrics: dict[str, dict[str, Any]] = {}
        #: From how many megabytes on it warns.
        self.warning_mb: float = settings.memory_warning_mb if warning_mb is None else warning_mb
        #: How many percent of those are critical.
        self.critical_percent: float = (
            settings.memory_critical_percent if critical_percent is None else critical_percent
        )
        #: From how many percent of the memory of the machine, or of its container, on it warns early.
        self.early_percent: float = settings.memory_early_percent if early_percent is None else early_percent
        self._job_id = clean_name(job_id)
        self._lock = threading.RLock()
        self._open: dict[str, _OpenStage] = {}
        self._level = 0
        self._warned_at = 0.0
        # A stage that raised is never ended: with the tracker its memory is no longer looked at.
        weakref.finalize(self, _forget, self._open).atexit = False
        on_fork(self)

    def after_fork(self) -> None:
        """In the child: another thread may have held the lock, and what is measured is the parent's."""
        self._lock = threading.RLock()
        self._open.clear()

    def get_current_memory(self) -> dict[str, Any]:
        """Memory of this process: `rss_mb`, `vms_mb`, `percent` of the machine's, `timestamp` (UTC, without an
        offset). What a system does not say is 0."""
        rss, vms, total = _process.rss_bytes() or 0, _process.vms_bytes() or 0, _process.total_memory_bytes
        now = datetime.datetime.now(datetime.timezone.utc).replace(tzinfo=None)
        return {
            "rss_mb": rss / _MB,
            "vms_mb": vms / _MB,
            "percent": 100.0 * rss / total if total else 0.0,
            "timestamp": now.isoformat(),
        }

    def record_stage_start(self, stage: str) -> None:
        """A stage begins. One of the same name that did not end is given up."""
        try:
            memory = self.get_current_memory()
            opened = _OpenStage(stage, self._job_id)
            with self._lock:
                _give_up(self._open.pop(stage, None))
                while len(self._open) >= _MAX_OPEN:
                    _give_up(self._open.pop(next(iter(self._open))))
                self._open[stage] = opened
                self._entry(self.stage_metrics, stage).clear()
                self.stage_metrics[stage]["start"] = memory
            opened.report("stage.started", _facts(memory))
            self._record("stage_start", "stage", stage, memory)
            logger.info("stage %s start: %.1f MB", stage, memory["rss_mb"])
        except Exception as fault:
            let_through(fault)
            _lost()

    def record_stage_end(self, stage: str) -> None:
        """A stage ends. One that did not begin is not known, and nothing happens."""
        try:
            memory = self.get_current_memory()
            with self._lock:
                known, opened = self.stage_metrics.get(stage), self._open.pop(stage, None)
                if known is None or "start" not in known:
                    return
                known["end"] = memory
                known["delta_mb"] = delta = memory["rss_mb"] - known["start"]["rss_mb"]
            level = self._record("stage_end", "stage", stage, memory)
            if opened is not None:
                peak_mb = opened.finish(memory, level)
                if peak_mb is not None:
                    known["peak_mb"] = peak_mb
            logger.info("stage %s end: %.1f MB (delta: %+.1f MB)", stage, memory["rss_mb"], delta)
        except Exception as fault:
            let_through(fault)
            _lost()

    def record_component_load(self, component: str) -> None:
        """A component was loaded. What it took is not known from this one look: `loading` measures that."""
        self._loaded(component, None, None)

    def record_component_unload(self, component: str) -> None:
        """A component was given back. One that was not loaded is not known, and nothing happens."""
        self._unloaded(component, None, None)

    @contextlib.contextmanager
    def loading(self, component: str) -> Iterator[None]:
        """Around the loading of a component: says what it took, and how long. A loading that raises is not recorded."""
        before, began = _process.rss_bytes(), time.perf_counter()
        yield
        self._loaded(component, before, time.perf_counter() - began)

    @contextlib.contextmanager
    def unloading(self, component: str) -> Iterator[None]:
        """Around the giving back of a component: says what it gave back, and what of `loading` it did not."""
        before, began = _process.rss_bytes(), time.perf_counter()
        yield
        self._unloaded(component, before, time.perf_counter() - began)

    def get_metrics(self) -> dict[str, Any]:
        """All that was collected: `current`, `stages`, `components`, `history_size`."""
        with self._lock:
            return {
                "current": self.get_current_memory(),
                "stages": {name: dict(known) for name, known in self.stage_metrics.items()},
                "components": {name: dict(known) for name, known in self.component_metrics.items()},
                "history_size": len(self.history),
            }

    def get_history(self) -> list[dict[str, Any]]:
        """The records kept, the oldest first: `event`, `stage` or `component`, and the memory then."""
        with self._lock:
            return [dict(record) for record in self.history]

    def _loaded(self, component: str, before: Optional[int], seconds: Optional[float]) -> None:
        try:
            memory = self.get_current_memory()
            with self._lock:
                known = self._entry(self.component_metrics, component)
                known.clear()
                known["load"] = memory
                if before is not None:
                    known["delta_mb"] = memory["rss_mb"] - before / _MB
            level = self._record("component_load", "component", component, memory)
            delta = known.get("delta_mb")
            _report_component("component.loaded", component, memory, delta, seconds, level, self._job_id)
            logger.info("component %s loaded: %.1f MB", component, memory["rss_mb"])
        except Exception as fault:
            let_through(fault)
            _lost()

    def _unloaded(self, component: str, before: Optional[int], seconds: Optional[float]) -> None:
        try:
            memory = self.get_current_memory()
            with self._lock:
                known = self.component_metrics.get(component)
                if known is None or "load" not in known:
                    return
                known["unload"] = memory
                start_mb = known["load"]["rss_mb"] if before is None else before / _MB
                known["freed_mb"] = freed = start_mb - memory["rss_mb"]
                if "delta_mb" in known:
                    known["kept_mb"] = known["delta_mb"] - freed
            level = self._record("component_unload", "component", component, memory)
            delta = None if before is None else -freed
            _report_component("component.unloaded", component, memory, delta, seconds, level, self._job_id)
            logger.info("component %s unloaded: %.1f MB (freed: %.1f MB)", component, memory["rss_mb"], freed)
        except Exception as fault:
            let_through(fault)
            _lost()

    def _entry(self, names: dict[str, dict[str, Any]], name: str) -> dict[str, Any]:
        while name not in names and len(names) >= _MAX_NAMES:
            del names[next(iter(names))]
        return names.setdefault(name, {})

    def _record(self, event: str, what: str, name: str, memory: dict[str, Any]) -> str:
        """Keeps a record, and warns where memory passed a bound: when it did, and each minute that it stays above."""
        rss_mb = memory["rss_mb"]
        limit = _limit_bytes()
        used = 100.0 * rss_mb * _MB / limit if limit else 0.0
        level, name_of_level = 0, ""
        if self.early_percent and used > self.early_percent:
            level, name_of_level = 1, "early"
        if self.warning_mb and rss_mb > self.warning_mb:
            level, name_of_level = 2, "warning"
            if rss_mb > self.warning_mb * self.critical_percent / 100:
                level, name_of_level = 3, "critical"
        with self._lock:
            self.history.append({"event": event, what: name, **memory})
            now = time.monotonic()
            is_told = level > 0 and (level > self._level or now >= self._warned_at + _SECONDS_BETWEEN)
            if is_told:
                self._level, self._warned_at = level, now
        if is_told and level == 1:
            logger.warning("early memory warning at %s %s: %.1f MB, %.0f%% of memory", what, name, rss_mb, used)
        elif is_told:
            log_memory_warning(rss_mb, self.warning_mb, self.critical_percent)
        return name_of_level


def log_memory_warning(current_mb: float, threshold_mb: float = 2400, critical_percent: float = 110) -> None:
    """Logs a warning if `current_mb` is more than `threshold_mb`, and also an error if it is more than
    `critical_percent` of that, by the logger `watchkeeper.memory`. A tracker calls it by itself."""
    if current_mb > threshold_mb > 0:
        share = 100 * current_mb / threshold_mb
        logger.warning("memory warning: %.1f MB (%.0f%% of threshold)", current_mb, share)
        if share > critical_percent:
            logger.error("critical memory: %.1f MB (%.0f%% of threshold)", current_mb, share)


class _OpenStage:
    """A stage that runs, as the server is told of it."""

    def __init__(self, stage: str, job_id: Optional[str]) -> None:
        self._client = current_client()
        self._measure = Measure(self._client) if self._client is not None else None
        job = current_job()
        named = {"stage": clean_name(stage) or "unnamed"}
        self._encoded = ""
        if job_id is not None:
            self._encoded = encode_members({"job_id": job_id, **named})
        elif job is not None:
            self._encoded = job.encoded + encode_members(named)

    def report(self, type_: str, facts: dict[str, Any], time_ns: Optional[int] = None) -> None:
        if self._client is not None and self._encoded:
            self._client.report(type_, facts, time_ns, self._encoded)

    def finish(self, memory: dict[str, Any], level: str) -> Optional[float]:
        """Tells that it ended, and gives its peak in megabytes, if somebody looked for it."""
        client, measure = self._client, self._measure
        if client is None or measure is None:
            return None
        facts = {**_facts(memory), **measure.end(), "status": "completed"}
        attributes = _allocations.top_lines(client.settings, measure.peak_bytes)
        if level:
            attributes["memory_warning"] = level
        if attributes:
            facts["attributes"] = attributes
        self.report("stage.finished", facts, measure.ended_ns)
        return measure.peak_bytes / _MB

    def give_up(self) -> None:
        if self._client is not None and self._measure is not None:
            self._client.pulse.unwatch(self._measure)


def _report_component(
    type_: str,
    component: str,
    memory: dict[str, Any],
    delta_mb: Optional[float],
    seconds: Optional[float],
    level: str,
    job_id: Optional[str],
) -> None:
    client: Optional[Client] = current_client()
    if client is None:
        return
    facts: dict[str, Any] = {"component": clean_name(component) or "unnamed", **_facts(memory)}
    job, stage = current_job(), current_stage()
    if job_id is not None or job is not None:
        facts["job_id"] = job_id if job_id is not None else job.id if job is not None else None
    if stage is not None:
        facts["stage"] = stage.name
    if delta_mb is not None:
        facts["memory_delta_bytes"] = round(delta_mb * _MB)
    if seconds is not None:
        facts["duration_seconds"] = seconds
    if level:
        facts["attributes"] = {"memory_warning": level}
    client.report(type_, facts)


def _facts(memory: dict[str, Any]) -> dict[str, Any]:
    # What a system does not say is left out.
    named = (("memory_rss_mb", "rss_mb"), ("memory_vms_mb", "vms_mb"), ("memory_percent", "percent"))
    return {fact: memory[key] for fact, key in named if memory[key]}


def _give_up(opened: Optional[_OpenStage]) -> None:
    if opened is not None:
        opened.give_up()


def _forget(opened: dict[str, _OpenStage]) -> None:
    for stage in list(opened.values()):
        stage.give_up()


def _lost() -> None:
    client = current_client()
    if client is not None:
        client.counts.drop("internal_error")


def _limit_bytes() -> Optional[int]:
    """The machine's memory, or the container's bound where that is less."""
    limit = _process.total_memory_bytes
    if _container_bytes is not None:
        limit = min(limit, _container_bytes) if limit else _container_bytes
    return limit


def _read_container_bytes() -> Optional[int]:
    for path in ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"):
        try:
            with open(path, "rb") as file:
                return int(file.read(64)) or None
        except (OSError, ValueError):
            continue
    return None


class _OwnProcess(Process):
    """One for all trackers: each has a file open."""

    def after_fork(self) -> None:
        self.renew()


_container_bytes = _read_container_bytes()
_process = _OwnProcess()
on_fork(_process)
