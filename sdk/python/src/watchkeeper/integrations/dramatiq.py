"""Dramatiq: messages as jobs, worker processes as workers.

::

    from watchkeeper.integrations import dramatiq

    dramatiq.install(broker)
"""

from __future__ import annotations

import threading
import time
from typing import Any, Optional

from .._client import current_client
from .._jobs import Job
from ._running import Running
from ._runs import Submission, begin, cannot, guarded, names, whole


def install(broker: Any = None) -> None:
    """Reports the messages of `broker`, by default the one that `dramatiq.set_broker` set: called where that is made,
    before it is used."""
    try:
        from dramatiq import Middleware, get_broker

        broker = broker or get_broker()
        if any(getattr(middleware, "_watchkeeper", False) for middleware in broker.middleware):
            return
        kind = type("WatchkeeperMiddleware", (_Watching, Middleware), {})
        # The first to be asked before is the last to be asked after, when it is known whether another attempt follows.
        first = type(broker.middleware[0]) if broker.middleware else None
        broker.add_middleware(kind(), before=first)
    except Exception as error:
        cannot("dramatiq", error)


class _Run:
    __slots__ = ("published_ns", "work")

    def __init__(self, work: Job) -> None:
        self.work = work
        self.published_ns: Optional[int] = None


class _Watching:
    """The hooks; `install` makes a middleware of them."""

    _watchkeeper = True

    def __init__(self) -> None:
        self._sending = threading.local()
        self._running: Running[_Run] = Running()

    @guarded
    def before_enqueue(self, broker: Any, message: Any, delay: Any) -> None:
        client = current_client()
        self._sending.submission = None
        run = self._running.of(message.message_id)
        if run is not None:
            run.published_ns = time.time_ns()
        # What has them was submitted before: another attempt, or one whose delay is over.
        elif client is not None and "watchkeeper" not in message.options:
            submission = self._sending.submission = Submission(client)
            message.options.update(submission.headers)

    @guarded
    def after_enqueue(self, broker: Any, message: Any, delay: Any) -> None:
        submission, self._sending.submission = getattr(self._sending, "submission", None), None
        if submission is not None:
            queue = _queue_of(message)
            submission.report(message.actor_name, message.message_id, queue=queue, delay_ms=delay or None)

    @guarded
    def before_process_message(self, broker: Any, message: Any) -> None:
        client = current_client()
        if client is None:
            return
        options = message.options
        limit = whole(_option(broker, message, "time_limit"))
        job = begin(
            client,
            message.actor_name,
            message.message_id,
            options,
            queue=_queue_of(message),
            retry_count=whole(options.get("retries", 0)),
            max_retries=whole(_option(broker, message, "max_retries")),
            expected_max_seconds=None if limit is None else limit / 1000,
        )
        self._running.add(message.message_id, _Run(job))

    @guarded
    def after_process_message(
        self, broker: Any, message: Any, *, result: Any = None, exception: Optional[BaseException] = None
    ) -> None:
        run = self._running.take(message.message_id)
        if run is None:
            return
        if exception is None:
            if message.failed:
                run.work.fail("it was refused before it ran")
        elif run.published_ns is not None and not message.failed:
            run.work.end_at(run.published_ns)
            run.work.retry(exception)
        run.work.finish(exception)

    @guarded
    def after_skip_message(self, broker: Any, message: Any) -> None:
        run = self._running.take(message.message_id)
        if run is None:
            return
        run.work.set(skipped=True)
        if message.failed:
            run.work.fail("it was skipped")
        run.work.finish()

    @guarded
    def after_worker_boot(self, broker: Any, worker: Any) -> None:
        client = current_client()
        if client is not None:
            queues = getattr(worker, "consumer_whitelist", None) or broker.get_declared_queues()
            client.work(names(queues), whole(getattr(worker, "worker_threads", None)))


def _queue_of(message: Any) -> str:
    """Where it waits, without the mark of queues for delayed messages."""
    name = str(message.queue_name)
    return name[:-3] if name.endswith(".DQ") else name


def _option(broker: Any, message: Any, name: str) -> Any:
    """As the middlewares of Dramatiq read it: of the message, else of the actor, else of the middleware."""
    value = message.options.get(name)
    if value is None:
        value = broker.get_actor(message.actor_name).options.get(name)
    if value is None:
        value = next((getattr(each, name) for each in broker.middleware if hasattr(each, name)), None)
    return value
