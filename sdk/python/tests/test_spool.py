"""The folder that takes what cannot be delivered."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys

import pytest
from conftest import Server, balance, wait_until

import watchkeeper as wk
from watchkeeper import _lane, _spool
from watchkeeper._counts import Counts
from watchkeeper._spool import Spool


def spool(folder, max_bytes=1 << 20):
    counts = Counts()
    return Spool(str(folder), max_bytes, counts), counts


def test_batches_come_back_oldest_first_and_then_are_gone(tmp_path):
    made, _ = spool(tmp_path)
    assert made.write([b'{"a":1}', b'{"b":2}'])
    assert made.write([b'{"c":3}'])
    first, second = made.claim(), made.claim()
    assert first.events == [b'{"a":1}', b'{"b":2}']
    assert second.events == [b'{"c":3}']
    assert made.claim() is None
    first.done()
    second.release()
    assert made.claim().events == [b'{"c":3}']
    assert len(os.listdir(tmp_path)) == 1


def test_a_batch_is_claimed_by_one_process(tmp_path):
    made, _ = spool(tmp_path)
    made.write([b"{}"])
    claim = made.claim()
    child = os.fork()
    if child == 0:
        os._exit(0 if spool(tmp_path)[0].claim() is None else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    claim.done()


def test_a_child_that_is_forked_in_the_middle_of_writing_keeps_no_lock(tmp_path, monkeypatch):
    made, _ = spool(tmp_path)
    reader, writer = os.pipe()
    children = []

    def fork_and_sync(file):
        children.append(os.fork())
        if children[0] == 0:
            os.close(writer)
            os.read(reader, 1)
            os._exit(0)

    monkeypatch.setattr(os, "fsync", fork_and_sync)
    assert made.write([b"{}"])
    claim = made.claim()
    os.close(writer)
    os.close(reader)
    os.waitpid(children[0], 0)
    assert claim is not None
    claim.done()


@pytest.mark.parametrize("harm", ["cut", "flipped", "short", "foreign"])
def test_a_damaged_file_is_counted_and_removed(tmp_path, harm):
    made, counts = spool(tmp_path)
    made.write([b'{"a":1}', b'{"b":2}'])
    made.write([b'{"c":3}'])
    path = tmp_path / sorted(os.listdir(tmp_path))[0]
    data = path.read_bytes()
    flipped = data[:30] + bytes([data[30] ^ 1]) + data[31:]
    harmed = {"cut": data[:-3], "flipped": flipped, "short": b"WK", "foreign": b"x" * 100}[harm]
    path.write_bytes(harmed)
    assert made.claim().events == [b'{"c":3}']
    assert counts.dropped() == {"adopted_corrupt": 2 if harm in ("cut", "flipped") else 1}
    assert not path.exists()


def test_a_full_spool_and_one_that_cannot_be_written_take_nothing(tmp_path):
    made, counts = spool(tmp_path, max_bytes=150)
    assert made.write([b"{}"])
    while made.write([b"{}"]):
        pass
    assert counts.last_error == "the spool is full"
    (tmp_path / "file").write_text("")
    made, counts = spool(tmp_path / "file" / "below")
    assert not made.write([b"{}"])
    assert made.claim() is None
    assert "spool" in counts.last_error


def test_what_a_process_left_is_delivered_by_the_next(tmp_path, make_client):
    away = make_client("http://127.0.0.1:9", spool_dir=tmp_path)
    for number in range(100):
        away.report("job.started", {"job_id": number})
    away.shutdown(2)
    assert away.stats().spooled == 100
    assert balance(away.stats()) == 0
    server = Server()
    heir = make_client(server.url, spool_dir=tmp_path)
    heir.report("job.started", {"job_id": "own"})
    server.wait_for(lambda events: len(events) == 101)
    wait_until(lambda: not os.listdir(tmp_path))
    assert len({event["event_id"] for event in server.events}) == 101
    assert heir.flush(60)
    assert (heir.stats().adopted, heir.stats().delivered) == (100, 1)
    server.stop()


def test_a_long_absence_loses_nothing_that_fits(tmp_path, make_client):
    server = Server()
    port = server.port
    server.stop()
    client = make_client(f"http://127.0.0.1:{port}", spool_dir=tmp_path, queue_events=100)
    for number in range(1_000):
        client.report("job.started", {"job_id": number})
        if client._queue.is_half_full():
            wait_until(lambda: not client._queue.is_half_full())
    assert client.stats().spooled > 800
    server = Server(port)
    server.wait_for(lambda events: len({event["event_id"] for event in events}) == 1_000)
    assert client.flush(60)
    assert client.stats().dropped == {}
    assert balance(client.stats()) == 0
    server.stop()


def test_what_the_server_refuses_of_the_spool_is_counted_by_who_sends_it(tmp_path, make_client):
    away = make_client("http://127.0.0.1:9", spool_dir=tmp_path)
    for number in range(4):
        away.report("job.started", {"job_id": number})
    away.shutdown(2)
    server = Server()
    server.always = lambda events: (400 if any(event.get("job_id") == 2 for event in events) else 200, {}, None)
    heir = make_client(server.url, spool_dir=tmp_path)
    heir.report("job.started", {"job_id": "own"})
    wait_until(lambda: not os.listdir(tmp_path))
    assert heir.flush(60)
    assert heir.stats().adopted == 3
    assert heir.stats().dropped == {"adopted_refused": 1}
    assert balance(heir.stats()) == 0
    server.stop()


def test_a_flush_brings_to_the_spool_what_cannot_be_delivered(tmp_path, make_client, closed_port):
    client = make_client(f"http://127.0.0.1:{closed_port}", spool_dir=str(tmp_path))
    for number in range(10):
        client.report("job.started", {"job_id": number})
    assert client.flush(60)
    assert (client.stats().spooled, client.stats().queued) == (10, 0)
    server = Server(closed_port)
    server.wait_for(lambda events: len(events) == 10, 30)


@pytest.mark.parametrize("state", ["adopting", "busy"])
def test_a_flush_brings_to_the_spool_whatever_else_is_under_way(tmp_path, make_client, closed_port, state):
    client = make_client(f"http://127.0.0.1:{closed_port}", spool_dir=tmp_path, retry_seconds=60)
    if state == "adopting":
        # What another process left there is tried first, and waits for the server.
        spool(tmp_path)[0].write([b'{"type":"job.started","job_id":"left"}'])
        server = None
    else:
        server = Server(closed_port)
        server.always = lambda events: (503, {"Retry-After": "60"}, None)
    client.report("job.started", {"job_id": "a"})
    wait_until(lambda: client.stats().retries > 0)
    for number in range(3):
        client.report("job.started", {"job_id": number})
        assert client.flush(30)
    assert (client.stats().spooled, client.stats().queued) == (4, 0)
    assert balance(client.stats()) == 0
    if server is not None:
        assert len(server.headers) == 1
        server.stop()


def test_what_somebody_waits_for_goes_before_what_others_left(tmp_path, make_client):
    made, _ = spool(tmp_path)
    for number in range(20):
        made.write([b'{"type":"job.started","job_id":"%d"}' % number])
    server = Server()
    order = []

    def slow(events):
        order.extend(event["job_id"] for event in events)
        server.release.wait(0.1)
        return 200, {}, None

    server.always = slow
    client = make_client(server.url, spool_dir=tmp_path, flush_seconds=60)
    client.report("job.started", {"job_id": "own"})
    assert client.flush(30)
    assert len(order) < 20
    server.release.set()
    server.wait_for(lambda events: len(events) == 21)
    server.stop()


def test_a_lack_of_memory_ends_neither_delivery_nor_the_accounts(tmp_path, make_client, closed_port, monkeypatch):
    def fails(*args):
        raise MemoryError

    client = make_client(f"http://127.0.0.1:{closed_port}", spool_dir=tmp_path)
    with monkeypatch.context() as patch:
        for module in (_lane, _spool):
            patch.setattr(module, "pack", fails)
        client.report("job.started", {"job_id": "a"})
        assert not client.flush(0.5)
        wait_until(lambda: client.stats().retries > 0)
        assert balance(client.stats()) == 0
    server = Server(closed_port)
    client.report("job.started", {"job_id": "b"})
    server.wait_for(lambda events: len(events) == 2)
    server.stop()
    last = make_client(f"http://127.0.0.1:{closed_port}", spool_dir=tmp_path, flush_seconds=60)
    last.report("job.started", {"job_id": "c"})
    monkeypatch.setattr(_spool, "pack", fails)
    last.shutdown(2)
    assert last.stats().dropped.pop("spool_full") >= 1
    assert balance(last.stats()) == 0


def test_a_script_ends_soon_where_nobody_listens(closed_port):
    program = f"""
