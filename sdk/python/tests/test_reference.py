"""docs/python/reference.md is what the docstrings give. `WATCHKEEPER_BLESS=1` writes it anew."""

from __future__ import annotations

import importlib.util
import os
import re
from typing import Any

import pytest

FOLDER = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


@pytest.fixture(scope="module")
def reference() -> Any:
    """The program that writes the page."""
    spec = importlib.util.spec_from_file_location("reference", os.path.join(FOLDER, "tools", "reference.py"))
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_page_is_what_the_docstrings_give(reference):
    page = reference.page()
    if os.environ.get("WATCHKEEPER_BLESS"):
        with open(reference.PAGE, "w", encoding="utf-8") as file:
            file.write(page)
    with open(reference.PAGE, encoding="utf-8") as file:
        kept = file.read()
    assert kept == page, "docs/python/reference.md is out of date: WATCHKEEPER_BLESS=1"


def test_every_module_that_can_be_imported_by_its_name_has_a_section(reference):
    page = reference.page()
    source = os.path.join(FOLDER, "src", "watchkeeper")
    for folder, package in ((source, "watchkeeper"), (os.path.join(source, "integrations"), reference.INTEGRATIONS)):
        for name in os.listdir(folder):
            stem = name.partition(".")[0]
            if not name.startswith("_") and name.endswith(".py"):
                assert f"\n## {package}.{stem}\n" in page


def test_links_within_the_page_have_an_end(reference):
    page = reference.page()
    headings = re.findall(r"^#+ (.*)$", page, re.MULTILINE)
    anchors = [re.sub(r"[^\w\- ]", "", heading).lower().replace(" ", "-") for heading in headings]
    assert len(anchors) == len(set(anchors))
    assert set(re.findall(r"\]\(#([^)]*)\)", page)) <= set(anchors)


def test_what_is_public_and_says_nothing_is_refused(reference, tmp_path, monkeypatch):
    package = tmp_path / "watchkeeper"
    package.mkdir()
    (package / "__init__.py").write_text('"""A package."""\n__all__ = ["told"]\ndef told(): ...\n')
    monkeypatch.setattr(reference, "SOURCE", str(tmp_path))
    monkeypatch.setattr(reference, "MODULES", ("watchkeeper",))
    monkeypatch.setattr(reference, "HIDDEN", {})
    (package / "integrations").mkdir()
    (package / "integrations" / "__init__.py").write_text('"""None."""\n')
    with pytest.raises(reference.Undocumented, match="told"):
        reference.page()
