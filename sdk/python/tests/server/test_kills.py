"""The server is killed in the middle and started again: nothing that fits the spool is lost, nothing is shown twice."""

from __future__ import annotations

from collections import Counter

import pytest
import test_celery
from conftest import wait_until
from queue_tools import BAD, OK, TWICE, programs, redis_url, wait_for_ends
from test_requests_servers import start

from .checks import check_account, check_jobs, check_stats
from .relay import Relay
from .test_requests import ask_all, check_requests

__all__ = ["programs", "redis_url", "start"]

REPORTER = ("-m", "server.reporter")
TYPES = ("job.started", "stage.started", "stage.finished", "job.completed")

# Whichever process is there next sends what others left in the spool.
NEXT = """
import sys, time
from pathlib import Path
from accounts import keep_account
import watchkeeper as wk
keep_account()
wk.init(worker=True)
while list(Path(sys.argv[1]).iterdir()):
    time.sleep(0.01)
"""


@pytest.fixture(autouse=True)
def spool(tmp_path, monkeypatch):
    """The folder of the spool, which each program is told by its environment."""
    folder = tmp_path / "spool"
    folder.mkdir()
    monkeypatch.setenv("WATCHKEEPER_SPOOL_DIR", str(folder))
    monkeypatch.setenv("WATCHKEEPER_RETRY_SECONDS", "0.3")
    monkeypatch.setenv("WATCHKEEPER_FLUSH_SECONDS", "0.05")
    return folder


def check_jobs_of_reporters(server):
    """Each job and each of its stages began and ended once, and is shown so."""
    told = Counter(
        (event["job_id"], event["type"]) for event in server.events if event["type"].startswith(("job.", "stage."))
    )
    jobs = {id for id, _ in told}
    assert told == {(id, type_): 1 for id in jobs for type_ in TYPES}
    shown = server.jobs()
    assert {id: job["status"] for id, job in shown.items()} == dict.fromkeys(jobs, "completed")
    assert {(len(job["attempts"]), len(job["stages"])) for job in shown.values()} == {(1, 1)}


def wait_for_more(server, rows=150):
    server.wait_for_rows(server.rows("SELECT count(*) AS n FROM job_events")[0]["n"] + rows)


def test_kills_again_and_again(server, account, programs, tmp_path, spool):
    stop = tmp_path / "stop"
    reporters = [programs.start(*REPORTER, name, str(stop)) for name in ("a", "b")]
    for kill in range(4):
        wait_for_more(server)
        server.kill()
        # They go on meanwhile.
        enough = len(account.events) + 100 * kill
        wait_until(lambda enough=enough: len(account.events) >= enough)
        server.start()
    wait_for_more(server)
    stop.touch()
    assert [reporter.wait(20) for reporter in reporters] == [0, 0]
    programs.run("-c", NEXT, str(spool))
    check_account(server, account)
    check_jobs_of_reporters(server)
    check_stats(server, account)


def test_a_batch_whose_answer_is_lost_is_sent_again_and_shown_once(server, account, programs, tmp_path, spool):
    stop, relay = tmp_path / "stop", Relay(server)

    def kill():
        server.kill()
        server.start()

    try:
        reporter = programs.start(*REPORTER, "a", str(stop), WATCHKEEPER_URL=relay.url)
        for _ in range(3):
            wait_for_more(server, 40)
            relay.lose_answer(kill)
        wait_for_more(server, 40)
        stop.touch()
        assert reporter.wait(20) == 0
    finally:
        relay.stop()
    # Where the server is slow the end of the reporter leaves something.
    programs.run("-c", NEXT, str(spool))
    check_account(server, account)
    check_jobs_of_reporters(server)
    check_stats(server, account)
    twice = [event for event, times in relay.sent.items() if times > 1]
    assert len(twice) == relay.duplicates > 0


def test_a_queue_goes_on_and_its_worker_ends_without_a_server(server, account, programs, spool):
    kinds = {"well": OK, "bad": BAD, "again": TWICE}
    expected = {f"{kind}-{n}": life for n in range(8) for kind, life in kinds.items()}
    ids = [f"{id.partition('-')[0]}:{id}" for id in expected]
    worker = programs.start(*test_celery.WORKER, "-P", "prefork")
    programs.run(*test_celery.SENDER, *ids[:12])
    # In the middle of it.
    wait_until(lambda: server.rows("SELECT 1 FROM job_events WHERE action = 'job.completed' AND job_id LIKE 'well-%'"))
    server.kill()
    programs.run(*test_celery.SENDER, *ids[12:])
    wait_for_ends(account, set(expected))
    programs.stop(worker)
    assert list(spool.iterdir())
    server.start()
    programs.run("-c", NEXT, str(spool))
    check_account(server, account)
    check_jobs(server, expected, 8)
    check_stats(server, account)


def test_requests_are_answered_without_a_server(server, account, programs, start, spool):
    application = start("fastapi-gunicorn")
    ask_all(application, range(100))
    server.kill()
    ask_all(application, range(100, 200))
    server.start()
    ask_all(application, range(200, 300))
    server.kill()
    ask_all(application, range(300, 400))
    application.stop()
    assert list(spool.iterdir())
    server.start()
    programs.run("-c", NEXT, str(spool))
    check_account(server, account)
    check_requests(server, range(400))
    check_stats(server, account)


def test_what_does_not_fit_the_spool_is_counted_and_told(server, account, programs, tmp_path, spool):
    stop = tmp_path / "stop"
    server.kill()
    bounds = {"WATCHKEEPER_SPOOL_BYTES": "30000", "WATCHKEEPER_QUEUE_EVENTS": "500"}
    reporter = programs.start(*REPORTER, "a", str(stop), "1000", **bounds)
    wait_until((tmp_path / "stop.done").exists, 20)
    wait_until(lambda: bool(list(spool.iterdir())))
    server.start()
    wait_until(lambda: not list(spool.iterdir()), 20)
    stop.touch()
    assert reporter.wait(20) == 0
    (end,) = account.stats()
    lost = sum(end["dropped"].values())
    assert end["dropped"] == {"queue_full": lost}
    assert end["spooled"] == end["adopted"] > 0
    assert end["reported"] == end["delivered"] + end["spooled"] + lost
    stored = server.stored()
    assert sum(stored.values()) == end["delivered"] + end["adopted"]
    assert set(stored.values()) == {1}

    def without_audit(events):
        # That something was lost is told again where the queue had no room for that either.
        return {event for event in events if not event.endswith("audit.recorded")}

    reported = without_audit(account.reported())
    assert without_audit(stored) <= reported
    assert len(without_audit(stored)) == len(reported) - lost
    told = server.of("audit.recorded")
    assert sum(int(event["attributes"]["dropped"]) for event in told) == lost > 0
