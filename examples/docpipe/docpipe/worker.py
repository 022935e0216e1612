"""The life of a worker: take a task, attempt it, try again or give up, until it is told to stop."""

from __future__ import annotations

import logging
import time
from typing import Any, Protocol

import watchkeeper as wk
from redis.exceptions import RedisError

from .stopping import StopRequest
from .tasks import Task

log = logging.getLogger(__name__)

TAKE_TIMEOUT = 1.0
REDIS_PAUSE = 2.0
EXIT_TIMEOUT = 10.0


class Queue(Protocol):
    """Where the tasks come from."""

    def take(self, timeout: float) -> Task | None: ...

    def abandoned(self) -> list[Task]: ...

    def done(self, task: Task, result: Any) -> None: ...

    def retry(self, task: Task) -> None: ...

    def give_up(self, task: Task, error: str) -> None: ...


class Handler(Protocol):
    """What a kind of worker does."""

    def work(self, task: Task) -> tuple[Any, int]:
        """Does the work. Returns the result and its size in bytes."""

    def give_up(self, task: Task, error: str) -> None:
        """Notes that the task will not be done."""


class AttemptBroken(Exception):
    """A worker died, or lost Redis, in the middle of an attempt."""


class Worker:
    """Runs a handler on the tasks of a queue, one at a time."""

    def __init__(self, worker_id: str, queue: Queue, handler: Handler, max_attempts: int) -> None:
        self._worker_id = worker_id
        self._queue = queue
        self._handler = handler
        self._max_attempts = max_attempts

    def run(self) -> None:
        """Works until SIGINT or SIGTERM. The task in hand is finished first."""
        stop = StopRequest()
        log.info("Worker %s started", self._worker_id)
        reason, exit_code = "error", 1
        try:
            while not stop:
                self._work_while_redis_answers(stop)
            reason, exit_code = "stopped", 0
        finally:
            log.info("Worker %s stopped: %s", self._worker_id, reason)
            wk.shutdown(EXIT_TIMEOUT, reason=reason, exit_code=exit_code)

    def _work_while_redis_answers(self, stop: StopRequest) -> None:
        try:
            self._retry_abandoned()
            while not stop:
                task = self._queue.take(TAKE_TIMEOUT)
                if task is not None:
                    self._work_on(task)
        except RedisError as error:
            log.error("Redis is away: %s", error)
            time.sleep(REDIS_PAUSE)

    def _job(self, task: Task) -> wk.Job:
        """The attempt, as Watchkeeper sees it."""
        return wk.job(**task.facts(), origin=task.origin, max_retries=self._max_attempts - 1)

    def _work_on(self, task: Task) -> None:
        with self._job(task) as job:
            try:
                self._attempt(task, job)
            except RedisError:
                job.abandon()  # not the document's fault; the attempt is found again among the abandoned ones
                raise

    def _attempt(self, task: Task, job: wk.Job) -> None:
        started = time.monotonic()
        try:
            result, job.output_bytes = self._handler.work(task)
            self._queue.done(task, result)
        except RedisError:
            raise
        except Exception as error:  # whatever a document does to the code, the worker goes on
            self._failed(task, job, error, time.monotonic() - started)
        else:
            log.info("Job %s completed in %.1fs", task.id, time.monotonic() - started)

    def _failed(self, task: Task, job: wk.Job, error: Exception, seconds: float) -> None:
        if task.attempt + 1 < self._max_attempts:
            self._queue.retry(task)
            job.retry(error)
            outcome = "will be tried again"
        else:
            self._queue.give_up(task, str(error))
            self._handler.give_up(task, str(error))
            job.fail(error)
            outcome = "is given up"
        ids = {"job_id": task.id, "document_id": task.document_id}
        text = "Job %s failed after %.1fs and %s: %s"
        log.error(text, task.id, seconds, outcome, error, exc_info=error, extra=ids)

    def _retry_abandoned(self) -> None:
        """A task that kills its worker counts as an attempt, or it would kill workers for ever."""
        for task in self._queue.abandoned():
            self._failed(task, self._job(task), AttemptBroken(f"{self._worker_id} died, or lost Redis"), 0.0)
