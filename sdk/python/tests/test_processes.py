"""Forks, and the ends of processes."""

from __future__ import annotations

import logging
import multiprocessing
import os
import shutil
import signal
import subprocess
import sys
import textwrap
import threading
from collections import Counter

import pytest
from conftest import Server, wait_until

import watchkeeper as wk
from watchkeeper import _trace
from watchkeeper.integrations._running import Running
from watchkeeper.integrations.litellm import Teller
from watchkeeper.logs import WatchkeeperHandler

SOURCE = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "src")


def start(program: str, server: Server, **environment: str) -> subprocess.Popen:
    program = "import watchkeeper as wk\n" + textwrap.dedent(program)
    settings = {"WATCHKEEPER_URL": server.url, "WATCHKEEPER_EXIT_SECONDS": "60"}
    environment = {**os.environ, "PYTHONPATH": SOURCE, **settings, **environment}
    return subprocess.Popen([sys.executable, "-c", program], env=environment, stdout=subprocess.PIPE)


def test_a_child_sends_its_own_events_and_the_parent_its(server, make_client):
    client = make_client(server.url, worker_id="w", flush_seconds=0.5)
    for number in range(50):
        client.report("job.started", {"job_id": f"parent-{number}"})
    children = []
    for child in range(3):
        pid = os.fork()
        if pid == 0:
            for number in range(20):
                client.report("job.started", {"job_id": f"{child}-{number}"})
            os._exit(0 if client.flush(60) and client.stats().delivered == 20 else 1)
        children.append(pid)
    for pid in children:
        assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    assert client.flush(60)
    assert sorted(event["job_id"] for event in server.events) == sorted(
        [f"parent-{number}" for number in range(50)] + [f"{c}-{n}" for c in range(3) for n in range(20)]
    )
    assert len({event["event_id"] for event in server.events}) == 110
    assert {event["worker_id"] for event in server.events} == {"w", *(f"w-{pid}" for pid in children)}


def test_children_that_are_forked_while_all_threads_report_work_on(server, client):
    logger = logging.Logger("app")
    logger.addHandler(WatchkeeperHandler())
    is_over = threading.Event()

    def work():
        while not is_over.is_set():
            with wk.job("parent") as job, job.stage("s"):
                logger.info("m")

    threads = [threading.Thread(target=work, daemon=True) for _ in range(3)]
    for thread in threads:
        thread.start()
    children = []
    for child in range(40):
        pid = os.fork()
        if pid == 0:
            # One that waits for a lock of a thread that it does not have would wait for ever.
            signal.alarm(60)
            with wk.job("child", id=f"child-{child}") as job, job.stage("s"):
                logger.info("m")
            os._exit(0 if client.flush(30) else 1)
        children.append(pid)
    codes = [os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) for pid in children]
    is_over.set()
    for thread in threads:
        thread.join()
    assert codes == [0] * 40
    ended = Counter(event["job_id"] for event in server.of("job.completed") if event["kind"] == "child")
    assert ended == {f"child-{child}": 1 for child in range(40)}


@pytest.mark.parametrize(
    ("part", "use"),
    [(Teller(), lambda part: part.begun({"litellm_call_id": "c"})), (Running(), lambda part: part.of("id"))],
    ids=["calls of litellm", "attempts"],
)
def test_a_lock_that_a_thread_holds_at_a_fork_holds_up_no_child(client, part, use):
    is_held, is_over = threading.Event(), threading.Event()

    def hold():
        with part._lock:
            is_held.set()
            is_over.wait(60)

    thread = threading.Thread(target=hold)
    thread.start()
    is_held.wait(60)
    pid = os.fork()
    if pid == 0:
        signal.alarm(10)
        use(part)
        os._exit(0)
    code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    is_over.set()
    thread.join()
    assert code == 0


def test_a_child_makes_other_random_ids_than_its_parent():
    _trace.new_trace_id()
    reader, writer = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.write(writer, ",".join(_trace.new_trace_id() for _ in range(100)).encode())
        os._exit(0)
    os.waitpid(pid, 0)
    of_child = set(os.read(reader, 100_000).decode().split(","))
    os.close(reader)
    os.close(writer)
    of_parent = {_trace.new_trace_id() for _ in range(100)}
    assert len(of_child) == len(of_parent) == 100
    assert of_child.isdisjoint(of_parent)


