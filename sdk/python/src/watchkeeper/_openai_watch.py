"""Watches what a client of OpenAI's API gives back, without taking its place: the application gets the very object.

Of a stream the inner iterator is exchanged. Ends are seen at the HTTP response, because every way to close a stream
leads there: its own `close`, `with`, and the helpers of `.stream()`.
"""

from __future__ import annotations

import functools
import inspect
import weakref
from collections.abc import Mapping
from typing import Any, Callable, Optional

from ._limits import let_through
from ._llm import LLMCall
from ._llm_streams import Watched, WatchedAsyncIterator, WatchedIterator
from ._openai_read import OPERATIONS, hiding_usage, read_answer, read_body, read_error, reader_of

_RAW = frozenset(("LegacyAPIResponse", "APIResponse", "AsyncAPIResponse"))
_RAW_HEADER = "x-stainless-raw-response"


def ask_for_usage(options: Any) -> bool:
    """Asks the server of a stream for the number of tokens. True when the application has not, so that it does not
    expect the answer."""
    try:
        asked = options.json_data
        if OPERATIONS[options.url] not in ("chat", "text_completion") or asked.get("stream") is not True:
            return False
        if asked.get("stream_options") or _is_taken_raw(options.headers):
            return False
        options.json_data = {**asked, "stream_options": {"include_usage": True}}
        return True
    except Exception as fault:
        let_through(fault)
        return False


def _is_taken_raw(headers: Any) -> bool:
    """Whether the application reads the bytes of the answer, from which nothing can be taken out."""
    return isinstance(headers, Mapping) and any(str(name).lower() == _RAW_HEADER for name in headers)


def watch_answer(call: LLMCall, options: Any, answer: Any, hides: bool) -> Any:
    """Watches what was answered, and gives it back."""
    try:
        kind: Any = type(answer)
        shape = _shape_of(kind)
        if shape in _RAW:
            _watch_raw(call, options, answer, hides, is_read=shape == "LegacyAPIResponse")
        else:
            _watch_parsed(call, options, answer, hides)
    except Exception as fault:
        # Of another shape than any version had: that it was called is told all the same.
        call.finish()
        let_through(fault)
    return answer


def watch_error(call: LLMCall, error: BaseException) -> None:
    """Tells of a call that raised. One whose answer could not be parsed has an answer all the same."""
    try:
        answer = getattr(error, "completion", None)
        if answer is not None:
            read_answer(call, answer)
    except Exception as fault:
        # Another library's error, with a `completion` of its own.
        let_through(fault)
    call.finish(error=error)


@functools.lru_cache(maxsize=64)
def _shape_of(kind: Any) -> str:
    """How a class is watched: one of `_RAW`, whose answer is not parsed yet, `stream`, `async stream` or `answer`.
    Remembered, because to ask a class of `pydantic` for what it lacks takes microseconds."""
    for base in kind.__mro__:
        if base.__name__ in _RAW:
            return str(base.__name__)
    if hasattr(kind, "__next__"):
        return "stream"
    return "async stream" if hasattr(kind, "__anext__") else "answer"


def _watch_parsed(call: LLMCall, options: Any, answer: Any, hides: bool) -> None:
    kind: Any = type(answer)
    shape = _shape_of(kind)
    if shape == "stream":
        _watch_stream(call, options, answer, WatchedIterator, "close", hides)
    elif shape == "async stream":
        _watch_stream(call, options, answer, WatchedAsyncIterator, "aclose", hides)
    else:
        call.finish(read_answer(call, answer), error=read_error(answer))


def _watch_stream(
    call: LLMCall, options: Any, stream: Any, kind: Callable[..., Watched], close: str, hides: bool
) -> None:
    read = reader_of(OPERATIONS[options.url])
    request_id = stream.response.headers.get("x-request-id")
    if request_id:
        call.set(request_id=request_id)
    watched = kind(stream._iterator, call, hiding_usage(read) if hides else read)
    stream._iterator = watched
    _after(stream.response, close, watched.closed)


def _watch_raw(call: LLMCall, options: Any, raw: Any, hides: bool, is_read: bool) -> None:
    """An answer that the application parses itself, if at all."""
    response = raw.http_response
    request_id = response.headers.get("x-request-id")
    if request_id:
        call.set(request_id=request_id)
    if is_read or response.is_closed:
        # It remembers what it has parsed, so the application's own `parse` costs nothing any more.
        try:
            parsed = raw.parse()
        except Exception as fault:
            call.finish()
            let_through(fault)
            return
        _watch_parsed(call, options, parsed, hides)
        return
    parse = raw.parse
    if inspect.iscoroutinefunction(parse):

        @functools.wraps(parse)
        async def parsing(*args: Any, **kwargs: Any) -> Any:
            try:
                parsed = await parse(*args, **kwargs)
            except BaseException as error:
                call.finish(error=error)
                raise
            return _after_parsing(call, options, parsed, hides)

    else:

        @functools.wraps(parse)
        def parsing(*args: Any, **kwargs: Any) -> Any:
            try:
                parsed = parse(*args, **kwargs)
            except BaseException as error:
                call.finish(error=error)
                raise
            return _after_parsing(call, options, parsed, hides)

    raw.parse = parsing
    _after(raw, "close", functools.partial(_raw_closed, call, response))
    # One that is never closed is told when nobody holds it any more.
    weakref.finalize(raw, call.abandon)


def _after_parsing(call: LLMCall, options: Any, parsed: Any, hides: bool) -> Any:
    if not call.is_open or isinstance(getattr(parsed, "_iterator", None), Watched):
        return parsed
    return watch_answer(call, options, parsed, hides)


def _raw_closed(call: LLMCall, response: Any) -> None:
    """The application has done with an answer that it never parsed: it read the bytes, or the lines, or nothing."""
    if not call.is_open:
        return
    reason: Optional[str] = None
    try:
        reason = read_body(call, response.content)
    except Exception as fault:
        # It was read in pieces that nobody kept, or it is a stream.
        let_through(fault)
        if not response.is_stream_consumed:
            reason = "cancelled"
    call.finish(reason)


def _after(owner: Any, name: str, then: Callable[[], None]) -> None:
    """Calls `then` after the method `name` of this one object."""
    method = getattr(owner, name)
    if inspect.iscoroutinefunction(method):

        @functools.wraps(method)
        async def closing(*args: Any, **kwargs: Any) -> Any:
            try:
                return await method(*args, **kwargs)
            finally:
                then()

    else:

        @functools.wraps(method)
        def closing(*args: Any, **kwargs: Any) -> Any:
            try:
                return method(*args, **kwargs)
            finally:
                then()

    setattr(owner, name, closing)
