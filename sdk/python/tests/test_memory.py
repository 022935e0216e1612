"""The memory tracker, and the lines that hold the most."""

from __future__ import annotations

import gc
import logging
import os
import subprocess
import sys

import pytest

import watchkeeper as wk
from watchkeeper import _allocations
from watchkeeper.memory import MemoryTracker

MB = 1 << 20


def test_it_measures_where_nothing_is_configured(monkeypatch):
    monkeypatch.delenv("WATCHKEEPER_URL", raising=False)
    tracker = MemoryTracker(max_history=3)
    tracker.record_stage_end("never begun")
    tracker.record_component_unload("never loaded")
    tracker.record_stage_start("ocr")
    held = bytearray(64 * MB)
    tracker.record_stage_end("ocr")
    tracker.record_component_load("m")
    tracker.record_component_unload("m")
    metrics = tracker.get_metrics()
    assert set(metrics) == {"current", "stages", "components", "history_size"}
    assert set(metrics["current"]) == {"rss_mb", "vms_mb", "percent", "timestamp"}
    assert metrics["stages"]["ocr"]["delta_mb"] == pytest.approx(len(held) / MB, rel=0.1)
    assert set(metrics["components"]) == {"m"}
    assert [record["event"] for record in tracker.get_history()] == ["stage_end", "component_load", "component_unload"]


def test_stages_are_told_of_the_job_that_runs(server, client):
    tracker = MemoryTracker(early_percent=0, warning_mb=0)
    tracker.record_stage_start("of no job")
    tracker.record_stage_end("of no job")
    with wk.job("extract", id="j"):
        tracker.record_stage_start("ocr")
        held = bytearray(64 * MB)
        tracker.record_stage_end("ocr")
    assert client.flush(60)
    (finished,) = server.of("stage.finished")
    assert (finished["job_id"], finished["stage"], finished["status"]) == ("j", "ocr", "completed")
    assert finished["memory_delta_bytes"] == pytest.approx(len(held), rel=0.1)
    assert "attributes" not in finished
    assert client.stats().dropped == {}


def test_what_a_component_took_and_did_not_give_back(server, client):
    tracker = MemoryTracker()
    with tracker.loading("m"):
        kept, given_back = bytearray(32 * MB), bytearray(64 * MB)
    with tracker.unloading("m"):
        del given_back
    known = tracker.get_metrics()["components"]["m"]
    assert known["delta_mb"] == pytest.approx(96, rel=0.1)
    assert known["kept_mb"] == pytest.approx(len(kept) / MB, rel=0.1)
    assert client.flush(60)
    (loaded,), (unloaded,) = server.of("component.loaded"), server.of("component.unloaded")
    assert loaded["memory_delta_bytes"] == pytest.approx(96 * MB, rel=0.1)
    assert unloaded["memory_delta_bytes"] == pytest.approx(-64 * MB, rel=0.1)
    assert loaded["duration_seconds"] >= 0


@pytest.mark.parametrize(
    ("bounds", "levels"),
    [
        ({"warning_mb": 1}, ["WARNING", "ERROR"]),
        ({"warning_mb": 1, "critical_percent": 1e9}, ["WARNING"]),
        ({"warning_mb": 0, "early_percent": 1e-9}, ["WARNING"]),
        ({"warning_mb": 0, "early_percent": 0}, []),
    ],
)
def test_each_bound_is_warned_of_once(bounds, levels, caplog):
    tracker = MemoryTracker(**bounds)
    with caplog.at_level(logging.WARNING, "watchkeeper.memory"):
        for name in "abc":
            tracker.record_stage_start(name)
    assert [record.levelname for record in caplog.records] == levels


def test_a_stage_that_never_ends_is_not_watched_for_ever(client):
    tracker = MemoryTracker()
    for number in range(100):
        tracker.record_stage_start(f"stage {number}")
    assert len(client.pulse._watched) == 64
    del tracker
    gc.collect()
    assert not client.pulse._watched


def test_the_lines_that_hold_the_most_go_with_a_large_stage(server, monkeypatch):
    monkeypatch.setattr(_allocations, "_next_at", 0.0)
    import tracemalloc

    client = wk.init(server.url, heartbeat_seconds=0, tracemalloc_mb=1, tracemalloc_lines=3, handle_sigterm=False)
    try:
        with wk.job("a") as job, job.stage("s"):
            held = bytearray(8 * MB)
        with wk.job("b") as job, job.stage("s"):
            pass
    finally:
        tracemalloc.stop()
    assert client.flush(60)
    first, second = server.of("stage.finished")
    top = first["attributes"]["tracemalloc_top"].splitlines()
    assert len(top) == 3
    assert any("test_memory.py" in line and f"{len(held) / MB:.1f} MB" in line for line in top)
    assert "attributes" not in second


def test_the_package_is_imported_without_them():
    code = """if True:
        import sys
        sys.path.insert(0, sys.argv[1])
        import watchkeeper as wk
        assert not {"watchkeeper.memory", "watchkeeper.monitor", "asyncio"} & set(sys.modules)
        wk.MemoryTracker, wk.ResourceMonitor
    """
    folder = os.path.dirname(os.path.dirname(wk.__file__))
    done = subprocess.run([sys.executable, "-c", code, folder], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
