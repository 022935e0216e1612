"""Requests of Flask, Django and every other WSGI application.

::

    from watchkeeper.wsgi import WatchkeeperMiddleware

    app.wsgi_app = WatchkeeperMiddleware(app.wsgi_app)                    # Flask
    application = WatchkeeperMiddleware(get_wsgi_application())           # Django
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Callable, Optional

from ._client import Client, current_client
from ._context import enter_request, leave_request
from ._middleware import Middleware
from ._requests import KEY, NO_BODY, Request, content_length, is_departure
from ._routes import django_request_of, django_route, flask_route
from ._rules import Rules

Environ = dict[str, Any]
StartResponse = Callable[..., Any]
App = Callable[[Environ, StartResponse], Iterable[bytes]]

__all__ = ["WatchkeeperMiddleware"]


class WatchkeeperMiddleware(Middleware):
    """Reports each request as `request.finished`, takes or makes its `X-Request-ID`, and returns that and
    `X-Process-Time`. Websockets pass by.

    - `app`: the application.
    - `exclude`: paths that are left alone wholly, `/static/*` with all below. By default those of the
      setting `exclude_paths`, else none.
    - `trusted_proxies`: addresses, networks or `unix`, whose `proxy_header` (`X-Forwarded-For`, or `Forwarded`) says
      who asked. By default as the settings of these names say, else none.
    - `user`, `api_key`: functions of the environ that give who asked and by which key, called when the request was
      answered; what raises is left out. `api_key` may also be the name of a header.
    - `api_key_secret`: of a key only 16 hex digits of its hash are told, made with this secret. By default
      the setting of this name; without one it is the plain SHA-256.
    """

    #: The application within.
    app: App

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        client = current_client()
        exchange = None if client is None else self._begin(client, environ, start_response)
        if exchange is None:
            return self.app(environ, start_response)
        before = enter_request(exchange.request)
        try:
            body = self.app(environ, exchange.start_response)
        except BaseException as error:
            exchange.ended(error)
            raise
        finally:
            leave_request(before)
        return exchange.wrapped(body)

    def _begin(self, client: Client, environ: Environ, start_response: StartResponse) -> Optional[_Exchange]:
        try:
            path = _path_of(environ)
            if KEY in environ or self._rules.excludes(path):
                return None
            exchange = _Exchange(client, self._rules, environ, path, start_response)
            environ[KEY] = exchange.request
            return exchange
        except Exception as error:
            client.counts.drop("internal_error")
            client.counts.last_error = f"a request: {type(error).__name__}"
            return None


class _Exchange:
    """One request and its answer."""

    __slots__ = ("_django", "_environ", "_length", "_route", "_rules", "_script_name", "_start", "_upload", "request")

    def __init__(
        self, client: Client, rules: Rules, environ: Environ, path: str, start_response: StartResponse
    ) -> None:
        self.request = request = Request(
            client,
            environ.get("REQUEST_METHOD", "GET"),
            path,
            environ.get("HTTP_X_REQUEST_ID"),
            environ.get("HTTP_TRACEPARENT"),
        )
        request.log = rules.log
        peer = environ.get("REMOTE_ADDR") or None
        proxies = rules.proxies
        if proxies is not None:
            # Servers join headers of one name with commas.
            given = environ.get("HTTP_FORWARDED" if proxies.header == "forwarded" else "HTTP_X_FORWARDED_FOR")
            peer = proxies.client_of(peer, (given,) if given else ())
        request.client_ip = peer
        request.request_bytes = content_length(environ.get("CONTENT_LENGTH"))
        self._upload: Optional[_Upload] = None
        if request.request_bytes is None and "HTTP_TRANSFER_ENCODING" in environ and "wsgi.input" in environ:
            self._upload = environ["wsgi.input"] = _Upload(environ["wsgi.input"])
        self._script_name = environ.get("SCRIPT_NAME") or ""
        self._length: Optional[int] = None
        self._route: Optional[str] = None
        self._django: Any = None
        self._rules = rules
        self._environ = environ
        self._start = start_response

    def start_response(self, status: str, headers: list[tuple[str, str]], *more: Any, **named: Any) -> Any:
        """What the application says before its answer."""
        try:
            headers = self._headed(status, headers, more[0] if more else named.get("exc_info"))
        except Exception as error:
            self.request.trouble(error)
        write = self._start(status, headers, *more, **named)
        if write is None:
            return None

        def counting(data: bytes) -> Any:
            try:
                made = write(data)
            except OSError:
                self.request.client_disconnected = True
                raise
            self.request.sent(len(data))
            return made

        return counting

    def wrapped(self, body: Iterable[bytes]) -> Iterable[bytes]:
        """The answer's body, which is counted while the server takes it."""
        try:
            self._django = django_request_of(body)
            if self._is_file(body) and self._watch_file(body):
                return body
            return _SizedBody(self, body) if isinstance(body, (list, tuple)) else _Body(self, body)
        except Exception as error:
            self.request.trouble(error)
            return body

    def complete(self) -> None:
        """The server took the last byte."""
        request = self.request
        request.is_complete = True
        request.last_byte()
        self._report()

    def closed(self) -> None:
        """The server wants no more. Where that is before the end, the client left."""
        request = self.request
        if request.is_reported:
            return
        request.is_complete = (
            request.method == "HEAD"
            or request.status in NO_BODY
            or (self._length is not None and request.response_bytes >= self._length)
        )
        request.client_disconnected |= not request.is_complete
        self._report()

    def ended(self, error: BaseException) -> None:
        """An exception ended it."""
        request = self.request
        try:
            if request.is_reported:
                return
            if isinstance(error, GeneratorExit) or is_departure(error):
                request.client_disconnected = True
            elif isinstance(error, (OSError, StopIteration)) and (request.client_disconnected or self._is_websocket()):
                # Websockets end so under servers that know nothing of them.
                pass
            else:
                request.fail(error)
            if not request.response_bytes:
                # Nothing was sent so far: the server answers with its own 500.
                request.status = None
            self._report()
        except Exception as trouble:
            request.trouble(trouble)

    def _headed(self, status: str, headers: list[tuple[str, str]], exc_info: Any) -> list[tuple[str, str]]:
        request = self.request
        if exc_info and exc_info[1] is not None:
            request.fail(exc_info[1])
        code = int(status[:3])
        if 100 <= code < 200 and code != 101:
            return headers
        request.status = code
        self._route = flask_route(self._environ, self._script_name)
        request_id, seconds = request.headers()
        has_id = has_time = False
        for name, value in headers:
            if len(name) == 12 and name.lower() == "x-request-id":
                has_id = True
            elif len(name) == 14:
                name = name.lower()
                if name == "x-process-time":
                    has_time = True
                elif name == "content-length":
                    self._length = content_length(value)
        # A new list: an application may use its own one again.
        headers = list(headers)
        if not has_id:
            headers.append(("X-Request-ID", request_id))
        if not has_time:
            headers.append(("X-Process-Time", seconds))
        return headers

    def _is_websocket(self) -> bool:
        """Whether it was one. Asked at the end, because any client may ask for one where there is none."""
        asked = str(self._environ.get("HTTP_UPGRADE", "")).lower() == "websocket"
        return asked and self.request.status in (None, 101)

    def _is_file(self, body: Any) -> bool:
        wrapper = self._environ.get("wsgi.file_wrapper")
        return isinstance(wrapper, type) and isinstance(body, wrapper)

    def _watch_file(self, body: Any) -> bool:
        """A file that the server may send by itself (`sendfile`) must stay what it is. Its end is its `close`."""
        close = getattr(body, "close", None)

        def closed() -> None:
            try:
                if close is not None:
                    close()
            finally:
                self.request.response_bytes = self.request.response_bytes or self._length or 0
                self.request.is_complete = True
                self._report()

        try:
            body.close = closed
        except (AttributeError, TypeError):
            return False
        return True

    def _report(self) -> None:
        request, environ = self.request, self._environ
        if not request.has_failed and self._is_websocket():
            request.pass_by()
            return
        route = None
        try:
            if self._upload is not None:
                request.request_bytes = self._upload.bytes or None
            route = self._route or django_route(self._django)
        except Exception as error:
            request.trouble(error)
        header = self._rules.api_key_header
        given = None if header is None else environ.get("HTTP_" + header.upper().replace("-", "_"))
        user, key, wrong = self._rules.who(environ, given)
        request.finish(route, user, key, wrong)


