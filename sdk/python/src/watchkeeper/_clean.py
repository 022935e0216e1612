"""Values that cannot be sent as they are become bounded texts.

What an application gives as an attribute may be anything: an image, a list that holds itself, a gigabyte of text, a
query that runs when it is printed. Only types whose text is known to be cheap are turned into it; all others are named
by their type. Calling `str` or `repr` of anything else may take a second, run a query, or print a whole document.
"""

from __future__ import annotations

import datetime
import decimal
import enum
import hashlib
import math
import numbers
import pathlib
import uuid
from collections.abc import Mapping
from typing import Any, Optional

from ._limits import let_through

#: The longest text, in characters. The server cuts at 16 KiB.
MAX_TEXT = 16_000
#: The longest name or id, in bytes. The server refuses longer ones.
MAX_NAME_BYTES = 512
#: The most attributes of one event; the server keeps no more.
MAX_ATTRIBUTES = 64

_MOST = (1 << 63) - 1
_LEAST = -(1 << 63)
_MAX_ITEMS = 1_000
_MAX_CHARACTERS = 32_000
_MAX_DEPTH = 6
_PRINTED = (
    datetime.date,
    datetime.time,
    datetime.timedelta,
    decimal.Decimal,
    uuid.UUID,
    pathlib.PurePath,
)


def clean(facts: Mapping[str, Any]) -> tuple[dict[str, Any], bool]:
    """A copy of `facts` that can be encoded, and is no larger than some 200 KiB; and whether anything in it had to be
    cut or turned into text. To find that out by comparing would call the values' own `==`."""
    cleaner = _Cleaner()
    cleaned: dict[str, Any] = {}
    for name, value in list(facts.items())[:_MAX_ITEMS]:
        cleaned[cleaner.key(name)] = cleaner.value(value, 0)
    return cleaned, cleaner.changed or len(facts) > _MAX_ITEMS


def name(value: Any) -> Optional[str]:
    """An id or a name as the server takes it. One that is too long ends in a hash of all of it, so that two long ids
    that begin alike stay two."""
    if value is None:
        return None
    kind = type(value)
    if kind is int and _LEAST <= value <= _MOST:
        return str(value)
    text = value if kind is str else _plain_text(value)
    if len(text) <= MAX_NAME_BYTES and text.isascii():
        return text
    data = text.encode("utf-8", "replace")
    if len(data) > MAX_NAME_BYTES:
        digest = hashlib.sha256(data).hexdigest()[:16]
        return data[: MAX_NAME_BYTES - 20].decode("utf-8", "ignore") + "…" + digest
    return data.decode("utf-8")


def text(value: Any, limit: int = MAX_TEXT) -> str:
    """A text of at most `limit` characters."""
    whole = value if type(value) is str else _plain_text(value)
    return shortened(whole, limit)


def shortened(whole: str, limit: int) -> str:
    """`whole`, cut to `limit` characters and without halves of characters that no encoding can write."""
    if len(whole) > limit:
        whole = whole[: max(0, limit - 1)] + "…"
    if whole.isascii():
        return whole
    return whole.encode("utf-8", "replace").decode("utf-8")


def _plain_text(value: Any) -> str:
    """The text of a value whose text is cheap; of others the name of their type."""
    try:
        if isinstance(value, enum.Enum):
            return _plain_text(value.value)
        if isinstance(value, str):
            return str.__str__(value)
        if isinstance(value, (bool, float, *_PRINTED)):
            return str(value)
        if isinstance(value, int):
            return str(int(value)) if int(value).bit_length() < 4_096 else "<a large number>"
        if isinstance(value, (bytes, bytearray)):
            return bytes(value[: MAX_TEXT + 1]).decode("utf-8", "replace")
        if isinstance(value, BaseException):
            return f"{type(value).__name__}: {value}"
    except Exception as error:
        # The application's own class failed to say what it is.
        let_through(error)
    return f"<{type(value).__module__}.{type(value).__qualname__}>"


class _Cleaner:
    """Goes over the values of one event, until it has seen enough."""

    def __init__(self) -> None:
        self._items = _MAX_ITEMS
        self._characters = _MAX_CHARACTERS
        self.changed = False

    def key(self, value: Any) -> str:
        made = shortened(value if type(value) is str else _plain_text(value), 128)
        self._characters -= len(made)
        self.changed |= made is not value
        return made

    def value(self, value: Any, depth: int) -> Any:
        self._items -= 1
        if value is None or value is True or value is False:
            return value
        try:
            if isinstance(value, Mapping):
                return self._mapping(value, depth)
            if isinstance(value, (list, tuple, set, frozenset)):
                return self._list(value, depth)
            number = _number(value)
        except Exception as error:
            let_through(error)
            self.changed = True
            return f"<{type(value).__module__}.{type(value).__qualname__}>"
        return self._text(value) if number is None else number

    def _text(self, value: Any) -> str:
        made = text(value, max(0, min(MAX_TEXT, self._characters)))
        self._characters -= len(made)
        self.changed |= type(value) is not str or made != value
        return made

    def _mapping(self, value: Mapping[Any, Any], depth: int) -> Any:
        if depth >= _MAX_DEPTH:
            self.changed = True
            return "<deeper>"
        made: dict[str, Any] = {}
        # A copy of a plain dict is made in one step, also where another thread writes to it.
        for key, item in (value.copy() if type(value) is dict and len(value) < 10_000 else value).items():
            if self._items <= 0 or self._characters <= 0:
                made["…"] = "more was left out"
                self.changed = True
                break
            made[self.key(key)] = self.value(item, depth + 1)
        return made

    def _list(self, value: Any, depth: int) -> Any:
        if depth >= _MAX_DEPTH:
            self.changed = True
            return "<deeper>"
        made: list[Any] = []
        for item in value:
            if self._items <= 0 or self._characters <= 0:
                made.append("…")
                self.changed = True
                break
            made.append(self.value(item, depth + 1))
        return made


def _number(value: Any) -> Any:
    """A number that JSON and the server can hold; `numpy`'s are among them."""
    if isinstance(value, enum.Enum):
        value = value.value
    if isinstance(value, numbers.Integral):
        whole = int(value)
        return whole if -(1 << 63) <= whole < 1 << 63 else None
    if isinstance(value, numbers.Real):
        fraction = float(value)
        return fraction if math.isfinite(fraction) else str(fraction)
    return None
