"""The WSGI middleware, driven as a server drives it, and under the standard library's."""

from __future__ import annotations

import io
import logging
import threading
import urllib.request
from wsgiref.simple_server import WSGIRequestHandler, make_server
from wsgiref.util import setup_testing_defaults
from wsgiref.validate import validator

import pytest

import watchkeeper as wk
from watchkeeper.wsgi import WatchkeeperMiddleware


def answering(status, *pieces, headers=()):
    def app(environ, start_response):
        start_response(status, list(headers))
        return list(pieces)

    return app


def call(app, path="/", take=None, options=None, **environ):
    """Runs one request as a server does, and gives the headers and what it took of the body."""
    given = {"PATH_INFO": path, "REMOTE_ADDR": "10.0.0.9", **environ}
    setup_testing_defaults(given)
    started, taken = [], []

    def start_response(status, headers, exc_info=None):
        started.append((status, dict(headers)))
        return taken.append

    body = WatchkeeperMiddleware(app, **(options or {}))(given, start_response)
    try:
        for piece in body:
            taken.append(piece)
            if take is not None and len(taken) >= take:
                break
    finally:
        if hasattr(body, "close"):
            body.close()
    return started, taken


def test_a_request(told):
    environ = {"HTTP_X_REQUEST_ID": "r-1", "CONTENT_LENGTH": "12", "REQUEST_METHOD": "PUT", "SCRIPT_NAME": "/api"}
    started, _ = call(answering("201 Created", b"hello"), "/d\xc3\xa4", **environ)
    assert started[0][1]["X-Request-ID"] == "r-1"
    assert float(started[0][1]["X-Process-Time"]) >= 0
    event = told()
    assert (event["method"], event["path"], event["status_code"]) == ("PUT", "/api/dä", 201)
    assert (event["request_bytes"], event["response_bytes"], event["client_ip"]) == (12, 5, "10.0.0.9")
    assert "attributes" not in event


def test_a_logger_gets_a_line_for_each_request(told, caplog):
    with caplog.at_level(logging.INFO, "gateway"):
        call(answering("200 OK", b"ab", b"c"), "/pages", options={"log": "gateway"}, HTTP_X_REQUEST_ID="r-1")
    told()
    (record,) = caplog.records
    assert (record.getMessage(), record.request_id) == ("GET /pages: 200", "r-1")
    assert record.details["response_bytes"] == 3


def test_it_keeps_to_the_standard(told):
    def app(environ, start_response):
        start_response("200 OK", [("Content-Type", "text/plain")])
        return [b"x"]

    class Silent(WSGIRequestHandler):
        def log_message(self, *args):
            pass

    httpd = make_server("127.0.0.1", 0, validator(WatchkeeperMiddleware(validator(app))), handler_class=Silent)
    thread = threading.Thread(target=httpd.handle_request)
    thread.start()
    with urllib.request.urlopen(f"http://127.0.0.1:{httpd.server_port}/a", timeout=60) as answer:
        # Of a list with one piece the server knows the length.
        assert answer.headers["Content-Length"] == "1" or answer.read() == b"x"
    thread.join(10)
    httpd.server_close()
    assert told()["response_bytes"] == 1


def test_a_body_is_made_in_its_request(told):
    seen = []

    def app(environ, start_response):
        start_response("200 OK", [])
        for _ in range(3):
            seen.append(wk.current_request().request_id)
            yield b"12345"

    call(app, HTTP_X_REQUEST_ID="r-1")
    assert seen == ["r-1"] * 3
    assert wk.current_request() is None
    event = told()
    assert event["response_bytes"] == 15
    assert event["attributes"]["time_to_first_byte_seconds"] <= event["duration_seconds"]


def test_a_client_that_leaves(told):
    closed = []

    class Body:
        def __iter__(self):
            return iter([b"1", b"2", b"3"])

        def close(self):
            closed.append(True)

    def app(environ, start_response):
        start_response("200 OK", [])
        return Body()

    call(app, take=1)
    event = told()
    assert (closed, event["status_code"], event["attributes"]) == ([True], 200, {"client_disconnected": True})
    call(app, take=1, REQUEST_METHOD="HEAD")
    assert "attributes" not in told()
    # A server may stop where it has all that was announced.
    call(answering("200 OK", b"1", b"", headers=[("Content-Length", "1")]), take=1)
    assert "attributes" not in told()


def test_exceptions_are_told_and_go_on(told):
    def before(environ, start_response):
        raise ValueError("before")

    def within(environ, start_response):
        start_response("200 OK", [])
        yield b"1"
        raise ValueError("within")

    with pytest.raises(ValueError, match="before"):
        call(before)
    event = told()
    assert (event["status_code"], event["error_message"]) == (500, "before")
    assert "raise ValueError" in event["attributes"]["traceback"]
    with pytest.raises(ValueError, match="within"):
        call(within)
    event = told()
    assert (event["status_code"], event["error_message"], event["attributes"]["incomplete"]) == (200, "within", True)


def test_an_answer_that_takes_the_place_of_another(told):
    def app(environ, start_response):
        import sys

        start_response("200 OK", [])
        try:
            raise ValueError("why")
        except ValueError:
            start_response("500 Oh", [], sys.exc_info())
        return [b"oh"]

    call(app)
    event = told()
    assert (event["status_code"], event["error_message"]) == (500, "why")


def test_what_is_written_is_counted(told):
    def app(environ, start_response):
        write = start_response("200 OK", [])
        write(b"12345")
        return [b"678"]

    assert call(app)[1] == [b"12345", b"678"]
    assert told()["response_bytes"] == 8


def test_an_upload_without_a_length_is_counted(told):
    def app(environ, start_response):
        environ["wsgi.input"].read(4)
        environ["wsgi.input"].readline()
        return answering("200 OK")(environ, start_response)

    call(app, HTTP_TRANSFER_ENCODING="chunked", **{"wsgi.input": io.BytesIO(b"1234567\n89")})
    assert told()["request_bytes"] == 8


def test_a_file_stays_a_file(told):
    class Wrapper:
        def __init__(self, file):
            self.close = file.close

        def __iter__(self):
            return iter([b"12"])

    file = io.BytesIO(b"12")
    seen = []

    def app(environ, start_response):
        start_response("200 OK", [("Content-Length", "2")])
        seen.append(environ["wsgi.file_wrapper"](file))
        return seen[0]

    call(app, **{"wsgi.file_wrapper": Wrapper})
    assert file.closed
    event = told()
    assert (event["response_bytes"], "attributes" in event) == (2, False)


def test_what_passes_by(server, client):
    app = answering("200 OK", b"x")
    assert "X-Request-ID" not in call(app, "/healthz", options={"exclude": ["/healthz"]})[0][0][1]
    call(lambda environ, start_response: [], HTTP_UPGRADE="websocket")
    assert client.flush(60)
    assert server.events == []
    # Whoever asks for a websocket where there is none is told all the same.
    call(app, HTTP_UPGRADE="websocket")
    assert client.flush(60)
    assert [event["status_code"] for event in server.events] == [200]
    wk.shutdown(0.1)
    assert "X-Request-ID" not in call(app)[0][0][1]
