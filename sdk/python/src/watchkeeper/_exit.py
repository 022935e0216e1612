"""The ends of a process: by itself, as a child of `multiprocessing`, and by SIGTERM.

A handler of the application is never replaced. With none, SIGTERM ends a process at once and with it what waits; ours
delivers that, within a bound of time, and then lets the signal do what it does.
"""

from __future__ import annotations

import _thread
import atexit
import os
import signal
import sys
import threading
from types import FrameType
from typing import Callable, Optional

_FIRST = 1

_stop: Optional[Callable[[], None]] = None
_is_registered = False
_is_ending = False


def at_exit(stop: Callable[[], None]) -> None:
    """`stop` is called when the interpreter ends."""
    global _stop, _is_registered
    _stop = stop
    if not _is_registered:
        _is_registered = True
        atexit.register(_run_stop)


def at_exit_of_child(stop: Callable[[], None]) -> None:
    """Children of `multiprocessing` and of Celery's `billiard` end without `atexit`; these modules have their own.

    Called when the first event is reported, because a child forgets what was registered before it ran.
    """
    for name in ("multiprocessing.util", "billiard.util"):
        module = sys.modules.get(name)
        if module is not None:
            try:
                module.Finalize(None, stop, exitpriority=-100)
            except Exception:
                continue


def handle_sigterm() -> None:
    """Puts a handler where there is none. Only the main thread may."""
    if threading.current_thread() is not threading.main_thread():
        return
    try:
        if signal.getsignal(signal.SIGTERM) is signal.SIG_DFL:
            signal.signal(signal.SIGTERM, _on_sigterm)
    except (ValueError, OSError, AttributeError):
        # An interpreter within another program, or a system without the signal.
        pass


def after_fork() -> None:
    """A child may be ended, too."""
    global _is_ending
    _is_ending = False


def _run_stop() -> None:
    if _stop is not None:
        _stop()


def _on_sigterm(number: int, frame: Optional[FrameType]) -> None:
    """Runs between two steps of the main thread, which may hold any lock: so it waits for nothing, and leaves the work
    to a thread. A second signal ends the process at once."""
    global _is_ending
    if _is_ending or os.getpid() == _FIRST:
        # The first process of a container is not ended by a signal that it leaves to the system: it goes on, and so
        # does delivery.
        return
    _is_ending = True
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    try:
        _thread.start_new_thread(_end, (number,))
    except Exception:
        os.kill(os.getpid(), number)


def _end(number: int) -> None:
    try:
        _run_stop()
    finally:
        os.kill(os.getpid(), number)
