"""A running Watchkeeper instead of the small server of the other tests, and the account that applications keep."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from accounts import VARIABLE, Account

from .running import Watchkeeper


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Watchkeeper]:
    """What `programs`, `start` and `client` report to here."""
    made = Watchkeeper(tmp_path / "watchkeeper")
    try:
        made.start()
        yield made
    finally:
        made.kill()


@pytest.fixture
def account(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Account:
    """What the processes of this test write down."""
    folder = tmp_path / "account"
    folder.mkdir()
    monkeypatch.setenv(VARIABLE, str(folder))
    return Account(folder)
