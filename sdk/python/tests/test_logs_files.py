"""Files that are rotated, by one process and by several."""

from __future__ import annotations

import logging
import os
import signal
import time

import pytest

from watchkeeper.logs import SharedRotatingFileHandler


def logger_of(path, **bounds):
    handler = SharedRotatingFileHandler(path, **bounds)
    logger = logging.Logger("files")
    logger.addHandler(handler)
    return logger, handler


def lines(folder):
    found = []
    for name in sorted(os.listdir(folder)):
        if not name.endswith(".lock"):
            found += (folder / name).read_text().splitlines()
    return found


def test_a_file_is_rotated_by_size_and_the_oldest_goes(tmp_path):
    logger, _ = logger_of(tmp_path / "logs" / "app.log", max_bytes=100, backup_count=3)
    for number in range(50):
        logger.info("line %02d %s", number, "x" * 31)
    folder = tmp_path / "logs"
    names = sorted(name for name in os.listdir(folder) if not name.endswith(".lock"))
    assert names == ["app.log", "app.log.1", "app.log.2", "app.log.3"]
    assert all((folder / name).stat().st_size <= 100 for name in names)
    assert (folder / "app.log").read_text().splitlines()[-1].startswith("line 49")
    assert [line[:7] for line in (folder / "app.log.1").read_text().splitlines()] == ["line 46", "line 47"]


def test_a_line_that_is_larger_than_a_file_is_written_whole(tmp_path):
    logger, _ = logger_of(tmp_path / "app.log", max_bytes=10, backup_count=2)
    logger.info("x" * 1_000)
    logger.info("y" * 1_000)
    assert sorted(lines(tmp_path)) == ["x" * 1_000, "y" * 1_000]


def test_without_a_count_it_grows(tmp_path):
    logger, _ = logger_of(tmp_path / "app.log", max_bytes=10, backup_count=0)
    for _ in range(10):
        logger.info("a line")
    assert os.listdir(tmp_path) == ["app.log"]
    assert len(lines(tmp_path)) == 10


def test_several_processes_lose_no_line_and_mix_none(tmp_path):
    logger, _ = logger_of(tmp_path / "app.log", max_bytes=4_000, backup_count=500)
    logger.info("parent-0")
    children = []
    for child in range(4):
        pid = os.fork()
        if pid == 0:
            try:
                for number in range(400):
                    logger.info("%d-%03d %s", child, number, "x" * 60)
            finally:
                os._exit(0)
        children.append(pid)
    for pid in children:
        os.waitpid(pid, 0)
    found = [line.split()[0] for line in lines(tmp_path)]
    assert sorted(found) == sorted(["parent-0", *(f"{c}-{n:03d}" for c in range(4) for n in range(400))])
    # Larger files than 4,000 bytes are those that others wrote to while one renamed.
    assert len(os.listdir(tmp_path)) > 5


def test_a_process_that_is_stopped_with_the_lock_holds_up_nobody(tmp_path):
    fcntl = pytest.importorskip("fcntl")
    path = tmp_path / "app.log"
    pid = os.fork()
    if pid == 0:
        file = os.open(f"{path}.lock", os.O_RDWR | os.O_CREAT)
        fcntl.flock(file, fcntl.LOCK_EX)
        (tmp_path / "held").touch()
        time.sleep(60)
        os._exit(0)
    while not (tmp_path / "held").exists():
        time.sleep(0.005)
    (tmp_path / "held").unlink()
    logger, _ = logger_of(path, max_bytes=10, backup_count=3)
    for number in range(5):
        logger.info("line %d", number)
    assert len(path.read_text().splitlines()) == 5
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    logger.info("line 5")
    assert path.read_text() == "line 5\n"


def test_a_file_that_another_program_moved_or_removed_begins_anew(tmp_path):
    path = tmp_path / "app.log"
    logger, handler = logger_of(path)
    logger.info("one")
    path.rename(tmp_path / "moved")
    logger.info("two")
    path.unlink()
    logger.info("three")
    assert ((tmp_path / "moved").read_text(), path.read_text()) == ("one\n", "three\n")
    handler.close()
    logger.info("four")
    assert path.read_text() == "three\nfour\n"


def test_a_disk_that_fails_does_not_reach_the_application(tmp_path, capsys):
    (tmp_path / "file").write_text("")
    logger, _ = logger_of(tmp_path / "file" / "below" / "app.log")
    logger.info("lost")
    # As `logging` tells it, where `logging.raiseExceptions` is on.
    assert "NotADirectoryError" in capsys.readouterr().err
