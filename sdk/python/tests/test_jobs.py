"""Jobs and stages: what is reported of them, and where they run."""

from __future__ import annotations

import asyncio
import concurrent.futures
import datetime
import mmap
import signal
import sys
import threading
import time

import pytest
from conftest import balance, wait_until

import watchkeeper as wk
from watchkeeper._jobs import Job


@pytest.fixture
def reported(server, client):
    """Everything that was reported so far, by type."""

    def of(type_):
        assert client.flush(60)
        assert client.stats().dropped == {}
        assert balance(client.stats()) == 0
        return server.of(type_)

    return of


def test_a_job_and_its_stages(reported):
    with wk.job("extract", id=7, document="d", tenant="acme", queue="q", submitted_at=1754083800, page="x") as job:
        job.input_bytes = 10
        with job.stage("ocr", component="tesseract", expected_max_seconds=60) as stage:
            assert wk.current_job() is job
            assert wk.current_stage() is stage
            job.progress(0.4, message="half")
            stage.items = 3
        job.confidence, job.degraded = 0.9, True
        job.set(pages=12, model="m", output_bytes="no number")
    assert wk.current_job() is None
    started, completed = reported("job.started")[0], reported("job.completed")[0]
    assert (started["job_id"], started["kind"], started["document_id"]) == ("7", "extract", "d")
    assert (started["tenant"], started["queue"], started["submitted_at"]) == ("acme", "q", 1754083800 * 10**9)
    assert (completed["input_bytes"], completed["pages"]) == (10, 12)
    assert (completed["confidence_score"], completed["quality_degraded"]) == (0.9, True)
    assert completed["attributes"] == {"page": "x", "model": "m", "output_bytes": "no number"}
    assert completed["time"] >= started["time"]
    progress = reported("job.progress")[0]
    assert (progress["progress"], progress["stage"], progress["message"]) == (0.4, "ocr", "half")
    begun, finished = reported("stage.started")[0], reported("stage.finished")[0]
    assert begun["expected_max_seconds"] == 60
    assert (finished["stage"], finished["component"], finished["items"]) == ("ocr", "tesseract", 3)
    assert finished["status"] == "completed"
    assert finished["trace_id"] == started["trace_id"]
    for fact in ("duration_seconds", "cpu_seconds", "memory_rss_bytes", "memory_peak_bytes", "memory_delta_bytes"):
        assert fact in finished


def test_an_exception_is_told_and_goes_on(reported):
    with pytest.raises(ValueError, match="encrypted"), wk.job("a") as job, job.stage("read"):
        raise ValueError("the file is encrypted")
    failed, stage = reported("job.failed")[0], reported("stage.finished")[0]
    assert (failed["error_type"], failed["error_message"]) == ("ValueError", "the file is encrypted")
    assert "test_an_exception_is_told_and_goes_on" in failed["traceback"]
    assert (stage["status"], stage["error_type"]) == ("failed", "ValueError")
    assert not reported("job.completed")


def test_a_retry_is_the_only_end_of_its_attempt(reported):
    error = TimeoutError("slow")
    job = wk.job("a", id="j", retry_count=1)

    def attempt():
        with job:
            job.retry(error, max_retries=3)
            raise error

    with pytest.raises(TimeoutError):
        attempt()
    retried = reported("job.retried")[0]
    assert (retried["retry_count"], retried["max_retries"], retried["timed_out"]) == (1, 3, True)
    assert not reported("job.failed")


def test_an_attempt_whose_worker_died_is_told_by_another(reported):
    job = wk.job("a", id="j", queue="q", retry_count=1)
    job.retry("w-1 died", max_retries=3)
    job.retry("again")
    assert wk.current_job() is None
    (retried,) = reported("job.retried")
    assert (retried["job_id"], retried["queue"], retried["retry_count"], retried["max_retries"]) == ("j", "q", 1, 3)
    assert retried["error_message"] == "w-1 died"
    assert not {"duration_seconds", "memory_peak_bytes"} & set(retried)
    job.start()
    job.finish()
    wk.job("b", id="k").fail("given up")
    assert [event["job_id"] for event in reported("job.failed")] == ["k"]
    assert not reported("job.started")
    assert not reported("job.completed")


