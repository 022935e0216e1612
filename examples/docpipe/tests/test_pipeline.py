"""The whole pipeline: real processes, a real Redis, and what they report."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
from collections import Counter
from pathlib import Path

from redis import Redis

from conftest import Pipeline, Receiver, eventually
from docpipe import extraction_queue, llm_queue
from docpipe.documents import Documents
from docpipe.load import Gateway

SCHEMA = Path(__file__).resolve().parents[3] / "docs/schema/events.schema.json"


def waiting(redis: Redis) -> tuple[int, int]:
    """How many tasks are anywhere in the extraction queue, and in the LLM queue."""
    # In one transaction: a task that moves between two reads would be seen nowhere.
    look = redis.pipeline(transaction=True)
    look.llen(extraction_queue.WAITING).llen(extraction_queue.PROCESSING).zcard(extraction_queue.DELAYED)
    look.zcard(llm_queue.WAITING).scard(llm_queue.PROCESSING)
    *extraction, pending, processing = look.execute()
    return sum(extraction), pending + processing


def stop(process: subprocess.Popen[str], number: signal.Signals = signal.SIGTERM) -> str:
    """Stops a process as an operator does. Returns what it printed."""
    process.send_signal(number)
    printed, _ = process.communicate(timeout=30)
    assert process.returncode == 0, printed
    return printed


def is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_documents_go_all_the_way_and_everything_is_reported(
    pipeline: Pipeline, redis: Redis, receiver: Receiver
) -> None:
    options = ["--gateway-port", "0", "--rate", "50", "--llm-delay", "0.01", "--fail-rate", "0.1", "--heartbeat", "0.5"]
    load = ["--count", "25", "--slow-every", "20", "--poison-every", "12"]
    launcher = pipeline.start("docpipe", *options, *load, "--retry-delay", "0.2", "--max-attempts", "5")
    eventually(lambda: len(redis.keys("docpipe:document:*")) == 25 and waiting(redis) == (0, 0), "the queues to drain")
    printed = stop(launcher, signal.SIGINT)

    pids = [int(pid) for pid in re.findall(r"pid (\d+)", printed)]
    assert len(pids) == 4
    assert not any(is_running(pid) for pid in pids)

    # Every 12th document is no text; all others end well, some after a retry.
    letters = [json.loads(letter) for letter in redis.lrange(extraction_queue.DEAD, 0, -1)]
    poison = {letter["job_id"] for letter in letters}
    assert len(poison) == 2
    assert all("not UTF-8" in letter["error"] for letter in letters)
    assert {Documents(redis).get(letter["document_id"]).state for letter in letters} == {"failed"}
    ended = {event["job_id"]: event for event in receiver.of_type("job.completed", "job.failed")}
    assert len(ended) == 25 + 2 * 23
    assert {event["job_id"] for event in ended.values() if event["type"] == "job.failed"} == poison
    retried = Counter(event["error_type"] for event in receiver.of_type("job.retried"))
    assert retried["TransientFault"] > 0
    assert retried["UnreadableDocument"] == 2 * 4

    extractions = {id for id, event in ended.items() if event["kind"] == "extraction"} - poison
    stages = {(event["job_id"], event["stage"]) for event in receiver.of_type("stage.finished")}
    assert {(id, stage) for id in extractions for stage in ("extract", "chunk", "embed", "store")} <= stages
    assert all(event["memory_peak_bytes"] >= 30 << 20 for event in ended.values())
    parents = {event["parent_id"] for event in ended.values() if event["kind"] in ("summary", "insight")}
    assert parents == extractions
    loaded, unloaded = receiver.of_type("component.loaded"), receiver.of_type("component.unloaded")
    assert len(loaded) == len(unloaded) >= 23
    assert {event["stage"] for event in loaded} == {"embed"}
    assert len(receiver.of_type("llm.call")) >= 46
    stopped = {event["worker_id"]: event["exit_code"] for event in receiver.of_type("worker.stopped")}
    assert stopped == {"extraction-1": 0, "llm-1": 0}

    log = pipeline.log("extraction-1")
    assert sum(bool(re.search(r"Job \S+ completed in \d+\.\ds", line["message"])) for line in log) == 23
    errors = [line for line in log if line["level"] == "ERROR"]
    assert any("UnreadableDocument" in line["exception"]["type"] for line in errors)
    assert all(line["job_id"] and line["document_id"] for line in errors)
    assert any("completed in" in batch for batch in receiver.logs)
    assert_known_fields(receiver)


def assert_known_fields(receiver: Receiver) -> None:
    """No event has a field that the published schema does not know, but tracebacks: those become attributes."""
    definitions = json.loads(SCHEMA.read_text(encoding="utf-8"))["$defs"]
    known: dict[str, set[str]] = {}
    for kind in definitions["Event"]["oneOf"]:
        parts = [definitions[part["$ref"].rpartition("/")[2]] for part in kind["allOf"]]
        known[kind["title"]] = {"type"}.union(*(part["properties"] for part in parts))
    for event in receiver.events:
        assert set(event) - {"traceback"} <= known[event["type"]], event["type"]


def test_a_backlog_grows_without_llm_workers_and_drains_with_one(pipeline: Pipeline, redis: Redis) -> None:
    options = ["--gateway-port", "0", "--llm-workers", "0", "--rate", "50", "--fail-rate", "0"]
    launcher = pipeline.start("docpipe", *options, "--count", "20")
    eventually(lambda: redis.zcard("llm_tasks") == 40, "40 tasks to wait")
    worker = pipeline.start("docpipe.llm_worker", "--worker-id", "llm-9", "--llm-delay", "0", "--fail-rate", "0")
    # Not the empty queue first: between being taken and being noted as taken, a task is in no key.
    eventually(lambda: len(redis.keys("llm_results:*")) == 40, "every task to have a result")
    eventually(lambda: waiting(redis) == (0, 0), "the queue to be empty")
    stop(worker)
    stop(launcher)


def test_a_killed_worker_is_started_again_and_its_task_with_it(
    pipeline: Pipeline, redis: Redis, receiver: Receiver
) -> None:
    options = ["--gateway-port", "0", "--llm-workers", "0", "--fail-rate", "0", "--heartbeat", "0.2", "--no-load"]
    launcher = pipeline.start("docpipe", *options, "--retry-delay", "0.1")
    gateway = Gateway(re.search(r"http://\S+", launcher.stdout.readline()).group())
    gateway.wait_until_ready(30)
    heart = eventually(lambda: receiver.of_type("worker.heartbeat"), "a heartbeat")[0]
    long_text = ("It was the best of times, it was the worst of times. " * 100_000).encode()
    document_id = gateway.upload("long.txt", long_text, "ada")
    eventually(lambda: receiver.of_type("stage.started"), "the work to begin", timeout=30)
    eventually(lambda: redis.llen(extraction_queue.PROCESSING), "the task to be in work")
    os.kill(heart["pid"], signal.SIGKILL)

    eventually(lambda: Documents(redis).get(document_id).state == "extracted", "the document to be done after all")
    eventually(lambda: waiting(redis)[0] == 0, "the task to be put away")
    (retried,) = receiver.of_type("job.retried")
    assert retried["error_type"] == "AttemptBroken"
    pids = {event["pid"] for event in receiver.of_type("worker.heartbeat")}
    assert len(pids) == 2
    stop(launcher)


def test_a_worker_beats_while_it_computes(pipeline: Pipeline, redis: Redis, receiver: Receiver) -> None:
    options = ["--gateway-port", "0", "--llm-workers", "0", "--fail-rate", "0", "--heartbeat", "0.1", "--no-load"]
    launcher = pipeline.start("docpipe", *options)
    gateway = Gateway(re.search(r"http://\S+", launcher.stdout.readline()).group())
    gateway.wait_until_ready(30)
    document_id = gateway.upload("long.txt", b"the spring of hope, the winter of despair " * 50_000, "ada")
    eventually(lambda: Documents(redis).get(document_id).state == "extracted", "the document to be done")
    stop(launcher)
    during = [event for event in receiver.of_type("worker.heartbeat") if event["active_tasks"] == 1]
    assert len(during) >= 2
    assert all(event["job_id"] and event["memory_rss_bytes"] > 10 << 20 for event in during)
