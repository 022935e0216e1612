"""The ASGI middleware, driven as a server drives it."""

from __future__ import annotations

import asyncio
import hmac
import logging
import re
import time

import pytest

import watchkeeper as wk
from watchkeeper.asgi import WatchkeeperMiddleware

TRACE = "0af7651916cd43dd8448eb211c80319c"
TRACEPARENT = f"00-{TRACE}-b7ad6b7169203331-01"


def scope(path="/", method="GET", headers=(), **more):
    pairs = [(name.encode(), value.encode()) for name, value in headers]
    return {"type": "http", "method": method, "path": path, "headers": pairs, "client": ("10.0.0.9", 5), **more}


def answering(status=200, *pieces, headers=()):
    async def app(scope, receive, send):
        await send({"type": "http.response.start", "status": status, "headers": list(headers)})
        for piece in pieces[:-1]:
            await send({"type": "http.response.body", "body": piece, "more_body": True})
        await send({"type": "http.response.body", "body": pieces[-1] if pieces else b""})

    return app


EMPTY = {"type": "http.request", "body": b"", "more_body": False}


def call(app, given, messages=(EMPTY,), refuses_after=None, **options):
    """Runs one request, and gives what the client gets."""
    sent, waiting = [], list(messages)

    async def receive():
        return waiting.pop(0) if waiting else {"type": "http.disconnect"}

    async def send(message):
        if refuses_after is not None and len(sent) >= refuses_after:
            raise OSError("the client left")
        sent.append(message)

    asyncio.run(WatchkeeperMiddleware(app, **options)(given, receive, send))
    return sent


def test_a_request(told):
    headers = [("content-length", "12"), ("x-request-id", "r-1"), ("traceparent", TRACEPARENT)]
    sent = call(answering(201, b"hello", headers=[(b"a", b"b")]), scope("/documents/7", "POST", headers))
    answered = dict(sent[0]["headers"])
    assert (answered[b"a"], answered[b"x-request-id"]) == (b"b", b"r-1")
    assert 0 <= float(answered[b"x-process-time"]) < 5
    event = told()
    assert event["time"] > 1e18
    assert 0 <= event.pop("duration_seconds") < 5
    del event["time"], event["event_id"]
    assert event == {
        "type": "request.finished",
        "service": "tests",
        "method": "POST",
        "path": "/documents/7",
        "status_code": 201,
        "request_id": "r-1",
        "trace_id": TRACE,
        "client_ip": "10.0.0.9",
        "request_bytes": 12,
        "response_bytes": 5,
    }


def test_a_logger_gets_a_line_for_each_request(told, caplog):
    with caplog.at_level(logging.INFO, "gateway"):
        call(answering(404, b"no"), scope("/documents/7", headers=[("x-request-id", "r-1")]), log="gateway")
        event = told()
        call(answering(503), scope("/"), log=logging.getLogger("gateway"))
    first, second = caplog.records
    assert (first.levelname, first.getMessage(), first.request_id) == ("INFO", "GET /documents/7: 404", "r-1")
    assert first.details == {
        "method": "GET",
        "path": "/documents/7",
        "status_code": 404,
        "seconds": event["duration_seconds"],
        "response_bytes": 2,
    }
    assert second.levelname == "ERROR"


def test_what_is_no_logger_is_a_warning(told, caplog):
    call(answering(200), scope("/"), log=7)
    told()
    assert [record.name for record in caplog.records] == ["watchkeeper"]


@pytest.mark.parametrize("given", ["", "a b", "a\nb", "a" * 129, 'a"b', "ä", "<script>"])
def test_an_id_that_is_not_safe_is_replaced(told, given):
    sent = call(answering(), scope(headers=[("x-request-id", given)]))
    made = dict(sent[0]["headers"])[b"x-request-id"].decode()
    assert re.fullmatch("[0-9a-f]{32}", made)
    assert told()["request_id"] == made


def test_headers_of_the_application_stay(told):
    sent = call(answering(headers=[(b"X-Request-ID", b"mine"), (b"X-Process-Time", b"1")]), scope())
    assert sent[0]["headers"] == [(b"X-Request-ID", b"mine"), (b"X-Process-Time", b"1")]
    told()


def test_jobs_and_events_belong_to_the_request_and_its_trace(told, server):
    payload = {}

    async def app(scope, receive, send):
        wk.current_request().user_id = 3
        wk.current_request().set(plan="free")
        wk.submitted("extract", id="s")
        with wk.job("extract", id="j"):
            pass
        wk.event("llm.call", model="m", duration_seconds=1.0)
        wk.inject(payload)
        await asyncio.to_thread(wk.submitted, "extract", id="t")
        await answering()(scope, receive, send)

    call(app, scope(headers=[("x-request-id", "r-1"), ("traceparent", TRACEPARENT)]))
    assert wk.current_request() is None
    with wk.job("later", id="l", origin=wk.extract(payload)):
        pass
    wk.flush()
    for event in server.events:
        assert event["trace_id"] == TRACE, event
        assert event.get("request_id") == (None if event["type"] == "llm.call" else "r-1"), event
    event = told()
    assert (event["user_id"], event["attributes"]) == ("3", {"plan": "free"})


