"""What happens in the child of a fork: each part begins anew, before the child does anything else."""

from __future__ import annotations

import os
import weakref
from typing import Protocol


class Forked(Protocol):
    """Whoever must begin anew in a child."""

    def after_fork(self) -> None:
        """Called in the child, in its only thread."""


_known: weakref.WeakSet[Forked] = weakref.WeakSet()
_is_registered = False


def on_fork(part: Forked) -> None:
    """From now on `part.after_fork` is called in children, as long as somebody holds `part`."""
    global _is_registered
    _known.add(part)
    if not _is_registered and hasattr(os, "register_at_fork"):
        _is_registered = True
        os.register_at_fork(after_in_child=_in_child)


def _in_child() -> None:
    for part in list(_known):
        try:
            part.after_fork()
        except Exception:
            # A child that cannot be watched still works.
            pass
