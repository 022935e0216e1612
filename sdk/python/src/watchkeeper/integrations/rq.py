"""RQ: jobs as jobs, workers as workers.

::

    from watchkeeper.integrations import rq

    rq.install()

or, where the worker is the command `rq worker`, `rq worker -w watchkeeper.integrations.rq.Worker`.

A worker forks a process, a horse, for each job. What happens in it is told as the worker's, which alone beats.
"""

from __future__ import annotations

import sys
import time
from typing import Any, Callable, Optional, Union

from .._client import current_client
from .._jobs import Job
from ._running import Running
from ._runs import HEADERS, Submission, begin, cannot, guarded, names, replace, report_end, whole

# How long a horse may wait at its end for what it reported to be delivered.
_HORSE_SECONDS = 1.0
# How often a job may be tried again, in its `meta`: RQ itself keeps how often it still may.
_RETRIES = "watchkeeper_retries"


def install() -> None:
    """Reports the jobs of this process, which sends or runs them. Called once, before jobs are enqueued and before a
    worker works; again it does nothing. Where RQ is not there, or too old, that is a warning."""
    try:
        from rq import Queue, SimpleWorker, Worker
        from rq.job import Job as RqJob

        replace(RqJob, "create", _watched_create)
        for name in ("enqueue_job", "schedule_job"):
            replace(Queue, name, _watched_enqueue)
        replace(Queue, "enqueue_many", _watched_enqueue_many)
        replace(Queue, "run_sync", _watched_run_sync)
        for worker in (Worker, SimpleWorker):
            replace(worker, "work", _watched_work)
            replace(worker, "perform_job", _watched_perform)
            replace(worker, "main_work_horse", _watched_horse)
            replace(worker, "handle_job_failure", _watched_failure)
            replace(worker, "handle_job_retry", _watched_retry)
    except Exception as error:
        cannot("rq", error)


def __getattr__(name: str) -> Any:
    """`Worker` and `SimpleWorker` are RQ's, watched: for `rq worker -w`, which runs nothing of the application before
    the first job. They read `WATCHKEEPER_*`."""
    if name not in ("Worker", "SimpleWorker", "SpawnWorker"):
        raise AttributeError(name)
    import rq

    import watchkeeper

    if current_client() is None:
        watchkeeper.init()
    install()
    return getattr(rq, name)


class _Run:
    __slots__ = ("work",)

    def __init__(self, work: Job) -> None:
        self.work = work


_running: Running[_Run] = Running()


# Senders.


def _watched_create(original: Callable[..., Any]) -> Callable[..., Any]:
    def create(cls: Any, *args: Any, **kwargs: Any) -> Any:
        job = original(cls, *args, **kwargs)
        _mark(job)
        return job

    return create


@guarded
def _mark(job: Any) -> None:
    client = current_client()
    if client is None:
        return
    # Those that come from the broker have no mark: they were submitted before.
    job._watchkeeper = Submission(client)
    # The application may use one dictionary for many jobs.
    job.meta = {**job.meta, **job._watchkeeper.headers}


def _watched_enqueue(original: Callable[..., Any]) -> Callable[..., Any]:
    def enqueue(self: Any, job: Any, *args: Any, **kwargs: Any) -> Any:
        submission = _prepare(job)
        queued = original(self, job, *args, **kwargs)
        _submitted(submission, job, self)
        return queued

    return enqueue


def _prepare(job: Any) -> Optional[Submission]:
    try:
        submission: Optional[Submission] = job.__dict__.pop("_watchkeeper", None)
        retries = whole(getattr(job, "retries_left", None))
        if submission is not None and retries is not None:
            job.meta[_RETRIES] = retries
        return submission
    except Exception:
        return None


@guarded
def _submitted(submission: Optional[Submission], job: Any, queue: Any) -> None:
    if submission is not None:
        submission.report(_kind_of(job), job.id, queue=queue.name, max_retries=whole(job.meta.get(_RETRIES)))


def _watched_enqueue_many(original: Callable[..., Any]) -> Callable[..., Any]:
    def enqueue_many(self: Any, *args: Any, **kwargs: Any) -> Any:
        jobs = original(self, *args, **kwargs)
        for job in jobs:
            _submitted(_prepare(job), job, self)
        return jobs

    return enqueue_many


def _watched_run_sync(original: Callable[..., Any]) -> Callable[..., Any]:
    def run_sync(self: Any, job: Any) -> Any:
        _begin(job, self, True)
        try:
            return original(self, job)
        except BaseException as error:
            _fail(job, error)
            raise
        finally:
            _end_sync(job)

    return run_sync


# Workers.


def _watched_work(original: Callable[..., Any]) -> Callable[..., Any]:
    def work(self: Any, *args: Any, **kwargs: Any) -> Any:
        _work(self)
        return original(self, *args, **kwargs)

    return work


@guarded
def _work(worker: Any) -> None:
    client = current_client()
    if client is not None:
        client.work(names(queue.name for queue in worker.queues), 1)
        worker._watchkeeper_id = client.worker_id


def _watched_horse(original: Callable[..., Any]) -> Callable[..., Any]:
    def main_work_horse(self: Any, *args: Any, **kwargs: Any) -> Any:
        _act_for(self)
        return original(self, *args, **kwargs)

    return main_work_horse


