"""Messages for Dramatiq, and who sends them."""

from __future__ import annotations

import os
import threading
import time

import dramatiq
from dramatiq.brokers.redis import RedisBroker

import watchkeeper as wk
from watchkeeper.integrations import dramatiq as watched

wk.init(service="tests", heartbeat_seconds=0.5)
broker = RedisBroker(url=os.environ["REDIS_URL"])
dramatiq.set_broker(broker)
watched.install(broker)


@dramatiq.actor(queue_name="extraction")
def well():
    with wk.current_job().stage("ocr"):
        pass


@dramatiq.actor(queue_name="extraction", max_retries=0)
def bad():
    raise ValueError("bad")


@dramatiq.actor(queue_name="extraction", max_retries=2, min_backoff=10, max_backoff=20)
def again():
    if not dramatiq.middleware.CurrentMessage.get_current_message().options.get("retries"):
        raise KeyError("not yet")


@dramatiq.actor(queue_name="extraction", max_retries=0, time_limit=500)
def slow():
    for _ in range(300):
        time.sleep(0.05)


both = threading.Barrier(2)


@dramatiq.actor(queue_name="extraction", max_retries=0)
def twice(number):
    # Each waits for the other, so they run at the same time.
    both.wait(30)
    wk.current_job().set(number=number)


broker.add_middleware(dramatiq.middleware.CurrentMessage())


def send():
    with wk.job("upload", id="the-upload", request_id="r-1"):
        for actor in (well, bad, again, slow):
            for number in range(3):
                message = actor.message().copy()
                object.__setattr__(message, "message_id", f"{actor.actor_name}-{number}")
                broker.enqueue(message, delay=50 if number == 2 else None)


def send_twice():
    for number in range(2):
        message = twice.message(number).copy()
        object.__setattr__(message, "message_id", "twice")
        broker.enqueue(message)
