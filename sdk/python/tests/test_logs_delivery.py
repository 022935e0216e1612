"""Records that are delivered: as OTLP, once, beside events and apart from them."""

from __future__ import annotations

import http.client
import logging
import os
import socket
import threading
import time

import pytest
from conftest import Server, balance, wait_until

import watchkeeper as wk
from watchkeeper.logs import WatchkeeperHandler


@pytest.fixture
def logger():
    made = logging.Logger("app.files", logging.DEBUG)
    made.addHandler(WatchkeeperHandler())
    return made


def test_a_record_arrives_as_otlp_with_what_it_says(server, client, logger):
    before = time.time_ns()
    with wk.job("extract", id="j-1") as job, job.stage("ocr"):
        logger.warning("read %d pages", 7, extra={"user_id": "ann", "file_size": 9, "deep": {"a": {"b": [1]}}})
    assert wk.flush(60)
    (record,) = server.records
    assert record["body"] == "read 7 pages"
    assert (record["severityNumber"], record["severityText"], record["logger"]) == (13, "WARNING", "app.files")
    assert (record["job_id"], record["stage"], record["user_id"]) == ("j-1", "ocr", "ann")
    assert (record["details.file_size"], record["details.deep.a.b"]) == (9, "[1]")
    assert (record["traceId"], record["spanId"]) == (job.trace_id, job.span_id)
    assert before - 1_000 <= int(record["timeUnixNano"]) <= time.time_ns()
    assert (record["service.name"], record["process.pid"]) == ("tests", os.getpid())
    assert record["log.record.uid"]


@pytest.mark.parametrize(
    ("level", "number"), [(1, 1), (5, 1), (10, 5), (15, 5), (20, 9), (30, 13), (35, 13), (40, 17), (50, 21), (99, 21)]
)
def test_levels_are_those_of_opentelemetry(server, client, logger, level, number):
    logger.setLevel(1)
    logger.log(level, "m")
    assert wk.flush(60)
    assert server.records[0]["severityNumber"] == number


def test_an_exception_has_its_fields(server, client, logger):
    try:
        raise ValueError("bad")
    except ValueError:
        logger.exception("failed")
    assert wk.flush(60)
    (record,) = server.records
    assert (record["exception.type"], record["exception.message"]) == ("ValueError", "bad")
    assert record["exception.stacktrace"].endswith("ValueError: bad")
    assert '"function":' in record["exception.frames"]


def test_an_event_name_makes_an_audit_of_it(server, client, logger):
    logger.info("no", extra={"event.name": "audit.document.delete", "outcome": "denied", "target": "d-7"})
    assert wk.flush(60)
    (record,) = server.records
    assert (record["eventName"], record["outcome"], record["target"]) == ("audit.document.delete", "denied", "d-7")


def test_nothing_happens_without_a_client(logger):
    for _ in range(10):
        logger.info("m")
    assert wk.logs.stats() == wk.Stats()


def test_records_are_stored_once_though_answers_are_lost(server, make_client, logger):
    client = make_client(server.url, timeout_seconds=60)
    logger.handlers[:] = [WatchkeeperHandler(client=client)]
    lost = []

    def lose(records):
        # Stored, and the answer says otherwise.
        if len(lost) < 3:
            lost.append(len(records))
            known = {record["log.record.uid"] for record in server.records}
            server.records.extend(record for record in records if record["log.record.uid"] not in known)
            return 500, {}, None
        return 200, {}, None

    server.always_logs = lose
    for number in range(500):
        logger.info("line %d", number)
    client.flush(60)
    wait_until(lambda: client.log_stats().delivered == 500)
    assert len(lost) == 3
    assert sorted(record["body"] for record in server.records) == sorted(f"line {number}" for number in range(500))
    assert balance(client.log_stats()) == 0
    assert client.log_stats().retries == 3


def test_events_and_records_share_a_connection_and_a_thread(server, client, logger):
    for number in range(10):
        logger.info("m")
        client.report("job.started", {"job_id": number})
        assert wk.flush(60)
    names = [thread.name for thread in threading.enumerate()]
    assert names.count("watchkeeper-delivery") == 1
    assert (len(server.records), len(server.events)) == (10, 10)
    assert (client.stats().delivered, client.log_stats().delivered) == (10, 10)


@pytest.mark.parametrize("status", [404, 401, 500, 503])
def test_an_endpoint_that_refuses_logs_holds_up_no_events(server, client, logger, status):
    server.always_logs = status
    logger.info("m")
    wk.flush(0.2)
    for number in range(3):
        client.report("job.started", {"job_id": number})
        wait_until(lambda number=number: len(server.events) == number + 1)
    assert client.log_stats().queued == 1
    server.always_logs = None
    assert wk.flush(60)
    assert len(server.records) == 1


def test_a_flood_of_logs_takes_no_room_from_events(make_client, logger):
    client = make_client("http://127.0.0.1:9", log_queue_records=10, queue_events=50)
    logger.handlers[:] = [WatchkeeperHandler(client=client)]
    for _ in range(1_000):
        logger.info("m")
    for number in range(20):
        client.report("job.started", {"job_id": number})
    assert client.stats().queued == 20
    assert client.log_stats().queued + client.log_stats().dropped["queue_full"] == 1_000
    assert balance(client.log_stats()) == balance(client.stats()) == 0


def test_what_was_dropped_is_told_as_an_event(server, client, logger):
    server.log_replies = [413]
    logger.info("m")
    assert wk.flush(60)
    server.wait_for(lambda events: any(event["type"] == "audit.recorded" for event in events))
    (told,) = server.of("audit.recorded")
    assert told["action"] == "watchkeeper.logs_dropped"
    assert told["attributes"] == {"dropped": 1, "dropped_too_large": 1}


