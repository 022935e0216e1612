"""The resource monitor: what it measures, refuses and ends."""

from __future__ import annotations

import asyncio
import gc
import json
import time

import pytest
from conftest import wait_until

import watchkeeper as wk
from watchkeeper.monitor import ResourceMonitor, get_resource_monitor


def test_the_seeds_collection_runs_as_it_stands(monkeypatch):
    monkeypatch.delenv("WATCHKEEPER_URL", raising=False)
    monitor = get_resource_monitor()
    assert monitor is get_resource_monitor()
    time.sleep(0.11)
    found = {
        "memory_mb": monitor.get_current_metrics().memory_mb,
        "cpu_percent": monitor.get_current_metrics().cpu_percent,
        "active_jobs": len(monitor.get_active_jobs()),
    }
    assert json.dumps(found)
    assert found["memory_mb"] > 1
    assert found["active_jobs"] == 0


def test_a_refused_job_says_why(server, client):
    monitor = ResourceMonitor(max_jobs=1)
    with monitor.admit(id="a") as first:
        assert first
        for _ in range(3):
            second = monitor.admit(id="b")
            assert not second
            assert second.reason == "1 of 1 jobs run"
    assert monitor.admit(id="b")
    assert not ResourceMonitor(max_memory_mb=1).admit()
    assert client.flush(60)
    told = [event for event in server.of("audit.recorded") if event["job_id"] == "b"]
    assert [(event["action"], event["outcome"]) for event in told] == [("job.refused", "denied")]


def test_a_job_that_runs_and_is_admitted_is_one(client):
    monitor = ResourceMonitor(max_jobs=1)
    with wk.job("a", id="j"), monitor.admit() as admission:
        assert admission
        assert [job.job_id for job in monitor.get_active_jobs()] == ["j"]
        with wk.job("b", id="other"):
            assert not monitor.admit()


def test_an_admission_that_nobody_holds_keeps_no_place():
    monitor = ResourceMonitor(max_jobs=1)
    held = monitor.admit()
    assert not monitor.admit()
    del held
    gc.collect()
    assert monitor.admit()


def test_a_task_over_its_time_is_cancelled_and_timed_out(server, client):
    monitor = ResourceMonitor(max_job_seconds=0.05, cancel=True)

    async def work():
        async with wk.job("slow", id="s"), monitor.admit():
            await asyncio.sleep(10)

    with pytest.raises(TimeoutError):
        asyncio.run(work())
    assert client.flush(60)
    assert server.of("job.failed")[0]["timed_out"] is True
    assert server.of("audit.recorded")[0]["action"] == "job.over_time"
    assert monitor.get_active_jobs() == []


def test_a_thread_over_its_time_is_only_reported(caplog):
    monitor = ResourceMonitor(max_job_seconds=0.02, cancel=True)
    with monitor.admit(id="t") as admission:
        wait_until(lambda: admission.is_over_time)
        assert monitor.get_active_jobs()[0].is_over_time
    wait_until(lambda: "job t" in caplog.text)


def test_a_task_that_catches_the_cancellation_is_not_left_cancelled():
    monitor = ResourceMonitor(max_job_seconds=0.02, cancel=True)

    async def work():
        async with monitor.admit():
            try:
                await asyncio.sleep(10)
            except asyncio.CancelledError:
                pass
        await asyncio.sleep(0)
        task = asyncio.current_task()
        return getattr(task, "cancelling", int)()

    assert asyncio.run(work()) == 0


def test_whoever_cancels_a_task_beside_the_monitor_is_obeyed():
    monitor = ResourceMonitor(max_job_seconds=60, cancel=True)

    async def work():
        async with monitor.admit():
            await asyncio.sleep(10)

    async def outer():
        task = asyncio.ensure_future(work())
        await asyncio.sleep(0)
        task.cancel()
        await task

    with pytest.raises(asyncio.CancelledError):
        asyncio.run(outer())
    assert monitor.get_active_jobs() == []
