"""What answers of OpenAI's API say: tokens, why the model stopped, who answered. Of the objects only attributes are
read, so it fits every version of the package."""

from __future__ import annotations

import functools
import json
from collections.abc import Mapping
from typing import Any, Optional

from ._llm import MAX_CAPTURED, LLMCall
from ._llm_streams import Reader, Watched

#: The calls that are watched, by their path.
OPERATIONS = {
    "/chat/completions": "chat",
    "/completions": "text_completion",
    "/embeddings": "embeddings",
    "/responses": "responses",
}
# Fields beside `content` that servers put what a model writes into. The last are vLLM's and DeepSeek's, of no schema.
_WRITTEN = ("tool_calls", "refusal", "function_call", "audio")
_WRITTEN_EXTRA = ("reasoning_content", "reasoning")


def read_answer(call: LLMCall, answer: Any) -> Optional[str]:
    """Reads a whole answer into `call`; gives why the model stopped."""
    model = getattr(answer, "model", None)
    if type(model) is str and model:
        call.model = model
    _read_usage(call, getattr(answer, "usage", None))
    request_id = getattr(answer, "_request_id", None)
    if type(request_id) is str:
        call.set(request_id=request_id)
    choices = getattr(answer, "choices", None)
    if choices:
        if call.capture_text:
            call.text(answer="\n".join(filter(None, map(_text_of_choice, choices))))
        return _text(getattr(choices[0], "finish_reason", None))
    if getattr(answer, "object", None) == "response":
        if call.capture_text:
            call.text(answer=_text(getattr(answer, "output_text", None)))
        return _read_response_end(answer)
    return None


def read_error(answer: Any) -> Optional[str]:
    """What went wrong, where an answer itself says it: those of `/responses` may."""
    error = getattr(answer, "error", None) if getattr(answer, "object", None) == "response" else None
    return _text(getattr(error, "message", None))


def reader_of(operation: str) -> Reader:
    """What reads the pieces of a stream."""
    return {"responses": _read_event, "text_completion": _read_text_chunk}.get(operation, _read_chat_chunk)


def hiding_usage(read: Reader) -> Reader:
    """The same, which keeps from the application the piece that holds nothing but the usage."""

    def reader(watched: Watched, piece: Any) -> bool:
        read(watched, piece)
        return getattr(piece, "usage", None) is not None and not piece.choices

    return reader


def _read_chat_chunk(watched: Watched, chunk: Any) -> bool:
    call = watched.call
    for choice in chunk.choices:
        delta = choice.delta
        if delta is not None:
            content = delta.content
            if content:
                call.chunk(content)
            elif _has_written(delta):
                call.chunk()
        if choice.finish_reason is not None:
            watched.reason = _text(choice.finish_reason)
    _read_common(call, chunk)
    return False


def _read_text_chunk(watched: Watched, chunk: Any) -> bool:
    for choice in chunk.choices:
        if choice.text:
            watched.call.chunk(choice.text)
        if choice.finish_reason is not None:
            watched.reason = _text(choice.finish_reason)
    _read_common(watched.call, chunk)
    return False


def _read_common(call: LLMCall, chunk: Any) -> None:
    model = chunk.model
    if model:
        call.model = model
    usage = getattr(chunk, "usage", None)
    if usage is not None:
        _read_usage(call, usage)


def _read_event(watched: Watched, event: Any) -> bool:
    """An event of the stream of `/responses`."""
    kind = event.type
    if kind.endswith(".delta"):
        watched.call.chunk(event.delta if kind == "response.output_text.delta" else None)
    elif kind == "error":
        watched.error = _text(getattr(event, "message", None)) or "error"
    elif kind in ("response.created", "response.completed", "response.incomplete", "response.failed"):
        answer = event.response
        # Of a long answer the end holds all text once more, which is not looked at.
        model = getattr(answer, "model", None)
        if type(model) is str and model:
            watched.call.model = model
        if kind != "response.created":
            _read_usage(watched.call, getattr(answer, "usage", None))
            watched.reason = _read_response_end(answer)
            watched.error = read_error(answer)
    return False


def _read_response_end(answer: Any) -> Optional[str]:
    details = getattr(answer, "incomplete_details", None)
    return _text(getattr(details, "reason", None)) or _text(getattr(answer, "status", None))


def _has_written(delta: Any) -> bool:
    for name in _WRITTEN:
        if getattr(delta, name, None):
            return True
    extra = getattr(delta, "model_extra", None)
    return extra is not None and any(extra.get(name) for name in _WRITTEN_EXTRA)


def _read_usage(call: LLMCall, usage: Any) -> None:
    if usage is None:
        return
    # Chat and completions have the first names, `/responses` the second.
    took = getattr(usage, "prompt_tokens", None)
    if took is None:
        took = getattr(usage, "input_tokens", None)
        gave = getattr(usage, "output_tokens", None)
        details = getattr(usage, "input_tokens_details", None)
        more = getattr(usage, "output_tokens_details", None)
    else:
        gave = getattr(usage, "completion_tokens", None)
        details = getattr(usage, "prompt_tokens_details", None)
        more = getattr(usage, "completion_tokens_details", None)
    call.usage(input=took, output=gave, cached=_read(details, "cached_tokens"))
    reasoning = _read(more, "reasoning_tokens")
    if reasoning:
        call.set(reasoning_tokens=reasoning)


def _read(details: Any, name: str) -> Any:
    """Older versions of the package have no type for these, and give a mapping."""
    if details is None:
        return None
    return details.get(name) if isinstance(details, Mapping) else getattr(details, name, None)


def _text_of_choice(choice: Any) -> Optional[str]:
    message = getattr(choice, "message", None)
    return _text(getattr(choice, "text", None) if message is None else getattr(message, "content", None))


def _text(value: Any) -> Optional[str]:
    return value if isinstance(value, str) and value else None


def prompt_of(asked: Mapping[str, Any]) -> str:
    """The text of a request, as far as it is sent; pictures and files in it are left out."""
    for name in ("messages", "prompt", "input"):
        given = asked.get(name)
        if given is not None:
            parts: list[str] = []
            _collect(given, parts, 0)
            return "\n".join(parts)[: MAX_CAPTURED + 1]
    return ""


def _collect(given: Any, parts: list[str], depth: int) -> None:
    if sum(map(len, parts)) > MAX_CAPTURED or depth > 4:
        return
    if isinstance(given, str):
        parts.append(given[: MAX_CAPTURED + 1])
    elif isinstance(given, Mapping) or hasattr(given, "content"):
        # Messages are mappings, and in Ollama's package also objects.
        read = given.get if isinstance(given, Mapping) else functools.partial(getattr, given)
        role, content = read("role", None), read("content", None) or read("text", None)
        if isinstance(role, str) and isinstance(content, str):
            parts.append(f"{role}: {content[:MAX_CAPTURED]}")
        elif content is not None:
            _collect(content, parts, depth + 1)
    elif isinstance(given, (list, tuple)):
        for item in given[:100]:
            _collect(item, parts, depth + 1)


def read_body(call: LLMCall, body: bytes) -> Optional[str]:
    """Reads an answer that the application took as it came, in bytes."""
    if len(body) > 4 << 20:
        return None
    answer = _Fields(json.loads(body))
    return read_answer(call, answer)


class _Fields:
    """An object of JSON, with its members as attributes."""

    def __init__(self, members: Any) -> None:
        self.__dict__.update((name, _made(value)) for name, value in members.items() if isinstance(name, str))


def _made(value: Any) -> Any:
    if isinstance(value, dict):
        return _Fields(value)
    return [_made(item) for item in value[:8]] if isinstance(value, list) else value
