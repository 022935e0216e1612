"""What tests of all clients of models do."""

from __future__ import annotations

import asyncio
import gc
from typing import Any, Callable

import pytest

#: How a stream may be left in the middle.
WAYS_TO_LEAVE = ("close", "drop", "cancel")


async def leave(stream: Any, way: str, close: Callable[[], Any]) -> None:
    """Leaves a stream: closes it, drops it, or cancels the task that waits for its next piece."""
    if way == "close":
        await close()
    elif way == "cancel":
        task = asyncio.ensure_future(stream.__anext__())
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task


def check_left(calls: Callable[[], list[dict[str, Any]]]) -> None:
    """It was told with what had come by then, and as no failure."""
    gc.collect()
    (told,) = calls()
    assert (told["finish_reason"], told["output_tokens"]) == ("cancelled", 1)
    assert "error_message" not in told
