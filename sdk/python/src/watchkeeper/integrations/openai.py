"""Watches clients of the package `openai`, and of every server that speaks its API.

::

    from watchkeeper.integrations import openai as watch_openai

    client = watch_openai.watch(OpenAI(base_url="http://gpu-1:8000/v1"))

Each call of chat, responses, completions and embeddings is an `llm.call`, whichever way it is made: with and without
`stream=True`, `.parse()`, `.stream()`, `.with_raw_response`, `.with_streaming_response`. All of them go through one
method of the client, `request`, and that is the one that is watched.
"""

from __future__ import annotations

import functools
import importlib
import inspect
from dataclasses import dataclass
from typing import Any, Callable, Optional, TypeVar

from .._client import Client as _Reporter
from .._client import current_client
from .._limits import let_through
from .._llm import LLMCall
from .._llm_providers import known_address_of
from .._log import logger
from .._openai_read import OPERATIONS, prompt_of
from .._openai_watch import ask_for_usage, watch_answer, watch_error

_Client = TypeVar("_Client")


@dataclass(frozen=True)
class _Settings:
    capture_text: bool = False
    include_usage: bool = False
    provider: Optional[str] = None


def watch(
    client: _Client, *, capture_text: bool = False, include_usage: bool = False, provider: Optional[str] = None
) -> _Client:
    """Watches one client, `OpenAI`, `AsyncOpenAI` or one of Azure's, and gives it back. Copies that `with_options`
    makes of it are watched, too.

    `capture_text` sends the text of prompts and answers, 4,000 characters each. `include_usage` asks the server of a
    stream for the number of tokens, where the application does not; without it the pieces of the answer are counted.
    `provider` names who answers, where the address does not say it.
    """
    settings = _Settings(capture_text, include_usage, provider)
    try:
        members, kind = vars(client), _kind(client)
        before = members.get("request")
        original = getattr(before, _ORIGINAL, before)
        if original is None:
            # Where `install` was called, too, the class has a watched one.
            unbound = kind.request
            original = functools.partial(getattr(unbound, _ORIGINAL, unbound), client)
        is_async = inspect.iscoroutinefunction(kind.request)
        members["request"] = _bound(client, original, settings, is_async)
        for name in ("copy", "with_options"):
            make = getattr(kind, name, None)
            if make is not None:
                members[name] = _copying(functools.partial(make, client), settings)
    except Exception as error:
        _failed(error)
    return client


def install(*, capture_text: bool = False, include_usage: bool = False, provider: Optional[str] = None) -> bool:
    """Watches all clients of this process, those among them that were made before. Called again, the settings are
    replaced. A client that `watch` was given keeps its own. False where the package is not there."""
    try:
        openai = importlib.import_module("openai")
        settings = _Settings(capture_text, include_usage, provider)
        for kind in (openai.OpenAI, openai.AsyncOpenAI):
            present = kind.request
            original = getattr(present, _ORIGINAL, present)
            kind.request = _unbound(original, settings, inspect.iscoroutinefunction(original))
        return True
    except Exception as error:
        _failed(error)
        return False


_ORIGINAL = "_watchkeeper_original"


def _kind(client: Any) -> Any:
    return type(client)


def _failed(error: Exception) -> None:
    logger.warning("calls of the package openai are not watched: %s: %s", type(error).__name__, error)


def _copying(make: Callable[..., Any], settings: _Settings) -> Callable[..., Any]:
    @functools.wraps(make.func if isinstance(make, functools.partial) else make)
    def copy(*args: Any, **kwargs: Any) -> Any:
        return watch(
            make(*args, **kwargs),
            capture_text=settings.capture_text,
            include_usage=settings.include_usage,
            provider=settings.provider,
        )

    return copy


def _bound(owner: Any, original: Callable[..., Any], settings: _Settings, is_async: bool) -> Callable[..., Any]:
    """What takes the place of the method of one client."""
    unbound = _unbound(lambda _, *args, **kwargs: original(*args, **kwargs), settings, is_async)
    bound = functools.partial(unbound, owner)
    setattr(bound, _ORIGINAL, original)
    return bound


def _unbound(original: Callable[..., Any], settings: _Settings, is_async: bool) -> Callable[..., Any]:
    """What takes the place of the method of a class."""
    request: Callable[..., Any]
    if is_async:

        @functools.wraps(original)
        async def request(self: Any, *args: Any, **kwargs: Any) -> Any:
            call, options = _begin(self, args, kwargs, settings)
            if call is None:
                return await original(self, *args, **kwargs)
            hides = settings.include_usage and ask_for_usage(options)
            try:
                answer = await original(self, *args, **kwargs)
            except BaseException as error:
                watch_error(call, error)
                raise
            return watch_answer(call, options, answer, hides)

    else:

        @functools.wraps(original)
        def request(self: Any, *args: Any, **kwargs: Any) -> Any:
            call, options = _begin(self, args, kwargs, settings)
            if call is None:
                return original(self, *args, **kwargs)
            hides = settings.include_usage and ask_for_usage(options)
            try:
                answer = original(self, *args, **kwargs)
            except BaseException as error:
                watch_error(call, error)
                raise
            return watch_answer(call, options, answer, hides)

    setattr(request, _ORIGINAL, original)
    return request


def _begin(
    owner: Any, args: tuple[Any, ...], kwargs: dict[str, Any], settings: _Settings
) -> tuple[Optional[LLMCall], Any]:
    """The call that begins, and the options of its request. None for requests that are no calls of models."""
    client = current_client()
    if client is None:
        return None, None
    try:
        options = kwargs["options"] if "options" in kwargs else args[1]
        operation = OPERATIONS.get(options.url)
        if operation is None or options.method.lower() != "post":
            return None, None
        return _call(client, owner, options, operation, settings), options
    except Exception as fault:
        let_through(fault)
        client.counts.drop("internal_error")
        return None, None


def _call(client: _Reporter, owner: Any, options: Any, operation: str, settings: _Settings) -> LLMCall:
    asked = options.json_data if isinstance(options.json_data, dict) else {}
    provider, backend = known_address_of(owner, owner.base_url)
    if settings.provider:
        provider = settings.provider
    elif "Azure" in type(owner).__name__:
        provider = "azure"
    call = LLMCall(client, asked.get("model"), provider, operation, settings.capture_text, backend=backend)
    if settings.capture_text:
        call.text(prompt=prompt_of(asked))
    return call.start()
