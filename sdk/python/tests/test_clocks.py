"""Clocks that jump: the wall clock does, when somebody or a server of time sets it. The monotonic one does not."""

from __future__ import annotations

import os
import time

import pytest
from conftest import balance, wait_until

import watchkeeper as wk
from watchkeeper._counts import Counts
from watchkeeper._log import Warnings
from watchkeeper._spool import Spool

YEAR_NS = 366 * 24 * 3_600 * 10**9
REAL_NS = time.time_ns


@pytest.fixture
def set_clock(monkeypatch):
    """Sets the wall clock by so much from the real time on."""

    def by(shift_ns):
        monkeypatch.setattr(time, "time_ns", lambda: REAL_NS() + shift_ns)
        monkeypatch.setattr(time, "time", lambda: (REAL_NS() + shift_ns) / 1e9)

    return by


@pytest.mark.parametrize("shift_ns", [-YEAR_NS, YEAR_NS])
def test_what_runs_meanwhile_has_its_length_and_ends_after_it_began(server, client, set_clock, shift_ns):
    began = time.perf_counter()
    with wk.job("a") as job, job.stage("s"), wk.llm_call(model="m"):
        set_clock(shift_ns)
    took = time.perf_counter() - began
    assert client.flush(60)
    for start, end in (("job.started", "job.completed"), ("stage.started", "stage.finished")):
        ended = server.of(end)[0]
        assert ended["time"] >= server.of(start)[0]["time"]
        assert 0 <= ended["duration_seconds"] <= took
    assert 0 <= server.of("llm.call")[0]["duration_seconds"] <= took
    # An end is when others saw it, if they have the same clock.
    assert (server.of("job.completed")[0]["time"] - REAL_NS() > YEAR_NS // 2) == (shift_ns > 0)


@pytest.mark.parametrize("shift_ns", [-YEAR_NS, YEAR_NS])
def test_delivery_does_not_go_by_it(server, make_client, set_clock, shift_ns):
    server.replies = [500, lambda events: (503, {"Retry-After": "0.2"}, None)]
    client = make_client(server.url)
    client.report("job.started", {"job_id": "a"})
    wait_until(lambda: client.stats().retries > 0)
    set_clock(shift_ns)
    client.report("job.started", {"job_id": "b"})
    wait_until(lambda: client.stats().delivered == 2)
    assert client.stats().retries == 2
    assert balance(client.stats()) == 0


def test_a_date_to_come_back_at_is_taken_within_reason(server, make_client, set_clock):
    server.replies = [lambda events: (503, {"Retry-After": "Wed, 21 Oct 2015 07:28:00 GMT"}, None)]
    client = make_client(server.url)
    set_clock(YEAR_NS)
    client.report("job.started", {"job_id": "a"})
    wait_until(lambda: client.stats().delivered == 1)


@pytest.mark.parametrize("shift_ns", [-YEAR_NS, YEAR_NS])
def test_the_spool_keeps_what_another_process_writes_and_finds_what_it_wrote(tmp_path, set_clock, shift_ns):
    import fcntl

    spool = Spool(str(tmp_path), 1 << 20, Counts())
    file = os.open(tmp_path / "0-1-1.wktmp", os.O_CREAT | os.O_WRONLY)
    fcntl.flock(file, fcntl.LOCK_EX)
    assert spool.write([b'{"a":1}'])
    set_clock(shift_ns)
    assert spool.write([b'{"b":2}'])
    claims = [spool.claim(), spool.claim()]
    assert sorted(claim.events[0] for claim in claims) == [b'{"a":1}', b'{"b":2}']
    for claim in claims:
        claim.done()
    assert os.listdir(tmp_path) == ["0-1-1.wktmp"]
    os.close(file)


def test_a_warning_is_said_once_a_minute(monkeypatch, set_clock, caplog):
    warnings = Warnings()
    now = time.monotonic()
    for minute in range(3):
        monkeypatch.setattr(time, "monotonic", lambda minute=minute: now + 61 * minute)
        for number in range(100):
            set_clock(number * YEAR_NS // 50 - YEAR_NS)
            warnings.say(f"trouble {minute}")
    said = [record.getMessage() for record in caplog.records]
    assert said[0] == "trouble 0"
    assert said[1:] == [f"trouble {n} (99 warnings before this one were not shown)" for n in (1, 2)]