def test_records_that_are_dropped_while_their_endpoint_refuses_are_told_by_events(server, make_client, logger):
    server.always_logs = 401
    client = make_client(server.url, log_queue_records=10)
    logger.handlers[:] = [WatchkeeperHandler(client=client)]
    for _ in range(30):
        logger.info("m")
    wait_until(lambda: client.log_stats().retries == 1)
    lost = client.log_stats().dropped["queue_full"]
    client.report("job.started", {"job_id": "j"})
    server.wait_for(lambda events: any(event["type"] == "audit.recorded" for event in events))
    (told,) = server.of("audit.recorded")
    assert (told["action"], told["attributes"]["dropped"]) == ("watchkeeper.logs_dropped", lost)


def test_rejected_records_and_foreign_answers_are_counted(server, client, logger):
    partial = {"partialSuccess": {"rejectedLogRecords": "1", "errorMessage": "too old"}}
    server.log_replies = [lambda records: (200, {}, partial)]
    logger.info("m")
    logger.info("n")
    assert wk.flush(60)
    assert (client.log_stats().delivered, client.log_stats().rejected) == (1, 1)
    assert "too old" in client.log_stats().last_error
    server.log_replies = [lambda records: (200, {}, b"<html>"), lambda records: (200, {}, {"accepted": 1})]
    for number in range(2):
        logger.info("m")
        assert not wk.flush(0.2)
        wait_until(lambda number=number: client.log_stats().retries > number)
    assert wk.flush(60)
    assert client.log_stats().delivered == 3


def test_records_go_to_the_spool_and_keep_whose_they_are(tmp_path, make_client, logger):
    away = make_client("http://127.0.0.1:9", spool_dir=tmp_path, service="first", worker_id="w1")
    logger.handlers[:] = [WatchkeeperHandler(client=away)]
    for number in range(20):
        logger.info("line %d", number)
        away.report("job.started", {"job_id": number})
    away.shutdown(2)
    assert (away.log_stats().spooled, away.stats().spooled) == (20, 20)
    server = Server()
    heir = make_client(server.url, spool_dir=tmp_path, service="second")
    heir.report("job.started", {"job_id": "own"})
    server.wait_for_records(20)
    wait_until(lambda: not os.listdir(tmp_path))
    assert {(record["service.name"], record["worker_id"]) for record in server.records} == {("first", "w1")}
    assert heir.flush(60)
    assert len(server.events) == 21
    wait_until(lambda: heir.log_stats().adopted == 20)
    server.stop()


def test_the_end_delivers_what_waits(server, make_client, logger):
    client = make_client(server.url, flush_seconds=60)
    logger.handlers[:] = [WatchkeeperHandler(client=client)]
    logger.info("last words")
    client.shutdown(60)
    assert [record["body"] for record in server.records] == ["last words"]
    logger.info("after the end")
    assert client.log_stats().dropped == {"closed": 1}


def test_a_fork_has_its_own_records_and_ids(server, make_client, logger):
    client = make_client(server.url, flush_seconds=0.3)
    logger.handlers[:] = [WatchkeeperHandler(client=client)]
    for number in range(20):
        logger.info("parent-%d", number)
    children = []
    for child in range(3):
        pid = os.fork()
        if pid == 0:
            for number in range(20):
                logger.info("%d-%d", child, number)
            os._exit(0 if client.flush(60) and client.log_stats().delivered == 20 else 1)
        children.append(pid)
    for pid in children:
        assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    assert client.flush(60)
    assert sorted(record["body"] for record in server.records) == sorted(
        [f"parent-{number}" for number in range(20)] + [f"{c}-{n}" for c in range(3) for n in range(20)]
    )
    assert {record["process.pid"] for record in server.records} == {os.getpid(), *children}


def test_what_delivery_itself_logs_goes_round_in_no_circle(server, client, monkeypatch):
    root = logging.getLogger()
    handler = WatchkeeperHandler()
    root.addHandler(handler)
    level = root.level
    root.setLevel(logging.DEBUG)
    request = http.client.HTTPConnection.request

    def talkative(self, *args, **kwargs):
        logging.getLogger("http.client").debug("send")
        logging.getLogger("urllib3.connectionpool").debug("POST /v1/logs")
        return request(self, *args, **kwargs)

    monkeypatch.setattr(http.client.HTTPConnection, "request", talkative)
    try:
        server.log_replies = [500]
        logging.getLogger("app").info("once")
        logging.getLogger("watchkeeper").warning("ours")
        logging.getLogger("urllib3.connectionpool").debug("the application's own")
        wk.flush(2)
        assert wk.flush(60)
        time.sleep(0.2)
    finally:
        root.setLevel(level)
        root.removeHandler(handler)
    assert sorted(record["body"] for record in server.records) == ["once", "the application's own"]


def test_many_threads_log_at_once(server, client, logger):
    def log(thread):
        for number in range(300):
            logger.info("%d-%d", thread, number)

    threads = [threading.Thread(target=log, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wk.flush(60)
    assert len({record["body"] for record in server.records}) == 1_800
    assert balance(client.log_stats()) == 0


def test_a_silent_server_does_not_hold_up_whoever_logs(make_client, logger):
    silent = socket.create_server(("127.0.0.1", 0))
    client = make_client(f"http://127.0.0.1:{silent.getsockname()[1]}", timeout_seconds=300)
    logger.handlers[:] = [WatchkeeperHandler(client=client)]
    began = time.perf_counter()
    for _ in range(500):
        logger.info("m")
    assert time.perf_counter() - began < 60
    client.shutdown(0.2)
    assert client.log_stats().dropped == {"exit": 500}
    silent.close()
