"""What is begun and ended: by `with` and `async with`, or by `start` and `finish` where neither fits."""

from __future__ import annotations

from types import TracebackType
from typing import Optional, TypeVar

_Begun = TypeVar("_Begun", bound="Work")


class Work:
    """A stretch of work, begun by `with`, `async with` or `start`. An exception that ends it goes on."""

    __slots__ = ()

    def start(self: _Begun) -> _Begun:
        """Begins it."""
        raise NotImplementedError

    def finish(self, *, error: Optional[BaseException] = None) -> None:
        """Ends it, with the exception that ended it if one did."""
        raise NotImplementedError

    def __enter__(self: _Begun) -> _Begun:
        return self.start()

    def __exit__(
        self,
        kind: Optional[type[BaseException]],
        error: Optional[BaseException],
        trace: Optional[TracebackType],
    ) -> None:
        self.finish(error=error)

    async def __aenter__(self: _Begun) -> _Begun:
        return self.start()

    async def __aexit__(
        self,
        kind: Optional[type[BaseException]],
        error: Optional[BaseException],
        trace: Optional[TracebackType],
    ) -> None:
        self.finish(error=error)
