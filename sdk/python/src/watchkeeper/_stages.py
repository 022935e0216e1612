"""Stages: the steps of a job, each with what it took."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any, Optional

from . import _allocations, _context
from ._clean import name as clean_name
from ._errors import error_facts, is_failure
from ._events import encode_members
from ._facts import STAGE_FIELDS
from ._limits import is_interruption
from ._measure import Measure
from ._work import ToldWork

if TYPE_CHECKING:
    from ._client import Client
    from ._jobs import Job


class Stage(ToldWork):
    """A step of a job, begun by `with` or `async with`. One that raises has failed, and the exception goes on.

    Made by `Job.stage`. No method raises or waits. Its end tells how long it took, its CPU time and its memory.
    """

    __slots__ = (
        "_attributes",
        "_before",
        "_client",
        "_encoded",
        "_facts",
        "_finish",
        "_job",
        "_measure",
        "_status",
        "measured",
        "name",
    )

    def __init__(self, client: Optional[Client], job: Job, name: str, given: dict[str, Any]) -> None:
        self._client = client
        self._job = job
        #: What it is called.
        self.name = name
        self._facts: dict[str, Any] = {}
        self._finish: dict[str, Any] = {}
        self._attributes: dict[str, Any] = {}
        self._status: Optional[str] = None
        self._measure: Optional[Measure] = None
        #: What it took, once it has ended: `duration_seconds`, `cpu_seconds`, `memory_rss_bytes`, `memory_delta_bytes`
        #: and the like, as `stage.finished` has them. Empty where nothing is configured.
        self.measured: dict[str, Any] = {}
        self._before: _context.Before = (None, None)
        self._encoded = ""
        if client is not None and given:
            self.set(**given)

    @property
    def job(self) -> Job:
        """The job that it belongs to."""
        return self._job

    @property
    def items(self) -> Optional[int]:
        """How many items (pages, chunks) it handled."""
        value: Optional[int] = self._facts.get("items")
        return value

    @items.setter
    def items(self, value: Optional[int]) -> None:
        self.set(items=value)

    def set(self, **attributes: Any) -> None:
        """Adds facts; they go with the end of the stage. `items`, `component` and `expected_max_seconds` are fields of
        docs/events.md, any other name is an attribute."""
        self._assign(attributes, STAGE_FIELDS)

    def empty(self) -> None:
        """Says that it ended without an error and without a result: its status is `completed_empty`."""
        self._status = "completed_empty"

    def skip(self) -> None:
        """Says that it was not needed: its status is `skipped`."""
        self._status = "skipped"

    def add(self, facts: dict[str, Any]) -> None:
        """Adds fields of `stage.finished` of docs/events.md as they are: for integrations that measure more."""
        self._finish.update(facts)

    def start(self) -> Stage:
        """Begins it, where `with` does not fit, and gives it back; `finish` ends it."""
        client = self._client
        if client is None or self._measure is not None:
            return self
        try:
            self._before = _context.enter(self._job, self)
            self._measure = Measure(client, client.settings.kernel_peak)
            self._encoded = self._job.encoded + _encoded_name(self.name)
            facts = self._known()
            self._measure.tell_beginning(facts)
            client.report("stage.started", facts, self._measure.started_ns, self._encoded)
        except Exception as error:
            if is_interruption(error):
                # Nobody ends what did not begin.
                self.finish(error)
            self._lost(error)
        return self

    def finish(self, error: Optional[BaseException] = None) -> None:
        """Ends it: failed with the exception that is given, else completed, empty or skipped."""
        client, measure = self._client, self._measure
        if client is None or measure is None:
            return
        self._measure = None
        try:
            _context.leave(self._before)
            facts = self._known()
            self.measured = measure.end()
            self._job.seen(measure.peak_bytes)
            facts.update(self.measured)
            facts.update(self._finish)
            if error is not None and is_failure(error):
                facts["status"] = "failed"
                # Where it came from is told once, by the job.
                facts.update(error_facts(error, with_traceback=False))
            else:
                facts["status"] = self._status or "completed"
            top = _allocations.top_lines(client.settings, measure.peak_bytes)
            if self._attributes or top:
                facts["attributes"] = {**self._attributes, **top}
            client.report("stage.finished", facts, measure.ended_ns, self._encoded)
        except Exception as fault:
            client.pulse.forget(None, measure)
            self._lost(fault)

    def _known(self) -> dict[str, Any]:
        attempt = self._job.retry_count
        return dict(self._facts) if attempt is None else {"retry_count": attempt, **self._facts}


@functools.lru_cache(256)
def _encoded_name(name: str) -> str:
    """The fact `stage` as JSON. There are few names, and each comes often."""
    return encode_members({"stage": name})


def stage_name(value: Any) -> str:
    """The name of a stage as the server takes it."""
    return clean_name(value) or "unnamed"