def test_a_stage_is_one_of_the_job_that_runs_here(reported):
    with wk.stage("of nothing") as none:
        none.items = 1
    with wk.job("a", id="j"), wk.stage("ocr", component="tesseract") as stage:
        stage.items = 2
    (finished,) = reported("stage.finished")
    assert (finished["job_id"], finished["stage"]) == ("j", "ocr")
    assert (finished["component"], finished["items"]) == ("tesseract", 2)


def test_what_was_submitted_says_when(reported):
    at = datetime.datetime(2025, 8, 1, 21, 30, tzinfo=datetime.timezone.utc)
    assert wk.submitted("a", id="j", submitted_at=at, priority=5) == "j"
    wk.submitted("a", id="k")
    then, now = reported("job.submitted")
    assert then["time"] == then["submitted_at"] == 1754083800 * 10**9
    assert (then["priority"], "attributes" in then) == (5, False)
    assert abs(now["time"] - time.time_ns()) < 60 * 10**9


@pytest.mark.parametrize(("error", "ended"), [(SystemExit(0), "completed"), (SystemExit(2), "failed")])
def test_an_exit_is_a_failure_by_its_code(reported, error, ended):
    with pytest.raises(SystemExit), wk.job("a"):
        raise error
    assert len(reported(f"job.{ended}")) == 1


def test_a_job_that_is_cancelled_says_so(reported):
    async def work():
        async with wk.job("a"):
            await asyncio.sleep(60)

    async def cancel():
        task = asyncio.ensure_future(work())
        await asyncio.sleep(0)
        task.cancel()
        await task

    with pytest.raises(asyncio.CancelledError):
        asyncio.run(cancel())
    (failed,) = reported("job.failed")
    assert (failed["error_type"], failed["attributes"]) == ("CancelledError", {"ended_by": "cancelled"})


def test_nested_jobs_have_their_parent_and_its_trace(reported):
    with wk.job("outer", id="o") as outer, wk.job("inner", id="i") as inner:
        assert inner.trace_id == outer.trace_id
    inner = next(event for event in reported("job.started") if event["job_id"] == "i")
    assert inner["parent_id"] == "o"


def test_a_clock_that_goes_back_makes_no_job_end_before_it_began(reported, monkeypatch):
    with wk.job("a"):
        now = time.time_ns()
        monkeypatch.setattr(time, "time_ns", lambda: now - 3_600 * 10**9)
    monkeypatch.undo()
    started, completed = reported("job.started")[0], reported("job.completed")[0]
    assert completed["time"] == started["time"]
    assert 0 <= completed["duration_seconds"] < 60


def test_tasks_are_jobs(reported):
    @wk.task(name="sum", id=lambda a, b: f"{a}+{b}")
    def add(a, b):
        assert wk.current_job().id == f"{a}+{b}"
        return a + b

    @wk.task
    async def double(a):
        await asyncio.sleep(0)
        assert wk.current_job() is not None
        return 2 * a

    assert add(1, b=2) == 3
    assert asyncio.run(double(4)) == 8
    assert [event["kind"] for event in reported("job.completed")] == ["sum", "double"]
    assert reported("job.completed")[0]["job_id"] == "1+2"


def test_a_generators_job_is_not_that_of_its_reader(reported):
    @wk.task
    def numbers():
        try:
            for number in range(3):
                assert wk.current_job() is not None
                sent = yield number
                assert sent is None or sent == "x"
            return "done"
        finally:
            assert wk.current_job() is not None

    made = []
    for number in numbers():
        assert wk.current_job() is None
        made.append(number)
    assert made == [0, 1, 2]
    reading = numbers()
    next(reading)
    assert reading.send("x") == 1
    reading.close()
    broken = numbers()
    next(broken)
    with pytest.raises(KeyError):
        broken.throw(KeyError("k"))
    assert len(reported("job.completed")) == 2
    assert len(reported("job.failed")) == 1


def test_an_asynchronous_generators_job(reported):
    @wk.task
    async def numbers():
        for number in range(3):
            assert wk.current_job() is not None
            await asyncio.sleep(0)
            yield number

    async def read():
        made = []
        async for number in numbers():
            assert wk.current_job() is None
            made.append(number)
        return made

    assert asyncio.run(read()) == [0, 1, 2]
    assert len(reported("job.completed")) == 1


