"""Exceptions that a framework turns into an answer itself, so that no middleware around it sees them.

Flask and Django tell of them by a signal; those that the application has imported are asked to.
"""

from __future__ import annotations

import sys
from typing import Any

from ._context import current_request


def watch_errors() -> None:
    """From now on what Flask and Django make a 500 of is linked to the request. Asking twice does nothing more."""
    try:
        flask = sys.modules.get("flask")
        if flask is not None:
            flask.got_request_exception.connect(_on_flask, weak=False)
        signals = sys.modules.get("django.core.signals")
        if signals is not None:
            signals.got_request_exception.connect(_on_django, weak=False, dispatch_uid="watchkeeper")
    except Exception:
        # Flask before 2.3 without its signals.
        pass


def _on_flask(sender: Any, exception: Any = None, **more: Any) -> None:
    request = current_request()
    if request is not None and isinstance(exception, BaseException):
        request.fail(exception)


def _on_django(sender: Any, **more: Any) -> None:
    request, error = current_request(), sys.exc_info()[1]
    if request is not None and error is not None:
        request.fail(error)
