"""How an exception is told: its type, its words and where it came from, within bounds."""

from __future__ import annotations

import traceback
from collections.abc import Iterator
from typing import Any, Optional, Union

from ._clean import shortened, text
from ._limits import is_timeout, let_through

_MAX_MESSAGE = 2_000
_MAX_TRACEBACK = 8_000
_MAX_FRAMES = 50
_MAX_CHAIN = 500
# Of a group a traceback shows no more.
_MAX_GROUP = 15
_QUOTING = frozenset(("ValidationError", "RequestValidationError", "ResponseValidationError"))
_UNPROCESSABLE = 422


def status_of(error: Any) -> Optional[int]:
    """The status of the answer that an error is about; `httpx` and `requests` have it one step further."""
    try:
        status = getattr(error, "status_code", None)
        if status is None:
            status = getattr(getattr(error, "response", None), "status_code", None)
    except Exception as fault:
        let_through(fault)
        return None
    return status if type(status) is int and 0 < status < 1_000 else None


def _quotes(error: BaseException) -> bool:
    """Whether its words hold what was sent or read: errors of validation show the value that they refuse."""
    return any(base.__name__ in _QUOTING for base in type(error).__mro__) or status_of(error) == _UNPROCESSABLE


def error_facts(
    error: Union[BaseException, str], with_traceback: bool = True, with_words: bool = False
) -> dict[str, Any]:
    """The facts of an event about `error`. Words that quote texts of the application are left out, unless they are
    wanted."""
    if not isinstance(error, BaseException):
        return {"error_message": text(error, _MAX_MESSAGE) or "unknown"}
    facts: dict[str, Any] = {"error_type": shortened(type(error).__name__, 200)}
    try:
        is_quoted = not with_words and _quotes(error)
        words = f"{type(error).__name__} (its words quote what was sent)" if is_quoted else str(error)
        message = shortened(words, _MAX_MESSAGE)
    except Exception as fault:
        let_through(fault)
        message = ""
    facts["error_message"] = message or type(error).__name__
    if is_timeout(error):
        facts["timed_out"] = True
    if with_traceback and error.__traceback__ is not None:
        told = _traceback(error, with_words)
        if told:
            facts["traceback"] = told
    return facts


def _traceback(error: BaseException, with_words: bool) -> str:
    try:
        # The last frames, where it happened. Values of variables are never told.
        if with_words or not any(map(_quotes, _behind(error))):
            lines = traceback.format_exception(type(error), error, error.__traceback__, limit=-_MAX_FRAMES)
        else:
            lines = [*traceback.format_tb(error.__traceback__, limit=-_MAX_FRAMES), type(error).__name__]
        told = "".join(lines)
    except Exception as fault:
        let_through(fault)
        return ""
    if len(told) > _MAX_TRACEBACK:
        told = "…" + told[-_MAX_TRACEBACK:]
    return shortened(told, _MAX_TRACEBACK + 1)


def _behind(error: BaseException) -> Iterator[BaseException]:
    """It, what it was raised from or beside, and what it is a group of: all whose words its traceback has."""
    waiting: list[Any] = [error]
    for _ in range(_MAX_CHAIN):
        if not waiting:
            return
        found = waiting.pop()
        if isinstance(found, BaseException):
            yield found
            waiting.extend((found.__cause__, found.__context__, *getattr(found, "exceptions", ())[:_MAX_GROUP]))


def is_failure(error: BaseException) -> bool:
    """Whether work that ended with `error` failed. A generator that is closed and a program that exits with 0 did
    not."""
    if isinstance(error, GeneratorExit):
        return False
    if isinstance(error, SystemExit):
        return error.code not in (None, 0)
    return True


def is_cancellation(error: BaseException) -> bool:
    """Whether whoever waited for the work gave it up. Of a call of a model that is how it ended; a job that did not do
    what it was begun for has failed nevertheless, and says why."""
    return isinstance(error, GeneratorExit) or any(base.__name__ == "CancelledError" for base in type(error).__mro__)
