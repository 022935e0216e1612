"""Tasks that do well, fail, try again, take too long, and say that they failed as MoRAG does."""

from __future__ import annotations

import os
import time

from celery import Celery

import watchkeeper as wk
from watchkeeper.integrations import celery as watched

wk.init(service="tests", heartbeat_seconds=0.5)
app = Celery("tests", broker=os.environ["REDIS_URL"], backend=os.environ["REDIS_URL"])
app.conf.update(
    task_default_queue="extraction",
    worker_prefetch_multiplier=1,
    broker_transport_options={"visibility_timeout": 5},
    task_always_eager=os.environ.get("EAGER") == "1",
)
watched.install(app)


@app.task
def well(number):
    with wk.current_job().stage("ocr"):
        return number


@app.task
def bad(number):
    raise ValueError(f"bad {number}")


@app.task(bind=True, max_retries=2)
def again(self, number):
    if self.request.retries == 0:
        raise self.retry(exc=KeyError("not yet"), countdown=0)
    return number


@app.task(bind=True)
def declares(self, number):
    try:
        raise RuntimeError("the model is gone")
    except RuntimeError as error:
        self.update_state(state="FAILURE", meta={"error": str(error)})
        raise


@app.task(bind=True)
def declares_and_returns(self, number):
    self.update_state(state="PROGRESS", meta={"stage": "storing", "progress": 0.5, "message": "half"})
    self.update_state(state="FAILURE", meta={"error": "nothing was found"})


@app.task(time_limit=1)
def slow(number):
    time.sleep(30)


@app.task(soft_time_limit=1)
def soft(number):
    time.sleep(30)


@app.task
def parent(number):
    well.apply_async((number,), task_id=f"child-{number}")


@app.task(acks_late=True, reject_on_worker_lost=True)
def killed_once(path):
    if not os.path.exists(path):
        with open(path, "w"):
            pass
        wk.flush(5)
        os.kill(os.getpid(), 9)
