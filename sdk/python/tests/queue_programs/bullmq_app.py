"""Jobs for BullMQ, who sends them, and who works."""

from __future__ import annotations

import asyncio
import os
import sys

from bullmq import Queue, Worker

import watchkeeper as wk
from watchkeeper.integrations import bullmq as watched

wk.init(service="tests", heartbeat_seconds=0.5)
watched.install(job_id=lambda queue, id: f"{queue}:{id}")


async def process(job, token):
    if job.name == "bad":
        raise ValueError("bad")
    if job.name == "again" and job.attemptsMade == 0:
        raise KeyError("not yet")
    with wk.current_job().stage("ocr"):
        await asyncio.sleep(0.01)


async def send():
    queue = Queue("extraction", {"connection": os.environ["REDIS_URL"]})
    with wk.job("upload", id="the-upload", request_id="r-1"):
        for name in ("well", "bad", "again"):
            for number in range(3):
                opts = {"jobId": f"{name}-{number}", "attempts": 3 if name == "again" else 1}
                await queue.add(name, {"number": number}, opts)
        await queue.addBulk([{"name": "well", "data": {}, "opts": {"jobId": f"bulk-{n}"}} for n in range(2)])
    await queue.close()


async def work():
    worker = Worker("extraction", process, {"connection": os.environ["REDIS_URL"], "concurrency": 3})
    while not os.path.exists(sys.argv[1]):
        await asyncio.sleep(0.05)
    await worker.close()
