"""Limits of time. Queues raise them from the handler of a signal, in whatever runs then, and once: kept by a guard of
ours, one would be lost, and the work run on without a limit."""

from __future__ import annotations

# By name, along all base classes: to import the libraries that these come from only to compare would take long.
_INTERRUPTIONS = frozenset(
    ("SoftTimeLimitExceeded", "TimeLimitExceeded", "BaseTimeoutException", "JobTimeoutException", "TaskTimeout")
)
_TIMEOUTS = _INTERRUPTIONS | {"TimeoutError", "Timeout", "TimeoutException", "TimeoutExpired"}


def is_timeout(error: BaseException) -> bool:
    """Whether it says that something took too long."""
    return any(base.__name__ in _TIMEOUTS for base in type(error).__mro__)


def is_interruption(error: BaseException) -> bool:
    """Whether it ends work from outside of it, wherever that is."""
    return any(base.__name__ in _INTERRUPTIONS for base in type(error).__mro__)


def let_through(error: BaseException) -> None:
    """Raises what is meant for the application, where a guard of ours has caught it."""
    if is_interruption(error):
        raise error
