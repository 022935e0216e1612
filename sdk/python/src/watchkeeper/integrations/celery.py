"""Celery: tasks as jobs, pool processes as workers.

::

    import watchkeeper as wk
    from watchkeeper.integrations import celery

    wk.init(service="extraction")
    celery.install(app)

All of it is signals, and one method that is wrapped: `Task.update_state`. A task that says `FAILURE` by it without the
type of an exception makes Celery's own bookkeeping fail afterwards, and then neither `task_failure` nor an event is
ever sent. So the end of a task is read from `task_postrun`, which always comes, and from what is under way then.
"""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Iterator
from typing import Any, Callable, Optional, Union

from .. import _exit
from .._client import current_client
from .._context import current_job
from .._jobs import Job
from .._stages import Stage
from ._running import Running
from ._runs import HEADERS, Submission, begin, cannot, guarded, names, replace, report_end, whole

# It asks again and again whether a group is done, and is no work of the application.
_UNTOLD = frozenset(("celery.chord_unlock",))

_is_installed = False
_app: Any = None


def install(app: Any = None) -> None:
    """Reports the tasks of this process, which sends or runs them. Called once, where the application is made; the
    processes of a pool have it from there; again it does nothing. Signals are those of all applications: `app` says
    where queues are read. Where Celery is not there, or too old, that is a warning."""
    global _is_installed, _app
    _app = app or _app
    if _is_installed:
        return
    try:
        _connect()
        _is_installed = True
    except Exception as error:
        cannot("celery", error)


def _connect() -> None:
    from celery import signals
    from celery.app.task import Task

    receivers: dict[str, Callable[..., None]] = {
        "before_task_publish": _before_publish,
        "after_task_publish": _after_publish,
        "task_prerun": _prerun,
        "task_success": _success,
        "task_postrun": _postrun,
        "task_failure": _failure_elsewhere,
        "task_retry": _retry_elsewhere,
        "task_revoked": _revoked,
        "task_unknown": _unknown,
        "worker_process_init": _pool_process_began,
        "worker_process_shutdown": _pool_process_ends,
        "worker_ready": _worker_ready,
    }
    for name, receiver in receivers.items():
        getattr(signals, name).connect(receiver, weak=False, dispatch_uid=f"watchkeeper.{name}")
    replace(Task, "update_state", _watched_update_state)
    try:
        from celery.worker.request import Request
    except ImportError:
        return
    replace(Request, "on_timeout", _watched_on_timeout)


class _Run:
    """One attempt that runs in this process: a job, or a stage of the job that ran it in place."""

    __slots__ = ("declared", "has_succeeded", "headers", "published_ns", "work")

    def __init__(self, work: Union[Job, Stage], headers: dict[str, Any]) -> None:
        self.work = work
        #: The headers that it came with. Those of another attempt are the same.
        self.headers = headers
        self.has_succeeded = False
        #: What the task said of its failure by `update_state`.
        self.declared: Optional[str] = None
        #: When the message of the next attempt was written.
        self.published_ns: Optional[int] = None


_running: Running[_Run] = Running()
_published = threading.local()


# Senders.


@guarded
def _before_publish(sender: Any = None, headers: Any = None, declare: Any = None, **_: Any) -> None:
    client = current_client()
    _published.submission = None
    if client is None or not isinstance(headers, dict) or sender in _UNTOLD:
        return
    task_id = headers.get("id")
    run = _running.of(task_id)
    if run is not None:
        # Another attempt of a task that runs here: it is no new job, and comes from where the first came from.
        run.published_ns = time.time_ns()
        headers.update(run.headers)
        return
    if whole(headers.get("retries")):
        # Another attempt of one that ran elsewhere.
        return
    submission = Submission(client)
    headers.update(submission.headers)
    queues = [getattr(queue, "name", None) for queue in declare or ()]
    _published.submission = (task_id, submission, queues[0] if len(queues) == 1 else None)


@guarded
def _after_publish(sender: Any = None, headers: Any = None, routing_key: Any = None, **_: Any) -> None:
    found, _published.submission = getattr(_published, "submission", None), None
    if found is None or found[0] != headers.get("id"):
        return
    task_id, submission, queue = found
    submission.report(
        sender, task_id, queue=queue or routing_key or None, eta=headers.get("eta"), expires=headers.get("expires")
    )


# Workers: what runs in this process.


@guarded
def _prerun(task_id: Any = None, task: Any = None, **_: Any) -> None:
    client = current_client()
    if client is None or task.name in _UNTOLD:
        return
    request = task.request
    headers = _headers_of(request)
    delivery = request.delivery_info or {}
    around = current_job()
    work: Union[Job, Stage]
    if request.is_eager and around is not None:
        # It came by no message: a step of what runs it.
        work = around.stage(task.name.rpartition(".")[2], task_id=task_id).start()
    else:
        work = begin(
            client,
            task.name,
            task_id,
            headers,
            queue=_queue_of(delivery),
            priority=delivery.get("priority"),
            retry_count=whole(request.retries),
            max_retries=whole(task.max_retries),
            expected_max_seconds=_limit_of(request, task),
            parent_id=request.parent_id,
            root_id=request.root_id if request.root_id != task_id else None,
            redelivered=True if delivery.get("redelivered") else None,
            eager=True if request.is_eager else None,
            node=request.hostname,
        )
    _running.add(task_id, _Run(work, headers))


