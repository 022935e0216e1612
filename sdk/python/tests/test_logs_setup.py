"""One call that sets up `logging`; structlog, loguru and servers that write by themselves."""

from __future__ import annotations

import io
import json
import logging
import logging.config
import os
import subprocess
import sys
import warnings

import celery
import loguru
import pytest
import structlog
import uvicorn

import watchkeeper as wk

SOURCE = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "src")


@pytest.fixture(autouse=True)
def as_before():
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    yield
    wk.logs.configure(console="off", level=level, take_along=False, capture_warnings=False)
    logging.captureWarnings(False)
    root.handlers[:] = handlers
    root.setLevel(level)


@pytest.fixture
def console(capsys):
    return lambda: capsys.readouterr().err.splitlines()


def test_the_console_is_json_where_it_is_no_terminal(console):
    wk.logs.configure(service="s")
    logging.getLogger("a.b").info("größer", extra={"n": 1})
    logging.getLogger("a.b").debug("not shown")
    (line,) = console()
    told = json.loads(line)
    assert (told["service"], told["message"], told["logger"], told["details"]) == ("s", "größer", "a.b", {"n": 1})


def test_the_console_may_get_less_than_the_file(console, tmp_path, caplog):
    wk.logs.configure(console="text", console_level="error", file=tmp_path / "all.log")
    logging.getLogger("a.b").info("well")
    logging.getLogger("a.b").error("not well")
    assert [line.rpartition(" - ")[2] for line in console()] == ["not well"]
    assert len((tmp_path / "all.log").read_text().splitlines()) == 2
    wk.logs.configure(console="brief", service="bot")
    try:
        raise ValueError("7")
    except ValueError:
        logging.getLogger("a.b").exception("it failed")
    assert console() == ["bot: it failed"]
    wk.logs.configure(console="text", console_level="loud")
    logging.getLogger("a.b").info("all of it")
    assert len([line for line in console() if "all of it" in line]) == 1
    assert "the level of the console is NOTSET" in caplog.text


def test_the_console_is_text_on_a_terminal(monkeypatch, console):
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    wk.logs.configure()
    logging.getLogger("a.b").info("hello")
    assert console()[0].endswith(" - a.b - INFO - hello")


def test_a_console_that_is_not_utf_8_gets_ascii(monkeypatch):
    made = io.TextIOWrapper(io.BytesIO(), encoding="ascii", write_through=True)
    monkeypatch.setattr(sys, "stderr", made)
    wk.logs.configure()
    logging.getLogger("a").info("größer")
    assert json.loads(made.buffer.getvalue())["message"] == "größer"


def test_called_again_it_takes_the_place_of_what_was(tmp_path, console):
    for _ in range(3):
        wk.logs.configure(file=tmp_path / "app.log")
    logging.getLogger("a").info("once")
    assert len(console()) == 1
    assert len((tmp_path / "app.log").read_text().splitlines()) == 1


def test_handlers_of_others_stay_but_those_of_the_console(console):
    other, plain = logging.NullHandler(), logging.StreamHandler(sys.stderr)
    logging.getLogger().handlers += [other, plain]
    wk.logs.configure()
    assert other in logging.getLogger().handlers
    assert plain not in logging.getLogger().handlers


@pytest.mark.parametrize("given", [{"level": "loud"}, {"console": "pink"}, {"file_format": "xml"}, {"level": None}])
def test_what_makes_no_sense_is_a_warning_and_the_default(given, caplog):
    wk.logs.configure(**{"console": "off", **given})
    assert len([record for record in caplog.records if record.name == "watchkeeper"]) == 1


def test_all_at_once_file_and_delivery(tmp_path, server, client):
    wk.logs.configure(console="off", file=tmp_path / "logs" / "app.log", deliver=True)
    with wk.job("extract", id="j"):
        logging.getLogger("a").warning("both", extra={"n": 1})
    assert wk.flush(60)
    written = json.loads((tmp_path / "logs" / "app.log").read_text())
    (record,) = [record for record in server.records if record["logger"] == "a"]
    assert written["message"] == record["body"] == "both"
    assert written["details"]["n"] == record["details.n"] == 1
    assert written["job_id"] == record["job_id"] == "j"
    assert (written["trace_id"], written["span_id"]) == (record["traceId"], record["spanId"])


def test_warnings_are_logged(console):
    wk.logs.configure()
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        logging.captureWarnings(True)
        warnings.warn("old", DeprecationWarning, stacklevel=1)
    assert any("DeprecationWarning: old" in json.loads(line)["message"] for line in console())


def test_servers_that_write_by_themselves_are_taken_along(console):
    handler = logging.StreamHandler(sys.stderr)
    access = logging.getLogger("uvicorn.access")
    access.handlers[:], access.propagate = [handler], False
    access.setLevel(logging.INFO)
    own = logging.getLogger("gunicorn.error")
    kept = logging.NullHandler()
    own.handlers[:], own.propagate = [kept, logging.StreamHandler(sys.stdout)], False
    wk.logs.configure()
    access.info('%s - "%s %s HTTP/%s" %d', "127.0.0.1:5", "GET", "/a", "1.1", 200, extra={"color_message": "x"})
    own.warning("a worker ended")
    told = [json.loads(line) for line in console()]
    assert [line["message"] for line in told] == ['127.0.0.1:5 - "GET /a HTTP/1.1" 200', "a worker ended"]
    assert "details" not in told[0]
    assert own.handlers == [kept]
    own.handlers[:] = []


