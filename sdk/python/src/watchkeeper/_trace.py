"""Ids of traces, and the W3C header `traceparent` that carries them from process to process."""

from __future__ import annotations

import os
import re
import sys
from typing import Any, Optional

_HEADER = re.compile(r"([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?\Z")


def new_trace_id() -> str:
    """32 hex digits. From the system and not from `random`, which applications seed."""
    return os.urandom(16).hex()


def new_span_id() -> str:
    """16 hex digits."""
    return os.urandom(8).hex()


def parse_traceparent(header: Any) -> Optional[tuple[str, str]]:
    """The ids of the trace and of the span before; None for what is no such header."""
    if isinstance(header, bytes):
        header = header.decode("ascii", "replace")
    if not isinstance(header, str) or len(header) > 512:
        return None
    match = _HEADER.match(header.strip().lower())
    if match is None or match[1] == "ff" or (match[1] == "00" and match[5]):
        return None
    if set(match[2]) == {"0"} or set(match[3]) == {"0"}:
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
    except Exception:
        return None
