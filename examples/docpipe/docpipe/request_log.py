"""Gives each request an id, and reports it when it is answered. Plain ASGI: it works with any framework."""

from __future__ import annotations

import logging
import time
import uuid
from typing import Any, Awaitable, Callable, MutableMapping

from .watch import Watch

log = logging.getLogger(__name__)

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

LONGEST_ID = 64


class RequestLog:
    """A middleware. The id stands in `scope["state"]["request_id"]` and in the answer's `X-Request-Id`."""

    def __init__(self, app: App, watch: Watch) -> None:
        self._app = app
        self._watch = watch

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Passes a request through."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request_id = _header(scope, b"x-request-id")[:LONGEST_ID] or uuid.uuid4().hex
        scope.setdefault("state", {})["request_id"] = request_id
        started = time.monotonic()
        answer = {"status_code": 500, "response_bytes": 0}

        async def send_and_note(message: Message) -> None:
            if message["type"] == "http.response.start":
                answer["status_code"] = message["status"]
                message["headers"] = [*message.get("headers", []), (b"x-request-id", request_id.encode())]
            elif message["type"] == "http.response.body":
                answer["response_bytes"] += len(message.get("body", b""))
            await send(message)

        error: str | None = None
        try:
            await self._app(scope, receive, send_and_note)
        except Exception as raised:
            error = f"{type(raised).__name__}: {raised}"
            log.exception("Request failed", extra={"request_id": request_id})
            raise
        finally:
            self._report(scope, request_id, time.monotonic() - started, answer, error)

    def _report(self, scope: Scope, request_id: str, seconds: float, answer: dict[str, int], error: str | None) -> None:
        length = _header(scope, b"content-length")
        self._watch.report(
            "request.finished",
            method=scope["method"],
            path=scope["path"],
            route=getattr(scope.get("route"), "path", None),
            duration_seconds=seconds,
            request_id=request_id,
            user_id=_header(scope, b"x-user") or None,
            client_ip=scope["client"][0] if scope.get("client") else None,
            request_bytes=int(length) if length.isdigit() else None,
            error_message=error,
            **answer,
        )
        details = {"method": scope["method"], "path": scope["path"], "seconds": round(seconds, 4), **answer}
        log.info(
            "%s %s: %s",
            scope["method"],
            scope["path"],
            answer["status_code"],
            extra={"request_id": request_id, "details": details},
        )


def _header(scope: Scope, name: bytes) -> str:
    return next((value.decode("latin-1") for key, value in scope["headers"] if key == name), "")