import watchkeeper as wk
wk.init("http://127.0.0.1:{closed_port}", service="script", exit_seconds=60)
with wk.job("extract"):
    pass
"""
    environment = {**os.environ, "PYTHONPATH": os.path.dirname(os.path.dirname(wk.__file__))}
    subprocess.run([sys.executable, "-c", program], timeout=60, check=True, env=environment)


def test_what_did_not_fit_into_the_spool_at_the_end_is_told_by_an_event_there(tmp_path, make_client, closed_port):
    client = make_client(f"http://127.0.0.1:{closed_port}", spool_dir=tmp_path, spool_bytes=2_000, flush_seconds=60)
    for number in range(20):
        client.report("job.started", {"job_id": number, "message": os.urandom(500).hex()})
    client.shutdown(5)
    assert client.stats().dropped == {"spool_full": 20}
    server = Server(closed_port)
    heir = make_client(server.url, spool_dir=tmp_path)
    heir.report("job.started", {"job_id": "own"})
    server.wait_for(lambda events: len(events) == 2)
    assert server.of("audit.recorded")[0]["attributes"]["dropped_spool_full"] == 20
    server.stop()


FULL_DISK = """
import dataclasses, json, os, resource, subprocess, sys
import watchkeeper as wk

url, folder, kind = sys.argv[1:]
if kind == "tmpfs":
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "none", folder], check=True)
else:
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, resource.getrlimit(resource.RLIMIT_FSIZE)[1]))
client = wk.init(url, spool_dir=folder, queue_events=2_000, heartbeat_seconds=0, flush_seconds=0.02, retry_seconds=0.05)
for number in range(3_000):
    wk.event("job.progress", job_id=number, message=os.urandom(100).hex())
