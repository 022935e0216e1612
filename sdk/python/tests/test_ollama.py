"""The package `ollama` against a server that speaks its API."""

from __future__ import annotations

import asyncio
import collections.abc
import gc
import inspect

import ollama
import pytest
from llm_tools import WAYS_TO_LEAVE, check_left, leave

import watchkeeper as wk
from watchkeeper.integrations import ollama as watching

ASK = [{"role": "user", "content": "a secret question"}]
WHOLE = "The answer is 42."


@pytest.fixture
def plain(models):
    return ollama.Client(host=models.url)


@pytest.fixture
def watched(plain):
    return watching.watch(plain)


@pytest.fixture
def run(models):
    """Runs a coroutine with a watched client of its own."""

    def run(work):
        return asyncio.run(work(watching.watch(ollama.AsyncClient(host=models.url))))

    return run


def test_an_answer_is_told_with_ollamas_own_times(calls, watched, models):
    with wk.job("extract", id="j", document="d") as job, job.stage("summary"):
        assert watched.chat(model="good", messages=ASK).message.content == WHOLE
    (told,) = calls()
    assert (told["model"], told["provider"], told["operation"]) == ("good:latest", "ollama", "chat")
    assert (told["backend"], told["finish_reason"]) == (models.url, "stop")
    assert (told["input_tokens"], told["output_tokens"]) == (30, 50)
    assert (told["job_id"], told["stage"], told["document_id"]) == ("j", "summary", "d")
    assert told["attributes"] == {
        "ollama_total_seconds": 2.5,
        "ollama_load_seconds": 1.0,
        "ollama_prompt_eval_seconds": 0.5,
        "ollama_eval_seconds": 1.0,
        "tokens_per_second": 50.0,
    }


def test_streams(calls, watched):
    stream = watched.chat("good", ASK, stream=True)
    assert inspect.isgenerator(stream)
    assert "".join(piece["message"]["content"] for piece in stream) == WHOLE
    assert "".join(piece["response"] for piece in watched.generate("good", "p", stream=True)) == WHOLE
    chat, generate = calls()
    assert (chat["output_tokens"], chat["finish_reason"]) == (50, "stop")
    assert 0 < chat["time_to_first_token_seconds"] < chat["duration_seconds"]
    assert "output_tokens_estimated" not in chat["attributes"]
    assert (generate["operation"], generate["input_tokens"]) == ("text_completion", 30)


def test_embeddings(calls, watched):
    watched.embed(model="good", input="a secret")
    watched.embeddings(model="good", prompt="a secret")
    new, old = calls()
    assert (new["operation"], new["input_tokens"], new["model"]) == ("embeddings", 30, "good")
    assert "output_tokens" not in new
    assert (old["operation"], old["model"]) == ("embeddings", "good")


@pytest.mark.parametrize(("model", "status"), [("bad", 400), ("busy", 503)])
@pytest.mark.parametrize("stream", [False, True])
def test_an_error_is_told_and_goes_on(calls, watched, model, status, stream):
    with pytest.raises(ollama.ResponseError):
        list(watched.chat(model, ASK, stream=stream))
    (told,) = calls()
    assert f"model {model} cannot" in told["error_message"]
    assert (told["attributes"]["status_code"], told["attributes"]["error_type"]) == (status, "ResponseError")


def test_streams_that_go_wrong(calls, watched):
    with pytest.raises(ollama.ResponseError, match="out of memory"):
        list(watched.chat("wrong", ASK, stream=True))
    with pytest.raises(Exception) as caught:  # noqa: PT011
        list(watched.chat("broken", ASK, stream=True))
    wrong, broken = calls()
    assert wrong["error_message"].startswith("out of memory")
    assert wrong["output_tokens"] == 4
    assert broken["attributes"]["error_type"] == type(caught.value).__name__
    assert broken["attributes"]["output_tokens_estimated"] is True


@pytest.mark.parametrize("end", ["close", "drop", "throw"])
def test_a_stream_that_is_broken_off(calls, watched, end):
    stream = watched.generate("good", "p", stream=True)
    next(stream)
    if end == "close":
        stream.close()
    elif end == "drop":
        del stream
        gc.collect()
    else:
        with pytest.raises(KeyError):
            stream.throw(KeyError("mine"))
    (told,) = calls()
    assert told["output_tokens"] == 1
    if end == "throw":
        assert told["attributes"]["error_type"] == "KeyError"
    else:
        assert told["finish_reason"] == "cancelled"


def test_a_stream_that_is_never_begun_makes_no_request(calls, watched, models):
    watched.chat("good", ASK, stream=True)
    gc.collect()
    assert calls() == []
    assert models.asked == []


def test_coroutines(calls, run):
    async def work(client):
        with wk.job("a", id="j"):
            assert (await client.chat("good", ASK)).message.content == WHOLE
            stream = await client.chat("good", ASK, stream=True)
            assert isinstance(stream, collections.abc.AsyncGenerator)
            assert "".join([piece.message.content async for piece in stream]) == WHOLE
            await client.embed("good", "text")
            with pytest.raises(ollama.ResponseError):
                await client.generate("bad", "p")

    run(work)
    told = calls()
    assert [one.get("finish_reason") for one in told] == ["stop", "stop", None, None]
    assert {one["job_id"] for one in told} == {"j"}
    assert told[3]["attributes"]["status_code"] == 400


@pytest.mark.parametrize("way", WAYS_TO_LEAVE)
def test_coroutines_that_break_off(calls, run, way):
    async def work(client):
        stream = await client.chat("stalled", ASK, stream=True)
        async for _ in stream:
            break
        await leave(stream, way, stream.aclose)

    run(work)
    check_left(calls)


def test_texts_are_sent_where_that_is_allowed(calls, plain):
    client = watching.watch(plain)
    client.chat("good", ASK)
    watching.watch(client, capture_text=True)
    client.chat("good", [ollama.Message(**ASK[0])])
    "".join(piece.response for piece in client.generate("good", "a secret question", stream=True))
    without, chat, generate = calls()
    assert "secret" not in str(without)
    assert (chat["attributes"]["prompt"], chat["attributes"]["answer"]) == ("user: a secret question", WHOLE)
    assert (generate["attributes"]["prompt"], generate["attributes"]["answer"]) == ("a secret question", WHOLE)


@pytest.fixture
def installed():
    names = ("chat", "generate", "embed", "embeddings")
    kinds = (ollama.Client, ollama.AsyncClient)
    before = [(owner, name, getattr(owner, name)) for owner in (*kinds, ollama) for name in names]
    yield watching.install
    for owner, name, value in before:
        setattr(owner, name, value)


def test_all_clients_and_the_module_are_watched_by_one_call(calls, plain, models, installed, monkeypatch):
    assert installed()
    assert installed()
    plain.chat("good", ASK)
    watching.watch(ollama.Client(host=models.url)).chat("good", ASK)
    own = ollama.chat.__self__
    monkeypatch.setattr(own, "_client", plain._client)
    ollama.chat("good", ASK)
    assert len(calls()) == 3


def test_where_nothing_is_configured_nothing_changes(watched):
    wk.shutdown(0)
    assert "".join(piece.message.content for piece in watched.chat("good", ASK, stream=True)) == WHOLE
