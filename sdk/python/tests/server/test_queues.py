"""Each queue on a real Redis, with its jobs in a running Watchkeeper: every event is there, once."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest
import test_arq
import test_bullmq
import test_celery
import test_dramatiq
import test_huey
import test_rq
import test_taskiq
from queue_tools import BAD, OK, TWICE, programs, redis_url, wait_for_ends

from .checks import check_account, check_jobs, check_stats

__all__ = ["programs", "redis_url"]

Life = list[str]
NEVER_STARTED = ["submitted", "failed"]


@dataclass
class Case:
    """A program that sends jobs, and one that works on them."""

    sender: tuple[str, ...]
    worker: tuple[str, ...]
    #: What becomes of jobs of each kind, of which there are three.
    kinds: dict[str, Life]
    stages: int
    #: Further jobs, by id.
    others: dict[str, Life] = field(default_factory=dict)
    #: How ids begin.
    prefix: str = ""
    #: Whether the worker ends by itself when nothing is left to do.
    ends: bool = False

    def expected(self) -> dict[str, Life]:
        lives = {f"{self.prefix}{kind}-{n}": life for n in range(3) for kind, life in self.kinds.items()}
        return {**lives, **{self.prefix + id: life for id, life in self.others.items()}}


USUAL = {"well": OK, "bad": BAD, "again": TWICE}
CELERY = {**USUAL, "declares": BAD, "declares_and_returns": BAD, "parent": OK}
CELERY_SENDER = (*test_celery.SENDER, *(f"{task}:{task}-{n}" for n in range(3) for task in CELERY))
CELERY_CHILDREN = {f"child-parent-{n}": OK for n in range(3)}
RQ_SENDER = (*test_rq.SENDER, "FOLDER")
RQ_OTHERS = {"slow": BAD, "first": OK, "second": OK}

CASES = {
    "celery-prefork": Case(CELERY_SENDER, (*test_celery.WORKER, "-P", "prefork"), CELERY, 6, CELERY_CHILDREN),
    "celery-threads": Case(CELERY_SENDER, (*test_celery.WORKER, "-P", "threads"), CELERY, 6, CELERY_CHILDREN),
    "rq": Case(RQ_SENDER, ("-c", test_rq.WORKER, "Worker"), USUAL, 5, {**RQ_OTHERS, "killed": BAD}, ends=True),
    "rq-simple": Case(RQ_SENDER, ("-c", test_rq.WORKER, "SimpleWorker"), USUAL, 5, RQ_OTHERS, ends=True),
    "arq": Case(test_arq.SENDER, test_arq.WORKER, {**USUAL, "slow": BAD}, 3, {"no": NEVER_STARTED}, ends=True),
    "dramatiq": Case(test_dramatiq.SENDER, test_dramatiq.WORKER, {**USUAL, "slow": BAD}, 3),
    "huey-threads": Case(
        test_huey.SENDER, (*test_huey.WORKER, "-k", "thread"), USUAL, 4, {"late": OK, "revoked": NEVER_STARTED}
    ),
    "huey-processes": Case(
        test_huey.SENDER, (*test_huey.WORKER, "-k", "process"), USUAL, 4, {"late": OK, "revoked": NEVER_STARTED}
    ),
    "taskiq": Case(test_taskiq.SENDER, test_taskiq.WORKER, {**USUAL, "plain": OK, "slow": BAD}, 6),
    "bullmq": Case(
        ("-c", test_bullmq.CALL.format("send")),
        ("-c", test_bullmq.CALL.format("work"), "STOP"),
        USUAL,
        8,
        {"bulk-0": OK, "bulk-1": OK},
        prefix="extraction:",
    ),
}


@pytest.mark.parametrize("name", list(CASES))
def test_every_event_is_stored_once(server, account, programs, tmp_path, name):
    case, stop = CASES[name], tmp_path / "stop"
    places = {"FOLDER": str(tmp_path), "STOP": str(stop)}
    sender, command = ([places.get(word, word) for word in words] for words in (case.sender, case.worker))
    # A worker that does all in its own process cannot have one killed.
    programs.run(*sender, DROP_KILLED="1" if name == "rq-simple" else "")
    worker = programs.start(*command)
    expected = case.expected()
    wait_for_ends(server, set(expected))
    stop.touch()
    if case.ends or "STOP" in case.worker:
        assert worker.wait(15) == 0
    else:
        programs.stop(worker)
    check_account(server, account)
    check_jobs(server, expected, case.stages)
    check_stats(server, account, was_killed="killed" in expected)
