"""arq: jobs as jobs, workers as workers.

::

    from watchkeeper.integrations import arq

    arq.install()

The hooks of a `WorkerSettings` class do not say how a job ended, so methods of `arq.Worker` are wrapped, and its
settings stay as they are.
"""

from __future__ import annotations

import asyncio
import functools
import pickle
from collections.abc import Mapping
from contextvars import ContextVar
from typing import Any, Callable, Optional, Union

from .._client import current_client
from .._jobs import Job
from ._runs import Submission, begin, cannot, guarded, replace, report_end, whole

# Beside the fields of arq in a message, whose own code reads only those that it knows.
_KEY = "watchkeeper"


class _Attempt:
    __slots__ = ("error", "headers", "is_aborted", "job", "kind", "worker")

    def __init__(self, worker: Any) -> None:
        self.worker = worker
        self.headers: Mapping[Any, Any] = {}
        self.kind = "unknown"
        self.job: Optional[Job] = None
        self.error: Optional[BaseException] = None
        self.is_aborted = False


_sending: ContextVar[Optional[Submission]] = ContextVar("watchkeeper_arq_sending", default=None)
_running: ContextVar[Optional[_Attempt]] = ContextVar("watchkeeper_arq_running", default=None)


def install() -> None:
    """Reports the jobs of this process, which sends or runs them. Called once, before a worker is made: best in the
    module of the `WorkerSettings`."""
    try:
        from arq import connections, worker

        replace(connections.ArqRedis, "enqueue_job", _watched_enqueue)
        replace(connections, "serialize_job", _watched_serialize)
        replace(worker, "deserialize_job_raw", _watched_deserialize)
        replace(worker.Worker, "__init__", _watched_init)
        replace(worker.Worker, "main", _watched_main)
        replace(worker.Worker, "run_job", _watched_run_job)
        replace(worker.Worker, "finish_job", _watched_finish)
        replace(worker.Worker, "finish_failed_job", _watched_finish_failed)
    except Exception as error:
        cannot("arq", error)


# Senders.


def _watched_enqueue(original: Callable[..., Any]) -> Callable[..., Any]:
    async def enqueue_job(self: Any, function: str, *args: Any, **kwargs: Any) -> Any:
        client = current_client()
        if client is None:
            return await original(self, function, *args, **kwargs)
        submission = Submission(client)
        _sending.set(submission)
        try:
            job = await original(self, function, *args, **kwargs)
        finally:
            _sending.set(None)
        if job is not None:
            # None is a job that is there already.
            _submitted(submission, function, job, kwargs.get("_queue_name") or self.default_queue_name)
        return job

    return enqueue_job


@guarded
def _submitted(submission: Submission, function: str, job: Any, queue: Any) -> None:
    submission.report(function, job.job_id, queue=queue)


def _watched_serialize(original: Callable[..., bytes]) -> Callable[..., bytes]:
    def serialize_job(*args: Any, serializer: Any = None, **kwargs: Any) -> bytes:
        submission = _sending.get()
        if submission is None:
            return original(*args, serializer=serializer, **kwargs)
        headers = submission.headers

        def with_headers(data: dict[str, Any]) -> Any:
            return (serializer or pickle.dumps)({**data, _KEY: headers})

        return original(*args, serializer=with_headers, **kwargs)

    return serialize_job


# Workers.


def _watched_deserialize(original: Callable[..., Any]) -> Callable[..., Any]:
    def deserialize_job_raw(raw: bytes, *, deserializer: Any = None) -> Any:
        attempt = _running.get()
        if attempt is None:
            return original(raw, deserializer=deserializer)

        def noting(data: bytes) -> Any:
            found = (deserializer or pickle.loads)(data)
            if isinstance(found, dict):
                attempt.kind = str(found.get("f", attempt.kind))
                headers = found.get(_KEY)
                attempt.headers = headers if isinstance(headers, dict) else {}
            return found

        return original(raw, deserializer=noting)

    return deserialize_job_raw


def _watched_init(original: Callable[..., None]) -> Callable[..., None]:
    def init(self: Any, *args: Any, **kwargs: Any) -> None:
        original(self, *args, **kwargs)
        _watch_functions(self)

    return init


