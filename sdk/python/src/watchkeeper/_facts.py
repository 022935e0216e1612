"""Attributes that a job or a stage is given: those that the server has a field for, and all others.

A known field with a value of another kind would make the server reject the whole event, so it becomes an attribute.
"""

from __future__ import annotations

import functools
import math
import numbers
from typing import Any, Callable, Optional

from ._clean import MAX_ATTRIBUTES, MAX_TEXT, clean, name, shortened
from ._limits import let_through

Reader = Callable[[Any], Any]


def _careful(read: Reader) -> Reader:
    """A class of the application may fail to say even what it is: then its value is none of a field's."""

    @functools.wraps(read)
    def careful(value: Any) -> Any:
        try:
            return read(value)
        except Exception as error:
            let_through(error)
            return None

    return careful


@_careful
def _count(value: Any) -> Optional[int]:
    # To ask the classes of `numbers` takes longer than all else here.
    if type(value) is int:
        return value if 0 <= value < 1 << 53 else None
    if isinstance(value, bool) or not isinstance(value, numbers.Integral):
        return None
    return int(value) if 0 <= int(value) < 1 << 53 else None


@_careful
def _number(value: Any) -> Optional[float]:
    if type(value) is float:
        return value if math.isfinite(value) else None
    if isinstance(value, bool) or not isinstance(value, numbers.Real):
        return None
    return float(value) if math.isfinite(float(value)) else None


def seconds(value: Any) -> Optional[float]:
    """A number of seconds as the server takes it."""
    number = _number(value)
    return number if number is not None and 0 <= number <= 1e15 else None


def share(value: Any) -> Optional[float]:
    """A share, brought to between 0 and 1."""
    number = _number(value)
    return None if number is None else min(1.0, max(0.0, number))


@_careful
def _flag(value: Any) -> Optional[bool]:
    return value if isinstance(value, bool) else None


@_careful
def _name(value: Any) -> Optional[str]:
    if type(value) is str:
        return name(value)
    return name(value) if isinstance(value, (str, int)) and not isinstance(value, bool) else None


_PLAIN = frozenset((int, float, bool))

JOB_FIELDS: dict[str, Reader] = {
    "content_type": _name,
    "input_bytes": _count,
    "output_bytes": _count,
    "pages": _count,
    "priority": _number,
    "confidence_score": share,
    "quality_degraded": _flag,
    "request_id": _name,
    "queue": _name,
    "retry_count": _count,
    "max_retries": _count,
    "expected_max_seconds": seconds,
}

STAGE_FIELDS: dict[str, Reader] = {
    "component": _name,
    "items": _count,
    "retry_count": _count,
    "expected_max_seconds": seconds,
}

LLM_FIELDS: dict[str, Reader] = {
    "backend": _name,
    "user_id": _name,
    "cost_usd": _number,
}


def assign(given: dict[str, Any], fields: dict[str, Reader], facts: dict[str, Any], attributes: dict[str, Any]) -> bool:
    """Puts what was given where it belongs, and tells whether something had to be changed. More attributes than the
    server keeps go to one that says how many.

    Values are made plain now and not at the end: what the application does to them later does not matter, and a large
    one is not held on to.
    """
    has_changed = False
    for key, value in given.items():
        if value is None:
            continue
        reader = fields.get(key)
        read = None if reader is None else reader(value)
        if read is not None:
            facts[key] = read
            continue
        key = shortened(key, 128)
        if key in attributes or len(attributes) < MAX_ATTRIBUTES - 1:
            if type(value) in _PLAIN or (type(value) is str and len(value) <= MAX_TEXT):
                attributes[key] = value
                continue
            cleaned, is_changed = clean({key: value})
            attributes[key] = cleaned.get(key)
            has_changed |= is_changed
        else:
            attributes["attributes_left_out"] = attributes.get("attributes_left_out", 0) + 1
            has_changed = True
    return has_changed


def as_count(value: Any) -> Optional[int]:
    """A number of things, if it is one."""
    count: Optional[int] = _count(value)
    return count
