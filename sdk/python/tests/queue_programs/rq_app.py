"""Jobs for RQ, and who sends them."""

from __future__ import annotations

import os
import signal
import time

import watchkeeper as wk
from watchkeeper.integrations import rq as watched

wk.init(service="tests", heartbeat_seconds=0.5)
watched.install()


def well():
    with wk.current_job().stage("ocr"):
        return 1


def bad():
    raise ValueError("bad")


def again(path):
    if not os.path.exists(path):
        with open(path, "w"):
            pass
        raise KeyError("not yet")


def slow():
    time.sleep(30)


def killed():
    wk.flush(5)
    os.kill(os.getpid(), signal.SIGKILL)


def send(folder):
    from redis import Redis
    from rq import Queue, Retry

    queue = Queue("extraction", connection=Redis.from_url(os.environ["REDIS_URL"]))
    with wk.job("upload", id="the-upload", request_id="r-1"):
        for number in range(3):
            queue.enqueue(well, job_id=f"well-{number}")
            queue.enqueue(bad, job_id=f"bad-{number}")
            queue.enqueue(again, f"{folder}/again-{number}", job_id=f"again-{number}", retry=Retry(max=2))
        queue.enqueue(slow, job_id="slow", job_timeout=1)
        if not os.environ.get("DROP_KILLED"):
            queue.enqueue(killed, job_id="killed")
        first = queue.enqueue(well, job_id="first")
        queue.enqueue(well, job_id="second", depends_on=first)
