"""The package `openai` against a server that speaks its API: what is told, and that nothing else changes."""

from __future__ import annotations

import asyncio
import gc
import logging

import openai
import pydantic
import pytest
from llm_tools import WAYS_TO_LEAVE, check_left, leave

import watchkeeper as wk
from watchkeeper.integrations import openai as watching

ASK = [{"role": "user", "content": "a secret question"}]
WHOLE = "The answer is 42."


@pytest.fixture
def plain(models):
    with openai.OpenAI(base_url=models.url + "/v1", api_key="k", max_retries=0) as client:
        yield client


@pytest.fixture
def watched(plain):
    return watching.watch(plain)


@pytest.fixture
def run(models):
    """Runs a coroutine with a watched client of its own."""

    def run(work, **settings):
        async def main():
            async with openai.AsyncOpenAI(base_url=models.url + "/v1", api_key="k", max_retries=0) as client:
                return await work(watching.watch(client, **settings))

        return asyncio.run(main())

    return run


def chat(client, model="good", **more):
    return client.chat.completions.create(model=model, messages=ASK, **more)


def words(stream):
    return "".join(chunk.choices[0].delta.content or "" for chunk in stream if chunk.choices)


def test_an_answer_is_told(calls, watched, models):
    with wk.job("extract", id="j", tenant="acme") as job, job.stage("summary"):
        assert chat(watched).choices[0].message.content == WHOLE
    (told,) = calls()
    assert (told["model"], told["operation"], told["finish_reason"]) == ("good-2025", "chat", "stop")
    assert (told["provider"], told["backend"]) == ("127.0.0.1", models.url)
    assert (told["input_tokens"], told["output_tokens"], told["cached_tokens"]) == (20, 7, 5)
    assert (told["job_id"], told["stage"], told["tenant"]) == ("j", "summary", "acme")
    attributes = told["attributes"]
    assert (attributes["reasoning_tokens"], attributes["request_id"]) == (2, "req-1")
    assert "secret" not in str(told)
    assert "42" not in str(attributes.get("answer"))


def test_a_stream_is_told_with_its_first_token(calls, watched):
    stream = chat(watched, stream=True)
    assert isinstance(stream, openai.Stream)
    assert stream.response.status_code == 200
    assert words(stream) == WHOLE
    (told,) = calls()
    assert (told["finish_reason"], told["output_tokens"]) == ("stop", 4)
    assert told["attributes"]["output_tokens_estimated"] is True
    assert told["attributes"]["request_id"] == "req-2"
    assert 0 < told["time_to_first_token_seconds"] < told["duration_seconds"]


def test_the_server_is_asked_for_no_more_than_the_application_asks(calls, watched, models):
    words(chat(watched, stream=True))
    assert "stream_options" not in models.asked[0]
    chunks = list(chat(watched, stream=True, stream_options={"include_usage": True}))
    assert chunks[-1].usage.completion_tokens == 7
    assert calls()[1]["output_tokens"] == 7
    assert "output_tokens_estimated" not in calls()[1]["attributes"]


def test_usage_that_is_asked_for_by_setting_is_not_seen_by_the_application(calls, plain, models):
    before = list(chat(plain, stream=True))
    watching.watch(plain, include_usage=True)
    after = list(chat(plain, stream=True))
    assert models.asked[1]["stream_options"] == {"include_usage": True}
    assert [chunk.to_dict() for chunk in after] == [chunk.to_dict() for chunk in before]
    assert (calls()[0]["input_tokens"], calls()[0]["output_tokens"]) == (20, 7)


@pytest.mark.parametrize("end", ["close", "with", "drop"])
def test_a_stream_that_is_broken_off_is_cancelled(calls, watched, end):
    stream = chat(watched, stream=True)
    assert next(stream).choices
    next(stream)
    if end == "close":
        stream.close()
    elif end == "with":
        with stream:
            pass
    else:
        response = stream.response
        del stream
        gc.collect()
        response.close()
    (told,) = calls()
    assert (told["finish_reason"], told["output_tokens"]) == ("cancelled", 1)
    assert "error_message" not in told


def test_a_stream_that_nobody_reads_is_told_too(calls, watched):
    chat(watched, stream=True)
    gc.collect()
    assert calls()[0]["finish_reason"] == "cancelled"


def test_a_stream_that_breaks_fails(calls, watched):
    with pytest.raises(Exception) as caught:  # noqa: PT011
        words(chat(watched, "broken", stream=True))
    (told,) = calls()
    assert told["output_tokens"] == 4
    assert told["attributes"]["error_type"] == type(caught.value).__name__
    assert told["error_message"]


def test_an_error_within_a_stream_fails(calls, watched):
    with pytest.raises(openai.APIError, match="out of memory"):
        words(chat(watched, "wrong", stream=True))
    assert calls()[0]["error_message"] == "out of memory"