@pytest.mark.parametrize("is_configured", [True, False])
def test_an_asynchronous_generator_that_nobody_ends_is_closed_once(client, caplog, is_configured):
    if not is_configured:
        wk.shutdown()
    cleaned, kept = [], []

    @wk.task
    async def numbers():
        try:
            yield 1
            yield 2
        finally:
            await asyncio.sleep(0)
            cleaned.append(wk.current_job() is not None)

    async def read():
        kept.append(numbers())
        assert await kept[0].__anext__() == 1

    asyncio.run(read())
    assert cleaned == [is_configured]
    assert "asynchronous generator" not in caplog.text


def test_coroutines_have_each_their_own_job(reported):
    async def work(name):
        async with wk.job("a", id=name) as job, job.stage("s"):
            await asyncio.sleep(0.01)
            assert wk.current_job().id == name

    async def both():
        await asyncio.gather(work("x"), work("y"))

    asyncio.run(both())
    assert {event["job_id"] for event in reported("job.completed")} == {"x", "y"}
    assert not any("parent_id" in event for event in reported("job.started"))


def test_threads_have_the_job_by_wrap(reported):
    def work(_):
        return wk.current_job().id

    with wk.job("a", id="j"), concurrent.futures.ThreadPoolExecutor(4) as pool:
        assert set(pool.map(wk.wrap(work), range(20))) == {"j"}
        assert pool.submit(wk.current_job).result() is None
    assert len(reported("job.completed")) == 1


def test_a_payload_carries_the_job_to_another_process(reported):
    with wk.job("outer", id="o/ä") as outer, outer.stage("s&t"):
        payload = wk.inject({"text": 1})
        header = wk.traceparent()
    assert header == payload["traceparent"] == f"00-{outer.trace_id}-{outer.span_id}-01"
    origin = wk.extract({"Traceparent": header, b"watchkeeper": payload["watchkeeper"].encode()})
    assert (origin.job_id, origin.stage, origin.trace_id) == ("o/ä", "s&t", outer.trace_id)
    with wk.job("inner", origin=origin) as inner:
        assert inner.trace_id == outer.trace_id
    assert reported("job.started")[1]["parent_id"] == "o/ä"


@pytest.mark.parametrize("payload", [{}, {"traceparent": "x"}, {"traceparent": 7, "watchkeeper": [1]}, None, {1: 2}])
def test_a_payload_of_anything_is_read(payload):
    assert wk.extract(payload).job_id is None


def test_opentelemetry_gives_the_trace_where_it_runs(reported):
    trace = pytest.importorskip("opentelemetry.sdk.trace")
    span = trace.TracerProvider().get_tracer("t").start_as_current_span("s")
    with span as running, wk.job("a") as job:
        context = running.get_span_context()
        assert job.trace_id == f"{context.trace_id:032x}"
        assert f"-{context.span_id:016x}-" in wk.traceparent()


def test_a_submitted_job_is_told_by_whoever_submits_it(reported):
    job_id = wk.submitted("extract", queue="q", document="d")
    submitted = reported("job.submitted")[0]
    assert (submitted["job_id"], submitted["queue"]) == (job_id, "q")


def test_memory_of_a_stage_is_right_within_a_tenth(client, reported):
    size = 64 << 20
    with wk.job("a") as job:
        with job.stage("grow"):
            held = mmap.mmap(-1, size)
            held.write(b"x" * size)
        with job.stage("peak"):
            more = mmap.mmap(-1, size)
            more.write(b"y" * size)
            full = client.process.rss_bytes() - size // 20
            wait_until(lambda: all(measure.peak_bytes > full for measure in client.pulse._watched.values()))
            more.close()
    grow, peak = reported("stage.finished")
    assert abs(grow["memory_delta_bytes"] - size) < size / 10
    assert abs(peak["memory_delta_bytes"]) < size / 10
    assert peak["memory_peak_bytes"] - peak["memory_rss_bytes"] > size * 0.9
    held.close()