def _watch_functions(worker: Any) -> None:
    try:
        for function in worker.functions.values():
            if not getattr(function.coroutine, "_watchkeeper", False):
                function.coroutine = _watched_function(function.coroutine, function)
    except Exception as error:
        cannot("arq", error)


def _watched_function(original: Callable[..., Any], function: Any) -> Callable[..., Any]:
    @functools.wraps(original)
    async def run(ctx: Any, *args: Any, **kwargs: Any) -> Any:
        attempt = _running.get()
        if attempt is None:
            return await original(ctx, *args, **kwargs)
        _begin(attempt, ctx, function)
        try:
            return await original(ctx, *args, **kwargs)
        except BaseException as error:
            attempt.error = error
            attempt.is_aborted = ctx.get("job_id") in getattr(attempt.worker, "aborting_tasks", ())
            raise

    run._watchkeeper = True  # type: ignore[attr-defined]
    return run


@guarded
def _begin(attempt: _Attempt, ctx: Any, function: Any) -> None:
    client = current_client()
    if client is None:
        return
    worker = attempt.worker
    attempt.job = begin(
        client,
        attempt.kind,
        ctx["job_id"],
        attempt.headers,
        queue=worker.queue_name,
        submitted_at=None,
        retry_count=max(0, int(ctx["job_try"]) - 1),
        max_retries=_max_retries(worker, function),
        expected_max_seconds=_timeout_of(worker, function),
    )


def _max_retries(worker: Any, function: Any) -> Optional[int]:
    tries = whole(function.max_tries if function.max_tries is not None else worker.max_tries)
    return None if tries is None else max(0, tries - 1)


def _timeout_of(worker: Any, function: Any) -> Any:
    return worker.job_timeout_s if function.timeout_s is None else function.timeout_s


def _watched_main(original: Callable[..., Any]) -> Callable[..., Any]:
    async def main(self: Any) -> Any:
        _work(self)
        return await original(self)

    return main


@guarded
def _work(worker: Any) -> None:
    client = current_client()
    if client is not None:
        client.work(worker.queue_name, whole(getattr(worker, "max_jobs", None)))


def _watched_run_job(original: Callable[..., Any]) -> Callable[..., Any]:
    async def run_job(self: Any, job_id: str, *args: Any) -> Any:
        if current_client() is None:
            return await original(self, job_id, *args)
        attempt = _Attempt(self)
        before = _running.get()
        _running.set(attempt)
        try:
            return await original(self, job_id, *args)
        finally:
            # A hook of the application may have failed, or the worker ends: then arq runs the job once more.
            _end(attempt, True, attempt.error or "it was not finished, and will be run again")
            _running.set(before)

    return run_job


def _watched_finish(original: Callable[..., Any]) -> Callable[..., Any]:
    async def finish_job(self: Any, job_id: str, finish: bool, *args: Any, **kwargs: Any) -> Any:
        attempt = _running.get()
        if attempt is not None:
            _end(attempt, not finish, attempt.error)
        return await original(self, job_id, finish, *args, **kwargs)

    return finish_job


@guarded
def _end(attempt: _Attempt, is_retried: bool, error: Union[BaseException, str, None]) -> None:
    """Ends the attempt, if it has not ended."""
    job, attempt.job = attempt.job, None
    if job is None:
        return
    if is_retried:
        job.retry(error)
    elif isinstance(error, asyncio.CancelledError):
        if attempt.is_aborted:
            job.set(ended_by="aborted")
            job.fail("it was aborted")
        else:
            # arq cancels what takes too long.
            job.fail(TimeoutError("it took longer than its timeout"))
    elif error is not None:
        job.fail(error)
    job.finish()


def _watched_finish_failed(original: Callable[..., Any]) -> Callable[..., Any]:
    async def finish_failed_job(self: Any, job_id: str, *args: Any, **kwargs: Any) -> Any:
        _failed_before(self, job_id)
        return await original(self, job_id, *args, **kwargs)

    return finish_failed_job


@guarded
def _failed_before(worker: Any, job_id: str) -> None:
    client, attempt = current_client(), _running.get()
    if client is not None and attempt is not None and attempt.job is None:
        report_end(
            client,
            "job.failed",
            attempt.kind,
            job_id,
            "it was not run: it expired, was aborted, has no function, or was tried too often",
            "JobNotRun",
            headers=attempt.headers,
            queue=worker.queue_name,
        )
