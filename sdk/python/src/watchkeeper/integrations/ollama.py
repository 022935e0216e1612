"""Watches clients of the package `ollama`.

::

    from watchkeeper.integrations import ollama as watch_ollama

    client = watch_ollama.watch(Client())

Each `chat`, `generate`, `embed` and `embeddings` is an `llm.call`, with what Ollama says of its time: to load the
model, to read the prompt, to write the answer.
"""

from __future__ import annotations

import functools
import importlib
import inspect
from collections.abc import Iterator, Mapping
from typing import Any, Callable, Optional, TypeVar

from .._client import current_client
from .._limits import let_through
from .._llm import LLMCall
from .._llm_providers import known_address_of
from .._llm_streams import LateAsyncIterator, Watched
from .._log import logger
from .._openai_read import prompt_of

_Client = TypeVar("_Client")

_OPERATIONS = {
    "chat": "chat",
    "generate": "text_completion",
    "embed": "embeddings",
    "embeddings": "embeddings",
}
# The second argument of each, and what it is called.
_TEXTS = {"chat": "messages", "generate": "prompt", "embed": "input", "embeddings": "prompt"}
_ORIGINAL = "_watchkeeper_original"
# Nanoseconds, as Ollama says them.
_DURATIONS = {
    "total_duration": "ollama_total_seconds",
    "load_duration": "ollama_load_seconds",
    "prompt_eval_duration": "ollama_prompt_eval_seconds",
    "eval_duration": "ollama_eval_seconds",
}


def watch(client: _Client, *, capture_text: bool = False) -> _Client:
    """Watches one client, `Client` or `AsyncClient`, and gives it back. `capture_text` sends the text of prompts and
    answers, 4,000 characters each."""
    try:
        members, kind = vars(client), _kind(client)
        for name in _OPERATIONS:
            unbound = getattr(kind, name, None)
            if unbound is not None:
                original = getattr(unbound, _ORIGINAL, unbound)
                members[name] = functools.partial(_watched(original, name, capture_text), client)
    except Exception as error:
        _failed(error)
    return client


def install(*, capture_text: bool = False) -> bool:
    """Watches all clients of this process, and the functions of the module (`ollama.chat`). Called again, the setting
    is replaced. What was imported by `from ollama import chat` before is not seen. False where the package is not
    there."""
    try:
        ollama = importlib.import_module("ollama")
        for kind in (ollama.Client, ollama.AsyncClient):
            for name in _OPERATIONS:
                unbound = getattr(kind, name, None)
                if unbound is not None:
                    setattr(kind, name, _watched(getattr(unbound, _ORIGINAL, unbound), name, capture_text))
        for name in _OPERATIONS:
            # They are methods of a client that the module made, and hold the functions of before.
            owner = getattr(getattr(ollama, name, None), "__self__", None)
            if isinstance(owner, ollama.Client):
                setattr(ollama, name, getattr(owner, name))
        return True
    except Exception as error:
        _failed(error)
        return False


def _kind(client: Any) -> Any:
    return type(client)


def _failed(error: Exception) -> None:
    logger.warning("calls of the package ollama are not watched: %s: %s", type(error).__name__, error)


def _watched(original: Callable[..., Any], name: str, capture_text: bool) -> Callable[..., Any]:
    """What takes the place of a method of a class."""
    watched: Callable[..., Any]
    if inspect.iscoroutinefunction(original):

        @functools.wraps(original)
        async def watched(self: Any, *args: Any, **kwargs: Any) -> Any:
            call = _begin(self, name, args, kwargs, capture_text)
            if call is None:
                return await original(self, *args, **kwargs)
            try:
                answer = await original(self, *args, **kwargs)
            except BaseException as error:
                call.finish(error=error)
                raise
            if inspect.isasyncgen(answer):
                return LateAsyncIterator(answer, call, _read_piece)
            return _whole(call, answer)

    else:

        @functools.wraps(original)
        def watched(self: Any, *args: Any, **kwargs: Any) -> Any:
            call = _begin(self, name, args, kwargs, capture_text)
            if call is None:
                return original(self, *args, **kwargs)
            try:
                answer = original(self, *args, **kwargs)
            except BaseException as error:
                call.finish(error=error)
                raise
            if inspect.isgenerator(answer):
                return _pieces(call, answer)
            return _whole(call, answer)

    setattr(watched, _ORIGINAL, original)
    return watched


def _begin(
    owner: Any, name: str, args: tuple[Any, ...], kwargs: dict[str, Any], capture_text: bool
) -> Optional[LLMCall]:
    client = current_client()
    if client is None:
        return None
    try:
        model = kwargs["model"] if "model" in kwargs else args[0] if args else None
        http = getattr(owner, "_client", None)
        backend = None if http is None else known_address_of(owner, http.base_url)[1]
        call = LLMCall(client, model, "ollama", _OPERATIONS[name], capture_text, backend=backend)
        if capture_text:
            key = _TEXTS[name]
            call.text(prompt=prompt_of({key: kwargs[key] if key in kwargs else args[1] if len(args) > 1 else None}))
        # A stream makes its request when its first piece is asked for, and is begun then.
        return call if kwargs.get("stream") else call.start()
    except Exception as fault:
        let_through(fault)
        client.counts.drop("internal_error")
        return None


def _whole(call: LLMCall, answer: Any) -> Any:
    try:
        reason = _read_end(call, answer)
        if call.capture_text:
            call.text(answer=_get(_get(answer, "message"), "content") or _get(answer, "response"))
    except Exception as fault:
        let_through(fault)
        reason = None
    call.finish(reason)
    return answer


def _pieces(call: LLMCall, inner: Any) -> Iterator[Any]:
    """A generator like the one that the client gives. One that is never begun makes no request, and is not told."""
    call.start()
    # Reports, too, where the frame goes without having been closed.
    watched = Watched(inner, call, _read_piece)
    try:
        for piece in inner:
            watched.hides(piece)
            yield piece
    except GeneratorExit:
        watched.closed()
        raise
    except BaseException as error:
        watched.ended(error)
        raise
    finally:
        inner.close()
        watched.ended()


def _read_piece(watched: Watched, piece: Any) -> bool:
    message = _get(piece, "message")
    written = piece if message is None else message
    text = _get(written, "response" if message is None else "content")
    if text:
        watched.call.chunk(text)
    elif _get(written, "thinking") or _get(written, "tool_calls"):
        watched.call.chunk()
    if _get(piece, "done"):
        watched.reason = _read_end(watched.call, piece)
    return False


def _read_end(call: LLMCall, answer: Any) -> Optional[str]:
    """Reads what Ollama says at the end of an answer; gives why the model stopped."""
    model = _get(answer, "model")
    if type(model) is str and model:
        call.model = model
    # A prompt that it had in its cache as a whole has no count.
    output = _get(answer, "eval_count")
    call.usage(input=_get(answer, "prompt_eval_count"), output=output)
    attributes: dict[str, Any] = {}
    for name, attribute in _DURATIONS.items():
        took = _get(answer, name)
        if type(took) is int and took >= 0:
            attributes[attribute] = took / 1e9
    took = _get(answer, "eval_duration")
    if type(output) is int and type(took) is int and output > 0 and took > 0:
        attributes["tokens_per_second"] = round(output * 1e9 / took, 3)
    if attributes:
        call.set(**attributes)
    reason = _get(answer, "done_reason")
    return reason if type(reason) is str and reason else None


def _get(value: Any, name: str) -> Any:
    """A field of an answer: objects in versions since 0.4, mappings before."""
    return value.get(name) if isinstance(value, Mapping) else getattr(value, name, None)
