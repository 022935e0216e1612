"""What must hold of everything that was reported, whoever reported it."""

from __future__ import annotations

from collections import Counter
from types import SimpleNamespace
from typing import Any

from accounts import Account
from conftest import wait_until
from queue_tools import check_lives, check_worker

from .running import Watchkeeper


def check_account(server: Watchkeeper, account: Account) -> None:
    """Whatever the processes made is stored, once, and nothing else is."""
    reported = account.reported()
    assert reported
    assert set(reported.values()) == {1}, reported.most_common(3)

    def is_stored() -> bool:
        return len(server.stored()) >= len(reported)

    try:
        wait_until(is_stored)
    except AssertionError:
        lost = reported.keys() - server.stored().keys()
        raise AssertionError(f"{len(lost)} of {len(reported)} events are lost: {sorted(lost)[:5]}") from None
    assert server.stored() == reported


def check_stats(server: Watchkeeper, account: Account, was_killed: bool = False) -> None:
    """What the clients say at their ends adds up to what is stored, and nothing was dropped. A process that was killed
    said nothing."""
    ends = account.stats()
    assert ends
    for end in ends:
        assert (end["dropped"], end["rejected"], end["queued"]) == ({}, 0, 0), end
        assert end["reported"] == end["delivered"] + end["spooled"], end
    if was_killed:
        return
    assert sum(end["spooled"] for end in ends) == sum(end["adopted"] for end in ends)
    assert sum(end["delivered"] + end["adopted"] for end in ends) == sum(server.stored().values())


def check_jobs(server: Watchkeeper, expected: dict[str, list[str]], stages: int) -> None:
    """Each job began and ended as often as it should, so did its stages, and none is shown as running."""
    events = [event for event in server.events if event.get("job_id") != "the-upload"]
    shown: Any = SimpleNamespace(events=events, of=lambda type_: [e for e in events if e["type"] == type_])
    check_lives(shown, expected)
    check_worker(shown)

    def runs(type_: str) -> Counter[tuple[str, str, int]]:
        return Counter((event["job_id"], event["stage"], event["retry_count"]) for event in shown.of(type_))

    started, finished = runs("stage.started"), runs("stage.finished")
    assert started == finished
    assert (len(finished), set(finished.values()) or {1}) == (stages, {1})

    jobs = server.jobs()
    assert jobs.pop("the-upload")["status"] == "completed"
    assert jobs.keys() == expected.keys()
    for id, life in expected.items():
        job = jobs[id]
        assert job["status"] == life[-1], job
        assert sum(attempt["started_at"] is not None for attempt in job["attempts"]) == life.count("started"), job
        assert all(attempt["ended_at"] for attempt in job["attempts"] if attempt["started_at"]), job
        assert not [stage for stage in job["stages"] if stage["status"] is None], job
    assert server.get("/api/v1/stats")["jobs"]["running"] == 0
