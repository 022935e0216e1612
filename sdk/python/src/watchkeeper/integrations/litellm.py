"""A callback for LiteLLM.

::

    from watchkeeper.integrations import litellm as watch_litellm

    litellm.callbacks = [watch_litellm.callback()]

Each call of a model is an `llm.call`, attempts that failed among them, with the cost that LiteLLM knows.
"""

from __future__ import annotations

import importlib
import threading
from collections import OrderedDict
from collections.abc import Hashable
from typing import Any, Optional
from urllib.parse import urlsplit

from .._clean import name as clean_name
from .._client import current_client
from .._fork import on_fork
from .._limits import let_through
from .._llm import LLMCall, context_facts
from .._llm_providers import provider_of
from .._log import logger
from .._openai_read import prompt_of, read_answer

# Calls under way, and ends that were told, that are remembered.
_MAX_REMEMBERED = 10_000

__all__ = ["callback", "install"]

_OPERATIONS = {
    "completion": "chat",
    "acompletion": "chat",
    "text_completion": "text_completion",
    "atext_completion": "text_completion",
    "embedding": "embeddings",
    "aembedding": "embeddings",
    "responses": "responses",
    "aresponses": "responses",
}


def callback(*, capture_text: bool = False) -> Any:
    """Makes a `CustomLogger` for `litellm.callbacks`. `capture_text` sends the text of prompts and answers, 4,000
    characters each; `litellm.turn_off_message_logging` goes before it. Raises `ImportError` where LiteLLM is not
    there."""
    base: Any = importlib.import_module("litellm.integrations.custom_logger").CustomLogger
    told = Teller(capture_text)

    class WatchkeeperLogger(base):  # type: ignore[misc]
        """Tells Watchkeeper of LiteLLM's calls."""

        is_watchkeeper = True

        def log_pre_api_call(self, model: Any, messages: Any, kwargs: Any) -> None:
            told.begun(kwargs)

        def log_success_event(self, kwargs: Any, response_obj: Any, start_time: Any, end_time: Any) -> None:
            told.succeeded(kwargs, response_obj, start_time, end_time)

        def log_failure_event(self, kwargs: Any, response_obj: Any, start_time: Any, end_time: Any) -> None:
            told.failed(kwargs, start_time, end_time)

        async def async_log_success_event(self, kwargs: Any, response_obj: Any, start_time: Any, end_time: Any) -> None:
            told.succeeded(kwargs, response_obj, start_time, end_time)

        async def async_log_failure_event(self, kwargs: Any, response_obj: Any, start_time: Any, end_time: Any) -> None:
            told.failed(kwargs, start_time, end_time)

    return WatchkeeperLogger()


def install(*, capture_text: bool = False) -> bool:
    """Adds the callback to `litellm.callbacks`. Called again, the setting is replaced. False where the package is not
    there."""
    try:
        litellm: Any = importlib.import_module("litellm")
        made = callback(capture_text=capture_text)
        kept = [known for known in litellm.callbacks if not getattr(known, "is_watchkeeper", False)]
        # LiteLLM copies callbacks to lists of its own when the first call is made.
        for name in _LISTS:
            known = getattr(litellm, name, None)
            if isinstance(known, list):
                known[:] = [one for one in known if not getattr(one, "is_watchkeeper", False)]
        litellm.callbacks = [*kept, made]
        return True
    except Exception as error:
        logger.warning("calls of the package litellm are not watched: %s: %s", type(error).__name__, error)
        return False


_LISTS = (
    *("input_callback", "success_callback", "failure_callback", "service_callback"),
    *("_async_input_callback", "_async_success_callback", "_async_failure_callback"),
)


