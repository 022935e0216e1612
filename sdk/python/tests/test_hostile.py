"""Whatever the package is given: nothing raises, and no event is lost for one value."""

from __future__ import annotations

import logging

import pytest
from conftest import balance

import watchkeeper as wk
from watchkeeper.memory import MemoryTracker
from watchkeeper.monitor import ResourceMonitor


class Rude:
    """Fails at whatever it is asked."""

    def _fail(self, *args):
        raise RuntimeError("no")

    __str__ = __repr__ = __eq__ = __lt__ = __gt__ = __bool__ = __len__ = __iter__ = __float__ = __int__ = _fail
    __hash__ = None


class Lazy:
    """As objects that frameworks make when they are asked for the first time, and then cannot."""

    @property
    def __class__(self):
        raise RuntimeError("working outside of a request")


class Text(str):
    def __str__(self):
        raise RuntimeError("no")

    __len__ = encode = __str__


class Number(int):
    def __ge__(self, other):
        raise RuntimeError("no")

    __le__ = __gt__ = __lt__ = __ge__


def circle():
    made = {"list": []}
    made["list"].append(made)
    return made


VALUES = {
    **{"none": None, "negative": -1, "huge": 10**400, "nan": float("nan"), "bytes": b"\xff", "half": "\ud800"},
    **{"long": "x" * 1_000_000, "circle": circle(), "object": object(), "rude": Rude(), "lazy": Lazy()},
    **{"text": Text("a"), "number": Number(3), "keys": {1: 2, Number(1): Rude()}, "class": Rude, "function": len},
}


def use(value):
    """Gives the value wherever something may be given, and says how many jobs were begun and ended."""
    with wk.job("outer", id="outer"):
        for name in ("id", "document", "tenant", "queue", "submitted_at", "origin", "pages", "retry_count", "any"):
            with wk.job("a", **{name: value}) as job:
                job.input_bytes = job.output_bytes = job.confidence = job.degraded = value
                job.set(pages=value, any=value)
                job.progress(value, message=value, stage=value, expected_max_seconds=value)
                with job.stage(value, component=value, expected_max_seconds=value, any=value) as stage:
                    stage.items = value
        for end in ("retry", "fail"):
            with wk.job(value) as job:
                getattr(job, end)(value)
        with wk.llm_call(model="m", provider=value, operation=value, capture_text=True, user_id=value) as call:
            call.usage(input=value, output=value, cached=value, cost_usd=value)
            call.text(prompt=value, answer=value)
            call.chunk(value)
        wk.submitted(value, id=value, document=value, tenant=value, queue=value, any=value)
        wk.audit(value, user_id=value, target=value, message=value, client_ip=value, any=value)
        wk.event("feedback.given", score=value, comment=value)
        wk.inject(value)
        wk.extract(value)
        tracker = MemoryTracker(job_id=value, early_percent=0, warning_mb=0)
        tracker.record_stage_start("ocr")
        tracker.record_stage_end("ocr")
        with ResourceMonitor(max_jobs=100).admit(id=value):
            pass
    return 12


@pytest.mark.parametrize("value", VALUES)
def test_no_value_raises_or_costs_an_event(server, client, value):
    jobs = use(VALUES[value])
    assert client.flush(60)
    ended = [event for event in server.events if event["type"] in ("job.completed", "job.retried", "job.failed")]
    assert len(ended) == jobs
    assert len(server.of("stage.finished")) == 10
    for type_ in ("llm.call", "job.submitted", "audit.recorded", "feedback.given"):
        assert len(server.of(type_)) == 1, type_
    assert client.stats().dropped == {}
    assert balance(client.stats()) == 0


@pytest.mark.parametrize("value", VALUES)
def test_no_value_raises_where_nothing_is_configured(value):
    use(VALUES[value])
    assert wk.stats().reported == 0


@pytest.mark.parametrize("value", VALUES)
@pytest.mark.parametrize(
    "name", ["url", "key", "service", "queues", "heartbeat_seconds", "gpu", "spool_dir", "unknown"]
)
def test_no_setting_raises(name, value, caplog):
    with caplog.at_level(logging.CRITICAL, "watchkeeper"):
        wk.init(**{name: VALUES[value]})
