"""Failures on purpose: without them there would be nothing to watch.

Whether an attempt fails depends only on the seed, the document's name, the place and the attempt. So
a run can be repeated, and another attempt at the same document usually succeeds.
"""

from __future__ import annotations

import hashlib


class TransientFault(Exception):
    """Something that another attempt may not meet."""


class Faults:
    """Lets a share of all attempts fail."""

    def __init__(self, seed: int, rate: float) -> None:
        self._seed = seed
        self._rate = rate

    def strike(self, place: str, document_name: str, attempt: int) -> None:
        """Raises a `TransientFault`, or does nothing."""
        key = f"{self._seed}:{place}:{document_name}:{attempt}"
        digest = hashlib.sha256(key.encode()).digest()
        if int.from_bytes(digest[:8], "big") / 2**64 < self._rate:
            raise TransientFault(f"{place}: connection reset by peer")
