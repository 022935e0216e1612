"""What is begun and ended: by `with` and `async with`, or by `start` and `finish` where neither fits."""

from __future__ import annotations

from types import TracebackType
from typing import TYPE_CHECKING, Any, Optional, TypeVar

from ._facts import Reader, assign
from ._limits import let_through

if TYPE_CHECKING:
    from ._client import Client

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


class ToldWork(Work):
    """Work that is told to Watchkeeper, where there is a client, with facts and attributes."""

    __slots__ = ()

    _client: Optional[Client]
    _facts: dict[str, Any]
    _attributes: dict[str, Any]

    def _assign(self, given: dict[str, Any], fields: dict[str, Reader]) -> None:
        try:
            client = self._client
            if client is not None and assign(given, fields, self._facts, self._attributes):
                client.counts.clean()
        except Exception as error:
            self._lost(error)

    def _lost(self, error: Exception) -> None:
        """A fault of ours costs an event or a fact, which is counted."""
        if self._client is not None:
            self._client.counts.drop("internal_error")
        let_through(error)
