"""What is built is what is installed: the wheel, made of the sdist, in an environment that has nothing else."""

from __future__ import annotations

import email.message
import email.parser
import os
import subprocess
import sys
import tarfile
import venv
import zipfile
from typing import Any

import pytest
from conftest import Server

import watchkeeper as wk

FOLDER = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
SOURCE = os.path.join(FOLDER, "src")

REPORTS = """
import watchkeeper as wk
wk.init(service="extraction")
with wk.job("extract", id=7, document="d-7") as job:
    with job.stage("ocr"):
        pass
"""

# What is not imported by itself, and stays so without the library that it watches.
IMPORTS = """
import importlib, sys
for name in sys.argv[1:]:
    importlib.import_module(name)
    assert "site-packages" in sys.modules[name].__file__, sys.modules[name].__file__
"""

TYPED = """
from typing import Optional

import watchkeeper as wk
from watchkeeper.asgi import WatchkeeperMiddleware
from watchkeeper.integrations import celery
from watchkeeper.memory import MemoryTracker
from watchkeeper.monitor import ResourceMonitor


@wk.task(name="extract", document=lambda path: path)
def extract(path: str) -> int:
    job: Optional[wk.Job] = wk.current_job()
    if job is not None:
        with job.stage("ocr") as stage:
            stage.items = 12
    return 1


async def app(scope: object, receive: object, send: object) -> None: ...


client: Optional[wk.Client] = wk.init("http://127.0.0.1:7654", service="extraction")
pages: int = extract("a.pdf")
with wk.job("extract", origin=wk.extract({})) as begun, ResourceMonitor(max_jobs=5).admit() as admission:
    begun.confidence = 0.93 if admission else None
with MemoryTracker().loading("embedder"):
    WatchkeeperMiddleware(app, exclude=["/healthz"])
    celery.install()
left: int = wk.stats().queued
"""
WRONG = TYPED + 'extract(7)\nbegun.progress("much")\n'


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The sdist, and the wheel that was made of it. Without isolation: that would fetch the back end anew."""
    folder = str(tmp_path_factory.mktemp("built"))
    run(sys.executable, "-m", "build", "--no-isolation", "--outdir", folder, FOLDER)
    files = sorted(os.listdir(folder))
    stem = f"watchkeeper-{wk.__version__}"
    assert files == [f"{stem}-py3-none-any.whl", f"{stem}.tar.gz"]
    return {"wheel": os.path.join(folder, files[0]), "sdist": os.path.join(folder, files[1])}


@pytest.fixture(scope="module")
def clean(built: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> str:
    """The Python of an environment with the wheel alone. It has no pip of its own, so nothing can come from there."""
    folder = str(tmp_path_factory.mktemp("clean"))
    venv.create(folder, with_pip=False, symlinks=True)
    python = os.path.join(folder, "bin", "python")
    run(
        sys.executable, "-m", "pip", "--python", python, "install", "--quiet", "--no-index", "--no-deps", built["wheel"]
    )
    return python


def test_the_sdist_has_what_the_wheel_and_the_tests_are_made_of(built):
    with tarfile.open(built["sdist"]) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    wanted = {"LICENSE", "PKG-INFO", "README.md", "pyproject.toml", "requirements-test.txt", "tests/conftest.py"}
    assert wanted <= names
    assert {f"src/{name}" for name in modules()} <= names
    assert not [name for name in names if "__pycache__" in name or name.endswith(".pyc")]


def test_the_wheel_has_the_package_and_nothing_else(built):
    with zipfile.ZipFile(built["wheel"]) as archive:
        names = set(archive.namelist())
        kept = archive.read(f"watchkeeper-{wk.__version__}.dist-info/licenses/LICENSE")
    info = {name for name in names if name.startswith(f"watchkeeper-{wk.__version__}.dist-info/")}
    assert names - info == modules() | {"watchkeeper/py.typed"}
    with open(os.path.join(FOLDER, "LICENSE"), "rb") as file:
        assert kept == file.read()


def test_the_licence_is_that_of_the_project():
    texts = []
    for folder in (FOLDER, os.path.join(FOLDER, "..", "..")):
        with open(os.path.join(folder, "LICENSE"), encoding="utf-8") as file:
            texts.append(file.read())
    assert texts[0] == texts[1]


def test_the_metadata_says_what_the_package_is(built):
    with zipfile.ZipFile(built["wheel"]) as archive:
        text = archive.read(f"watchkeeper-{wk.__version__}.dist-info/METADATA").decode("utf-8")
    told: email.message.Message = email.parser.Parser().parsestr(text)
    expected = {"Name": "watchkeeper", "Version": wk.__version__, "Requires-Python": ">=3.9"}
    assert {name: told[name] for name in expected} == expected
    assert told["License-Expression"] == "Apache-2.0"
    # All that there is comes with an extra.
    required = told.get_all("Requires-Dist") or []
    assert required
    assert [line for line in required if "extra ==" not in line] == []
    watched = {name[:-3] for name in os.listdir(os.path.join(SOURCE, "watchkeeper", "integrations"))}
    assert {name for name in watched if name[:1].isalpha()} <= set(told.get_all("Provides-Extra") or [])


def test_five_lines_report_from_a_clean_environment(clean: str, server: Server):
    run(clean, "-I", "-c", REPORTS, WATCHKEEPER_URL=server.url)
    types = ["job.started", "stage.started", "stage.finished", "job.completed"]
    assert [event["type"] for event in server.events if event["type"] in types] == types
    assert {event["job_id"] for event in server.of("stage.finished")} == {"7"}
    assert server.headers[0]["User-Agent"] == f"watchkeeper-python/{wk.__version__}"


def test_every_module_can_be_imported_without_what_it_watches(clean):
    names = [name[:-3].replace("/", ".") for name in sorted(modules())]
    public = [name.replace(".__init__", "") for name in names if "._" not in name.replace(".__init__", "")]
    assert {"watchkeeper.asgi", "watchkeeper.logs", "watchkeeper.integrations.celery"} <= set(public)
    # Each in a process of its own would show more, and take a minute.
    run(clean, "-I", "-W", "error", "-c", IMPORTS, *public)


def test_a_program_is_checked_against_the_types_of_the_package(clean, tmp_path):
    mypy = [sys.executable, "-m", "mypy", "--strict", "--python-executable", clean, "--cache-dir", str(tmp_path)]
    for name, text in (("typed", TYPED), ("wrong", WRONG)):
        (tmp_path / f"{name}.py").write_text(text)
    run(*mypy, "typed.py", folder=str(tmp_path))
    done = subprocess.run([*mypy, "wrong.py"], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.stdout.count("[arg-type]") == 2, done.stdout


def modules() -> set[str]:
    """The files of the package, as the wheel names them."""
    found = set()
    for folder, _, names in os.walk(os.path.join(SOURCE, "watchkeeper")):
        found.update(os.path.relpath(os.path.join(folder, name), SOURCE) for name in names if name.endswith(".py"))
    return found


def run(*command: str, folder: Any = None, **variables: str) -> None:
    """Runs a program that must succeed, in a folder that is not this one."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "WATCHKEEPER"))}
    done = subprocess.run(
        command,
        cwd=folder or "/",
        env={**environment, **variables},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
