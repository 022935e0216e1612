"""Ids of traces, and the W3C header `traceparent` that carries them from process to process."""

from __future__ import annotations

import os
import re
import sys
from typing import Any, Optional

from ._fork import on_fork
from ._limits import let_through

_HEADER = re.compile(r"([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?\Z")


class _Ids:
    """Random ids of 32 hex digits, many from each call into the system: such a call takes longer than all else that is
    done for a request. They come from the system and not from `random`, which applications seed."""

    def __init__(self) -> None:
        self._ready: list[str] = []
        on_fork(self)

    def take(self) -> str:
        """One that was never given."""
        try:
            return self._ready.pop()
        except IndexError:
            digits = os.urandom(16 * _IDS_AT_ONCE).hex()
            made = [digits[at : at + 32] for at in range(0, len(digits), 32)]
            taken = made.pop()
            self._ready.extend(made)
            return taken

    def after_fork(self) -> None:
        """What is left is the parent's."""
        self._ready = []


_NO_TRACE, _NO_SPAN = "0" * 32, "0" * 16
_IDS_AT_ONCE = 64
_ids = _Ids()


def new_trace_id() -> str:
    """32 hex digits."""
    return _ids.take()


def new_span_id() -> str:
    """16 hex digits."""
    return _ids.take()[:16]


def parse_traceparent(header: Any) -> Optional[tuple[str, str]]:
    """The ids of the trace and of the span before; None for what is no such header."""
    if isinstance(header, bytes):
        header = header.decode("ascii", "replace")
    if not isinstance(header, str) or len(header) > 512:
        return None
    match = _HEADER.match(header.strip().lower())
    if match is None or match[1] == "ff" or (match[1] == "00" and match[5]):
        return None
    if match[2] == _NO_TRACE or match[3] == _NO_SPAN:
        return None
    return match[2], match[3]


def running_span() -> Optional[tuple[str, str]]:
    """The ids of OpenTelemetry's running span. The package is asked where the application has imported it, and never
    imported from here."""
    module = sys.modules.get("opentelemetry.trace")
    if module is None:
        return None
    try:
        context = module.get_current_span().get_span_context()
        if not context.is_valid:
            return None
        return f"{context.trace_id:032x}", f"{context.span_id:016x}"
    except Exception as error:
        let_through(error)
        return None
