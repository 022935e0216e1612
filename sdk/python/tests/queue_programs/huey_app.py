"""Tasks for Huey, and who sends them."""

from __future__ import annotations

import datetime
import os

from huey import RedisHuey

import watchkeeper as wk
from watchkeeper.integrations import huey as watched

wk.init(service="tests", heartbeat_seconds=0.5)
huey = RedisHuey("extraction", url=os.environ["REDIS_URL"])
watched.install(huey, carry=True)


@huey.task()
def well(number):
    with wk.current_job().stage("ocr"):
        return number


@huey.task()
def bad(number):
    raise ValueError("bad")


@huey.task(retries=2, retry_delay=0, context=True)
def again(number, task=None):
    if task.retries == 2:
        raise KeyError("not yet")


def send():
    with wk.job("upload", id="the-upload", request_id="r-1"):
        for task in (well, bad, again):
            for number in range(3):
                made = task.s(number)
                made.id = f"{task.func.__name__}-{number}"
                huey.enqueue(made)
        late = well.s(3)
        late.id = "late"
        late.eta = datetime.datetime.utcnow() + datetime.timedelta(seconds=1)
        huey.enqueue(late)
        revoked = well.s(4)
        revoked.id = "revoked"
        huey.revoke_by_id("revoked")
        huey.enqueue(revoked)
