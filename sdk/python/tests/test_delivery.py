"""Every answer of a server, and what becomes of events."""

from __future__ import annotations

import logging
import socket
import ssl
import subprocess
import threading
import time

import pytest
from conftest import Server, balance, wait_until


def test_events_arrive_once_with_ids_times_and_the_process(server, make_client):
    client = make_client(server.url, service="s", worker_id="w", key="secret-key")
    before = time.time_ns()
    for number in range(2_500):
        client.report("job.started", {"job_id": f"j{number}"})
    assert client.flush(60)
    assert len(server.events) == 2_500
    assert len({event["event_id"] for event in server.events}) == 2_500
    first = server.events[0]
    assert (first["service"], first["worker_id"], first["job_id"]) == ("s", "w", "j0")
    assert before <= first["time"] <= time.time_ns()
    assert server.headers[0]["Authorization"] == "Bearer secret-key"
    stats = client.stats()
    assert (stats.delivered, stats.queued, balance(stats)) == (2_500, 0, 0)


def test_rejected_events_are_counted_and_the_reason_is_kept(server, make_client):
    rejected = {"accepted": 1, "duplicates": 1, "rejected": [{"index": 1, "reason": "`pages`: no number"}]}
    server.replies = [lambda events: (200, {}, rejected)]
    client = make_client(server.url)
    for number in range(3):
        client.report("job.started", {"job_id": number})
    assert client.flush(60)
    stats = client.stats()
    assert (stats.delivered, stats.rejected, balance(stats)) == (2, 1, 0)
    assert "`pages`: no number" in stats.last_error


def test_a_batch_that_is_too_large_is_halved_and_one_event_dropped(server, make_client):
    def at_most_two(events):
        if len(events) > 2 or any(event.get("job_id") == "huge" for event in events):
            return 413, {}, None
        return 200, {}, None

    server.always = at_most_two
    client = make_client(server.url)
    for name in ("a", "b", "huge", "c", "d", "e", "f"):
        client.report("job.started", {"job_id": name})
    assert client.flush(60)
    assert [event["job_id"] for event in server.of("job.started")] == ["a", "b", "c", "d", "e", "f"]
    stats = client.stats()
    assert stats.dropped == {"too_large": 1}
    assert balance(stats) == 0


def test_a_refused_batch_is_halved_until_the_culprit_is_found(server, make_client):
    server.always = lambda events: (400 if any(e.get("job_id") == "bad" for e in events) else 200, {}, None)
    client = make_client(server.url)
    for number in range(20):
        client.report("job.started", {"job_id": "bad" if number == 13 else str(number)})
    assert client.flush(60)
    assert len(server.of("job.started")) == 19
    assert client.stats().dropped == {"refused": 1}


def test_what_was_dropped_is_told_as_an_event(server, make_client):
    server.replies = [413]
    client = make_client(server.url, service="s")
    client.report("job.started", {"job_id": "a"})
    assert client.flush(60)
    server.wait_for(lambda events: any(event["type"] == "audit.recorded" for event in events))
    told = server.of("audit.recorded")[0]
    assert (told["action"], told["category"]) == ("watchkeeper.events_dropped", "system")
    assert told["attributes"] == {"dropped": 1, "dropped_too_large": 1}


@pytest.mark.parametrize("status", [500, 502, 429, 503])
def test_a_server_that_fails_is_tried_again(server, make_client, status):
    server.replies = [status, status]
    client = make_client(server.url)
    client.report("job.started", {"job_id": "a"})
    assert client.flush(60)
    assert [event["job_id"] for event in server.events] == ["a"]
    assert client.stats().retries == 2


def test_retry_after_is_kept(server, make_client):
    server.replies = [lambda events: (503, {"Retry-After": "1"}, None)]
    client = make_client(server.url)
    client.report("job.started", {"job_id": "a"})
    began = time.monotonic()
    assert client.flush(60)
    assert time.monotonic() - began >= 0.9


def test_a_flush_does_not_go_against_retry_after(server, make_client):
    server.always = lambda events: (429, {"Retry-After": "60"}, None)
    client = make_client(server.url)
    client.report("job.started", {"job_id": "a"})
    wait_until(lambda: client.stats().retries == 1)
    for _ in range(10):
        assert not client.flush(0.02)
    time.sleep(0.2)
    assert len(server.headers) == 1


