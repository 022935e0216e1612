"""An event becomes bytes at once, where it happens.

So what waits is bytes, whose size is known, and what the application does to its objects afterwards does not matter.
The usual event, flat and of plain values, takes one call of the C encoder; anything else goes through `_clean`.
"""

from __future__ import annotations

import itertools
import json
import os
import time
from collections.abc import Mapping
from typing import Any, Callable, Optional

from ._clean import MAX_ATTRIBUTES, MAX_TEXT, clean
from ._counts import Counts
from ._limits import let_through

#: The largest event, in bytes.
MAX_EVENT_BYTES = 256 << 10
# From here on an event is looked at closely, however plain it is.
_LARGE_BYTES = 64 << 10
_MOST = (1 << 63) - 1
_LEAST = -(1 << 63)

#: Facts of the process that each type of event has a field for. Others would become attributes of every single event.
_CONSTANTS = {
    "job": ("service", "worker_id"),
    "stage": ("service", "worker_id"),
    "component": ("service", "worker_id"),
    "llm": ("service", "worker_id"),
    "worker": ("service", "worker_id", "host", "pid"),
    "request": ("service",),
    "deploy": ("service",),
    "audit": ("service", "host"),
    "process": ("host", "worker_id"),
}

_TYPES = (
    *("job.submitted", "job.started", "job.progress", "job.completed", "job.failed", "job.retried"),
    *("stage.started", "stage.finished", "component.loaded", "component.unloaded"),
    *("worker.heartbeat", "worker.stopped", "request.finished", "llm.call", "feedback.given"),
    *("deploy.finished", "audit.recorded", "process.exited"),
)

_OWN = frozenset(("type", "event_id", "time", "service", "worker_id", "host", "pid"))


class Unencodable(Exception):
    """An event that no cleaning made fit to be sent."""


def _make_dumps() -> Callable[[Any], str]:
    """The C encoder, made once: `json.dumps` makes one for each call, which takes longer than to encode an event.

    Circles are not looked for: they end in a `RecursionError`, and such an event goes through `_clean`.
    """
    plain = json.JSONEncoder(separators=(",", ":"), allow_nan=False, ensure_ascii=False, check_circular=False)
    make, quote = getattr(json.encoder, "c_make_encoder", None), getattr(json.encoder, "encode_basestring", None)
    if make is None or quote is None:
        return plain.encode
    try:
        encode = make(None, plain.default, quote, None, ":", ",", False, False, False)

        def dumps(value: Any) -> str:
            return "".join(encode(value, 0))

        sample = {"a": [1, 2.5, None, True, "ä\n"]}
        return dumps if dumps(sample) == plain.encode(sample) else plain.encode
    except Exception:
        # Another interpreter, or another signature of a function that is not promised.
        return plain.encode


dumps = _make_dumps()


def encode_members(facts: Mapping[str, Any]) -> str:
    """Facts as JSON that goes into events as it is, each with a comma before it. They are texts that `name` made."""
    return "," + dumps(facts)[1:-1] if facts else ""


class Encoder:
    """Makes events of one process."""

    def __init__(self, facts: Mapping[str, Any], counts: Counts) -> None:
        self._counts = counts
        self.renew(facts)

    def renew(self, facts: Mapping[str, Any]) -> None:
        """Begins anew with the facts of a process: after a fork ids must differ from the parent's."""
        self._facts = {name: value for name, value in facts.items() if value is not None}
        self._prefix = os.urandom(8).hex() + "-"
        self._numbers = itertools.count()
        self._heads = {type_: self._head(type_) for type_ in _TYPES}

    def new_id(self) -> str:
        """An id that no other event and no other process has."""
        return f"{self._prefix}{next(self._numbers):x}"

    def encode(self, type_: str, facts: dict[str, Any], time_ns: Optional[int] = None, encoded: str = "") -> bytes:
        """One event as a line of JSON. `facts` may have its own `event_id` and `time`. `encoded` are further facts that
        are JSON already (`encode_members`), because many events have them."""
        if time_ns is None:
            time_ns = time.time_ns()
        head = self._heads.get(type_)
        if head is not None:
            try:
                if _is_plain(facts):
                    start = f'{head}{next(self._numbers):x}","time":{time_ns}{encoded}'
                    line = f"{start},{dumps(facts)[1:]}" if facts else start + "}"
                    data = line.encode("utf-8")
                    if len(data) <= _LARGE_BYTES:
                        return data
            except (TypeError, ValueError, OverflowError, RuntimeError, AttributeError):
                pass
        if encoded:
            facts = {**json.loads("{" + encoded[1:] + "}"), **facts}
        return self._encode_cleaned(type_, facts, time_ns)

    def _head(self, type_: str) -> str:
        fields: dict[str, Any] = {"type": type_, **self._constants(type_)}
        return f'{dumps(fields)[:-1]},"event_id":"{self._prefix}'

    def _constants(self, type_: str) -> dict[str, Any]:
        names = _CONSTANTS.get(type_.partition(".")[0], ())
        return {name: self._facts[name] for name in names if name in self._facts}

    def _encode_cleaned(self, type_: str, facts: Mapping[str, Any], time_ns: int) -> bytes:
        try:
            type_ = str(type_)[:64]
            event: dict[str, Any] = {"type": type_, "event_id": self.new_id(), "time": time_ns}
            event.update(self._constants(type_))
            cleaned, changed = clean(facts)
            cleaned.pop("type", None)
            attributes = cleaned.get("attributes")
            if isinstance(attributes, dict) and len(attributes) > MAX_ATTRIBUTES:
                cleaned["attributes"] = dict(list(attributes.items())[:MAX_ATTRIBUTES])
                changed = True
            event.update((key, value) for key, value in cleaned.items() if value is not None)
            data = dumps(event).encode("utf-8", "replace")
        except Exception as error:
            let_through(error)
            raise Unencodable(str(error)) from error
        if len(data) > MAX_EVENT_BYTES:
            raise Unencodable(f"{len(data)} bytes")
        if changed:
            self._counts.clean()
        return data


def _is_plain(facts: dict[str, Any]) -> bool:
    """Whether the C encoder may have `facts` as they are: short texts and numbers that fit, at most one level of
    attributes. To ask takes less than a microsecond; to find out by encoding could take as long as the value is large.
    """
    if len(facts) > MAX_ATTRIBUTES or not _OWN.isdisjoint(facts):
        return False
    for key, value in facts.items():
        kind = type(value)
        if kind is str:
            if len(value) > MAX_TEXT:
                return False
        elif kind is int:
            if not _LEAST <= value <= _MOST:
                return False
        elif kind is float or kind is bool or value is None:
            continue
        elif kind is dict and key == "attributes":
            if not _is_flat(value):
                return False
        else:
            return False
    return True


def _is_flat(attributes: dict[Any, Any]) -> bool:
    if len(attributes) > MAX_ATTRIBUTES:
        return False
    for key, value in attributes.items():
        kind = type(value)
        if type(key) is not str or len(key) > 128:
            return False
        if kind is str:
            if len(value) > MAX_TEXT:
                return False
        elif kind is int:
            if not _LEAST <= value <= _MOST:
                return False
        elif not (kind is float or kind is bool or value is None):
            return False
    return True
