"""Iterators that see what passes through them. They give what the inner one gives, raise what it raises, and close it.

`Reader` is called with each piece. One that it says is `HIDDEN` was asked for by Watchkeeper alone and goes no further.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterator
from typing import Any, Callable, Optional

from ._limits import let_through
from ._llm import LLMCall

#: Whether a piece is kept from the application; it also gives why the model stopped to `call`.
Reader = Callable[["Watched", Any], bool]


class Watched:
    """What both kinds have: the call, why the model stopped, and whether a piece is being waited for."""

    __slots__ = ("__weakref__", "_inner", "_read", "call", "error", "is_waiting", "reason")

    def __init__(self, inner: Any, call: LLMCall, read: Reader) -> None:
        self._inner = inner
        self._read = read
        #: The call that is reported when this ends.
        self.call = call
        #: Why the model stopped, as soon as it says so.
        self.reason: Optional[str] = None
        #: What went wrong, where the server says it in a piece.
        self.error: Optional[str] = None
        #: Whether the inner one is at work: what it closes then, it closes itself.
        self.is_waiting = False

    def hides(self, piece: Any) -> bool:
        """Looks at a piece, and tells whether it stops here."""
        try:
            return self._read(self, piece)
        except Exception as fault:
            # A piece of another shape is the application's all the same.
            let_through(fault)
            return False

    def ended(self, error: Optional[BaseException] = None) -> None:
        """The inner one gave its last, or raised."""
        self.call.finish(self.reason, error=error if error is not None else self.error)

    def closed(self) -> None:
        """The application closes it. If the model had stopped before, nothing was lost."""
        if not self.is_waiting:
            self.call.finish(self.reason or "cancelled", error=self.error)

    def __del__(self) -> None:
        if self.call.is_open:
            self.call.abandon(self.reason, self.error)


class WatchedIterator(Watched, Iterator[Any]):
    """An iterator around an iterator."""

    __slots__ = ()

    def __iter__(self) -> WatchedIterator:
        return self

    def __next__(self) -> Any:
        while True:
            self.is_waiting = True
            try:
                piece = next(self._inner)
            except StopIteration:
                self.ended()
                raise
            except BaseException as error:
                self.ended(error)
                raise
            finally:
                self.is_waiting = False
            if not self.hides(piece):
                return piece

    def close(self) -> None:
        """Closes the inner one, as that of a generator does."""
        try:
            close = getattr(self._inner, "close", None)
            if close is not None:
                close()
        finally:
            self.closed()


class WatchedAsyncIterator(Watched, AsyncGenerator[Any, Any]):
    """The same for coroutines. It is no generator of its own around the inner one: the event loop closes all that are
    left at its end, all at once, and the two would be in each other's way."""

    __slots__ = ()

    def __aiter__(self) -> WatchedAsyncIterator:
        return self

    async def __anext__(self) -> Any:
        return await self._step(self._inner.__anext__)

    async def asend(self, value: Any) -> Any:
        """As that of a generator."""
        return await self._step(self._inner.asend, value)

    async def athrow(self, *error: Any) -> Any:
        """As that of a generator."""
        return await self._step(self._inner.athrow, *error)

    async def aclose(self) -> None:
        """Closes the inner one, as that of a generator does."""
        try:
            close = getattr(self._inner, "aclose", None)
            if close is not None:
                await close()
        finally:
            self.closed()

    async def _step(self, step: Any, *args: Any) -> Any:
        while True:
            self.is_waiting = True
            try:
                piece = await step(*args)
            except StopAsyncIteration:
                self.ended()
                raise
            except BaseException as error:
                self.ended(error)
                raise
            finally:
                self.is_waiting = False
            if not self.hides(piece):
                return piece
            step, args = self._inner.__anext__, ()


class LateAsyncIterator(WatchedAsyncIterator):
    """One whose call begins when its first piece is asked for."""

    __slots__ = ()

    async def __anext__(self) -> Any:
        self.call.start()
        return await self._step(self._inner.__anext__)