def test_without_a_header_the_trace_is_that_of_its_jobs(told, server):
    async def app(scope, receive, send):
        wk.submitted("extract", id="j")
        await answering()(scope, receive, send)

    call(app, scope())
    wk.flush()
    assert server.of("job.submitted")[0]["trace_id"] == told()["trace_id"]


def test_a_stream_lasts_to_its_last_byte(told):
    clock = []

    async def app(scope, receive, send):
        await send({"type": "http.response.start", "status": 200})
        await send({"type": "http.response.body", "body": b"12345", "more_body": True})
        clock.append(time.perf_counter())
        await asyncio.sleep(0.1)
        clock.append(time.perf_counter())
        await send({"type": "http.response.body", "body": b"12345"})

    began = time.perf_counter()
    call(app, scope())
    event = told()
    assert event["response_bytes"] == 10
    assert event["attributes"]["time_to_first_byte_seconds"] <= clock[0] - began
    assert event["duration_seconds"] >= clock[1] - clock[0]


def test_what_runs_after_the_last_byte_is_not_counted(told):
    clock = []

    async def app(scope, receive, send):
        await answering(200, b"x")(scope, receive, send)
        clock.append(time.perf_counter())
        await receive()
        await asyncio.sleep(0.1)
        raise ValueError("in the background")

    began = time.perf_counter()
    with pytest.raises(ValueError, match="background"):
        call(app, scope(), messages=())
    event = told()
    assert event["duration_seconds"] <= clock[0] - began
    assert (event["status_code"], "attributes" in event, "error_message" in event) == (200, False, False)


def test_an_exception_is_told_and_goes_on_unchanged(told):
    error = ValueError("the file is encrypted")

    async def app(scope, receive, send):
        raise error

    with pytest.raises(ValueError, match="encrypted") as caught:
        call(app, scope())
    assert caught.value is error
    event = told()
    assert (event["status_code"], event["error_message"]) == (500, "the file is encrypted")
    assert event["attributes"]["error_type"] == "ValueError"
    assert "raise error" in event["attributes"]["traceback"]


def test_an_answer_of_500_waits_for_its_exception(told):
    async def app(scope, receive, send):
        await answering(500, b"oh")(scope, receive, send)
        raise ValueError("why")

    with pytest.raises(ValueError, match="why"):
        call(app, scope())
    event = told()
    assert (event["status_code"], event["error_message"], event["response_bytes"]) == (500, "why", 2)
    call(answering(503, b"busy"), scope())
    assert told()["status_code"] == 503


def test_a_stream_that_breaks_keeps_the_status_that_was_sent(told):
    async def app(scope, receive, send):
        await send({"type": "http.response.start", "status": 200})
        await send({"type": "http.response.body", "body": b"1", "more_body": True})
        raise ValueError("broke")

    with pytest.raises(ValueError, match="broke"):
        call(app, scope())
    event = told()
    assert (event["status_code"], event["error_message"], event["attributes"]["incomplete"]) == (200, "broke", True)


def test_a_client_that_leaves(told):
    async def reads(scope, receive, send):
        while (await receive())["type"] != "http.disconnect":
            pass

    call(reads, scope(method="POST"), messages=[{"type": "http.request", "body": b"123", "more_body": True}])
    event = told()
    assert (event["status_code"], event["request_bytes"]) == (499, 3)
    assert event["attributes"] == {"client_disconnected": True}

    with pytest.raises(OSError, match="left"):
        call(answering(200, b"1", b"2", b"3"), scope(), refuses_after=2)
    event = told()
    assert (event["status_code"], event["response_bytes"]) == (200, 1)
    assert event["attributes"] == {"client_disconnected": True}
    assert "error_message" not in event


def test_no_answer_is_a_500(told):
    async def app(scope, receive, send):
        return

    call(app, scope())
    assert told()["status_code"] == 500


def test_heads_and_informational_answers(told):
    async def app(scope, receive, send):
        await send({"type": "http.response.start", "status": 103, "headers": []})
        await answering(200, b"12345")(scope, receive, send)

    sent = call(app, scope(method="HEAD"))
    assert sent[0]["headers"] == []
    event = told()
    assert (event["status_code"], event["response_bytes"]) == (200, 0)


