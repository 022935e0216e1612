"""Writes the table of settings in docs/python.md from `watchkeeper._settings`: kinds, bounds, defaults, meanings."""

from __future__ import annotations

import dataclasses
import inspect
import os
import re
from typing import Any

from watchkeeper import _settings

#: The page, and where in it the table begins. It ends with the page's last row.
PAGE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "..", "docs", "python.md")
START = "| setting | type | default | meaning |\n"

#: Of each reader what it takes in words, values at its bounds, and values beyond them.
KINDS: dict[Any, tuple[str, list[Any], list[Any]]] = {
    _settings._text: ("text, at most 512 bytes", ["a", "a" * 512], ["a" * 513]),
    _settings._url: ("address, `http` or `https`", ["https://watch.example:7654/below"], ["ftp://x", "http://x?a=b"]),
    _settings._key: ("text, at most 512 bytes of ASCII", ["wk_abc"], ["a b", "ä"]),
    _settings._capability: ("`cpu`, `gpu` or `hybrid`", ["gpu", "HYBRID"], ["tpu"]),
    _settings._queues: ("text, or a list", ["a,b", ["a", "b"]], ["a" * 513]),
    _settings._joined: ("text with commas, or a list", ["a,b", ["a", "b"]], [7]),
    _settings._folder: ("path", ["spool"], [" "]),
    _settings._flag: ("true or false", [True, "no", "1"], ["perhaps"]),
    _settings._whole: ("integer, at least 1", [1, "10000"], [0, 1.5, "many"]),
    _settings._some: ("integer, 0 or more", [0, "4"], [-1, 1.5]),
    _settings._batch: ("integer, 1 to 10,000", [1, 10_000], [0, 10_001]),
    _settings._lines: ("integer, 1 to 100", [1, 100], [0, 101]),
    _settings._seconds: ("seconds, 0 to 86,400", [0, 86_400], [-1, 86_401, "nan"]),
    _settings._above_zero: ("seconds, 0.001 to 86,400", [0.001, 86_400], [0, 86_401]),
    _settings._interval: ("seconds, 0 or 0.005 to 86,400", [0, 0.005, 86_400], [0.004, 86_401]),
    _settings._amount: ("number, 0 to 1,000,000,000", [0, 1e9], [-1, 2e9]),
}
_DEFAULTS = {"worker_id": "`HOST-PID`", "host": "the host's name"}


def table() -> str:
    """The table, its head included."""
    told = _comments()
    rows = []
    for field in dataclasses.fields(_settings.Settings):
        kind = KINDS[reader(field)][0]
        rows.append(f"| `{field.name}` | {kind} | {_default(field)} | {told[field.name]} |\n")
    return START + "|---|---|---|---|\n" + "".join(rows)


def page(kept: str) -> str:
    """The page with the table as it is to be."""
    start = kept.index(START)
    rows = re.match(r"(\|.*\n)+", kept[start:])
    assert rows is not None
    return kept[:start] + table() + kept[start + rows.end() :]


def reader(field: Any) -> Any:
    """What reads a setting."""
    return _settings._reader_of(field.name, str(field.type))


def _default(field: Any) -> str:
    if field.name in _DEFAULTS:
        return _DEFAULTS[field.name]
    if field.default is None:
        return "not set"
    if isinstance(field.default, bool):
        return f"`{str(field.default).lower()}`"
    return f"`{field.default:g}`" if isinstance(field.default, float) else f"`{field.default}`"


def _comments() -> dict[str, str]:
    """The `#:` before each field."""
    found, told = {}, []
    for line in inspect.getsource(_settings.Settings).split("\n"):
        comment, field = re.match(r"    #: (.*)", line), re.match(r"    (\w+): ", line)
        if comment is not None:
            told.append(comment[1])
        elif field is not None:
            found[field[1]] = " ".join(told)
            told = []
    return found
