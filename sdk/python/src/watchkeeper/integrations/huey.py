"""Huey: tasks as jobs, the consumer's workers as workers.

::

    from watchkeeper.integrations import huey as watched

    watched.install(huey)
"""

from __future__ import annotations

import sys
from typing import Any, Optional

from .. import _exit
from .._client import Client, current_client
from .._jobs import Job
from ._running import Running
from ._runs import Submission, begin, cannot, guarded, report_end, whole

# Beside what the application gives a task. It is taken out before the task runs.
_CARRIED = "_watchkeeper"


def install(huey: Any, carry: bool = False) -> None:
    """Reports the tasks of `huey`: called where that is made.

    A message of Huey has no room for more than the task's own arguments. With `carry` the sender's trace goes among
    these, and is taken out before the task runs: then every consumer must have this installed.
    """
    try:
        if getattr(huey, "_watchkeeper", None) is not None:
            return
        watching = huey._watchkeeper = _Watching(huey, carry)
        huey.signal()(watching.on_signal)
        huey.post_execute("watchkeeper")(watching.on_end)
        huey.on_startup("watchkeeper")(watching.on_startup)
        original = huey.deserialize_task

        def deserialize_task(data: Any) -> Any:
            task = original(data)
            # It was in the queue, so it is nothing new when it comes there again.
            task._watchkeeper_known = True
            return task

        huey.deserialize_task = deserialize_task
    except Exception as error:
        cannot("huey", error)


class _Run:
    __slots__ = ("carried", "work")

    def __init__(self, work: Job, carried: Any) -> None:
        self.work = work
        #: What came with it from its sender.
        self.carried = carried


class _Watching:
    def __init__(self, huey: Any, carry: bool) -> None:
        self._huey = huey
        self._carry = carry
        self._running: Running[_Run] = Running()

    def on_signal(self, signal: str, task: Any, *args: Any) -> None:
        carried = None
        if signal == "executing" and isinstance(task.kwargs, dict):
            carried = task.kwargs.pop(_CARRIED, None)
        self._handle(signal, task, carried)

    @guarded
    def _handle(self, signal: str, task: Any, carried: Any) -> None:
        client = current_client()
        if client is None:
            return
        if signal in ("enqueued", "scheduled"):
            self._submitted(client, task)
        elif signal == "executing":
            self._executing(client, task, carried)
        elif signal == "canceled":
            if _was_cancelled_before(sys.exc_info()[1]):
                self._fail(task, "it was cancelled before it ran")
        elif signal == "interrupted":
            self._fail(task, "it was interrupted, and is lost")
        elif signal in ("revoked", "expired"):
            report_end(
                client,
                "job.failed",
                task.name,
                task.id,
                f"it was {signal}",
                f"Task{signal.capitalize()}",
                headers=(task.kwargs or {}).get(_CARRIED),
                queue=self._huey.name,
                ended_by=signal,
            )

    @guarded
    def on_end(self, task: Any, value: Any, error: Optional[BaseException]) -> None:
        """What Huey calls after each attempt, before it puts a task into the queue once more."""
        run = self._running.take(task.id)
        if run is None:
            return
        if error is not None and task.retries:
            if run.carried is not None:
                task.kwargs[_CARRIED] = run.carried
            run.work.retry(error)
        run.work.finish(error)

    @guarded
    def on_startup(self) -> None:
        """What Huey calls in each thread or process that runs tasks."""
        client = current_client()
        if client is not None:
            client.work(self._huey.name)
            if client.settings.handle_sigterm:
                _exit.handle_sigterm()

    def _submitted(self, client: Client, task: Any) -> None:
        if getattr(task, "_watchkeeper_known", False) or self._running.of(task.id) is not None:
            return
        if not _is_periodic(task):
            task._watchkeeper_known = True
        submission = Submission(client)
        if self._carry and isinstance(task.kwargs, dict) and not _is_periodic(task):
            task.kwargs = {**task.kwargs, _CARRIED: submission.headers}
        due = task.eta.isoformat() if task.eta is not None else None
        submission.report(task.name, task.id, queue=self._huey.name, priority=task.priority, eta=due)

    def _executing(self, client: Client, task: Any, carried: Any) -> None:
        most = whole(getattr(task, "default_retries", None))
        left = whole(task.retries)
        count = most - left if most is not None and left is not None and left <= most else None
        headers = carried if isinstance(carried, dict) else None
        job = begin(
            client,
            task.name,
            task.id,
            headers,
            queue=self._huey.name,
            priority=task.priority,
            retry_count=count,
            max_retries=most,
            expected_max_seconds=getattr(task, "timeout", None),
        )
        self._running.add(task.id, _Run(job, carried))

    def _fail(self, task: Any, words: str) -> None:
        run = self._running.take(task.id)
        if run is not None:
            run.work.fail(words)
            run.work.finish()


def _is_periodic(task: Any) -> bool:
    return hasattr(task, "validate_datetime")


def _was_cancelled_before(error: Optional[BaseException]) -> bool:
    """Whether a hook cancelled it, and not the task itself."""
    trace = error.__traceback__ if error is not None else None
    while trace is not None:
        if trace.tb_frame.f_code.co_name == "_run_pre_execute":
            return True
        trace = trace.tb_next
    return False