assert not wk.flush(2)
before = client.stats()
wk.shutdown(5)
told = [dataclasses.asdict(stats) for stats in (before, client.stats())]
print(json.dumps({"told": told, "files": os.listdir(folder)}))
"""


@pytest.mark.parametrize("kind", ["tmpfs", "limit"])
def test_a_full_disk_costs_nothing_but_what_the_queue_cannot_hold(tmp_path, closed_port, kind):
    apart = ["unshare", "--user", "--map-root-user", "--mount"] if kind == "tmpfs" else []
    if apart and (shutil.which("unshare") is None or subprocess.run([*apart, "true"], check=False).returncode != 0):
        pytest.skip("namespaces cannot be made here")
    command = [*apart, sys.executable, "-c", FULL_DISK, f"http://127.0.0.1:{closed_port}", str(tmp_path), kind]
    environment = {**os.environ, "PYTHONPATH": os.path.dirname(os.path.dirname(wk.__file__))}
    done = subprocess.run(command, timeout=60, check=True, env=environment, capture_output=True, text=True)
    found = json.loads(done.stdout)
    before, after = (wk.Stats(**stats) for stats in found["told"])
    assert balance(before) == balance(after) == 0
    assert before.reported == 3_000
    assert set(before.dropped) <= {"queue_full"}
    assert before.queued >= 2_000
    assert after.dropped["spool_full"] >= 2_000
    # What could not be written whole is gone, and that it is lost stands there, where there was room for that.
    assert [name for name in found["files"] if name.endswith(".wktmp")] == []
    assert after.spooled > before.spooled or kind == "tmpfs"
    # One warning of the trouble, and one at the end.
    assert done.stderr.count("Watchkeeper at") == 2
