"""Calls of models that the application reports itself."""

from __future__ import annotations

import asyncio
import time

import pytest

import watchkeeper as wk
from watchkeeper._llm import MAX_CAPTURED
from watchkeeper._llm_providers import provider_of


def test_a_call_is_told_with_its_job_and_stage(calls):
    made = {"provider": "vllm", "backend": "http://gpu:8000", "user_id": 7, "temperature": 0.2}
    with (
        wk.job("extract", id="j", document="d", tenant="acme") as job,
        job.stage("summary"),
        wk.llm_call(model="m", **made) as call,
    ):
        call.first_token()
        call.usage(input=1800, output=220, cached=100, cost_usd=0.01)
        call.finish("stop")
    (told,) = calls()
    assert (told["model"], told["provider"], told["operation"]) == ("m", "vllm", "chat")
    assert (told["job_id"], told["stage"], told["document_id"], told["tenant"]) == ("j", "summary", "d", "acme")
    assert told["trace_id"] == job.trace_id
    assert (told["input_tokens"], told["output_tokens"], told["cached_tokens"]) == (1800, 220, 100)
    assert (told["cost_usd"], told["finish_reason"], told["user_id"]) == (0.01, "stop", "7")
    assert told["backend"] == "http://gpu:8000"
    assert 0 <= told["time_to_first_token_seconds"] <= told["duration_seconds"] < 5
    assert told["attributes"]["temperature"] == 0.2
    assert told["attributes"]["tokens_per_second"] > 0
    assert "kind" not in told


def test_tokens_that_nobody_counted_are_estimated(calls):
    clock = []
    with wk.llm_call(model="m") as call:
        for word in ("a", "b", "c"):
            clock.append(time.perf_counter())
            call.chunk(word)
            clock.append(time.perf_counter())
            time.sleep(0.01)
    (told,) = calls()
    assert told["output_tokens"] == 3
    assert told["attributes"]["output_tokens_estimated"] is True
    # Two tokens, from the first to the last.
    longest, shortest = clock[5] - clock[0], clock[4] - clock[1]
    assert 2 / longest - 0.01 <= told["attributes"]["tokens_per_second"] <= 2 / shortest + 0.01
    assert "answer" not in told["attributes"]


@pytest.mark.parametrize("error", [asyncio.CancelledError(), GeneratorExit()])
def test_who_is_cancelled_did_not_fail(calls, error):
    with pytest.raises(type(error)), wk.llm_call(model="m"):
        raise error
    (told,) = calls()
    assert told["finish_reason"] == "cancelled"
    assert "error_message" not in told


def test_an_error_is_told_and_goes_on(calls):
    class Refused(Exception):
        status_code = 429
        request_id = "r-7"

    with pytest.raises(Refused), wk.llm_call(model="m"):
        raise Refused("too many " + "x" * 1_000)
    (told,) = calls()
    assert told["error_message"].startswith("too many x")
    assert len(told["error_message"]) == 500
    assert told["attributes"] == {"error_type": "Refused", "status_code": 429, "request_id": "r-7"}


@pytest.mark.parametrize("status", [None, 422])
def test_words_that_quote_the_text_are_not_told(calls, status):
    class ValidationError(ValueError):
        status_code = status

    class Refused(Exception):
        status_code = status

    error = ValidationError("input_value='secret'") if status is None else Refused("secret")
    with pytest.raises(type(error)), wk.llm_call(model="m"):
        raise error
    assert "secret" not in str(calls()[0])


def test_texts_are_sent_only_where_that_is_allowed_and_are_cut(calls):
    for allowed in (False, True):
        with wk.llm_call(model="m", capture_text=allowed) as call:
            call.text(prompt="p" * 100_000, answer="a")
    without, with_text = calls()
    assert "attributes" not in without
    assert len(with_text["attributes"]["prompt"]) == MAX_CAPTURED
    assert with_text["attributes"]["answer"] == "a"


def test_it_is_told_once_and_never_raises(server, client):
    call = wk.llm_call(model="m").start()
    call.usage(input=-1, output="many", cached=True, cost_usd=float("nan"))
    call.set(odd=object(), backend=object())
    call.finish("stop")
    call.finish("stop")
    call.abandon()
    wk.llm_call(model="never begun").finish()
    wk.llm_call(model=None).start().finish(7)
    assert client.flush(60)
    assert client.stats().dropped == {}
    told = [(call["model"], call["finish_reason"]) for call in server.of("llm.call")]
    assert told == [("m", "stop"), ("unknown", "7")]
    assert "input_tokens" not in server.of("llm.call")[0]


def test_coroutines_have_it_too(calls):
    async def work():
        async with wk.llm_call(model="m") as call:
            call.finish("stop")

    asyncio.run(work())
    assert calls()[0]["finish_reason"] == "stop"


def test_where_nothing_is_configured_it_does_nothing(monkeypatch):
    monkeypatch.delenv("WATCHKEEPER_URL", raising=False)
    wk.init()
    with wk.llm_call(model="m", x=1) as call:
        call.first_token()
        call.chunk("a")
        call.usage(input=1)
        call.text(prompt="p")
        call.set(a=1)
        call.finish("stop")
    assert wk.stats().reported == 0


@pytest.mark.parametrize(
    ("host", "port", "name"),
    [
        ("api.openai.com", None, "openai"),
        ("eu.api.openai.com", None, "openai"),
        ("mine.openai.azure.com", None, "azure"),
        ("127.0.0.1", 11434, "ollama"),
        ("vllm-1.internal", 8000, "vllm"),
        ("notopenai.com", None, "notopenai.com"),
        ("10.0.0.5", 8000, "10.0.0.5"),
        ("", None, "unknown"),
    ],
)
def test_the_provider_follows_from_the_address(host, port, name):
    assert provider_of(host, port) == name
