"""Exceptions as structured tracebacks, within bounds. Values of variables are never told."""

from __future__ import annotations

import sys
import traceback
from types import TracebackType
from typing import Any, Optional

from .._clean import shortened
from .._limits import let_through

_MAX_FRAMES = 30
_MAX_CHAIN = 5
_MAX_MESSAGE = 2_000
_MAX_STACKTRACE = 8_000


def structured(error: Any) -> Optional[dict[str, Any]]:
    """An exception: `type`, `message`, `frames` (`file`, `line`, `function`, the last where it was raised), those that
    it came from as `chain`, and the whole as a text, `stacktrace`. None for what is no exception."""
    if error is None or error is False:
        return None
    if error is True:
        error = sys.exc_info()[1]
    elif isinstance(error, tuple) and len(error) == 3:
        error = error[1]
    if not isinstance(error, BaseException):
        return None
    try:
        told = _one(error)
        chain = _chain(error)
        if chain:
            told["chain"] = chain
        stacktrace = _stacktrace(error)
        if stacktrace:
            told["stacktrace"] = stacktrace
        return told
    except Exception as fault:
        # Its class failed to say what it is.
        let_through(fault)
        return {"type": shortened(type(error).__name__, 200)}


def _one(error: BaseException) -> dict[str, Any]:
    kind = type(error)
    module = "" if kind.__module__ in ("builtins", "__main__") else f"{kind.__module__}."
    try:
        message = shortened(str(error), _MAX_MESSAGE)
    except Exception as fault:
        let_through(fault)
        message = ""
    frames, left_out = _frames(error.__traceback__)
    told: dict[str, Any] = {"type": shortened(module + kind.__qualname__, 200), "message": message, "frames": frames}
    if left_out:
        told["frames_left_out"] = left_out
    return told


def _frames(trace: Optional[TracebackType]) -> tuple[list[dict[str, Any]], int]:
    """The first few frames and the last: what called it, and where it happened."""
    found: list[tuple[str, int, str]] = []
    while trace is not None and len(found) < 10_000:
        code = trace.tb_frame.f_code
        found.append((code.co_filename, trace.tb_lineno or 0, getattr(code, "co_qualname", code.co_name)))
        trace = trace.tb_next
    left_out = max(0, len(found) - _MAX_FRAMES)
    if left_out:
        found = found[: _MAX_FRAMES // 3] + found[_MAX_FRAMES // 3 - _MAX_FRAMES :]
    frames = [
        {"file": shortened(file, 300), "line": line, "function": shortened(function, 200)}
        for file, line, function in found
    ]
    return frames, left_out


def _chain(error: BaseException) -> list[dict[str, Any]]:
    """What it came from, the nearest first: `relation` is `cause` (raised from it) or `context` (raised while it was
    handled)."""
    chain: list[dict[str, Any]] = []
    seen = {id(error)}
    current = error
    while len(chain) < _MAX_CHAIN:
        relation, before = "cause", current.__cause__
        if before is None and not current.__suppress_context__:
            relation, before = "context", current.__context__
        if before is None or id(before) in seen:
            break
        seen.add(id(before))
        chain.append({"relation": relation, **_one(before)})
        current = before
    return chain


def _stacktrace(error: BaseException) -> str:
    try:
        whole = "".join(traceback.format_exception(type(error), error, error.__traceback__, limit=-_MAX_FRAMES))
    except Exception as fault:
        let_through(fault)
        return ""
    if len(whole) > _MAX_STACKTRACE:
        whole = "…" + whole[-_MAX_STACKTRACE:]
    return shortened(whole.rstrip(), _MAX_STACKTRACE + 1)
