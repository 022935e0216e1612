"""`@task`: each call of a function is a job."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Mapping
from typing import Any, Callable, Optional, TypeVar, Union, overload

from . import _context
from ._client import Client, current_client
from ._jobs import NO_JOB, Job
from ._limits import let_through

_Function = TypeVar("_Function", bound=Callable[..., Any])


@overload
def task(function: _Function) -> _Function: ...


@overload
def task(function: None = None, *, name: Optional[str] = None, **options: Any) -> Callable[[_Function], _Function]: ...


def task(
    function: Optional[_Function] = None, *, name: Optional[str] = None, **options: Any
) -> Union[_Function, Callable[[_Function], _Function]]:
    """Makes each call of a function a job: plain functions, coroutines, generators and asynchronous generators::

        @wk.task
        def clean_up(): ...

        @wk.task(name="extract", queue="ocr", document=lambda path: path)
        async def extract(path): ...

    `name` is the kind of the job, by default the function's name. Other options are those of `wk.job`; one that is a
    function is called with the arguments of the call, and is left out where it raises. A generator's job lasts from its
    first value to its last; one that is closed before has completed.

    Where Watchkeeper is not configured the function is called straight through.
    """

    def decorate(function: _Function) -> _Function:
        make = _Maker(name or str(getattr(function, "__name__", "task")), options)
        if inspect.isasyncgenfunction(function):
            return _of_async_generator(function, make)
        if inspect.iscoroutinefunction(function):
            return _of_coroutine(function, make)
        if inspect.isgeneratorfunction(function):
            return _of_generator(function, make)
        return _of_function(function, make)

    return decorate if function is None else decorate(function)


class _Maker:
    """Makes the job of a call."""

    def __init__(self, name: str, options: dict[str, Any]) -> None:
        self._name = name
        self._fixed = {key: value for key, value in options.items() if not callable(value)}
        self._asked = {key: value for key, value in options.items() if callable(value)}

    def __call__(self, client: Client, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Job:
        options = dict(self._fixed)
        for key, ask in self._asked.items():
            try:
                options[key] = ask(*args, **kwargs)
            except Exception:
                # The job is told without it.
                continue
        return make_job(client, self._name, options)


def make_job(client: Client, kind: Any, options: dict[str, Any]) -> Job:
    """A job of `client`; what is no option of jobs is one of its facts. `origin` may be the payload itself."""
    try:
        own = {key: options[key] for key in _OPTIONS if key in options}
        if isinstance(own.get("origin"), Mapping):
            own["origin"] = _context.extract(own["origin"])
        given = {key: value for key, value in options.items() if key not in _OPTIONS}
        return Job(client, kind, given=given, **own)
    except Exception as error:
        client.counts.drop("internal_error")
        let_through(error)
        return NO_JOB


_OPTIONS = frozenset(("id", "document", "tenant", "origin", "submitted", "submitted_at"))


def _of_function(function: _Function, make: _Maker) -> _Function:
    @functools.wraps(function)
    def run(*args: Any, **kwargs: Any) -> Any:
        client = current_client()
        if client is None:
            return function(*args, **kwargs)
        with make(client, args, kwargs):
            return function(*args, **kwargs)

    return run  # type: ignore[return-value]


def _of_coroutine(function: _Function, make: _Maker) -> _Function:
    @functools.wraps(function)
    async def run(*args: Any, **kwargs: Any) -> Any:
        client = current_client()
        if client is None:
            return await function(*args, **kwargs)
        async with make(client, args, kwargs):
            return await function(*args, **kwargs)

    return run  # type: ignore[return-value]


def _of_generator(function: _Function, make: _Maker) -> _Function:
    """The job runs in the generator and not in whoever reads from it: between two values it is left."""

    @functools.wraps(function)
    def run(*args: Any, **kwargs: Any) -> Any:
        client = current_client()
        if client is None:
            return (yield from function(*args, **kwargs))
        job = make(client, args, kwargs).start()
        job.step_out()
        inner = function(*args, **kwargs)
        step, value = inner.send, None
        inside: _context.Before = (job, None)
        while True:
            outside = _context.enter(*inside)
            try:
                made = step(value)
            except StopIteration as end:
                job.finish()
                return end.value
            except BaseException as error:
                job.finish(error)
                raise
            finally:
                inside = _context.enter(*outside)
            try:
                value = yield made
                step = inner.send
            except GeneratorExit as error:
                # The inner one cleans up, in its job; what it raises then is the job's end.
                step, value = inner.throw, error
            except BaseException as error:
                step, value = inner.throw, error

    return run  # type: ignore[return-value]


def _of_async_generator(function: _Function, make: _Maker) -> _Function:
    @functools.wraps(function)
    async def run(*args: Any, **kwargs: Any) -> Any:
        client = current_client()
        inner = function(*args, **kwargs)
        job = None if client is None else make(client, args, kwargs).start()
        if job is not None:
            job.step_out()
        inside: _context.Before = (job, None)
        step, value = inner.asend, None
        while True:
            outside = _context.enter(*inside) if job is not None else inside
            try:
                made = await step(value)
            except StopAsyncIteration:
                if job is not None:
                    job.finish()
                return
            except BaseException as error:
                if job is not None:
                    job.finish(error)
                raise
            finally:
                if job is not None:
                    inside = _context.enter(*outside)
            try:
                value = yield made
                step = inner.asend
            except BaseException as error:
                step, value = inner.athrow, error

    return run  # type: ignore[return-value]
