"""Records as OTLP has them in JSON, each with its id."""

from __future__ import annotations

from json.encoder import encode_basestring
from typing import Any

from .._clean import shortened
from .._events import dumps
from ._entry import Entry

_MAX_ATTRIBUTES = 120
_MAX_RECORD_BYTES = 1 << 20

# Python's levels and OpenTelemetry's: TRACE 1, DEBUG 5, INFO 9, WARN 13, ERROR 17, FATAL 21.
_SEVERITIES = {5: 1, 10: 5, 20: 9, 25: 10, 30: 13, 40: 17, 50: 21}


def severity(level: int) -> int:
    """OpenTelemetry's number of a level of Python's; what lies between two is the lower one."""
    known = _SEVERITIES.get(level)
    if known is not None:
        return known
    for least, number in ((50, 21), (40, 17), (30, 13), (20, 9), (10, 5)):
        if level >= least:
            return number
    return 1 if level > 0 else 0


def record_of(entry: Entry, uid: str, created: float, level: int, level_name: str, logger: str) -> bytes:
    """An entry as a `LogRecord`. Its names are those that the same record has when Watchkeeper reads it from a file of
    `JsonFormatter`'s, so that a search finds both."""
    quote = encode_basestring
    beside = entry.beside
    attributes = [_text("log.record.uid", quote(uid)), _text("logger", quote(shortened(logger, 500)))]
    for key, value in beside.items():
        if key not in ("trace_id", "span_id", "event_name", "event.name"):
            _add(attributes, key, value, 0)
    for key, value in entry.details.items():
        _add(attributes, "details." + key, value, 0)
    if entry.exception:
        for key, value in entry.exception.items():
            _add(attributes, "exception." + key, value, 0)
    parts = [
        f'{{"timeUnixNano":"{round(created * 1e6)}000","severityNumber":{severity(level)},'
        f'"severityText":{quote(shortened(level_name, 100))},'
        f'"body":{{"stringValue":{quote(entry.message)}}},"attributes":[{",".join(attributes)}]'
    ]
    for key, field, length in (("trace_id", "traceId", 32), ("span_id", "spanId", 16)):
        value = beside.get(key)
        if type(value) is str and len(value) == length and value.isalnum():
            parts.append(f',"{field}":"{value}"')
    event = beside.get("event.name", beside.get("event_name"))
    if event is not None:
        parts.append(f',"eventName":{quote(str(event))}')
    parts.append("}")
    data = "".join(parts).encode("utf-8", "replace")
    if len(data) > _MAX_RECORD_BYTES:
        raise ValueError(f"a record of {len(data)} bytes")
    return data


def _text(key: str, encoded: str) -> str:
    return f'{{"key":"{key}","value":{{"stringValue":{encoded}}}}}'


def _add(attributes: list[str], key: str, value: Any, depth: int) -> None:
    """Adds an attribute; objects become several, with points in their names, as they do in files."""
    if len(attributes) >= _MAX_ATTRIBUTES:
        return
    kind = type(value)
    if kind is str:
        encoded = f'"stringValue":{encode_basestring(value)}'
    elif kind is bool:
        encoded = '"boolValue":true' if value else '"boolValue":false'
    elif kind is int:
        encoded = f'"intValue":"{value}"'
    elif kind is float:
        encoded = f'"doubleValue":{value!r}'
    elif kind is dict and depth < 6:
        for name, item in value.items():
            _add(attributes, f"{key}.{name}", item, depth + 1)
        return
    elif value is None:
        return
    else:
        encoded = f'"stringValue":{encode_basestring(dumps(value))}'
    attributes.append(f'{{"key":{encode_basestring(key)},"value":{{{encoded}}}}}')