@guarded
def _success(sender: Any = None, **_: Any) -> None:
    run = _running.of(sender.request.id)
    if run is not None:
        run.has_succeeded = True


@guarded
def _postrun(task_id: Any = None, task: Any = None, retval: Any = None, state: Any = None, **_: Any) -> None:
    run = _running.take(task_id)
    if run is not None:
        _end(run, task, state, retval, sys.exc_info()[1])


def _end(run: _Run, task: Any, state: Any, retval: Any, raised: Optional[BaseException]) -> None:
    """Ends what ran. Without a state, Celery failed at its own bookkeeping, or what was raised goes on to the caller:
    what is under way then has what the task raised behind it."""
    error: Union[BaseException, str, None] = None
    if state == "SUCCESS":
        if run.declared is not None:
            error = run.declared
        elif not run.has_succeeded:
            error = raised or "its result could not be stored"
    elif state is None:
        error = _cause_of(raised) or run.declared or "it ended without a state"
    elif state != "IGNORED":
        error = retval if isinstance(retval, BaseException) else str(state)
    work = run.work
    if isinstance(work, Stage):
        if error is not None and not isinstance(error, BaseException):
            work.add({"status": "failed", "error_message": error})
        work.finish(error if isinstance(error, BaseException) else None)
        return
    if _is_ended_by_pool(error):
        # For its limit of time, or revoked, or because the worker ends. The pool's process knows and tells which.
        work.abandon()
        return
    if error is not None:
        follows = _what_follows(error, state, task)
        if follows is None:
            work.fail(error)
        else:
            if run.published_ns is not None:
                work.end_at(run.published_ns)
            work.retry(follows)
    elif state == "IGNORED":
        work.set(ignored=True)
    work.finish()


def _is_ended_by_pool(error: Union[BaseException, str, None]) -> bool:
    """Whether a signal of the pool ended this process: billiard exits with -256 plus the signal's number then."""
    return isinstance(error, SystemExit) and isinstance(error.code, int) and -256 < error.code < -128


def _what_follows(error: Union[BaseException, str], state: Any, task: Any) -> Union[BaseException, str, None]:
    """Why there is another attempt, if there is one."""
    name = type(error).__name__
    if name == "Retry" and not (state is None and task.request.is_eager):
        return getattr(error, "exc", None) or getattr(error, "message", None) or "it asked to be tried again"
    if name == "Reject" and getattr(error, "requeue", False):
        return f"rejected: {getattr(error, 'reason', None)}"
    return None


def _cause_of(raised: Optional[BaseException]) -> Optional[BaseException]:
    """What the task raised, where Celery raised something while it handled that."""
    chain = list(_behind(raised))
    for error in chain:
        if type(error).__name__ == "Retry":
            return error
    return next((error for error in chain if not _is_bookkeeping(error)), raised)


def _is_bookkeeping(error: BaseException) -> bool:
    """Whether it was raised where Celery keeps results."""
    trace = error.__traceback__
    while trace is not None:
        if str(trace.tb_frame.f_globals.get("__name__", "")).startswith("celery.backends"):
            return True
        trace = trace.tb_next
    return False


def _behind(error: Optional[BaseException]) -> Iterator[BaseException]:
    for _ in range(20):
        if error is None:
            return
        yield error
        error = error.__context__


# Workers: what the main process of a pool knows of the processes that run.


@guarded
def _failure_elsewhere(sender: Any = None, task_id: Any = None, exception: Any = None, **_: Any) -> None:
    # What runs here ends by `task_postrun`, a child tells what it rejected, and of limits `on_timeout` tells.
    if type(exception).__name__ == "WorkerLostError" and _running.of(task_id) is None:
        _report_elsewhere("job.failed", sender, task_id, exception)


@guarded
def _retry_elsewhere(sender: Any = None, request: Any = None, reason: Any = None, **_: Any) -> None:
    if _running.of(request.id) is None:
        _report_elsewhere("job.retried", sender, request.id, reason or "its worker was lost", request)


@guarded
def _revoked(
    sender: Any = None, request: Any = None, terminated: Any = None, signum: Any = None, expired: Any = None, **_: Any
) -> None:
    run = _running.of(request.id)
    what = "expired" if expired else "terminated" if terminated else "revoked"
    words = f"it was {what}" + (f" by signal {int(signum)}" if isinstance(signum, int) else "")
    if run is not None and isinstance(run.work, Job):
        # A thread that cannot be killed runs on: what becomes of it is no matter any more.
        run.work.set(ended_by=what)
        run.work.fail(words)
        return
    _report_elsewhere("job.failed", sender, request.id, words, request, f"Task{what.capitalize()}", ended_by=what)


