"""Python 3.9 to 3.14: nothing that 3.9 lacks, nothing that newer ones warn of, and annotations that can be read.

vermin knows in which version syntax and the standard library's names came; what runs here is one version only. The
tests of the core need pytest alone, so any interpreter that is there runs them:
`python3.9 -m pytest tests/test_jobs.py`.
"""

from __future__ import annotations

import importlib
import inspect
import os
import pkgutil
import subprocess
import sys
import typing

import pytest

import watchkeeper

FOLDER = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
SOURCE = os.path.join(FOLDER, "src")


def public_modules() -> list[str]:
    found = pkgutil.walk_packages(watchkeeper.__path__, "watchkeeper.")
    return ["watchkeeper", *(module.name for module in found if "._" not in module.name)]


def test_nothing_is_newer_than_the_oldest_version():
    # Annotations are texts, and are not looked at: `test_annotations_can_be_read_at_run_time` does that.
    program = "from vermin.main import main; main()"
    command = [sys.executable, "-c", program, "--no-tips", "--violations", "--target=3.9-", SOURCE]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout


def test_no_module_warns_when_it_is_imported():
    program = "import importlib, sys\nfor name in sys.argv[1:]: importlib.import_module(name)"
    # Compiled anew: warnings of syntax come from the compiler.
    environment = {
        **os.environ,
        "PYTHONPATH": SOURCE,
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONPYCACHEPREFIX": os.devnull,
    }
    command = [sys.executable, "-W", "error", "-c", program, *public_modules()]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=60, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("name", public_modules())
def test_annotations_can_be_read_at_run_time(name):
    """Frameworks do that. A `X | Y` would fail in 3.9. Names that stand behind `TYPE_CHECKING`, because two modules
    need each other, are those of the package."""
    module = importlib.import_module(name)
    for member_name in getattr(module, "__all__", None) or [key for key in vars(module) if not key.startswith("_")]:
        member = getattr(module, member_name)
        if not getattr(member, "__module__", "").startswith("watchkeeper"):
            continue
        for each in (member, *(vars(member).values() if inspect.isclass(member) else ())):
            function = each.fget if isinstance(each, property) else each
            if inspect.isclass(function) or inspect.isfunction(function):
                typing.get_type_hints(
                    function, localns={**vars(importlib.import_module(function.__module__)), **names()}
                )


def names() -> dict[str, object]:
    from watchkeeper._process import Process

    shown = {name: getattr(watchkeeper, name) for name in watchkeeper.__all__ if name[0].isupper()}
    return {**shown, "Process": Process}