class Teller:
    """Makes events of what LiteLLM tells its callbacks.

    They are told of an end in a thread of LiteLLM's, where no job runs; so what a call is for is taken at its begin,
    and kept by the call's id. Some ends are told twice, once for each kind of callback.
    """

    def __init__(self, capture_text: bool = False) -> None:
        self._capture_text = capture_text
        self.after_fork()
        on_fork(self)

    def after_fork(self) -> None:
        """In the child: another thread may have held the lock, and what is under way is the parent's."""
        self._lock = threading.Lock()
        self._begun: OrderedDict[Hashable, dict[str, Any]] = OrderedDict()
        self._told: OrderedDict[Hashable, None] = OrderedDict()

    def begun(self, kwargs: Any) -> None:
        """A request goes out, from here."""
        if current_client() is None:
            return
        try:
            call_id = kwargs.get("litellm_call_id")
            if call_id is not None:
                _remember(self._lock, self._begun, call_id, context_facts())
        except Exception as fault:
            let_through(fault)
            self._lost()

    def succeeded(self, kwargs: Any, answer: Any, start_time: Any, end_time: Any) -> None:
        """A call ended well; of a stream, `answer` is all of it."""
        try:
            call = self._call(kwargs, start_time, True)
            if call is None:
                return
            asked = call.model
            reason = read_answer(call, answer)
            if not isinstance(call.model, str) or not call.model:
                call.model = asked
            if kwargs.get("cache_hit") is True:
                call.set(cache_hit=True)
            call.usage(cost_usd=kwargs.get("response_cost"))
            self._finish(call, kwargs, start_time, end_time, reason, None)
        except Exception as fault:
            let_through(fault)
            self._lost()

    def failed(self, kwargs: Any, start_time: Any, end_time: Any) -> None:
        """A call failed."""
        try:
            call = self._call(kwargs, start_time, False)
            if call is None:
                return
            error = kwargs.get("exception")
            if not isinstance(error, BaseException):
                error = str((kwargs.get("standard_logging_object") or {}).get("error_str") or error or "unknown")
            self._finish(call, kwargs, start_time, end_time, None, error)
        except Exception as fault:
            let_through(fault)
            self._lost()

    def _call(self, kwargs: Any, start_time: Any, went_well: bool) -> Optional[LLMCall]:
        client = current_client()
        if client is None:
            return None
        call_id = kwargs.get("litellm_call_id")
        key = (call_id, went_well, start_time)
        if call_id is not None and not _remember(self._lock, self._told, key, None):
            return None
        with self._lock:
            # It stays until it is pushed out: an attempt that failed may be followed by one with the same id.
            made_for = self._begun.get(call_id)
        known = kwargs.get("litellm_params") or {}
        provider = kwargs.get("custom_llm_provider") or known.get("custom_llm_provider")
        base = known.get("api_base")
        address = _address(base)
        if provider in ("openai", "text-completion-openai", "custom_openai", "openai_like", None) and address:
            provider = provider_of(*address[:2])
        operation = str(kwargs.get("call_type") or "completion")
        call = LLMCall(
            client,
            kwargs.get("model"),
            clean_name(provider),
            _OPERATIONS.get(operation, operation),
            self._capture_text,
            None if made_for is None else dict(made_for),
        )
        if address:
            call.set(backend=address[2])
        if call_id is not None:
            call.set(litellm_call_id=call_id)
        if self._capture_text:
            call.text(prompt=prompt_of(kwargs))
        return call

    def _finish(
        self, call: LLMCall, kwargs: Any, start_time: Any, end_time: Any, reason: Optional[str], error: Any
    ) -> None:
        first: Optional[float] = None
        if kwargs.get("stream") is True and kwargs.get("completion_start_time") is not None:
            first = (kwargs["completion_start_time"] - start_time).total_seconds()
        duration = (end_time - start_time).total_seconds()
        ended_ns = call.backdate(duration, first, end_time.timestamp())
        call.finish(reason, error=error, ended_ns=ended_ns)

    def _lost(self) -> None:
        client = current_client()
        if client is not None:
            client.counts.drop("internal_error")


def _remember(lock: threading.Lock, known: OrderedDict[Hashable, Any], key: Hashable, value: Any) -> bool:
    """Remembers `key`, and forgets the oldest for it. False where it was known before."""
    with lock:
        is_new = key not in known
        known[key] = value
        if len(known) > _MAX_REMEMBERED:
            known.popitem(last=False)
        return is_new


def _address(base: Any) -> Optional[tuple[str, Optional[int], str]]:
    """Host, port and address of an `api_base`."""
    if not isinstance(base, str):
        return None
    try:
        parts = urlsplit(base)
        if not parts.hostname:
            return None
        shown = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
        port = parts.port
        return parts.hostname, port, f"{parts.scheme}://{shown}" + (f":{port}" if port else "")
    except ValueError:
        return None
