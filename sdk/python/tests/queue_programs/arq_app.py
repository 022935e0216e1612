"""Jobs for arq, and who sends them."""

from __future__ import annotations

import asyncio
import os

from arq import Retry, create_pool
from arq.connections import RedisSettings

import watchkeeper as wk
from watchkeeper.integrations import arq as watched

wk.init(service="tests", heartbeat_seconds=0.5)
watched.install()


async def well(ctx, number):
    with wk.current_job().stage("ocr"):
        await asyncio.sleep(0.01)


async def bad(ctx, number):
    raise ValueError("bad")


async def again(ctx, number):
    if ctx["job_try"] == 1:
        raise Retry()


async def slow(ctx, number):
    await asyncio.sleep(30)


class WorkerSettings:
    functions = [well, bad, again, slow]
    redis_settings = RedisSettings.from_dsn(os.environ["REDIS_URL"])
    job_timeout = 1
    burst = True
    queue_name = "extraction"


async def send():
    pool = await create_pool(WorkerSettings.redis_settings)
    with wk.job("upload", id="the-upload", request_id="r-1"):
        for name in ("well", "bad", "again", "slow"):
            for number in range(3):
                for _ in range(2):
                    await pool.enqueue_job(name, number, _job_id=f"{name}-{number}", _queue_name="extraction")
        await pool.enqueue_job("no_such", 1, _job_id="no", _queue_name="extraction")