def test_a_fork_in_the_middle_of_a_batch_sends_it_once(server, make_client):
    def hold(events):
        server.release.wait(60)
        return 200, {}, None

    server.replies = [hold]
    client = make_client(server.url, timeout_seconds=60)
    client.report("job.started", {"job_id": "parent"})
    wait_until(lambda: len(server.headers) == 1)
    pid = os.fork()
    if pid == 0:
        client.report("job.started", {"job_id": "child"})
        os._exit(0 if client.flush(60) else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    assert [event["job_id"] for event in server.events] == ["child"]
    server.release.set()
    assert client.flush(60)
    assert [event["job_id"] for event in server.events] == ["child", "parent"]


def _in_child(number):
    with wk.job("extract", id=f"child-{number}"):
        pass


def test_children_of_multiprocessing_deliver_at_their_end(server, client):
    context = multiprocessing.get_context("fork")
    children = [context.Process(target=_in_child, args=(number,)) for number in range(3)]
    for child in children:
        child.start()
    for child in children:
        child.join(60)
        assert child.exitcode == 0
    done = {event["job_id"] for event in server.of("job.completed")}
    assert done == {"child-0", "child-1", "child-2"}


def test_the_end_of_a_program_delivers_and_says_that_the_worker_stopped(server):
    program = "wk.init(worker_id='w')\nwith wk.job('a', id='j'): pass"
    assert start(program, server).wait(60) == 0
    types = sorted({event["type"] for event in server.events})
    assert types == ["job.completed", "job.started", "worker.heartbeat", "worker.stopped"]


def test_sigterm_delivers_and_still_ends_the_process(server):
    program = """
    import time
    wk.init(flush_seconds=60)
    wk.event('job.started', job_id='j')
    print('ready', flush=True)
    time.sleep(60)
    """
    process = start(program, server)
    process.stdout.readline()
    process.send_signal(signal.SIGTERM)
    assert process.wait(60) == -signal.SIGTERM
    assert [event["job_id"] for event in server.of("job.started")] == ["j"]


@pytest.mark.skipif(shutil.which("unshare") is None, reason="needs namespaces of process ids")
def test_the_first_process_of_a_container_goes_on_after_sigterm_as_it_would_without_us(server):
    program = """
    import os, signal, sys, time
    import watchkeeper as wk
    wk.init(flush_seconds=0.02)
    wk.event('audit.recorded', action='before')
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(0.5)
    wk.event('audit.recorded', action='after')
    sys.exit(0 if os.getpid() == 1 and wk.flush(60) else 9)
    """
    apart = ["unshare", "--user", "--map-root-user", "--pid", "--fork"]
    if subprocess.run([*apart, "true"], check=False).returncode != 0:
        pytest.skip("namespaces cannot be made here")
    command = [*apart, sys.executable, "-c", textwrap.dedent(program)]
    environment = {**os.environ, "PYTHONPATH": SOURCE, "WATCHKEEPER_URL": server.url}
    assert subprocess.run(command, env=environment, timeout=60, check=False).returncode == 0
    assert [event["action"] for event in server.of("audit.recorded")] == ["before", "after"]


def test_a_handler_of_the_application_stays(server):
    program = """
    import os, signal, time
    signal.signal(signal.SIGTERM, lambda *_: os._exit(7))
    wk.init()
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(60)
    """
    assert start(program, server).wait(60) == 7


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="bounds its own address space")
def test_where_no_thread_can_be_started_nothing_piles_up_and_it_is_tried_again(server):
    program = """
    import multiprocessing.util, resource, threading, time
    client = wk.init(heartbeat_seconds=0)
    threading.stack_size(1 << 30)
    unbounded = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (1 << 30, unbounded[1]))
    for number in range(1000):
        with wk.job('a', id=number): pass
    assert threading.active_count() == 1 and 'no thread' in client.stats().last_error
    assert len(multiprocessing.util._finalizer_registry) < 5
    threading.stack_size(0)
    resource.setrlimit(resource.RLIMIT_AS, unbounded)
    while threading.active_count() == 1:
        time.sleep(0.1)
        wk.event('audit.recorded', action='a')
    assert wk.flush(60)
    """
    assert start(program, server).wait(60) == 0
    assert len(server.of("job.completed")) == 1000


GEVENT = """
import sys, time
import watchkeeper as wk
wk.init(sys.argv[1], service="patched", heartbeat_seconds=1, worker=False, flush_seconds=0.02)
from gevent import monkey
monkey.patch_all()
import gevent
ticks = []
def tick():
    for _ in range(20):
        ticks.append(time.monotonic())
        gevent.sleep(0.02)
ticking = gevent.spawn(tick)
with wk.job("extract", id="j") as job:
    with job.stage("ocr"):
        ticking.join()
wk.shutdown(60)
print(len(ticks))
"""


def test_gevent_that_comes_after_init_stops_nothing(server):
    environment = {**os.environ, "PYTHONPATH": SOURCE}
    program = [sys.executable, "-c", GEVENT, server.url]
    done = subprocess.run(program, capture_output=True, text=True, timeout=60, check=False, env=environment)
    assert (done.returncode, done.stdout.strip()) == (0, "20"), done.stderr
    assert [event["job_id"] for event in server.of("job.completed")] == ["j"]


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
def test_a_child_measures_itself_and_not_its_parent(client):
    held = bytearray(os.urandom(1)) * (64 << 20)
    parent = client.process.rss_bytes()
    pid = os.fork()
    if pid == 0:
        grown = bytearray(b"x") * (128 << 20)
        os._exit(0 if client.process.rss_bytes() > parent + (64 << 20) and grown else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    assert held


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only there a file is kept open")
def test_a_daemon_that_closed_all_descriptors_keeps_its_own(server):
    program = """
    import os, stat
    client = wk.init(worker_id='w')
    os.closerange(3, 256)
    own = [os.open(os.devnull, os.O_WRONLY) for _ in range(20)]
    pid = os.fork()
    if pid == 0:
        for file in own:
            assert stat.S_ISCHR(os.fstat(file).st_mode)
        assert client.process.rss_bytes() > 1 << 20
        os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    client.process.rss_bytes()
    assert client.process.rss_bytes() > 1 << 20
    """
    assert start(program, server).wait(60) == 0
