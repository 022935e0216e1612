"""The life of a worker: take a task, attempt it, try again or give up, until it is told to stop."""

from __future__ import annotations

import logging
import time
from typing import Any, Protocol

from redis.exceptions import RedisError

from .attempt import Attempt
from .heartbeat import Heartbeat, Tally
from .settings import Settings
from .stopping import StopRequest
from .tasks import Task
from .watch import Watch

log = logging.getLogger(__name__)

TAKE_TIMEOUT = 1.0
REDIS_PAUSE = 2.0


class Queue(Protocol):
    """Where the tasks come from."""

    name: str

    def take(self, timeout: float) -> Task | None: ...

    def abandoned(self) -> list[Task]: ...

    def done(self, task: Task, result: Any) -> None: ...

    def retry(self, task: Task) -> None: ...

    def give_up(self, task: Task, error: str) -> None: ...


class Handler(Protocol):
    """What a kind of worker does."""

    def work(self, attempt: Attempt) -> tuple[Any, int]:
        """Does the work. Returns the result and its size in bytes."""

    def give_up(self, task: Task, error: str) -> None:
        """Notes that the task will not be done."""


class AttemptBroken(Exception):
    """A worker died, or lost Redis, in the middle of an attempt."""


class Worker:
    """Runs a handler on the tasks of a queue, one at a time."""

    def __init__(self, worker_id: str, queue: Queue, handler: Handler, settings: Settings, watch: Watch) -> None:
        self._worker_id = worker_id
        self._queue = queue
        self._handler = handler
        self._max_attempts = settings.max_attempts
        self._watch = watch
        self._tally = Tally()
        self._heartbeat = Heartbeat(worker_id, queue.name, self._tally, self._watch, settings.heartbeat)

    def run(self) -> None:
        """Works until SIGINT or SIGTERM. The task in hand is finished first."""
        stop = StopRequest()
        log.info("Worker %s started", self._worker_id)
        self._heartbeat.start()
        reason, exit_code = "error", 1
        try:
            while not stop:
                self._work_while_redis_answers(stop)
            reason, exit_code = "stopped", 0
        finally:
            log.info("Worker %s stopped: %s", self._worker_id, reason)
            self._heartbeat.stop(reason, exit_code)
            self._watch.close()

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

    def _work_on(self, task: Task) -> None:
        self._tally.job_id = task.id
        attempt = Attempt(task, self._worker_id, self._max_attempts, self._watch)
        attempt.started()
        try:
            result, size = self._handler.work(attempt)
            self._queue.done(task, result)
        except RedisError:
            raise  # not the document's fault; the attempt is found again among the abandoned ones
        except Exception as error:  # whatever a document does to the code, the worker goes on
            self._tally.errors += 1
            self._failed(attempt, error)
        else:
            attempt.completed(output_bytes=size)
            self._tally.completed += 1
            self._tally.consecutive_failures = 0
        finally:
            self._tally.job_id = None
            self._tally.busy_seconds += attempt.seconds

    def _failed(self, attempt: Attempt, error: Exception) -> None:
        task = attempt.task
        again = task.attempt + 1 < self._max_attempts
        if again:
            self._queue.retry(task)
        else:
            self._queue.give_up(task, str(error))
            self._handler.give_up(task, str(error))
            self._tally.failed += 1
            self._tally.consecutive_failures += 1
        attempt.failed(error, again)

    def _retry_abandoned(self) -> None:
        """A task that kills its worker counts as an attempt, or it would kill workers for ever."""
        for task in self._queue.abandoned():
            attempt = Attempt(task, self._worker_id, self._max_attempts, self._watch)
            self._failed(attempt, AttemptBroken(f"{self._worker_id} died, or lost Redis"))