def test_the_kernels_peak_sees_what_no_look_sees(server):
    client = wk.init(server.url, heartbeat_seconds=0, kernel_peak=True, memory_interval_seconds=0)
    if not client.process.reset_peak():
        pytest.skip("the kernel's peak cannot be reset here")
    size = 64 << 20
    with wk.job("a") as job, job.stage("peak"):
        more = mmap.mmap(-1, size)
        more.write(b"y" * size)
        more.close()
    assert client.flush(60)
    peak = server.of("stage.finished")[0]
    assert peak["memory_peak_bytes"] - peak["memory_rss_bytes"] > size * 0.9


def test_cpu_time_is_that_of_the_work(reported):
    clock = [time.thread_time()]
    with wk.job("a") as job:
        with job.stage("busy"):
            while time.thread_time() - clock[0] < 0.2:
                pass
        clock.append(time.thread_time())
        with job.stage("idle"):
            time.sleep(0.2)
        clock.append(time.thread_time())
    busy, idle = reported("stage.finished")
    assert 0.15 <= busy["cpu_seconds"] <= clock[1] - clock[0]
    assert idle["cpu_seconds"] <= clock[2] - clock[1]
    assert idle["duration_seconds"] >= 0.19


def test_a_worker_beats_while_a_job_blocks(server):
    client = wk.init(server.url, worker_id="w", heartbeat_seconds=0.05, flush_seconds=0.02, queues=["a", "b"])
    with wk.job("a", id="j"):
        server.wait_for(lambda events: sum(event["type"] == "worker.heartbeat" for event in events) >= 3)
    with pytest.raises(ZeroDivisionError), wk.job("a"):
        _ = 1 / 0
    wait_until(lambda: client.pulse.active_jobs == [])
    beat = server.of("worker.heartbeat")[1]
    assert (beat["worker_id"], beat["active_tasks"], beat["job_id"], beat["queues"]) == ("w", 1, "j", "a,b")
    assert beat["memory_rss_bytes"] > 1 << 20
    wk.shutdown()
    assert server.of("worker.stopped")[0]["worker_id"] == "w"


def test_jobs_of_many_threads_at_once(reported):
    def work(thread):
        for number in range(50):
            with wk.job("a", id=f"{thread}-{number}") as job, job.stage("s"):
                pass

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({event["job_id"] for event in reported("job.completed")}) == 400
    assert len(reported("stage.finished")) == 400


class SoftTimeLimitExceeded(Exception):
    """What Celery raises from the handler of a signal, in whatever runs then."""


def short_stages(job, tracker):
    with job.stage("short"):
        job.set(turn=1)


def short_looks(job, tracker):
    tracker.record_stage_start("short")
    wk.audit("looked", turn=1)
    tracker.record_stage_end("short")


def until_the_limit(work, tracker, seconds):
    with wk.job("limited") as job:
        signal.setitimer(signal.ITIMER_REAL, seconds)
        end = time.monotonic() + 5
        while time.monotonic() < end:
            work(job, tracker)


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="this system has no timers that signal")
@pytest.mark.parametrize("work", [short_stages, short_looks])
def test_limits_of_time_that_fall_into_a_report_are_not_lost(client, work):
    def interrupt(number, frame):
        raise SoftTimeLimitExceeded

    # One for all: what is raised while an object goes away is lost by Python itself.
    tracker = wk.MemoryTracker(early_percent=0, warning_mb=0)
    before = signal.signal(signal.SIGALRM, interrupt)
    try:
        for limit in range(200):
            with pytest.raises(SoftTimeLimitExceeded):
                until_the_limit(work, tracker, 0.001 + limit * 7e-6)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    assert wk.current_job() is None
    assert wk.current_stage() is None
    assert client.pulse.active_jobs == []


def test_a_payload_is_an_origin_and_what_is_none_is_no_error_of_the_call(client, server):
    @wk.task(name="extract", origin=lambda payload: payload)
    def extract(payload):
        return wk.current_job()

    with wk.job("upload", id="up") as job:
        payload = wk.inject({})
    assert extract(payload).trace_id == job.trace_id
    extract(42)
    wk.event(["no type"])
    assert client.flush(60)
    assert server.of("job.started")[1]["parent_id"] == "up"
    assert client.stats().dropped["internal_error"] >= 1


