"""Requests of FastAPI, Starlette and every other ASGI application.

::

    from watchkeeper.asgi import WatchkeeperMiddleware

    app.add_middleware(WatchkeeperMiddleware, exclude=["/healthz"])
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, MutableMapping
from typing import Any, Callable, Optional

from ._client import Client, current_client
from ._context import enter_request, leave_request
from ._middleware import Middleware
from ._requests import KEY, Request, content_length, is_departure
from ._routes import asgi_route
from ._rules import Rules

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

__all__ = ["WatchkeeperMiddleware"]


class WatchkeeperMiddleware(Middleware):
    """Reports each HTTP request as `request.finished`, takes or makes its `X-Request-ID`, and returns that and
    `X-Process-Time`. Websockets and the lifespan pass by.

    - `app`: the application. `app.add_middleware(WatchkeeperMiddleware, …)` gives it by itself.
    - `exclude`: paths that are left alone wholly, `/static/*` with all below. By default those of the
      setting `exclude_paths`, else none.
    - `trusted_proxies`: addresses, networks or `unix`, whose `proxy_header` (`X-Forwarded-For`, or `Forwarded`) says
      who asked. By default as the settings of these names say, else none.
    - `user`, `api_key`: functions of the scope that give who asked and by which key, called when the request was
      answered; what raises is left out. `api_key` may also be the name of a header.
    - `api_key_secret`: of a key only 16 hex digits of its hash are told, made with this secret. By default
      the setting of this name; without one it is the plain SHA-256.
    - `log`: a logger, or its name, that gets a line for each request.
    """

    #: The application within.
    app: App

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        client = current_client()
        exchange = None if client is None or scope["type"] != "http" else self._begin(client, scope, receive, send)
        if exchange is None:
            await self.app(scope, receive, send)
            return
        before = enter_request(exchange.request)
        try:
            await self.app(scope, exchange.receive, exchange.send)
        except BaseException as error:
            exchange.ended(error)
            raise
        else:
            exchange.ended(None)
        finally:
            leave_request(before)

    def _begin(self, client: Client, scope: Scope, receive: Receive, send: Send) -> Optional[_Exchange]:
        try:
            path = scope["path"]
            if KEY in scope or self._rules.excludes(path):
                return None
            exchange = _Exchange(client, self._rules, scope, path, receive, send)
            scope[KEY] = exchange.request
            return exchange
        except Exception as error:
            client.counts.drop("internal_error")
            client.counts.last_error = f"a request: {type(error).__name__}"
            return None


class _Exchange:
    """One request and its answer, as the messages between server and application tell of them."""

    __slots__ = ("_is_last_sent", "_key", "_receive", "_received", "_rules", "_scope", "_send", "_sized", "request")

    def __init__(self, client: Client, rules: Rules, scope: Scope, path: str, receive: Receive, send: Send) -> None:
        request_id = traceparent = length = None
        forwarded: list[str] = []
        proxies = rules.proxies
        proxy_header = b"" if proxies is None else proxies.header_bytes
        key_header = rules.api_key_header_bytes
        self._key: Optional[str] = None
        for name, value in scope["headers"]:
            if name == b"x-request-id":
                request_id = value.decode("latin-1")
            elif name == b"traceparent":
                traceparent = value
            elif name == b"content-length":
                length = content_length(value)
            elif name == proxy_header:
                forwarded.append(value.decode("latin-1"))
            if name == key_header:
                self._key = value.decode("latin-1")
        self.request = request = Request(client, scope["method"], path, request_id, traceparent)
        request.log = rules.log
        peer = scope.get("client")
        address = peer[0] if peer else None
        request.client_ip = address if proxies is None else proxies.client_of(address, forwarded)
        request.request_bytes = length
        self._received = 0
        # How much is sent, where the server reads it from a file itself.
        self._sized: Optional[bytes] = None
        self._is_last_sent = False
        self._rules = rules
        self._scope = scope
        self._receive = receive
        self._send = send

    async def receive(self) -> Message:
        """What the application gets of the client."""
        message = await self._receive()
        kind = message["type"]
        if kind == "http.request":
            body = message.get("body")
            if body:
                self._received += len(body)
        elif kind == "http.disconnect" and not self._is_last_sent:
            # After the last byte it is told to every application, and means nothing.
            self.request.client_disconnected = True
        return message

    async def send(self, message: Message) -> None:
        """What the application sends to the client."""
        kind = message["type"]
        request = self.request
        size, is_last = 0, False
        if kind == "http.response.start":
            message = self._start(message)
        elif kind == "http.response.body":
            size = len(message.get("body") or b"")
            is_last = not message.get("more_body", False)
        elif kind == "http.response.zerocopysend":
            size = message.get("count") or 0
            is_last = not message.get("more_body", False)
        elif kind == "http.response.pathsend":
            size, is_last = content_length(self._sized) or 0, True
        if is_last:
            self._is_last_sent = True
        try:
            await self._send(message)
        except OSError:
            request.client_disconnected = True
            raise
        if size:
            request.sent(size)
        if is_last and not request.is_complete:
            request.is_complete = True
            request.last_byte()
            if not request.waits_for_its_error:
                self._report()

    def ended(self, error: Optional[BaseException]) -> None:
        """The application is done, with the exception that ended it if one did."""
        request = self.request
        try:
            if request.is_reported:
                # What fails after the last byte, in a task of the background, is not the request's failure.
                return
            if error is not None:
                if is_departure(error):
                    request.client_disconnected = True
                elif not (request.client_disconnected and isinstance(error, (OSError, asyncio.CancelledError))):
                    # Without a client that left, a task that is cancelled was stopped by the server.
                    request.fail(error)
            self._report()
        except Exception as trouble:
            request.trouble(trouble)

    def _start(self, message: Message) -> Message:
        try:
            status = int(message["status"])
            if 100 <= status < 200 and status != 101:
                return message
            request = self.request
            request.status = status
            headers = list(message.get("headers") or ())
            request_id, seconds = request.headers()
            has_id = has_time = False
            for name, value in headers:
                if len(name) == 12 and name.lower() == b"x-request-id":
                    has_id = True
                elif len(name) == 14:
                    name = name.lower()
                    if name == b"x-process-time":
                        has_time = True
                    elif name == b"content-length":
                        self._sized = value
            if not has_id:
                headers.append((b"x-request-id", request_id.encode("ascii")))
            if not has_time:
                headers.append((b"x-process-time", seconds.encode("ascii")))
            return {**message, "headers": headers}
        except Exception as error:
            self.request.trouble(error)
            return message

    def _report(self) -> None:
        request, scope = self.request, self._scope
        route = None
        try:
            if request.request_bytes is None or request.client_disconnected:
                request.request_bytes = self._received or None
            route = request.route or asgi_route(scope, request.path)
        except Exception as error:
            request.trouble(error)
        user, key, wrong = self._rules.who(scope, self._key)
        request.finish(route, user, key, wrong)
