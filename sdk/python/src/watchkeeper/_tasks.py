"""`@task`: each call of a function is a job."""

from __future__ import annotations

import functools
import inspect
import sys
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

    Where Watchkeeper is not configured the function is called straight through; values of an asynchronous generator are
    passed on.
    """

    def decorate(function: _Function) -> _Function:
        make = _Maker(str(getattr(function, "__name__", "task")) if name is None else name, options)
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
            except Exception as fault:
                # The job is told without it.
                let_through(fault)
                continue
        return make_job(client, self._name, options)


def make_job(client: Client, kind: Any, options: dict[str, Any]) -> Job:
    """A job of `client`; what is no option of jobs is one of its facts. `origin` may be the payload itself."""
    try:
        own = {key: options[key] for key in _OPTIONS if key in options}
        origin = own.get("origin")
        if origin is not None and type(origin) is not _context.Origin:
            own["origin"] = _context.extract(origin)
        given = {key: value for key, value in options.items() if key not in _OPTIONS}
        return Job(client, kind, given=given, **own)
    except Exception as fault:
        client.counts.drop("internal_error")
        let_through(fault)
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


class _Turns:
    """The job of a generator, which runs while that makes a value, and not in whoever reads it: between two values it
    is left. It ends with whatever ends the generator."""

    def __init__(self, job: Optional[Job]) -> None:
        self._job = job
        self._inside: _context.Before = (job, None)
        self._outside: _context.Before = (None, None)
        if job is not None:
            job.start()
            job.step_out()

    def __enter__(self) -> None:
        if self._job is not None:
            self._outside = _context.enter(*self._inside)

    def __exit__(self, kind: Any, error: Optional[BaseException], trace: Any) -> None:
        if self._job is None:
            return
        if error is not None:
            self._job.finish(None if isinstance(error, (StopIteration, StopAsyncIteration)) else error)
        self._inside = _context.enter(*self._outside)


def _of_generator(function: _Function, make: _Maker) -> _Function:
    @functools.wraps(function)
    def run(*args: Any, **kwargs: Any) -> Any:
        client = current_client()
        if client is None:
            return (yield from function(*args, **kwargs))
        turn = _Turns(make(client, args, kwargs))
        inner = function(*args, **kwargs)
        step, value = inner.send, None
        while True:
            try:
                with turn:
                    made = step(value)
            except StopIteration as end:
                return end.value
            try:
                value = yield made
                step = inner.send
            except BaseException as error:
                # Also where it is closed: the inner one cleans up, in its job; what it raises then is the job's end.
                step, value = inner.throw, error

    return run  # type: ignore[return-value]


def _of_async_generator(function: _Function, make: _Maker) -> _Function:
    @functools.wraps(function)
    async def run(*args: Any, **kwargs: Any) -> Any:
        client = current_client()
        turn = _Turns(None if client is None else make(client, args, kwargs))
        inner = function(*args, **kwargs)
        step, value = _unknown_to_the_loop(inner), None
        while True:
            try:
                with turn:
                    made = await step(value)
            except StopAsyncIteration:
                return
            try:
                value = yield made
                step = inner.asend
            except BaseException as error:
                step, value = inner.athrow, error

    return run  # type: ignore[return-value]


def _unknown_to_the_loop(inner: Any) -> Callable[[Any], Any]:
    """The first step of an asynchronous generator that its loop does not hear of. At its end a loop closes all that it
    knows at once, and this one is closed by the one around it: the two would be in each other's way."""

    def first(value: Any) -> Any:
        hooks = sys.get_asyncgen_hooks()
        sys.set_asyncgen_hooks(firstiter=None, finalizer=None)
        try:
            return inner.asend(value)
        finally:
            sys.set_asyncgen_hooks(*hooks)

    return first