def test_a_file_that_the_server_sends(told):
    async def app(scope, receive, send):
        headers = [(b"content-length", b"1234")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.pathsend", "path": "/a"})

    call(app, scope())
    assert told()["response_bytes"] == 1234


def test_what_passes_by(server, client):
    seen = []

    async def app(scope, receive, send):
        seen.append((scope["type"], wk.current_request()))

    for given in ({"type": "lifespan"}, {"type": "websocket", "path": "/", "headers": []}, scope("/healthz")):
        call(app, given, exclude="/healthz, /static/*")
    call(app, scope("/static/a.js"), exclude=["/healthz", "/static/*"])
    assert seen == [("lifespan", None), ("websocket", None), ("http", None), ("http", None)]
    assert client.flush(60)
    assert server.events == []


def test_two_middlewares_tell_a_request_once(told):
    call(WatchkeeperMiddleware(answering()), scope())
    told()


def test_without_a_client_nothing_is_touched():
    async def app(given, receive, send):
        assert wk.current_request() is None
        await answering()(given, receive, send)

    given = scope()
    assert call(app, given)[0]["headers"] == []
    assert "watchkeeper.request" not in given


def test_hooks_say_who_asked(told, client):
    options = {"user": lambda scope: scope["user"], "api_key": "authorization", "api_key_secret": "s"}
    headers = [("authorization", "Bearer key-1")]
    call(answering(), scope(headers=headers, user=7), **options)
    first = told()
    assert first["user_id"] == "7"
    assert re.fullmatch("[0-9a-f]{16}", first["api_key_id"])
    call(answering(), scope(headers=headers, user=8), **{**options, "api_key_secret": "t"})
    assert told()["api_key_id"] != first["api_key_id"]

    call(answering(), scope(), user=lambda scope: scope["no"], api_key=lambda scope: 1 / 0)
    event = told()
    assert "user_id" not in event
    assert "api_key_id" not in event
    assert "hook" in client.stats().last_error


@pytest.mark.parametrize(
    ("path", "method", "status"),
    [("", "GET", 200), ("/" + "a" * 9_000, "GET", 200), ("/\udcff", "GET", 200), ("/", "G" * 99, 999)],
)
def test_strange_requests_are_told_all_the_same(told, path, method, status):
    call(answering(status), scope(path, method))
    event = told()
    assert 1 <= len(event["path"]) <= 2_048
    assert event["status_code"] == (200 if status == 200 else 500)


def test_a_proxy_says_who_asked(told):
    headers = [("x-forwarded-for", "6.6.6.6, 1.2.3.4"), ("x-forwarded-for", "10.1.1.1")]
    call(answering(), scope(headers=headers), trusted_proxies="10.0.0.0/8")
    assert told()["client_ip"] == "1.2.3.4"
    call(answering(), scope(headers=headers), trusted_proxies="no network")
    assert told()["client_ip"] == "10.0.0.9"


@pytest.mark.parametrize("is_argument", [True, False])
def test_settings_of_middlewares_may_stand_where_all_others_do(server, monkeypatch, caplog, is_argument):
    settings = {"trusted_proxies": "10.0.0.0/8, unix", "exclude_paths": "/healthz,/static/*", "api_key_secret": "s"}
    if not is_argument:
        for name, value in settings.items():
            monkeypatch.setenv(f"WATCHKEEPER_{name.upper()}", value)
        settings = {}
    client = wk.init(server.url, heartbeat_seconds=0, handle_sigterm=False, **settings)
    for path in ("/healthz", "/static/a.css", "/pages"):
        headers = [("x-forwarded-for", "1.2.3.4"), ("x-api-key", "k")]
        call(answering(), scope(path, headers=headers), api_key="X-API-Key")
    assert client.flush(60)
    (event,) = server.of("request.finished")
    expected = hmac.new(b"s", b"k", "sha256").hexdigest()[:16]
    assert (event["path"], event["client_ip"], event["api_key_id"]) == ("/pages", "1.2.3.4", expected)
    assert caplog.text == ""


def test_requests_side_by_side_do_not_mix(server, client):
    async def app(scope, receive, send):
        mine = wk.current_request().request_id
        await asyncio.sleep(0.001)
        assert wk.current_request().request_id == mine == scope["path"][1:]
        await answering()(scope, receive, send)

    async def all_of_them():
        wrapped = WatchkeeperMiddleware(app)

        async def send(message):
            return

        await asyncio.gather(
            *(wrapped(scope(f"/{n}", headers=[("x-request-id", str(n))]), None, send) for n in range(100))
        )

    asyncio.run(all_of_them())
    assert client.flush(60)
    assert sorted(event["request_id"] for event in server.of("request.finished")) == sorted(map(str, range(100)))
