"""The queues in a real Redis."""

from __future__ import annotations

import json
from datetime import datetime, timezone
from typing import Any

from redis import Redis

from docpipe import extraction_queue, llm_queue
from docpipe.extraction_queue import ExtractionQueue
from docpipe.llm_queue import LlmQueue
from docpipe.tasks import Task

SOON = 0.2


def extraction(name: str) -> Task:
    return Task(queue="extraction", kind="extraction", document_id=f"d-{name}", document_name=name)


def summary(name: str, priority: int = 0) -> Task:
    return Task(
        queue="llm_tasks",
        kind="summary",
        document_id=f"d-{name}",
        document_name=name,
        origin={"watchkeeper": "job=j-1&request=r-1"},
        priority=priority,
        text="a text",
        created_at=datetime(2025, 8, 1, 21, 30, tzinfo=timezone.utc),
    )


def without_raw(task: Task) -> dict[str, Any]:
    return {name: value for name, value in vars(task).items() if name != "raw"}


def test_extraction_tasks_come_out_first_in_first_out_and_whole(redis: Redis) -> None:
    queue = ExtractionQueue(redis, "w")
    tasks = [extraction(name) for name in "abc"]
    for task in tasks:
        queue.submit(task)
    taken = [queue.take(SOON) for _ in tasks]
    assert [without_raw(task) for task in taken] == [without_raw(task) for task in tasks]
    assert queue.take(SOON) is None


def test_a_taken_extraction_task_is_in_the_processing_list_until_it_is_done(redis: Redis) -> None:
    queue = ExtractionQueue(redis, "w")
    queue.submit(extraction("a"))
    task = queue.take(SOON)
    assert redis.lrange(extraction_queue.PROCESSING, 0, -1) == [task.raw]
    queue.done(task, None)
    assert redis.keys("*") == []


def test_a_retried_extraction_waits_before_it_comes_again(redis: Redis) -> None:
    queue = ExtractionQueue(redis, "w", retry_delay=0.5)
    queue.submit(extraction("a"))
    queue.retry(queue.take(SOON))
    assert redis.llen(extraction_queue.PROCESSING) == 0
    assert redis.zcard(extraction_queue.DELAYED) == 1
    assert queue.take(SOON) is None
    again = next(task for task in (queue.take(SOON) for _ in range(20)) if task)
    assert again.attempt == 1


def test_an_extraction_that_is_given_up_leaves_a_dead_letter(redis: Redis) -> None:
    queue = ExtractionQueue(redis, "w")
    queue.submit(extraction("a"))
    task = queue.take(SOON)
    queue.give_up(task, "no text")
    letter = json.loads(redis.lindex(extraction_queue.DEAD, 0))
    assert letter["job_id"] == task.id
    assert letter["document_id"] == "d-a"
    assert letter["error"] == "no text"
    assert redis.llen(extraction_queue.PROCESSING) == 0


def test_a_restarted_worker_finds_its_own_abandoned_tasks_and_no_others(redis: Redis) -> None:
    queue, other = ExtractionQueue(redis, "mine"), ExtractionQueue(redis, "theirs")
    queue.submit(extraction("a"))
    queue.submit(extraction("b"))
    mine, _theirs = queue.take(SOON), other.take(SOON)
    assert [task.id for task in ExtractionQueue(redis, "mine").abandoned()] == [mine.id]


def test_a_waiting_llm_task_looks_as_document_hub_writes_it(redis: Redis) -> None:
    task = summary("a", priority=7)
    LlmQueue(redis).submit(task)
    ((member, score),) = redis.zrange("llm_tasks", 0, -1, withscores=True)
    assert score == -7
    assert json.loads(member) == {
        "task_id": task.id,
        "document_id": "d-a",
        "task_type": "summary",
        "text": "a text",
        "schema": llm_queue.SCHEMAS["summary"],
        "callback_data": {"document_name": "a", "attempt": 0, "origin": {"watchkeeper": "job=j-1&request=r-1"}},
        "priority": 7,
        "created_at": "2025-08-01T21:30:00",
    }


def test_a_taken_llm_task_is_a_bare_id_in_a_set(redis: Redis) -> None:
    queue = LlmQueue(redis)
    sent = summary("a")
    queue.submit(sent)
    taken = queue.take(SOON)
    assert without_raw(taken) == without_raw(sent)
    assert redis.smembers("llm_tasks:processing") == {sent.id.encode()}
    assert redis.zcard("llm_tasks") == 0
    assert queue.state(sent.id)["state"] == "processing"


def test_the_highest_priority_comes_first(redis: Redis) -> None:
    queue = LlmQueue(redis)
    for name, priority in (("low", 1), ("high", 10), ("middle", 5)):
        queue.submit(summary(name, priority))
    assert [queue.take(SOON).document_name for _ in range(3)] == ["high", "middle", "low"]


def test_a_result_is_kept_for_an_hour_as_document_hub_keeps_it(redis: Redis) -> None:
    queue = LlmQueue(redis)
    queue.submit(summary("a"))
    task = queue.take(SOON)
    queue.done(task, {"summary": "short"})
    stored = json.loads(redis.get(f"llm_results:{task.id}"))
    assert set(stored) == {"task_id", "result", "error", "completed_at"}
    assert (stored["task_id"], stored["result"], stored["error"]) == (task.id, {"summary": "short"}, None)
    assert datetime.fromisoformat(stored["completed_at"]).tzinfo is None
    assert 3500 < redis.ttl(f"llm_results:{task.id}") <= 3600
    assert redis.scard("llm_tasks:processing") == 0
    assert queue.state(task.id)["state"] == "completed"


def test_an_llm_task_that_is_given_up_has_its_error_as_the_result(redis: Redis) -> None:
    queue = LlmQueue(redis)
    queue.submit(summary("a"))
    task = queue.take(SOON)
    queue.retry(task)
    again = queue.take(SOON)
    assert (again.id, again.attempt) == (task.id, 1)
    queue.give_up(again, "the model is away")
    outcome = queue.state(task.id)
    assert (outcome["state"], outcome["result"], outcome["error"]) == ("failed", None, "the model is away")