@pytest.mark.parametrize("status", [401, 403, 404, 301])
def test_a_wrong_key_or_address_keeps_events_and_warns_once(server, make_client, status, caplog):
    server.always = status
    client = make_client(server.url)
    with caplog.at_level(logging.WARNING, "watchkeeper"):
        for number in range(3):
            client.report("job.started", {"job_id": number})
            assert not client.flush(0.1)
            wait_until(lambda number=number: client.stats().retries > number)
    assert client.stats().queued == 3
    assert len(caplog.records) == 1
    assert str(status) in caplog.records[0].getMessage()
    server.always = None
    assert client.flush(60)
    assert len(server.events) == 3


def test_a_page_with_200_is_not_watchkeeper(server, make_client):
    server.always = lambda events: (200, {}, b"<html>welcome</html>")
    client = make_client(server.url)
    client.report("job.started", {"job_id": "a"})
    assert not client.flush(0.2)
    assert client.stats().queued == 1


@pytest.fixture
def certificate(tmp_path):
    path, public = tmp_path / "certificate.pem", tmp_path / "public.pem"
    command = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=127.0.0.1"
    named = ["-addext", "subjectAltName=IP:127.0.0.1", "-keyout", str(path), "-out", str(public)]
    subprocess.run([*command.split(), *named], check=True, capture_output=True)
    path.write_text(path.read_text() + public.read_text())
    return path


@pytest.mark.parametrize("trust", ["none", "ca_file", "verify_tls"])
def test_https_is_trusted_by_the_systems_certificates_or_as_it_is_set(make_client, certificate, trust):
    server = Server()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    server._http.socket = context.wrap_socket(server._http.socket, server_side=True)
    settings = {"none": {}, "ca_file": {"ca_file": certificate}, "verify_tls": {"verify_tls": False}}[trust]
    client = make_client(server.url.replace("http:", "https:"), **settings)
    for number in range(3):
        client.report("job.started", {"job_id": number})
        assert client.flush(0.1 if trust == "none" else 30) == (trust != "none")
    if trust == "none":
        wait_until(lambda: client.stats().retries > 0)
        assert "CERTIFICATE_VERIFY_FAILED" in client.stats().last_error
        assert (client.stats().queued, server.events) == (3, [])
    else:
        assert len(server.events) == 3
    server.stop()


def test_a_silent_server_is_given_up_and_asked_again(make_client):
    silent = socket.create_server(("127.0.0.1", 0))
    port = silent.getsockname()[1]
    client = make_client(f"http://127.0.0.1:{port}", timeout_seconds=1)
    client.report("job.started", {"job_id": "a"})
    wait_until(lambda: client.stats().retries > 0)
    silent.close()
    server = Server(port)
    assert client.flush(60)
    # The batch that nobody answered comes once more, with the same id.
    assert {event["job_id"] for event in server.events} == {"a"}
    server.stop()


@pytest.mark.parametrize("beginning", ["X-Slow: ", "Content-Length: 99999\r\n\r\n"], ids=["header", "body"])
def test_a_server_that_sends_a_byte_now_and_then_is_given_up(make_client, beginning):
    slow = socket.create_server(("127.0.0.1", 0))
    is_over = threading.Event()

    def drip():
        connection = slow.accept()[0]
        connection.sendall(b"HTTP/1.1 200 OK\r\n" + beginning.encode())
        while not is_over.wait(0.05):
            try:
                connection.sendall(b"a")
            except OSError:
                return

    threading.Thread(target=drip, daemon=True).start()
    client = make_client(f"http://127.0.0.1:{slow.getsockname()[1]}", timeout_seconds=0.5, retry_seconds=60)
    client.report("job.started", {"job_id": "a"})
    try:
        wait_until(lambda: client.stats().retries > 0)
        assert "TimeoutError" in client.stats().last_error
    finally:
        is_over.set()
        slow.close()
    assert client.stats().queued == 1


def test_a_full_queue_drops_the_newest_and_never_waits(make_client):
    client = make_client("http://127.0.0.1:9", queue_events=10)
    for number in range(100):
        client.report("job.started", {"job_id": number})
    stats = client.stats()
    assert stats.queued + stats.dropped["queue_full"] == 100
    assert balance(stats) == 0