@pytest.mark.parametrize(
    ("model", "error", "status"),
    [
        ("bad", openai.BadRequestError, 400),
        ("busy", openai.InternalServerError, 503),
    ],
)
def test_an_error_is_told_and_goes_on(calls, watched, model, error, status):
    with pytest.raises(error):
        chat(watched, model)
    (told,) = calls()
    assert f"model {model} cannot" in told["error_message"]
    attributes = told["attributes"]
    assert (attributes["status_code"], attributes["error_type"]) == (status, error.__name__)
    assert attributes["request_id"] == "req-1"
    assert told["model"] == model


def test_a_server_that_quotes_the_question_is_not_quoted(calls, watched):
    with pytest.raises(openai.UnprocessableEntityError, match="secret"):
        chat(watched, "refused")
    assert "secret" not in str(calls()[0])


def test_a_server_that_is_away_is_told(calls):
    client = watching.watch(openai.OpenAI(base_url="http://127.0.0.1:9/v1", api_key="k", max_retries=0))
    with pytest.raises(openai.APIConnectionError):
        chat(client)
    assert calls()[0]["attributes"]["error_type"] == "APIConnectionError"


def test_other_operations(calls, watched):
    watched.embeddings.create(model="e", input="a secret")
    watched.completions.create(model="good", prompt="a secret")
    text = "".join(c.choices[0].text for c in watched.completions.create(model="good", prompt="p", stream=True))
    assert text == WHOLE
    embedding, whole, stream = calls()
    assert (embedding["operation"], embedding["input_tokens"]) == ("embeddings", 6)
    assert "output_tokens" not in embedding
    assert (whole["operation"], whole["finish_reason"], whole["output_tokens"]) == ("text_completion", "length", 7)
    assert (stream["finish_reason"], stream["output_tokens"]) == ("length", 4)


def test_responses(calls, watched):
    assert watched.responses.create(model="good", input="a secret").output_text == WHOLE
    watched.responses.create(model="cut", input="p")
    watched.responses.create(model="wrong", input="p")
    events = list(watched.responses.create(model="good", input="p", stream=True))
    assert events[-1].type == "response.completed"
    whole, cut, wrong, stream = calls()
    assert (whole["input_tokens"], whole["output_tokens"], whole["cached_tokens"]) == (11, 6, 3)
    assert (whole["finish_reason"], cut["finish_reason"]) == ("completed", "max_output_tokens")
    assert (wrong["finish_reason"], wrong["error_message"]) == ("failed", "out of memory")
    assert (stream["output_tokens"], stream["finish_reason"], stream["model"]) == (6, "completed", "good-2025")
    assert stream["time_to_first_token_seconds"] > 0


def test_the_helpers_for_streams(calls, watched):
    with watched.chat.completions.stream(model="good", messages=ASK) as stream:
        assert stream.get_final_completion().choices[0].message.content == WHOLE
    with watched.responses.stream(model="good", input="p") as stream:
        assert stream.get_final_response().output_text == WHOLE
    with watched.chat.completions.stream(model="good", messages=ASK) as stream:
        next(iter(stream))
    assert [told["finish_reason"] for told in calls()] == ["stop", "completed", "cancelled"]


def test_parse_and_tools(calls, watched):
    class Answer(pydantic.BaseModel):
        number: int

    parsed = watched.chat.completions.parse(model="json", messages=ASK, response_format=Answer)
    assert parsed.choices[0].message.parsed == Answer(number=42)
    tool = {"type": "function", "function": {"name": "find", "parameters": {}}}
    assert chat(watched, tools=[tool]).choices[0].message.tool_calls
    with pytest.raises(pydantic.ValidationError):
        watched.chat.completions.parse(model="good", messages=ASK, response_format=Answer)
    fine, tools, failed = calls()
    assert (fine["finish_reason"], tools["finish_reason"]) == ("stop", "tool_calls")
    assert failed["attributes"]["error_type"] == "ValidationError"
    assert "42" not in failed["error_message"]


def test_reasoning_is_output(calls, watched):
    list(chat(watched, "thinking", stream=True))
    assert (calls()[0]["output_tokens"], calls()[0]["finish_reason"]) == (4, "stop")


def test_raw_answers(calls, watched):
    raw = watched.chat.completions.with_raw_response.create(model="good", messages=ASK)
    assert raw.headers["x-request-id"] == "req-1"
    assert raw.parse().choices[0].message.content == WHOLE
    raw = watched.chat.completions.with_raw_response.create(model="good", messages=ASK, stream=True)
    assert words(raw.parse()) == WHOLE
    whole, stream = calls()
    assert (whole["output_tokens"], whole["attributes"]["request_id"]) == (7, "req-1")
    assert (stream["output_tokens"], stream["finish_reason"]) == (4, "stop")


