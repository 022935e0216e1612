"""Calls of models, as `llm.call`. What watches the clients of models is built on it, and whoever writes his own.

::

    with watchkeeper.llm_call(model="qwen3:30b", provider="vllm") as call:
        for piece in ask(prompt):
            call.chunk()
        call.usage(input=1800, output=220)
        call.finish("stop")
"""

from __future__ import annotations

import time
from typing import Any, Optional, Union

from . import _context, _trace
from ._clean import name as clean_name
from ._clean import shortened
from ._client import Client, current_client
from ._errors import error_facts, is_cancellation, status_of
from ._facts import LLM_FIELDS, as_count
from ._facts import seconds as as_seconds
from ._limits import let_through
from ._work import ToldWork

#: The longest prompt or answer that is sent where that is allowed, in characters.
MAX_CAPTURED = 4_000
_MAX_ERROR = 500
# Between the first and the last token of an answer that came at once there is no time to speak of.
_SHORTEST_STREAM_NS = 1_000_000


class LLMCall(ToldWork):
    """One call of a model, begun by `with`, `async with` or `start`, ended by their end or by `finish`.

    Made by `wk.llm_call`. No method raises or waits. It takes the job, the stage and the trace of where it is
    made, and may end in another thread.
    """

    __slots__ = (
        "_answer",
        "_attributes",
        "_chunks",
        "_client",
        "_facts",
        "_first_ns",
        "_last_ns",
        "_open",
        "_pid",
        "_prompt",
        "_started_ns",
        "_usage",
        "capture_text",
        "model",
    )

    def __init__(
        self,
        client: Optional[Client],
        model: Any,
        provider: Optional[str] = None,
        operation: Optional[str] = None,
        capture_text: bool = False,
        made_for: Optional[dict[str, Any]] = None,
        backend: Optional[str] = None,
    ) -> None:
        self._client = client
        #: The model that answers; until it says so, the one that is asked for. It may be set.
        self.model: Any = model
        #: Whether texts are kept at all.
        self.capture_text = capture_text
        self._facts: dict[str, Any] = {}
        self._usage: dict[str, int] = {}
        self._attributes: dict[str, Any] = {}
        self._prompt = self._answer = ""
        self._started_ns = self._first_ns = self._last_ns = self._chunks = 0
        # What is taken from it once is the right to report: an end and a finalizer may come together.
        self._open: list[None] = []
        if client is not None:
            self._pid = client.process.pid
            self._facts = context_facts() if made_for is None else made_for
            if provider:
                self._facts["provider"] = provider
            if operation:
                self._facts["operation"] = operation
            if backend:
                self._facts["backend"] = backend

    def start(self) -> LLMCall:
        """Begins it, where `with` does not fit, and gives it back."""
        if self._client is not None and not self._started_ns:
            self._started_ns = time.perf_counter_ns()
            self._open.append(None)
        return self

    def backdate(self, duration_seconds: float, first_token_seconds: Optional[float], ended_at: float) -> int:
        """For calls that are heard of at their end: how long they took, and when they ended, in seconds since the
        epoch. Gives the end for `finish`."""
        ended = time.perf_counter_ns() - max(0, time.time_ns() - int(ended_at * 1e9))
        self.start()
        self._started_ns = ended - int(max(0.0, duration_seconds) * 1e9)
        if first_token_seconds is not None:
            self._first_ns = self._started_ns + int(first_token_seconds * 1e9)
            self._last_ns = ended
        return ended

    def first_token(self) -> None:
        """The first piece of the answer is there. Later ones change nothing."""
        if not self._first_ns:
            self._first_ns = time.perf_counter_ns()

    def chunk(self, text: Any = None) -> None:
        """A piece of the answer is there; the first is the first token. Where `usage` does not say how many tokens the
        answer has, pieces are counted, and called estimated. `text` is kept where `capture_text` is set."""
        now = time.perf_counter_ns()
        if not self._first_ns:
            self._first_ns = now
        self._last_ns = now
        self._chunks += 1
        if text is not None and self.capture_text and len(self._answer) <= MAX_CAPTURED and type(text) is str:
            self._answer += text[: MAX_CAPTURED + 1]

    def usage(
        self,
        *,
        input: Optional[int] = None,
        output: Optional[int] = None,
        cached: Optional[int] = None,
        cost_usd: Optional[float] = None,
    ) -> None:
        """How many tokens it took (`input`) and gave (`output`), how many of those it took came from a cache
        (`cached`), and what it cost in dollars. Each call replaces what it says, and leaves the rest."""
        if input is not None:
            self._count("input_tokens", input)
        if output is not None:
            self._count("output_tokens", output)
        if cached is not None:
            self._count("cached_tokens", cached)
        if cost_usd is not None:
            cost = as_seconds(cost_usd)  # A number that is finite and not below 0.
            if cost is not None:
                self._facts["cost_usd"] = cost

    def set(self, **attributes: Any) -> None:
        """Adds facts: `backend`, `user_id` and `cost_usd` are fields of docs/events.md, any other name is an
        attribute."""
        self._assign(attributes, LLM_FIELDS)

    def text(self, *, prompt: Optional[str] = None, answer: Optional[str] = None) -> None:
        """Texts of the call. They are kept where `capture_text` is set, cut to 4,000 characters, and else forgotten."""
        if not self.capture_text:
            return
        if type(prompt) is str:
            self._prompt = prompt[: MAX_CAPTURED + 1]
        if type(answer) is str:
            self._answer = answer[: MAX_CAPTURED + 1]

    def finish(
        self, reason: Optional[str] = None, *, error: Union[BaseException, str, None] = None, ended_ns: int = 0
    ) -> None:
        """Ends it and reports it, once; the end of its `with` then does nothing more. `reason` is why the model stopped
        (`stop`, `length`, `tool_calls`), `error` the exception or words. `ended_ns` of `time.perf_counter_ns` says
        when, if that was before."""
        client = self._client
        if client is None:
            return
        try:
            self._open.pop()
        except IndexError:
            return
        try:
            if client.process.pid != self._pid:
                # A child of a fork has a copy; the call is the parent's.
                return
            now = time.perf_counter_ns()
            ended = max(ended_ns or now, self._started_ns)
            client.report("llm.call", self._told(reason, error, ended), time.time_ns() - (now - ended))
        except Exception as fault:
            self._lost(fault)

    def cancel(self) -> None:
        """Ends it because the application did not want the rest: its `finish_reason` is `cancelled`."""
        self.finish("cancelled")

    def abandon(self, reason: Optional[str] = None, error: Optional[str] = None) -> None:
        """Nobody holds it any more: it ended with the last piece that was seen."""
        self.finish(reason or "cancelled", error=error, ended_ns=self._last_ns)

    @property
    def is_open(self) -> bool:
        """Whether it has begun and not ended."""
        return bool(self._open)

    def _count(self, name: str, value: Any) -> None:
        # The usual number needs no closer look.
        count = value if type(value) is int and 0 <= value < 1 << 53 else as_count(value)
        if count is not None:
            self._usage[name] = count

    def _told(self, reason: Any, error: Union[BaseException, str, None], ended_ns: int) -> dict[str, Any]:
        facts, attributes, usage = self._facts, self._attributes, self._usage
        facts["model"] = clean_name(self.model if isinstance(self.model, str) else None) or "unknown"
        facts["duration_seconds"] = (ended_ns - self._started_ns) / 1e9
        if self._first_ns:
            facts["time_to_first_token_seconds"] = max(0, self._first_ns - self._started_ns) / 1e9
        if self._chunks and "output_tokens" not in usage:
            usage["output_tokens"] = self._chunks
            attributes["output_tokens_estimated"] = True
        facts.update(usage)
        if error is not None:
            if isinstance(error, BaseException) and is_cancellation(error):
                reason = "cancelled"
            else:
                self._add_error(error)
        if reason is not None:
            facts["finish_reason"] = clean_name(reason)
        rate = self._tokens_per_second(ended_ns)
        if rate is not None:
            attributes.setdefault("tokens_per_second", rate)
        if self.capture_text:
            for name, text in (("prompt", self._prompt), ("answer", self._answer)):
                if text:
                    attributes[name] = shortened(text, MAX_CAPTURED)
        if attributes:
            facts["attributes"] = attributes
        return facts

    def _tokens_per_second(self, ended_ns: int) -> Optional[float]:
        output = self._usage.get("output_tokens", 0)
        if not output:
            return None
        last = self._last_ns or ended_ns
        if self._first_ns and output > 1 and last - self._first_ns >= _SHORTEST_STREAM_NS:
            # The first token ends the wait for it, and so is none of those that took this time.
            return round((output - 1) * 1e9 / (last - self._first_ns), 3)
        took = ended_ns - self._started_ns
        return round(output * 1e9 / took, 3) if took > 0 else None

    def _add_error(self, error: Union[BaseException, str]) -> None:
        told = error_facts(error, with_traceback=False, with_words=self.capture_text)
        status = status_of(error)
        if status is not None:
            self._attributes["status_code"] = status
        request_id = getattr(error, "request_id", None)
        if type(request_id) is str and request_id:
            self._attributes.setdefault("request_id", clean_name(request_id))
        self._facts["error_message"] = shortened(told["error_message"], _MAX_ERROR)
        for name in ("error_type", "timed_out"):
            if name in told:
                self._attributes.setdefault(name, told[name])


