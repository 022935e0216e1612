"""Taskiq: tasks as jobs, worker processes as workers.

::

    from watchkeeper.integrations import taskiq

    taskiq.install(broker)
"""

from __future__ import annotations

import time
from contextvars import ContextVar
from typing import Any, Optional

from .._client import current_client
from .._jobs import Job
from ._runs import Submission, begin, cannot, guarded, names, whole


def install(broker: Any) -> None:
    """Reports the tasks of `broker`: called where that is made, for who sends and who works. Called again it does
    nothing. Where Taskiq is not there, or too old, that is a warning."""
    try:
        from taskiq import TaskiqMiddleware

        if any(getattr(middleware, "_watchkeeper", False) for middleware in broker.middlewares):
            return
        broker.add_middlewares(type("WatchkeeperMiddleware", (_Watching, TaskiqMiddleware), {})())
    except Exception as error:
        cannot("taskiq", error)


class _Run:
    __slots__ = ("error", "job", "published_ns", "task_id")

    def __init__(self, task_id: str, job: Job) -> None:
        self.task_id = task_id
        self.job = job
        self.error: Optional[BaseException] = None
        self.published_ns: Optional[int] = None


_sending: ContextVar[Optional[Submission]] = ContextVar("watchkeeper_taskiq_sending", default=None)
_running: ContextVar[Optional[_Run]] = ContextVar("watchkeeper_taskiq_running", default=None)


class _Watching:
    """The hooks; `install` makes a middleware of them. Taskiq runs each task in a context of its own."""

    _watchkeeper = True
    broker: Any

    def startup(self) -> None:
        _work(self.broker)

    def pre_send(self, message: Any) -> Any:
        _pre_send(message)
        return message

    def post_send(self, message: Any) -> None:
        _post_send(message, self.broker)

    def pre_execute(self, message: Any) -> Any:
        _pre_execute(message, self.broker)
        return message

    def on_error(self, message: Any, result: Any, exception: BaseException) -> None:
        run = _running.get()
        if run is not None and run.task_id == message.task_id:
            run.error = exception

    def post_execute(self, message: Any, result: Any) -> None:
        _post_execute(message, result)


@guarded
def _work(broker: Any) -> None:
    client = current_client()
    if client is not None and getattr(broker, "is_worker_process", False):
        client.work(_queue_of(broker, None))


@guarded
def _pre_send(message: Any) -> None:
    client = current_client()
    _sending.set(None)
    run = _running.get()
    if run is not None and run.task_id == message.task_id:
        run.published_ns = time.time_ns()
    elif client is not None and not whole(message.labels.get("_retries")):
        submission = Submission(client)
        message.labels = {**message.labels, **submission.headers}
        _sending.set(submission)


@guarded
def _post_send(message: Any, broker: Any) -> None:
    submission = _sending.get()
    _sending.set(None)
    if submission is not None:
        submission.report(
            message.task_name,
            message.task_id,
            queue=_queue_of(broker, message),
            priority=whole(message.labels.get("priority")),
        )


@guarded
def _pre_execute(message: Any, broker: Any) -> None:
    client = current_client()
    _running.set(None)
    if client is None:
        return
    labels = message.labels
    job = begin(
        client,
        message.task_name,
        message.task_id,
        labels,
        queue=_queue_of(broker, message),
        retry_count=whole(labels.get("_retries")) or 0,
        max_retries=_max_retries(labels, broker),
        expected_max_seconds=_seconds(labels.get("timeout")),
    )
    _running.set(_Run(message.task_id, job))


@guarded
def _post_execute(message: Any, result: Any) -> None:
    run = _running.get()
    if run is None or run.task_id != message.task_id:
        return
    _running.set(None)
    error = run.error
    if type(error).__name__ == "NoResultError":
        # It asks that no result be kept, which is no failure.
        error = None
    if error is not None:
        if run.published_ns is not None:
            run.job.end_at(run.published_ns)
        # A retry whose time is to come is with a schedule, and shows by its missing result only.
        if run.published_ns is not None or type(getattr(result, "error", None)).__name__ == "NoResultError":
            run.job.retry(error)
    run.job.finish(error)


def _queue_of(broker: Any, message: Any) -> Optional[str]:
    named = message.labels.get("queue_name") if message is not None else None
    found = named or getattr(broker, "queue_name", None)
    return names([found]) if found else None


def _max_retries(labels: Any, broker: Any) -> Optional[int]:
    """Taskiq counts all attempts of a task that is to be tried again."""
    attempts = whole(labels.get("max_retries"))
    default = next((each for each in broker.middlewares if hasattr(each, "default_retry_count")), None)
    if default is None:
        return None
    if str(labels.get("retry_on_error", getattr(default, "default_retry_label", False))).lower() != "true":
        return 0
    return max(0, (whole(default.default_retry_count) or 1 if attempts is None else attempts) - 1)


def _seconds(value: Any) -> Optional[float]:
    try:
        return None if value is None else float(value)
    except (TypeError, ValueError):
        return None
