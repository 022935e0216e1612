"""Calls of models by the clients of OpenAI and Ollama, in a running Watchkeeper: each is there once, with its job."""

from __future__ import annotations

import asyncio
import concurrent.futures
from collections import Counter

import ollama
import openai
import pytest

import watchkeeper as wk
from watchkeeper.integrations import ollama as watching_ollama
from watchkeeper.integrations import openai as watching_openai

ASK = [{"role": "user", "content": "a secret question"}]
TIMES = 5


@pytest.fixture
def openai_clients(models):
    settings = {"base_url": models.url + "/v1", "api_key": "k", "max_retries": 0}
    with openai.OpenAI(**settings) as client:
        yield watching_openai.watch(client), lambda: watching_openai.watch(openai.AsyncOpenAI(**settings))


@pytest.fixture
def ollama_clients(models):
    def make():
        return watching_ollama.watch(ollama.AsyncClient(host=models.url))

    return watching_ollama.watch(ollama.Client(host=models.url)), make


def in_jobs(work):
    """Runs `work` in threads, each time in a stage of a job of its own, and gives the ids of the jobs."""

    def run(number):
        with wk.job("extract", id=f"j-{number}", tenant="acme") as job, job.stage("summary"):
            work()
        return job.id

    with concurrent.futures.ThreadPoolExecutor(TIMES) as pool:
        return list(pool.map(run, range(TIMES)))


def check_calls(server, client, models, jobs, expected):
    """`expected` are the calls of each job: operation, `finish_reason`, tokens of the answer, whether it failed."""
    assert client.flush(10)
    rows = server.rows("SELECT *, time_to_first_token_seconds < duration_seconds AS is_first_before_end FROM llm_calls")
    told = Counter(
        (row["job_id"], row["operation"], row.get("finish_reason"), row.get("output_tokens"), "error_message" in row)
        for row in rows
    )
    assert told == {(job, *call): n for job in jobs for call, n in Counter(expected).items()}
    # No more and no less than what was really asked.
    assert len(rows) == len(models.asked) == len(expected) * len(jobs)
    assert {(row["stage"], row["tenant"], row["backend"]) for row in rows} == {("summary", "acme", models.url)}
    assert {row["is_first_before_end"] for row in rows if "is_first_before_end" in row} == {True}
    assert "secret" not in str(rows)
    stats = client.stats()
    assert (stats.dropped, stats.rejected, stats.queued) == ({}, 0, 0)
    assert stats.reported == stats.delivered == sum(server.stored().values())
    assert set(server.stored().values()) == {1}
    shown = server.jobs()
    assert {id: job["status"] for id, job in shown.items()} == dict.fromkeys(jobs, "completed")
    for id in jobs:
        assert server.get(f"/api/v1/jobs/{id}/llm-calls")["total"] == len(expected)


def test_openai(server, client, models, openai_clients):
    watched, make = openai_clients

    def work():
        create = watched.chat.completions.create
        create(model="good", messages=ASK)
        for _ in create(model="good", messages=ASK, stream=True):
            pass
        for _ in create(model="good", messages=ASK, stream=True, stream_options={"include_usage": True}):
            pass
        with create(model="good", messages=ASK, stream=True) as stream:
            next(stream)
            next(stream)
        with pytest.raises(openai.BadRequestError):
            create(model="bad", messages=ASK)
        watched.responses.create(model="good", input="a secret question")
        watched.embeddings.create(model="good", input="a secret question")
        asyncio.run(coroutines())

    async def coroutines():
        async with make() as own:
            create = own.chat.completions.create
            await asyncio.gather(*(create(model="good", messages=ASK) for _ in range(3)))
            async for _ in await create(model="good", messages=ASK, stream=True):
                pass

    expected = [
        *[("chat", "stop", 7, False)] * 5,
        *[("chat", "stop", 4, False)] * 2,
        ("chat", "cancelled", 1, False),
        ("chat", None, None, True),
        ("responses", "completed", 6, False),
        ("embeddings", None, None, False),
    ]
    check_calls(server, client, models, in_jobs(work), expected)


def test_ollama(server, client, models, ollama_clients):
    watched, make = ollama_clients

    def work():
        watched.chat("good", ASK)
        watched.generate("good", "a secret question")
        for _ in watched.chat("good", ASK, stream=True):
            pass
        stream = watched.generate("good", "a secret question", stream=True)
        next(stream)
        stream.close()
        with pytest.raises(ollama.ResponseError):
            watched.chat("bad", ASK)
        watched.embed("good", "a secret question")
        asyncio.run(coroutines())

    async def coroutines():
        own = make()
        await asyncio.gather(*(own.chat("good", ASK) for _ in range(3)))
        async for _ in await own.chat("good", ASK, stream=True):
            pass

    expected = [
        *[("chat", "stop", 50, False)] * 6,
        ("text_completion", "stop", 50, False),
        ("text_completion", "cancelled", 1, False),
        ("chat", None, None, True),
        ("embeddings", None, None, False),
    ]
    check_calls(server, client, models, in_jobs(work), expected)
