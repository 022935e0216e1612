"""Tasks for Taskiq, and who sends them."""

from __future__ import annotations

import asyncio
import os

from taskiq import SimpleRetryMiddleware
from taskiq_redis import ListQueueBroker

import watchkeeper as wk
from watchkeeper.integrations import taskiq as watched

wk.init(service="tests", heartbeat_seconds=0.5)
broker = ListQueueBroker(os.environ["REDIS_URL"], queue_name="extraction").with_middlewares(SimpleRetryMiddleware())
watched.install(broker)
seen = set()


@broker.task(task_name="well")
async def well(number: str):
    with wk.current_job().stage("ocr"):
        await asyncio.sleep(0.01)


@broker.task(task_name="plain")
def plain(number: str):
    with wk.current_job().stage("ocr"):
        pass


@broker.task(task_name="bad")
async def bad(number: str):
    raise ValueError("bad")


@broker.task(task_name="again", retry_on_error=True, max_retries=3)
async def again(number: str):
    if number not in seen:
        seen.add(number)
        raise KeyError("not yet")


@broker.task(task_name="slow", timeout=0.5)
async def slow(number: str):
    await asyncio.sleep(30)


async def send():
    await broker.startup()
    with wk.job("upload", id="the-upload", request_id="r-1"):
        for task in (well, plain, bad, again, slow):
            for number in range(3):
                id = f"{task.task_name}-{number}"
                await task.kicker().with_task_id(id).kiq(id)
    await broker.shutdown()