@guarded
def _unknown(name: Any = None, id: Any = None, message: Any = None, exc: Any = None, **_: Any) -> None:
    # It is thrown away.
    client = current_client()
    if client is not None and id:
        words = "the worker has no such task"
        report_end(client, "job.failed", name, id, words, "NotRegistered", headers=getattr(message, "headers", None))


def _report_elsewhere(
    type_: str, task: Any, task_id: Any, error: Any, request: Any = None, error_type: Optional[str] = None, **given: Any
) -> None:
    client = current_client()
    if client is None:
        return
    retries = whole(getattr(request, "retries", None))
    report_end(
        client,
        type_,
        getattr(task, "name", None) or str(task),
        task_id,
        error,
        error_type,
        headers=_headers_of(request),
        retry_count=retries,
        max_retries=whole(getattr(task, "max_retries", None)),
        queue=_queue_of(getattr(request, "delivery_info", None) or {}),
        **given,
    )


def _watched_on_timeout(original: Callable[..., Any]) -> Callable[..., Any]:
    """Until version 5.6 no signal tells of a task that was killed for its hard time limit."""

    def on_timeout(self: Any, soft: Any, timeout: Any) -> Any:
        try:
            return original(self, soft, timeout)
        finally:
            if not soft:
                _timed_out(self, timeout)

    return on_timeout


@guarded
def _timed_out(request: Any, timeout: Any) -> None:
    from billiard.exceptions import TimeLimitExceeded

    task = request.task
    if _running.of(request.id) is None:
        # Not acknowledged, it is delivered once more.
        comes_again = task.acks_late and not task.acks_on_timeout
        type_ = "job.retried" if comes_again else "job.failed"
        _report_elsewhere(type_, task, request.id, TimeLimitExceeded(timeout), request._context)


def _watched_update_state(original: Callable[..., Any]) -> Callable[..., Any]:
    """A task's own states: `FAILURE` is its failure, whatever it returns; others are progress."""

    def update_state(self: Any, task_id: Any = None, state: Any = None, meta: Any = None, **kwargs: Any) -> Any:
        _note_state(self, task_id, state, meta)
        return original(self, task_id, state, meta, **kwargs)

    return update_state


@guarded
def _note_state(task: Any, task_id: Any, state: Any, meta: Any) -> None:
    run = _running.of(task_id or task.request.id)
    if run is None:
        return
    told = meta if isinstance(meta, dict) else {}
    if state == "FAILURE":
        run.declared = str(
            meta if isinstance(meta, BaseException) else told.get("error") or told.get("exc_message") or "it said so"
        )
    elif state == "SUCCESS":
        run.declared = None
    elif isinstance(run.work, Job) and state not in ("RETRY", "REVOKED"):
        stage, message, done = told.get("stage"), told.get("message"), told.get("progress")
        run.work.progress(
            done if isinstance(done, (int, float)) and 0 <= done <= 1 else None,
            stage=stage if isinstance(stage, str) else None,
            message=message if isinstance(message, str) else None,
        )


# Processes.


@guarded
def _pool_process_began(**_: Any) -> None:
    """A process of a prefork pool is a worker, and is ended by a signal when its task is revoked."""
    client = current_client()
    if client is None:
        return
    client.work(_queues_of(_app), 1)
    if client.settings.handle_sigterm:
        _exit.handle_sigterm()


@guarded
def _pool_process_ends(**_: Any) -> None:
    """It ends by `os._exit`, which runs nothing of what waits for the end of a process. Its code is not told: one that
    makes room for a fresh process has another than 0, and is none that crashed."""
    client = current_client()
    if client is not None:
        client.shutdown()


@guarded
def _worker_ready(sender: Any = None, **_: Any) -> None:
    """Where tasks run in threads or in the process itself, that is the worker."""
    client = current_client()
    controller = getattr(sender, "controller", None)
    pool = getattr(controller, "pool_cls", None)
    module = getattr(pool, "__module__", "") if pool is not None else ""
    if client is not None and not module.endswith("prefork"):
        client.work(_queues_of(getattr(sender, "app", None)), whole(getattr(controller, "concurrency", None)))


def _queues_of(app: Any) -> Optional[str]:
    try:
        return names(app.amqp.queues.consume_from)
    except Exception:
        return None


def _queue_of(delivery: Any) -> Optional[str]:
    """The key by which it came, which is the queue's name unless the application has exchanges of its own."""
    key = delivery.get("routing_key")
    return key if isinstance(key, str) and key else None


def _headers_of(request: Any) -> dict[str, Any]:
    """Ours among the headers of a message, which stand beside the fields of the request, or below `headers`."""
    below = getattr(request, "headers", None) or {}
    found = {}
    for name in HEADERS:
        value = getattr(request, name, None) or (below.get(name) if isinstance(below, dict) else None)
        if isinstance(value, str):
            found[name] = value
    return found


def _limit_of(request: Any, task: Any) -> Optional[float]:
    """How long it may take: the shorter of its limits."""
    limits = [*(request.timelimit or ()), task.soft_time_limit, task.time_limit]
    known = [float(limit) for limit in limits if isinstance(limit, (int, float)) and limit > 0]
    return min(known) if known else None
