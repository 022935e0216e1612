"""Celery on a real Redis: prefork, threads and eager; failures, retries, limits, kills."""

from __future__ import annotations

import pytest
import redis
from conftest import wait_until
from queue_tools import BAD, OK, TWICE, check, lives, of, programs, redis_url, wait_for_ends

pytestmark = pytest.mark.usefixtures("redis_url")
__all__ = ["programs", "redis_url"]

WORKER = ("-m", "celery", "-A", "queue_programs.celery_app", "worker", "-c", "2", "--loglevel", "ERROR")
SENDER = ("-m", "queue_programs.celery_send")


@pytest.mark.parametrize("options", [(), ("--max-tasks-per-child", "2")])
def test_processes_of_the_pool_tell_all_before_they_end(server, programs, redis_url, options):
    # They hold back what they have, so that all of it is told at their end.
    worker = programs.start(*WORKER, *options, WATCHKEEPER_FLUSH_SECONDS="60")
    ids = [f"well-{number}" for number in range(6)]
    programs.run(*SENDER, *(f"well:{id}" for id in ids))
    with redis.Redis.from_url(redis_url) as results:
        wait_until(lambda: all(results.exists(f"celery-task-meta-{id}") for id in ids), 30)
    programs.stop(worker)
    told = lives(server)
    assert {id: told[id] for id in ids} == dict.fromkeys(ids, OK)
    beaten = {event["worker_id"] for event in server.of("worker.heartbeat")}
    assert len(beaten) >= (3 if options else 1)
    stopped = server.of("worker.stopped")
    assert {event["worker_id"] for event in stopped} == beaten
    assert not [event for event in stopped if event.get("exit_code")]


@pytest.mark.parametrize("pool", ["prefork", "threads"])
def test_every_event_arrives_once(server, programs, pool):
    worker = programs.start(*WORKER, "-P", pool)
    ids = {f"{task}:{task}-{number}": expected for number in range(5) for task, expected in LIVES.items()}
    programs.run(*SENDER, *ids)
    expected = {name.partition(":")[2]: life for name, life in ids.items()}
    children = {f"child-parent-{number}": OK for number in range(5)}
    wait_for_ends(server, set(expected) | set(children))
    programs.stop(worker)
    started = check(server, {**expected, **children}, "well-0", "queue_programs.celery_app.well", stages=10)
    assert 0 < started["submitted_at"] <= started["time"]
    assert of(server, "child-parent-0", "job.submitted")["parent_id"] == "parent-0"
    assert of(server, "child-parent-0", "job.started")["parent_id"] == "parent-0"
    assert of(server, "bad-0", "job.failed")["error_type"] == "ValueError"
    retried = of(server, "again-0", "job.retried")
    assert (retried["error_type"], retried["retry_count"], retried["max_retries"]) == ("KeyError", 0, 2)
    # Celery itself reports neither of these.
    failed = of(server, "declares-0", "job.failed")
    assert (failed["error_type"], failed["error_message"]) == ("RuntimeError", "the model is gone")
    assert of(server, "declares_and_returns-0", "job.failed")["error_message"] == "nothing was found"
    progress = next(event for event in server.of("job.progress"))
    assert (progress["stage"], progress["progress"], progress["message"]) == ("storing", 0.5, "half")


LIVES = {"well": OK, "bad": BAD, "again": TWICE, "declares": BAD, "declares_and_returns": BAD, "parent": OK}


def test_limits_of_time_and_revocations(server, programs):
    from celery import Celery

    worker = programs.start(*WORKER, "-P", "prefork")
    programs.run(*SENDER, "slow:slow-1", "soft:soft-1", "well:w")
    wait_for_ends(server, {"slow-1", "soft-1", "w"})
    app = Celery(broker=programs._environment["REDIS_URL"])
    app.control.revoke("revoked-1", reply=True, timeout=1)
    programs.run(*SENDER, "well:revoked-1")
    wait_for_ends(server, {"revoked-1"})
    programs.stop(worker)
    server.events = [event for event in server.events if event.get("job_id") != "the-upload"]
    assert of(server, "slow-1", "job.failed")["timed_out"] is True
    assert of(server, "soft-1", "job.failed")["timed_out"] is True
    assert of(server, "revoked-1", "job.failed")["error_type"] == "TaskRevoked"
    assert lives(server) == {"slow-1": BAD, "soft-1": BAD, "w": OK, "revoked-1": ["submitted", "failed"]}


def test_a_task_whose_process_is_killed_is_another_attempt(server, programs, tmp_path):
    worker = programs.start(*WORKER, "-P", "prefork")
    programs.run(*SENDER, f"killed_once:k={tmp_path / 'mark'}")
    wait_for_ends(server, {"k"})
    programs.stop(worker)
    assert lives(server)["k"] == ["submitted", "started", "started", "completed"]


def test_eager_tasks_are_stages_within_a_job_and_jobs_without(server, programs):
    programs.run("-c", EAGER, EAGER="1")
    told = lives(server)
    outer = told.pop("outer")
    assert outer == ["started", "completed"]
    assert sorted(told.values()) == sorted([["started", "completed"], ["started", "retried", "started", "completed"]])
    stages = [event for event in server.of("stage.finished") if event["job_id"] == "outer"]
    assert [(stage["stage"], stage["status"]) for stage in stages] == [("bad", "failed")]


EAGER = """
import watchkeeper as wk
from queue_programs.celery_app import again, bad, well
well.delay(1)
again.delay(2)
with wk.job("outer", id="outer"):
    bad.delay(3)
"""
