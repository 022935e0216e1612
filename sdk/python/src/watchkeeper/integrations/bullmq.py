"""BullMQ's Python package: jobs as jobs, workers as workers.

::

    from watchkeeper.integrations import bullmq

    bullmq.install()
"""

from __future__ import annotations

import functools
import time
from contextvars import ContextVar
from typing import Any, Callable, Optional

from .._client import current_client
from .._jobs import Job
from ._runs import HEADERS, Submission, begin, cannot, guarded, replace, whole

JobId = Callable[[str, str], str]


def _own_id(queue: str, id: str) -> str:
    return id


_job_id: JobId = _own_id


def install(job_id: Optional[JobId] = None) -> None:
    """Reports the jobs of this process, which sends or runs them. Called once, before a worker is made.

    BullMQ counts the jobs of each queue from 1, so where there are several queues `job_id` makes an id of the queue's
    name and the job's: `lambda queue, id: f"{queue}:{id}"`. Senders and workers must have the same.
    """
    global _job_id
    try:
        from bullmq import Job as BullJob
        from bullmq import Queue, Worker

        _job_id = job_id or _own_id
        replace(Queue, "add", _watched_add)
        replace(Queue, "addBulk", _watched_add_bulk)
        replace(Worker, "__init__", _watched_init)
        replace(Worker, "run", _watched_run)
        replace(Worker, "processJob", _watched_process)
        replace(BullJob, "moveToFailed", _watched_fail)
    except Exception as error:
        cannot("bullmq", error)


class _Run:
    __slots__ = ("error", "job")

    def __init__(self, job: Job) -> None:
        self.job = job
        self.error: Optional[BaseException] = None


_running: ContextVar[Optional[_Run]] = ContextVar("watchkeeper_bullmq_running", default=None)


# Senders.


def _watched_add(original: Callable[..., Any]) -> Callable[..., Any]:
    async def add(self: Any, name: str, data: Any, opts: Any = None) -> Any:
        client = current_client()
        if client is None:
            return await original(self, name, data, opts or {})
        submission = Submission(client)
        job = await original(self, name, data, {**(opts or {}), **submission.headers})
        _submitted(submission, self, job)
        return job

    return add


def _watched_add_bulk(original: Callable[..., Any]) -> Callable[..., Any]:
    async def add_bulk(self: Any, jobs: Any) -> Any:
        client = current_client()
        if client is None:
            return await original(self, jobs)
        jobs = list(jobs)
        submissions = [Submission(client) for _ in jobs]
        told = [
            {**job, "opts": {**(job.get("opts") or {}), **submission.headers}}
            for job, submission in zip(jobs, submissions)
        ]
        made = await original(self, told)
        for submission, job in zip(submissions, made):
            _submitted(submission, self, job)
        return made

    return add_bulk


@guarded
def _submitted(submission: Submission, queue: Any, job: Any) -> None:
    if job.id is not None:
        submission.report(
            job.name, _job_id(queue.name, str(job.id)), queue=queue.name, priority=job.opts.get("priority")
        )


# Workers.


def _watched_init(original: Callable[..., None]) -> Callable[..., None]:
    def init(self: Any, *args: Any, **kwargs: Any) -> None:
        original(self, *args, **kwargs)
        if callable(getattr(self, "processor", None)):
            self.processor = _watched_processor(self.processor)

    return init


def _watched_processor(original: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(original)
    async def processor(*args: Any) -> Any:
        try:
            return await original(*args)
        except BaseException as error:
            run = _running.get()
            if run is not None:
                run.error = error
            raise

    return processor


def _watched_run(original: Callable[..., Any]) -> Callable[..., Any]:
    async def run(self: Any) -> Any:
        _work(self)
        return await original(self)

    return run


@guarded
def _work(worker: Any) -> None:
    client = current_client()
    if client is not None:
        client.work(worker.name, whole(worker.opts.get("concurrency")))


def _watched_process(original: Callable[..., Any]) -> Callable[..., Any]:
    async def process(self: Any, job: Any, token: str) -> Any:
        before = _running.get()
        _begin(self, job)
        try:
            return await original(self, job, token)
        finally:
            _end()
            _running.set(before)

    return process


@guarded
def _begin(worker: Any, job: Any) -> None:
    client = current_client()
    _running.set(None)
    if client is None:
        return
    attempts = whole(job.opts.get("attempts"))
    made = begin(
        client,
        job.name,
        _job_id(worker.name, str(job.id)),
        {name: job.opts.get(name) for name in HEADERS},
        queue=worker.name,
        priority=job.opts.get("priority"),
        submitted_at=job.timestamp,
        retry_count=whole(job.attemptsMade),
        max_retries=None if attempts is None else max(0, attempts - 1),
    )
    _running.set(_Run(made))


def _watched_fail(original: Callable[..., Any]) -> Callable[..., Any]:
    async def move_to_failed(self: Any, error: BaseException, *args: Any, **kwargs: Any) -> Any:
        run = _running.get()
        ended_ns = time.time_ns()
        moved = await original(self, error, *args, **kwargs)
        if run is not None:
            _failed(run, self, error, ended_ns)
        return moved

    return move_to_failed


@guarded
def _failed(run: _Run, job: Any, error: BaseException, ended_ns: int) -> None:
    run.job.end_at(ended_ns)
    if job.finishedOn:
        run.job.fail(error)
    else:
        run.job.retry(error)


@guarded
def _end() -> None:
    run = _running.get()
    if run is None:
        return
    name = type(run.error).__name__
    if name in ("DelayedError", "WaitingChildrenError"):
        run.job.retry("it was put back, to be run later")
    run.job.finish(run.error)
