"""Settings, and a package that is not configured."""

from __future__ import annotations

import dataclasses
import logging
import os
import re

import pytest
import settings_table

import watchkeeper as wk
from watchkeeper._settings import Settings, read_settings


def test_arguments_come_before_the_environment():
    environment = {"WATCHKEEPER_URL": "http://env:1/", "WATCHKEEPER_SERVICE": "env", "WATCHKEEPER_GPU": "yes"}
    read = read_settings({"service": "given"}, environment)
    assert (read.url, read.service, read.gpu) == ("http://env:1", "given", True)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("url", "ftp://x"),
        ("url", "http://user:secret@x"),
        ("url", "http://x:port"),
        ("key", "a\nb"),
        ("queue_events", "many"),
        ("queue_events", 0),
        ("batch_events", 20_000),
        ("flush_seconds", "nan"),
        ("flush_seconds", -1),
        ("memory_interval_seconds", 0.0001),
        ("worker", "perhaps"),
        ("capability", "tpu"),
        ("spool_dir", 7),
    ],
)
def test_a_bad_value_is_a_warning_and_the_default(name, value, caplog):
    with caplog.at_level(logging.WARNING, "watchkeeper"):
        read = read_settings({name: value}, {})
    assert getattr(read, name) == getattr(Settings(), name)
    assert len(caplog.records) == 1


def test_the_table_of_settings_is_what_the_settings_are():
    with open(settings_table.PAGE, encoding="utf-8") as file:
        kept = file.read()
    page = settings_table.page(kept)
    if os.environ.get("WATCHKEEPER_BLESS"):
        with open(settings_table.PAGE, "w", encoding="utf-8") as file:
            file.write(page)
    elif page != kept:
        pytest.fail("the settings of docs/python.md are out of date: WATCHKEEPER_BLESS=1")
    rows = re.findall(r"^\| `(\w+)` \| .* \| .* \| .* \|$", page, re.MULTILINE)
    assert rows == [field.name for field in dataclasses.fields(Settings)]


@pytest.mark.parametrize("field", dataclasses.fields(Settings), ids=lambda field: field.name)
def test_the_bounds_that_the_table_says_hold(field, caplog):
    _, accepted, refused = settings_table.KINDS[settings_table.reader(field)]
    for value in accepted:
        read_settings({field.name: value}, {})
    assert caplog.records == []
    default = getattr(read_settings({}, {}), field.name)
    for value in refused:
        assert getattr(read_settings({field.name: value}, {}), field.name) == default
    assert len(caplog.records) == len(refused)


def test_a_key_is_never_logged(caplog):
    with caplog.at_level(logging.WARNING, "watchkeeper"):
        read_settings({"key": "top secret"}, {})
    assert "secret" not in caplog.text


def test_without_an_address_everything_does_nothing(monkeypatch):
    monkeypatch.delenv("WATCHKEEPER_URL", raising=False)
    assert wk.init() is None

    @wk.task
    def work(number):
        return number + 1

    assert work(1) == 2
    with wk.job("extract", id=1) as job, job.stage("ocr") as stage:
        job.progress(0.5)
        job.input_bytes = stage.items = 3
        job.set(a=1)
        job.retry()
        assert wk.current_job() is None
        assert wk.inject({}) == {}
    assert wk.job("a") is wk.job("b")
    assert job.input_bytes is None
    wk.event("job.started", job_id=1)
    assert wk.flush()
    assert wk.stats().reported == 0