@pytest.mark.parametrize(
    ("stream", "use", "expected"),
    [
        (False, lambda response: response.parse(), {"output_tokens": 7, "finish_reason": "stop"}),
        (False, lambda response: response.json(), {"output_tokens": 7, "finish_reason": "stop"}),
        (True, lambda response: words(response.parse()), {"output_tokens": 4, "finish_reason": "stop"}),
        (True, lambda response: list(response.iter_lines()), {"output_tokens": None, "finish_reason": None}),
        (True, lambda response: None, {"output_tokens": None, "finish_reason": "cancelled"}),
    ],
    ids=["parse", "json", "stream", "lines", "nothing"],
)
def test_answers_that_are_read_by_and_by(calls, watched, stream, use, expected):
    ask = watched.chat.completions.with_streaming_response.create
    with ask(model="good", messages=ASK, stream=stream) as response:
        use(response)
    (told,) = calls()
    assert {name: told.get(name) for name in expected} == expected
    assert told["attributes"]["request_id"] == ("req-2" if stream else "req-1")


def test_coroutines(calls, run):
    async def work(client):
        with wk.job("a", id="j"):
            assert (await chat(client)).choices[0].message.content == WHOLE
            stream = await chat(client, stream=True)
            assert isinstance(stream, openai.AsyncStream)
            assert "".join([chunk.choices[0].delta.content or "" async for chunk in stream]) == WHOLE
            async with client.chat.completions.stream(model="good", messages=ASK) as stream:
                await stream.get_final_completion()
            ask = client.chat.completions.with_streaming_response.create
            async with ask(model="good", messages=ASK) as response:
                assert (await response.parse()).choices
            raw = await client.chat.completions.with_raw_response.create(model="good", messages=ASK)
            assert raw.parse().choices
            with pytest.raises(openai.BadRequestError):
                await chat(client, "bad")

    run(work)
    told = calls()
    assert [one.get("finish_reason") for one in told] == ["stop"] * 5 + [None]
    assert [one.get("output_tokens") for one in told] == [7, 4, 4, 7, 7, None]
    assert {one["job_id"] for one in told} == {"j"}
    assert told[5]["attributes"]["status_code"] == 400


@pytest.mark.parametrize("way", WAYS_TO_LEAVE)
def test_coroutines_that_break_off(calls, run, way):
    async def work(client):
        stream = await chat(client, "stalled", stream=True)
        async for chunk in stream:
            if chunk.choices[0].delta.content:
                break
        await leave(stream, way, stream.close)

    run(work)
    check_left(calls)


def test_a_call_that_is_cancelled_while_it_waits(calls, run):
    async def work(client):
        task = asyncio.ensure_future(chat(client))
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    run(work)
    assert calls()[0]["finish_reason"] == "cancelled"


def test_texts_are_sent_where_that_is_allowed(calls, plain):
    client = watching.watch(plain, capture_text=True)
    chat(client)
    words(chat(client, stream=True))
    long = {"type": "input_text", "text": "x" * 9_000}
    client.responses.create(model="good", input=[{"role": "user", "content": [long]}])
    whole, stream, response = calls()
    for told in (whole, stream):
        assert told["attributes"]["prompt"] == "user: a secret question"
        assert told["attributes"]["answer"] == WHOLE
    assert len(response["attributes"]["prompt"]) == 4_000
    assert response["attributes"]["answer"] == WHOLE


def test_copies_are_watched_and_twice_is_once(calls, watched):
    watching.watch(watched)
    chat(watched.with_options(timeout=5))
    chat(watched.copy().with_options(max_retries=0))
    assert len(calls()) == 2


def test_azure_is_known(calls, models):
    client = watching.watch(
        openai.AzureOpenAI(azure_endpoint=models.url, api_key="k", api_version="2025-01-01", max_retries=0)
    )
    chat(client, "deployment")
    assert (calls()[0]["provider"], calls()[0]["model"]) == ("azure", "deployment-2025")


@pytest.fixture
def installed():
    yield watching.install
    for kind in (openai.OpenAI, openai.AsyncOpenAI):
        if "request" in vars(kind):
            del kind.request


def test_all_clients_are_watched_by_one_call(calls, plain, installed):
    assert installed()
    assert installed(provider="vllm")
    chat(plain)
    chat(watching.watch(plain, provider="own"))
    assert [told["provider"] for told in calls()] == ["vllm", "own"]


def test_what_cannot_be_watched_is_a_warning(caplog):
    thing = object()
    with caplog.at_level(logging.WARNING, "watchkeeper"):
        assert watching.watch(thing) is thing
    assert len(caplog.records) == 1


def test_other_requests_are_not_told(calls, watched):
    with pytest.raises(openai.NotFoundError):
        watched.moderations.create(input="a")
    assert calls() == []


def test_where_nothing_is_configured_nothing_changes(plain):
    wk.shutdown(0)
    watching.watch(plain)
    assert words(chat(plain, stream=True)) == WHOLE