def test_nobody_waits_where_the_queue_is_full_and_the_server_silent(make_client):
    silent = socket.create_server(("127.0.0.1", 0))
    client = make_client(f"http://127.0.0.1:{silent.getsockname()[1]}", timeout_seconds=300, queue_events=100)

    def report():
        for number in range(5_000):
            client.report("job.started", {"job_id": number})

    began = time.monotonic()
    threads = [threading.Thread(target=report) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    # One that waited for the server, or for room, would wait for minutes.
    assert time.monotonic() - began < 60
    stats = client.stats()
    assert stats.dropped["queue_full"] >= 19_000
    assert (stats.reported, balance(stats)) == (20_000, 0)
    silent.close()


def test_pauses_grow_while_the_server_fails(server, make_client):
    asked = []

    def fail(events):
        asked.append(time.monotonic())
        return 500, {}, None

    server.always = fail
    client = make_client(server.url, retry_seconds=0.8)
    client.report("job.started", {"job_id": "a"})
    wait_until(lambda: len(asked) == 5)
    pauses = [later - earlier for earlier, later in zip(asked, asked[1:])]
    # Each at least half of 0.25 s, doubled up to the longest.
    for pause, least in zip(pauses, (0.125, 0.25, 0.4, 0.4)):
        assert pause >= least * 0.95
    server.always = None
    assert client.flush(60)


def test_the_bytes_of_a_queue_are_bounded(make_client):
    client = make_client("http://127.0.0.1:9", queue_bytes=20_000)
    for number in range(100):
        client.report("job.started", {"job_id": number, "message": "x" * 1_000})
    wait_until(lambda: client.stats().retries > 0)
    assert client.stats().queued_bytes <= 20_000
    assert client.stats().dropped["queue_full"] > 50


def test_the_end_delivers_what_waits(server, make_client):
    client = make_client(server.url, flush_seconds=60)
    client.report("job.started", {"job_id": "a"})
    client.shutdown(60)
    assert [event["job_id"] for event in server.events] == ["a"]
    client.report("job.started", {"job_id": "b"})
    assert client.stats().dropped == {"closed": 1}


def test_the_end_is_bounded_and_counts_what_is_lost(make_client):
    silent = socket.create_server(("127.0.0.1", 0))
    client = make_client(f"http://127.0.0.1:{silent.getsockname()[1]}", timeout_seconds=300)
    for number in range(5):
        client.report("job.started", {"job_id": number})
    began = time.monotonic()
    client.shutdown(0.3)
    assert time.monotonic() - began < 60
    stats = client.stats()
    assert stats.dropped == {"exit": 5}
    assert balance(stats) == 0
    silent.close()


def test_many_threads_report_at_once(server, make_client):
    client = make_client(server.url)

    def report(thread):
        for number in range(500):
            client.report("job.started", {"job_id": f"{thread}-{number}"})

    threads = [threading.Thread(target=report, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert client.flush(60)
    assert len({event["job_id"] for event in server.events}) == 4_000
    assert balance(client.stats()) == 0


def test_what_refuses_everything_and_is_not_watchkeeper_costs_no_event(server, make_client):
    server.always = lambda events: (422, {}, {"detail": [{"msg": "field required"}]})
    client = make_client(server.url)
    for number in range(100):
        client.report("job.started", {"job_id": number})
    assert not client.flush(0.5)
    wait_until(lambda: client.stats().retries > 0)
    stats = client.stats()
    assert (stats.queued, stats.dropped) == (100, {})
    assert "422" in stats.last_error
    assert len(server.headers) < 5


def test_an_end_right_after_the_beginning(server, make_client):
    # Threads of the client begin while it ends.
    for number in range(100):
        server.events.clear()
        client = make_client(server.url, worker=True, worker_id=f"w-{number}", heartbeat_seconds=15)
        client.shutdown(60)
        stats = client.stats()
        assert (stats.delivered, stats.dropped, balance(stats)) == (stats.reported, {}, 0), (number, stats)
        types = [event["type"] for event in sorted(server.events, key=lambda event: event["time"])]
        assert types in ([], ["worker.heartbeat", "worker.stopped"], [*["worker.heartbeat"] * 2, "worker.stopped"])


def test_what_the_end_takes_with_it_is_said_once(make_client, closed_port, caplog):
    client = make_client(f"http://127.0.0.1:{closed_port}", flush_seconds=60)
    for number in range(3):
        client.report("job.started", {"job_id": number})
    with caplog.at_level(logging.WARNING, "watchkeeper"):
        client.shutdown(60)
        client.shutdown(60)
    (record,) = caplog.records
    assert "exit 3" in record.getMessage()
    assert "refused" in record.getMessage().lower()


def test_a_warning_just_before_does_not_hide_what_the_end_takes(make_client, closed_port, caplog):
    with caplog.at_level(logging.WARNING, "watchkeeper"):
        client = make_client(f"http://127.0.0.1:{closed_port}")
        client.report("job.started", {"job_id": "j"})
        wait_until(lambda: len(caplog.records) == 1)
        client.shutdown(60)
    assert [("exit 1" in record.getMessage()) for record in caplog.records] == [False, True]
