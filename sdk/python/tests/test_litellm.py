"""LiteLLM's callback, called as LiteLLM 1.110 calls its own: by keywords, from threads of its own, some ends twice.

The package takes seconds to import and hundreds of megabytes, so what it hands over stands here as it was recorded.
Where it is installed, the last test asks it itself.
"""

from __future__ import annotations

import asyncio
import datetime
import importlib.util
import os
import subprocess
import sys
import threading
import types

import pytest

import watchkeeper as wk
from watchkeeper.integrations import litellm as watching

STARTED = datetime.datetime.now() - datetime.timedelta(seconds=2)
ENDED = STARTED + datetime.timedelta(seconds=1.5)
FIRST = STARTED + datetime.timedelta(seconds=0.5)


class CustomLogger:
    """LiteLLM's base class; its constructor takes only keywords."""

    def __init__(self, turn_off_message_logging=False, message_logging=True, **kwargs):
        self.message_logging = message_logging


@pytest.fixture
def package(monkeypatch):
    """A package with what `install` and `callback` use of LiteLLM."""
    package = types.ModuleType("litellm")
    for name in (*watching._LISTS, "callbacks"):
        setattr(package, name, [])
    integrations = types.ModuleType("litellm.integrations")
    module = types.ModuleType("litellm.integrations.custom_logger")
    module.CustomLogger = CustomLogger
    for each in (package, integrations, module):
        monkeypatch.setitem(sys.modules, each.__name__, each)
    return package


@pytest.fixture
def logger(package):
    return watching.callback()


def recorded(call_id="c-1", **more):
    """What LiteLLM calls `kwargs`."""
    return {
        "model": "good",
        "stream": False,
        "call_type": "completion",
        "custom_llm_provider": "openai",
        "response_cost": 0.00042,
        "completion_start_time": ENDED,
        "cache_hit": None,
        "litellm_call_id": call_id,
        "litellm_params": {"api_base": "http://vllm:8000/v1/", "custom_llm_provider": "openai"},
        "messages": [{"role": "user", "content": "a secret question"}],
        **more,
    }


def answer():
    details = types.SimpleNamespace(cached_tokens=5)
    usage = types.SimpleNamespace(prompt_tokens=20, completion_tokens=7, prompt_tokens_details=details)
    message = types.SimpleNamespace(content="The answer is 42.")
    choice = types.SimpleNamespace(finish_reason="stop", message=message)
    return types.SimpleNamespace(model="good-2025", object="chat.completion", choices=[choice], usage=usage)


def begin(logger, kwargs):
    logger.log_pre_api_call(model="good", messages=kwargs["messages"], kwargs=kwargs)


def succeed(logger, kwargs):
    logger.log_success_event(kwargs=kwargs, response_obj=answer(), start_time=STARTED, end_time=ENDED)


def test_a_call_is_told_with_the_job_that_made_it(calls, logger):
    kwargs = recorded()
    with wk.job("extract", id="j", tenant="acme") as job, job.stage("summary"):
        begin(logger, kwargs)
        thread = threading.Thread(target=succeed, args=(logger, kwargs))
        thread.start()
        thread.join()
    (told,) = calls()
    assert (told["job_id"], told["stage"], told["tenant"]) == ("j", "summary", "acme")
    assert (told["model"], told["provider"], told["backend"]) == ("good-2025", "vllm", "http://vllm:8000")
    assert (told["input_tokens"], told["output_tokens"], told["cached_tokens"]) == (20, 7, 5)
    assert (told["cost_usd"], told["finish_reason"], told["operation"]) == (0.00042, "stop", "chat")
    assert told["duration_seconds"] == pytest.approx(1.5)
    assert "time_to_first_token_seconds" not in told
    assert told["time"] == pytest.approx(ENDED.timestamp() * 1e9, abs=0.2e9)
    assert "secret" not in str(told)


def test_a_stream_has_its_first_token(calls, logger):
    succeed(logger, recorded(stream=True, completion_start_time=FIRST))
    (told,) = calls()
    assert told["time_to_first_token_seconds"] == pytest.approx(0.5)
    assert told["attributes"]["tokens_per_second"] == pytest.approx(6, abs=0.01)


def test_an_end_that_is_told_twice_is_one(calls, logger):
    kwargs = recorded(call_type="acompletion")
    succeed(logger, kwargs)
    end = logger.async_log_success_event(kwargs=kwargs, response_obj=answer(), start_time=STARTED, end_time=ENDED)
    asyncio.run(end)
    succeed(logger, recorded("c-2"))
    assert len(calls()) == 2


