"""Small applications of each framework, as their users write them. A server imports one of them by its name."""

# Annotations are not put off here: FastAPI reads them, and they name what is imported within functions.
import asyncio
import os
import time
from typing import Any

from accounts import keep_account

import watchkeeper as wk

keep_account()
wk.init(heartbeat_seconds=0, flush_seconds=0.05)


def work_later() -> None:
    with wk.job("later"):
        time.sleep(0.1)


def make_fastapi() -> Any:
    from fastapi import APIRouter, BackgroundTasks, FastAPI
    from fastapi.responses import StreamingResponse

    from watchkeeper.asgi import WatchkeeperMiddleware

    app = FastAPI()
    app.add_middleware(WatchkeeperMiddleware, exclude=["/healthz"], api_key="x-api-key")
    router = APIRouter(prefix="/pages")
    inner = FastAPI()

    @app.get("/healthz")
    async def health() -> str:
        return "ok"

    @app.get("/documents/{number}")
    async def document(number: int) -> dict[str, Any]:
        wk.submitted("extract", id=f"job-{number}")
        return {"number": number, "pid": os.getpid()}

    @app.get("/threads/{number}")
    def in_a_thread(number: int) -> int:
        request = wk.current_request()
        assert request is not None
        request.user_id = number
        return number

    @app.post("/upload")
    async def upload(body: dict[str, Any]) -> int:
        return len(body)

    @app.get("/stream")
    async def stream() -> StreamingResponse:
        async def pieces() -> Any:
            for _ in range(3):
                yield b"x" * 10

        return StreamingResponse(pieces())

    @app.get("/endless")
    async def endless() -> StreamingResponse:
        async def pieces() -> Any:
            while True:
                yield b"x" * 1_000
                await asyncio.sleep(0.01)

        return StreamingResponse(pieces())

    @app.get("/fails")
    async def fails() -> None:
        raise ValueError("the file is encrypted")

    @app.get("/later")
    async def later(tasks: BackgroundTasks) -> str:
        tasks.add_task(work_later)
        return "ok"

    @router.get("/{page}")
    async def page(page: int) -> int:
        return page

    @inner.get("/things/{thing}")
    async def thing(thing: int) -> int:
        return thing

    app.include_router(router, prefix="/v1")
    app.mount("/tenants/{tenant}", inner)
    return app


def make_flask() -> Any:
    from flask import Blueprint, Flask, Response, request

    from watchkeeper.wsgi import WatchkeeperMiddleware

    app = Flask(__name__)
    app.wsgi_app = WatchkeeperMiddleware(app.wsgi_app, exclude="/healthz")  # type: ignore[method-assign]
    pages = Blueprint("pages", __name__, url_prefix="/v1")

    @app.get("/healthz")
    def health() -> str:
        return "ok"

    @app.get("/documents/<int:number>")
    def document(number: int) -> dict[str, Any]:
        wk.submitted("extract", id=f"job-{number}")
        return {"number": number}

    @app.post("/upload")
    def upload() -> str:
        return str(len(request.get_data()))

    @app.get("/stream")
    def stream() -> Response:
        def pieces() -> Any:
            for number in range(3):
                with wk.job("piece", id=f"piece-{number}"):
                    yield b"x" * 10

        return Response(pieces())

    @app.get("/endless")
    def endless() -> Response:
        def pieces() -> Any:
            while True:
                yield b"x" * 1_000
                time.sleep(0.01)

        return Response(pieces())

    @app.get("/fails")
    def fails() -> None:
        raise ValueError("the file is encrypted")

    @pages.get("/pages/<page>")
    def page(page: str) -> str:
        return page

    app.register_blueprint(pages)
    return app


def make_django() -> Any:
    from django.core.wsgi import get_wsgi_application

    from watchkeeper.wsgi import WatchkeeperMiddleware

    configure_django()
    return WatchkeeperMiddleware(get_wsgi_application())


def make_django_asgi() -> Any:
    from django.core.asgi import get_asgi_application

    from watchkeeper.asgi import WatchkeeperMiddleware

    configure_django()
    return WatchkeeperMiddleware(get_asgi_application())


def configure_django() -> None:
    import sys

    import django
    from django.conf import settings
    from django.http import FileResponse, HttpResponse, StreamingHttpResponse
    from django.urls import include, path, re_path

    settings.configure(ROOT_URLCONF=__name__, ALLOWED_HOSTS=["*"], SECRET_KEY="x", MIDDLEWARE=[], LOGGING_CONFIG=None)
    django.setup()

    def document(request: Any, number: int) -> HttpResponse:
        wk.submitted("extract", id=f"job-{number}")
        return HttpResponse(str(number))

    def upload(request: Any) -> HttpResponse:
        return HttpResponse(str(len(request.body)))

    def fails(request: Any) -> HttpResponse:
        raise ValueError("the file is encrypted")

    def stream(request: Any) -> StreamingHttpResponse:
        return StreamingHttpResponse(iter([b"x" * 10] * 3))

    def file(request: Any) -> FileResponse:
        return FileResponse(open(__file__, "rb"))

    sys.modules[__name__].urlpatterns = [  # type: ignore[attr-defined]
        path("documents/<int:number>", document),
        path("upload", upload),
        path("fails", fails),
        path("stream", stream),
        path("file", file),
        path("v1/", include([re_path(r"^pages/(?P<number>[0-9]+)$", document)])),
    ]


_MAKERS = {
    "fastapi_app": make_fastapi,
    "flask_app": make_flask,
    "django_app": make_django,
    "django_asgi_app": make_django_asgi,
}


def __getattr__(name: str) -> Any:
    # Only the application that is asked for is made, and only its framework imported.
    if name not in _MAKERS:
        raise AttributeError(name)
    globals()[name] = made = _MAKERS[name]()
    return made