def llm_call(
    *,
    model: str,
    provider: Optional[str] = None,
    operation: str = "chat",
    capture_text: bool = False,
    **attributes: Any,
) -> LLMCall:
    """A call of a model that is about to be made, to be begun by `with` or `async with`::

        with wk.llm_call(model="qwen3:30b", provider="vllm") as call:
            for piece in ask(prompt):
                call.chunk()
            call.usage(input=1800, output=220)
            call.finish("stop")

    `provider` is who answers (`openai`, `ollama`, `vllm`), `operation` what is asked for (`chat`, `responses`,
    `text_completion`, `embeddings`). `backend` (the address) and `user_id` are fields, other attributes may have any
    name. What `LLMCall.text` and `LLMCall.chunk` are given is sent only with `capture_text`.
    """
    client = current_client()
    if client is None:
        return LLMCall(None, model)
    try:
        call = LLMCall(client, model, clean_name(provider), clean_name(operation), capture_text)
        if attributes:
            call.set(**attributes)
        return call
    except Exception as error:
        client.counts.drop("internal_error")
        let_through(error)
        return LLMCall(None, model)


def context_facts() -> dict[str, Any]:
    """What the call is made for. The type of events has no field for the job's kind, so that is left out."""
    facts: dict[str, Any] = {}
    job, stage, span = _context.current_job(), _context.current_stage(), _trace.running_span()
    if job is not None:
        facts["job_id"] = job.id
        for name, value in (("document_id", job.document), ("tenant", job.tenant), ("trace_id", job.trace_id)):
            if value:
                facts[name] = value
        if stage is not None:
            facts["stage"] = stage.name
    if span is not None:
        facts["trace_id"] = span[0]
    return facts