class _Body:
    """The body, as the server reads it. Each piece is made with the request as the current one."""

    def __init__(self, exchange: _Exchange, body: Iterable[bytes]) -> None:
        self._exchange = exchange
        self._request = exchange.request
        self._body = body
        self._pieces: Optional[Iterator[bytes]] = None

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        request = self._request
        before = enter_request(request)
        try:
            if self._pieces is None:
                self._pieces = iter(self._body)
            piece = next(self._pieces)
        except StopIteration:
            self._exchange.complete()
            raise
        except BaseException as error:
            self._exchange.ended(error)
            raise
        finally:
            leave_request(before)
        request.sent(len(piece))
        return piece

    def close(self) -> None:
        """The server is done with it."""
        close = getattr(self._body, "close", None)
        before = enter_request(self._request)
        try:
            if close is not None:
                close()
        finally:
            leave_request(before)
            self._exchange.closed()


class _SizedBody(_Body):
    """A list: of one with a single piece, servers know the length of the answer."""

    def __len__(self) -> int:
        return len(self._body)  # type: ignore[arg-type]


class _Upload:
    """A body without a length, counted while the application reads it."""

    def __init__(self, source: Any) -> None:
        self._source = source
        self.bytes = 0

    def read(self, *size: Any) -> bytes:
        """As of any file."""
        return self._count(self._source.read(*size))

    def readline(self, *size: Any) -> bytes:
        """As of any file."""
        return self._count(self._source.readline(*size))

    def readlines(self, *hint: Any) -> list[bytes]:
        """As of any file."""
        return [self._count(line) for line in self._source.readlines(*hint)]

    def __iter__(self) -> Iterator[bytes]:
        return map(self._count, self._source)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._source, name)

    def _count(self, data: bytes) -> bytes:
        self.bytes += len(data)
        return data


def _path_of(environ: Environ) -> str:
    """The path as called. WSGI has its bytes as Latin-1."""
    path = str(environ.get("SCRIPT_NAME") or "") + str(environ.get("PATH_INFO") or "")
    return path if path.isascii() else path.encode("latin-1", "replace").decode("utf-8", "replace")