@guarded
def _act_for(worker: Any) -> None:
    client = current_client()
    worker_id = getattr(worker, "_watchkeeper_id", None)
    if client is not None and worker_id is not None:
        client.act_for(worker_id)


def _watched_perform(original: Callable[..., Any]) -> Callable[..., Any]:
    def perform_job(self: Any, job: Any, queue: Any, *args: Any, **kwargs: Any) -> Any:
        _begin(job, queue, False)
        try:
            return original(self, job, queue, *args, **kwargs)
        finally:
            _end(job)
            if getattr(self, "is_horse", False):
                # It ends by `os._exit`.
                _leave()

    return perform_job


@guarded
def _leave() -> None:
    client = current_client()
    if client is not None:
        client.shutdown(min(_HORSE_SECONDS, client.settings.exit_seconds))


@guarded
def _begin(job: Any, queue: Any, is_sync: bool) -> None:
    client = current_client()
    if client is None:
        return
    most, count = _retries_of(job)
    timeout = getattr(job, "timeout", None)
    made = begin(
        client,
        _kind_of(job),
        job.id,
        {name: job.meta.get(name) for name in HEADERS},
        queue=job.origin or queue.name,
        submitted_at=None,
        retry_count=count,
        max_retries=most,
        expected_max_seconds=timeout if isinstance(timeout, (int, float)) and timeout > 0 else None,
        eager=True if is_sync else None,
    )
    _running.add(job.id, _Run(made))


@guarded
def _end(job: Any) -> None:
    run = _running.take(job.id)
    if run is not None:
        run.work.finish()


@guarded
def _end_sync(job: Any) -> None:
    if job.get_status(refresh=False) == "failed":
        _fail(job, getattr(job, "exc_info", None) or "it failed")
    _end(job)


@guarded
def _fail(job: Any, error: Union[BaseException, str]) -> None:
    run = _running.of(job.id)
    if run is not None:
        run.work.fail(error)


def _watched_failure(original: Callable[..., Any]) -> Callable[..., Any]:
    def handle_job_failure(self: Any, job: Any, queue: Any, *args: Any, **kwargs: Any) -> Any:
        # Before: afterwards another worker may have it.
        _failed(self, job, queue, sys.exc_info()[1], kwargs.get("exc_string") or (args[1] if len(args) > 1 else ""))
        return original(self, job, queue, *args, **kwargs)

    return handle_job_failure


@guarded
def _failed(worker: Any, job: Any, queue: Any, raised: Optional[BaseException], words: Any) -> None:
    client = current_client()
    if client is None:
        return
    is_stopped = getattr(worker, "_stopped_job_id", None) == job.id
    should_retry = getattr(job, "should_retry", None)
    left = whole(getattr(job, "retries_left", None))
    follows = not is_stopped and bool((left or 0) > 0 if should_retry is None else should_retry)
    run = _running.of(job.id)
    if run is not None:
        error = raised or str(words or "it failed")
        if follows:
            run.work.retry(error)
        else:
            run.work.fail(error)
        return
    # Its horse was killed, or it was left behind by a worker that is no more.
    most, count = _retries_of(job)
    report_end(
        client,
        "job.retried" if follows else "job.failed",
        _kind_of(job),
        job.id,
        "it was stopped" if is_stopped else str(words or "its process ended"),
        "JobStopped" if is_stopped else "WorkHorseKilled",
        headers={name: job.meta.get(name) for name in HEADERS},
        queue=getattr(queue, "name", None),
        retry_count=count,
        max_retries=most,
        ended_by="stopped" if is_stopped else None,
    )


def _watched_retry(original: Callable[..., Any]) -> Callable[..., Any]:
    """A job may ask for another attempt by what it returns."""

    def handle_job_retry(self: Any, *args: Any, **kwargs: Any) -> Any:
        names = ("job", "queue", "retry")
        given = {**dict(zip(names, args)), **kwargs}
        _returned_retry(given.get("job"), given.get("retry"))
        return original(self, *args, **kwargs)

    return handle_job_retry


@guarded
def _returned_retry(job: Any, retry: Any) -> None:
    run = _running.of(job.id)
    if run is None:
        return
    count = whole(getattr(job, "number_of_retries", None)) or 0
    run.work.set(retry_count=count, max_retries=whole(retry.max))
    if count >= retry.max:
        run.work.fail("it asked to be tried again, and was tried too often")
    else:
        run.work.end_at(time.time_ns())
        run.work.retry("it asked to be tried again")


def _retries_of(job: Any) -> tuple[Optional[int], Optional[int]]:
    """How often it may be tried again, and how often it was."""
    most = whole(job.meta.get(_RETRIES))
    left = whole(getattr(job, "retries_left", None))
    asked = whole(getattr(job, "number_of_retries", None))
    if most is not None and left is not None and left <= most:
        return most, most - left
    # With retries left and no word of how many there were, it is not known how often it was tried.
    return most, asked or (None if left else 0)


def _kind_of(job: Any) -> str:
    try:
        return str(job.func_name)
    except Exception:
        return "unknown"
