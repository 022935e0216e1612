"""What the pages show works: each sample is run, each name of the package that they say is there."""

from __future__ import annotations

import ast
import glob
import importlib
import inspect
import os
import re
import subprocess
import sys
from typing import Any

import pytest

import watchkeeper as wk

FOLDER = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
DOCS = os.path.normpath(os.path.join(FOLDER, "..", "..", "docs"))
PAGES = ["python.md", *sorted(os.path.relpath(path, DOCS) for path in glob.glob(os.path.join(DOCS, "python", "*.md")))]

# What a reader has already: a task, a queue, work to be done.
AROUND = """
import datetime, queue, types
import watchkeeper as wk
class task:
    id, document, created_at = "t-7", "d-7", datetime.datetime.now(datetime.timezone.utc)
data, pages, prompt, payload = b"data", ["a", "b"], "Say it.", {}
queue = queue.Queue()
def ask(prompt): yield from ("one", "two")
def load(): return bytearray(1 << 20)
def recognise(task): return 2
def work(task): return None
"""
ASGI = "from fastapi import FastAPI\napp = FastAPI()\n"
# What more the samples of a page have, by their number in it.
BEFORE: dict[str, dict[int, str]] = {
    "python/celery.md": {0: "from celery import Celery\napp = Celery('docs')\n"},
    "python/dramatiq.md": {0: "from dramatiq.brokers.stub import StubBroker\nbroker = StubBroker()\n"},
    "python/huey.md": {0: "from huey import MemoryHuey\nhuey = MemoryHuey('docs')\n"},
    "python/taskiq.md": {0: "from taskiq import InMemoryBroker\nbroker = InMemoryBroker()\n"},
    "python/migration.md": {0: ASGI},
    "python/logging.md": {1: "import structlog\n", 2: "import loguru\n"},
    "python/requests.md": {
        0: ASGI,
        1: "from flask import Flask\napp = Flask('docs')\n",
        2: "from django.conf import settings as of_django\nof_django.configure()\n"
        "from django.core.wsgi import get_wsgi_application\n",
        3: "from watchkeeper import _context, _requests\nuser = types.SimpleNamespace(id='ann')\n"
        "_context.enter_request(_requests.Request(wk.current_client(), 'GET', '/', None, None))\n",
        4: ASGI
        + "from watchkeeper.asgi import WatchkeeperMiddleware\nsettings = types.SimpleNamespace(audit_secret='s')\n",
    },
}
# What is done with what the samples made.
AFTER = {
    "python/migration.md": """
from starlette.requests import Request
from starlette.testclient import TestClient
@app.get("/things/{thing}")
def a_thing(thing: str, request: Request):
    request.state.user = types.SimpleNamespace(id=f"ann-{wk.current_request().method}")
assert TestClient(app).get("/things/7", headers={"X-API-Key": "k-1"}).headers["X-Process-Time"]
""",
}
# What arrives of a page's samples.
ARRIVES = {
    "python.md": {"job.started", "stage.finished", "job.progress", "job.completed", "llm.call"},
    "python/logging.md": {"audit.recorded"},
}
# It takes seconds to import and hundreds of megabytes, and the reference's samples are parts.
NOT_RUN = {"python/litellm.md", "python/reference.md"}


def text_of(page: str) -> str:
    with open(os.path.join(DOCS, page), encoding="utf-8") as file:
        return file.read()


def samples(page: str) -> list[str]:
    return re.findall(r"^```python\n(.*?)^```", text_of(page), re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("page", [page for page in PAGES if page not in NOT_RUN and samples(page)])
def test_the_samples_of_a_page_run(page, server, tmp_path):
    before = BEFORE.get(page, {})
    parts = [f"{before.get(number, '')}{sample}" for number, sample in enumerate(samples(page))]
    program = "\n".join((AROUND, *parts, AFTER.get(page, ""), "wk.shutdown(10)")).replace(
        "http://127.0.0.1:7654", server.url
    )
    environment = {**os.environ, "PYTHONPATH": os.path.join(FOLDER, "src")}
    if "wk.init" not in program:
        environment["WATCHKEEPER_URL"] = server.url
    command = [sys.executable, "-W", "error::DeprecationWarning:__main__", "-c", program]
    done = subprocess.run(
        command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "watched" not in done.stderr
    assert ARRIVES.get(page, set()) <= {event["type"] for event in server.events}


def test_requests_of_the_migrated_say_who_asked(server, tmp_path):
    test_the_samples_of_a_page_run("python/migration.md", server, tmp_path)
    (told,) = server.of("request.finished")
    assert (told["route"], told["user_id"], len(told["api_key_id"])) == ("/things/{thing}", "ann-GET", 16)


@pytest.mark.parametrize("page", PAGES)
def test_samples_call_what_is_there_with_what_it_takes(page):
    for sample in samples(page):
        tree = ast.parse(sample)
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("watchkeeper"):
                for alias in node.names:
                    found(f"{node.module}.{alias.name}")
            if isinstance(node, ast.Call) and ast.unparse(node.func).startswith("wk."):
                signature = inspect.signature(found(ast.unparse(node.func).replace("wk.", "watchkeeper.", 1)))
                named = {keyword.arg: None for keyword in node.keywords if keyword.arg is not None}
                signature.bind(*node.args, **named)


@pytest.mark.parametrize("page", PAGES)
def test_names_of_the_package_in_a_page_are_there(page):
    text = text_of(page)
    for name in set(re.findall(r"(?<![\w.])wk\.([A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*)", text)):
        found(f"watchkeeper.{name}")
    for module, names in re.findall(r"from (watchkeeper[\w.]*) import ([\w, ]+)", text):
        for name in names.split(","):
            found(f"{module}.{name.strip().partition(' as ')[0]}")
    for name in set(re.findall(r"`(watchkeeper(?:\.[A-Za-z_]\w*)+)`", text)):
        if name not in ("watchkeeper.events_dropped", "watchkeeper.logs_dropped"):
            found(name)


@pytest.mark.parametrize("page", PAGES)
def test_links_of_a_page_have_an_end(page):
    """Files are there, and so are the headings that a link names."""
    for target in set(re.findall(r"\]\(([^)#:]*\.md)?(#[^)]*)?\)", text_of(page))):
        path = os.path.normpath(os.path.join(DOCS, os.path.dirname(page), target[0])) if target[0] else None
        other = text_of(page if path is None else os.path.relpath(path, DOCS))
        if target[1]:
            headings = re.findall(r"^#+ (.*)$", other, re.MULTILINE)
            assert target[1][1:] in {re.sub(r"[^\w\- ]", "", one).lower().replace(" ", "-") for one in headings}, target


def test_every_integration_has_a_page_that_the_page_of_the_package_names():
    folder = os.path.join(FOLDER, "src", "watchkeeper", "integrations")
    names = [name[:-3] for name in os.listdir(folder) if name.endswith(".py") and not name.startswith("_")]
    for name in [*names, "logging", "memory", "migration", "monitor", "reference", "requests"]:
        assert f"python/{name}.md" in PAGES
        assert f"(python/{name}.md)" in text_of("python.md"), name


def found(name: str) -> Any:
    """What a dotted name stands for; it fails where there is none."""
    parts = name.split(".")
    known: Any = wk
    for number, part in enumerate(parts[1:], 2):
        try:
            known = getattr(known, part)
        except AttributeError:
            try:
                known = importlib.import_module(".".join(parts[:number]))
            except ImportError:
                pytest.fail(f"there is no {name}")
    return known