def test_an_attempt_that_failed_and_the_next_are_two(calls, logger):
    class RateLimitError(Exception):
        status_code = 429

    kwargs = recorded(exception=RateLimitError("slow down"), response_cost=0)
    with wk.job("extract", id="j"):
        begin(logger, kwargs)
    failed = logger.async_log_failure_event(kwargs=kwargs, response_obj=None, start_time=STARTED, end_time=ENDED)
    asyncio.run(failed)
    logger.log_failure_event(kwargs=kwargs, response_obj=None, start_time=STARTED, end_time=ENDED)
    succeed(logger, recorded())
    first, second = calls()
    assert first["error_message"] == "slow down"
    assert (first["attributes"]["status_code"], first["attributes"]["error_type"]) == (429, "RateLimitError")
    assert (first["job_id"], second["job_id"]) == ("j", "j")
    assert second["finish_reason"] == "stop"


def test_what_is_remembered_is_bounded(client, logger, monkeypatch):
    monkeypatch.setattr(watching, "_MAX_REMEMBERED", 10)
    teller = watching.Teller()
    for number in range(100):
        teller.begun({"litellm_call_id": number})
        teller.succeeded(recorded(number), answer(), STARTED, ENDED)
    assert len(teller._begun) == len(teller._told) == 10


def test_what_makes_no_sense_is_counted_and_raises_nothing(client, logger):
    logger.log_success_event(kwargs=None, response_obj=None, start_time=None, end_time=None)
    logger.log_failure_event(kwargs={}, response_obj=None, start_time=1, end_time=2)
    logger.log_pre_api_call(model=None, messages=None, kwargs=None)
    assert client.stats().dropped == {"internal_error": 3}


def test_texts_are_sent_where_that_is_allowed(calls, package):
    succeed(watching.callback(capture_text=True), recorded())
    attributes = calls()[0]["attributes"]
    assert (attributes["prompt"], attributes["answer"]) == ("user: a secret question", "The answer is 42.")


def test_it_is_installed_once_beside_others(package):
    package.callbacks = ["langfuse"]
    assert watching.install()
    package.success_callback.append(package.callbacks[1])
    assert watching.install()
    assert package.callbacks[0] == "langfuse"
    assert len(package.callbacks) == 2
    assert package.success_callback == []


REAL = """
import asyncio, os, sys
os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"
import litellm
import watchkeeper as wk
from watchkeeper.integrations import litellm as watching

models, server = sys.argv[1:]
wk.init(server, heartbeat_seconds=0, flush_seconds=0.02)
assert watching.install()
ask = {"api_base": models + "/v1", "api_key": "k", "messages": [{"role": "user", "content": "a secret question"}]}

async def main():
    await litellm.acompletion(model="openai/good", **ask)
    async for _ in await litellm.acompletion(model="openai/good", stream=True, **ask):
        pass
    try:
        await litellm.acompletion(model="openai/bad", max_retries=0, **ask)
    except litellm.BadRequestError:
        pass
    # LiteLLM tells of calls in a thread and in tasks of its own.
    for _ in range(600):
        if wk.stats().reported >= 7:
            break
        await asyncio.sleep(0.05)

with wk.job("extract", id="j"):
    litellm.completion(model="openai/good", **ask)
    list(litellm.completion(model="openai/good", stream=True, **ask))
    try:
        litellm.completion(model="openai/bad", max_retries=0, **ask)
    except litellm.BadRequestError:
        pass
    asyncio.run(main())
wk.shutdown(60)
"""


@pytest.mark.skipif(importlib.util.find_spec("litellm") is None, reason="LiteLLM is not among the tests' packages")
def test_litellm_itself(server, models):
    folder = os.path.dirname(os.path.dirname(wk.__file__))
    command = [sys.executable, "-c", REAL, models.url, server.url]
    environment = {**os.environ, "PYTHONPATH": folder}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    told = server.of("llm.call")
    assert {one["job_id"] for one in told} == {"j"}
    ends = sorted(
        (one.get("finish_reason"), one.get("attributes", {}).get("status_code"))
        for one in told
        if one.get("finish_reason")
    )
    assert ends == [("stop", None)] * 4
    failed = [one for one in told if "error_message" in one]
    assert [one["attributes"]["status_code"] for one in failed] == [400, 400]
    assert sum("time_to_first_token_seconds" in one for one in told) == 2
    assert "secret" not in str(told)
