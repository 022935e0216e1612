"""How an exception is told: its type, its words and where it came from, within bounds."""

from __future__ import annotations

import traceback
from typing import Any, Union

from ._clean import shortened, text
from ._limits import is_timeout, let_through

_MAX_MESSAGE = 2_000
_MAX_TRACEBACK = 8_000
_MAX_FRAMES = 50


def is_cancellation(error: BaseException) -> bool:
    """Whether whoever waited for the work gave it up, which is no error of the work."""
    return isinstance(error, GeneratorExit) or any(base.__name__ == "CancelledError" for base in type(error).__mro__)


def error_facts(error: Union[BaseException, str], with_traceback: bool = True) -> dict[str, Any]:
    """The facts of an event about `error`."""
    if not isinstance(error, BaseException):
        return {"error_message": text(error, _MAX_MESSAGE) or "unknown"}
    facts: dict[str, Any] = {"error_type": shortened(type(error).__name__, 200)}
    try:
        message = shortened(str(error), _MAX_MESSAGE)
    except Exception as fault:
        let_through(fault)
        message = ""
    facts["error_message"] = message or type(error).__name__
    if is_timeout(error):
        facts["timed_out"] = True
    if with_traceback and error.__traceback__ is not None:
        told = _traceback(error)
        if told:
            facts["traceback"] = told
    return facts


def _traceback(error: BaseException) -> str:
    try:
        # The last frames, where it happened. Values of variables are never told.
        lines = traceback.format_exception(type(error), error, error.__traceback__, limit=-_MAX_FRAMES)
        told = "".join(lines)
    except Exception as fault:
        let_through(fault)
        return ""
    if len(told) > _MAX_TRACEBACK:
        told = "…" + told[-_MAX_TRACEBACK:]
    return shortened(told, _MAX_TRACEBACK + 1)


def is_failure(error: BaseException) -> bool:
    """Whether work that ended with `error` failed. A generator that is closed and a program that exits with 0 did
    not."""
    if isinstance(error, GeneratorExit):
        return False
    if isinstance(error, SystemExit):
        return error.code not in (None, 0)
    return True