def test_uvicorn_is_taken_along_for_real(console):
    uvicorn.Config("nobody:app")
    assert logging.getLogger("uvicorn.access").handlers
    wk.logs.configure()
    logging.getLogger("uvicorn.access").info('%s - "%s %s HTTP/%s" %d', "127.0.0.1:5", "GET", "/a", "1.1", 200)
    logging.getLogger("uvicorn.error").info("Started", extra={"color_message": "Started"})
    assert [json.loads(line)["message"] for line in console()] == ['127.0.0.1:5 - "GET /a HTTP/1.1" 200', "Started"]


def test_celery_leaves_the_root_logger_as_it_is(console):
    application = celery.Celery("a", broker="memory://")
    wk.logs.configure()
    before = list(logging.getLogger().handlers)
    application.log.setup(loglevel="INFO", redirect_stdouts=False)
    assert logging.getLogger().handlers == before
    logging.getLogger("celery.worker.strategy").info("Task received", extra={"data": {"id": "t-1", "name": "a.b"}})
    (line,) = console()
    assert json.loads(line)["details"] == {"data": {"id": "t-1", "name": "a.b"}}


def test_structlog_is_delivered_with_its_ids_and_rendered(server, client):
    written = io.StringIO()
    structlog.configure(
        processors=[structlog.stdlib.add_log_level, wk.logs.structlog_processor, wk.logs.structlog_renderer],
        logger_factory=structlog.PrintLoggerFactory(written),
        cache_logger_on_first_use=False,
    )
    try:
        with wk.job("extract", id="j") as job:
            structlog.get_logger().bind(user_id="ann").warning("read", pages=7)
            try:
                raise ValueError("bad")
            except ValueError:
                structlog.get_logger().exception("failed")
    finally:
        structlog.reset_defaults()
    assert wk.flush(60)
    first, second = server.records
    assert (first["body"], first["user_id"], first["details.pages"], first["job_id"]) == ("read", "ann", 7, "j")
    assert (first["severityNumber"], first["traceId"]) == (13, job.trace_id)
    assert (second["severityNumber"], second["exception.type"]) == (17, "ValueError")
    told, failed = (json.loads(line) for line in written.getvalue().splitlines())
    assert (told["level"], told["message"], told["user_id"], told["job_id"]) == ("WARNING", "read", "ann", "j")
    assert told["details"] == {"pages": 7}
    assert failed["exception"]["message"] == "bad"


def test_structlog_over_logging_is_delivered_once(server, client):
    wk.logs.configure(console="off", deliver=True)
    stdlib = structlog.stdlib
    structlog.configure(
        processors=[
            stdlib.add_log_level,
            wk.logs.structlog_processor,
            stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=stdlib.LoggerFactory(),
        wrapper_class=stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )
    try:
        with wk.job("extract", id="j"):
            structlog.get_logger("app").error("read", pages=7)
            try:
                raise ValueError("bad")
            except ValueError:
                structlog.get_logger("app").exception("failed")
    finally:
        structlog.reset_defaults()
    assert wk.flush(60)
    record, failed = server.records
    assert (record["body"], record["details.pages"], record["job_id"]) == ("read", 7, "j")
    assert record["severityNumber"] == 17
    assert [key for key in record if key.startswith("details.")] == ["details.pages"]
    assert failed["exception.message"] == "bad"


def test_loguru_goes_where_logging_does(tmp_path, server, client):
    wk.logs.configure(console="off", file=tmp_path / "app.log", deliver=True)
    loguru.logger.remove()
    sink = loguru.logger.add(wk.logs.loguru_sink, level="DEBUG")
    try:
        with wk.job("extract", id="j"):
            loguru.logger.bind(user_id="ann").success("read {} pages", 7, pages=7)
            try:
                raise ValueError("bad")
            except ValueError:
                loguru.logger.exception("failed")
    finally:
        loguru.logger.remove(sink)
    assert wk.flush(60)
    first, second = server.records
    assert (first["body"], first["user_id"], first["details.pages"]) == ("read 7 pages", "ann", 7)
    assert (first["severityText"], first["severityNumber"], first["job_id"]) == ("SUCCESS", 10, "j")
    assert second["exception.type"] == "ValueError"
    told = [json.loads(line) for line in (tmp_path / "app.log").read_text().splitlines()]
    assert [line["message"] for line in told] == ["read 7 pages", "failed"]


def test_loguru_is_delivered_without_configure(server, client):
    loguru.logger.remove()
    sink = loguru.logger.add(wk.logs.loguru_sink)
    try:
        loguru.logger.info("direct")
    finally:
        loguru.logger.remove(sink)
    assert wk.flush(60)
    assert [record["body"] for record in server.records] == ["direct"]


def test_the_package_imports_neither_of_them():
    program = "import sys, watchkeeper; print(sorted({'structlog', 'loguru', 'celery'} & set(sys.modules)))"
    environment = {**os.environ, "PYTHONPATH": SOURCE}
    done = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True, timeout=20)
    assert done.stdout.strip() == "[]"


def test_an_audit_says_who_did_what(server, client):
    with wk.job("extract", id="j") as job:
        wk.audit("document.delete", outcome="denied", user_id=7, target="d-7", message="only reads", role="viewer")
    wk.audit("login", outcome="perhaps", category="odd")
    assert wk.flush(60)
    first, second = server.of("audit.recorded")
    assert {key: first[key] for key in ("action", "outcome", "category", "user_id", "target", "message")} == {
        "action": "document.delete",
        "outcome": "denied",
        "category": "user_action",
        "user_id": "7",
        "target": "d-7",
        "message": "only reads",
    }
    assert (first["job_id"], first["trace_id"], first["service"]) == ("j", job.trace_id, "tests")
    assert first["attributes"] == {"role": "viewer"}
    assert second["attributes"] == {"given_outcome": "perhaps", "given_category": "odd"}
    assert "outcome" not in second


def test_audits_do_nothing_without_a_client():
    wk.audit("login")
    assert wk.stats() == wk.Stats()