def test_a_job_that_says_itself_that_it_timed_out_counts_as_such(server):
    made = wk.init(server.url, service="tests", heartbeat_seconds=60, flush_seconds=0.02, handle_sigterm=False)
    with wk.job("extract") as job:
        job.fail(TimeoutError("the model did not answer"))
    made.shutdown(60)
    assert server.of("worker.heartbeat")[-1]["timeout_count"] == 1


def test_where_nothing_is_configured_jobs_have_all_that_jobs_have():
    wk.shutdown()
    job = wk.job("extract")
    stage = job.stage("ocr")
    for each in (job, stage):
        for name in dir(type(each)):
            if not name.startswith("_") and not callable(getattr(type(each), name)):
                getattr(each, name)
    assert (job.document, job.tenant, job.trace_id) == (None, None, None)


class ValidationError(ValueError):
    """As pydantic's: its words show the value that it refuses."""


def test_words_that_quote_what_was_read_are_not_told(reported):
    # Source lines are told: the name stands in none.
    name = "nnA"[::-1]

    def fail():
        try:
            raise ValidationError(name)
        except ValidationError as error:
            raise RuntimeError("the answer is no JSON") from error

    with pytest.raises(RuntimeError), wk.job("extract") as job, job.stage("read"):
        fail()
    with pytest.raises(ValidationError), wk.job("extract") as job, job.stage("read"):
        raise ValidationError(name)
    told = [*reported("job.failed"), *reported("stage.finished")]
    assert len(told) == 4
    assert name not in repr(told)
    assert {event["error_type"] for event in told} == {"RuntimeError", "ValidationError"}
    assert "test_jobs.py" in told[0]["traceback"]


@pytest.mark.skipif(sys.version_info < (3, 11), reason="there are no groups")
def test_words_of_a_group_that_quote_what_was_read_are_not_told(reported):
    name = "nnA"[::-1]
    group = ExceptionGroup("two pages", [ValueError("1"), ValidationError(name)])  # noqa: F821
    with pytest.raises(type(group)), wk.job("extract"):
        raise group
    (failed,) = reported("job.failed")
    assert name not in repr(failed)
    assert "two pages" in failed["error_message"]


def test_memory_of_a_stage_is_known_afterwards_and_none_of_its_peak_is_missed_by_the_job(server, make_client):
    client = make_client(server.url, memory_interval_seconds=0, kernel_peak=True)
    job = Job(client, "a")
    with job:
        stage = job.stage("s")
        assert stage.measured == {}
        with stage:
            block = bytearray(b"x") * (64 << 20)
            del block
    assert client.flush(60)
    started, finished = server.of("stage.started")[0], server.of("stage.finished")[0]
    assert {key: finished[key] for key in stage.measured} == stage.measured
    for event in (started, finished):
        assert event["memory_vms_bytes"] > event["memory_rss_bytes"] > 0
        assert 0 < event["memory_percent"] < 100
    ended = server.of("job.completed")[0]
    assert ended["memory_peak_bytes"] >= stage.measured["memory_peak_bytes"]
    assert ended["memory_peak_bytes"] - started["memory_rss_bytes"] > 50 << 20


def test_a_worker_counts_its_attempts_and_says_why_it_stops(server):
    settings = {"heartbeat_seconds": 60, "worker": True, "max_concurrent_tasks": 2, "handle_sigterm": False}
    wk.init(server.url, worker_id="w", **settings)
    for number in range(5):
        with wk.job("a", id=number) as job:
            if number < 4:
                job.retry("not yet")
            else:
                job.fail("never")
    wk.shutdown(5, reason="error", exit_code=3)
    told, stopped = server.of("worker.heartbeat")[-1], server.of("worker.stopped")[0]
    assert (told["error_count"], told["failed_tasks"], told["completed_tasks"]) == (5, 1, 0)
    assert (told["is_healthy"], told["max_concurrent_tasks"]) == (False, 2)
    assert (stopped["worker_id"], stopped["reason"], stopped["exit_code"]) == ("w", "error", 3)
