"""The table: a line for each figure, with its target where there is one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Optional

from measure import Figures
from subjects import SUBJECTS

NOTHING = "\N{EN DASH}"

HEAD = (
    "| figure | "
    + " | ".join(subject.title for subject in SUBJECTS.values())
    + " | ratio | target | met |\n|---|"
    + "---:|" * (len(SUBJECTS) + 1)
    + "---|---|"
)


@dataclass(frozen=True)
class Line:
    """One figure of all subjects."""

    what: str
    #: The name of the figure.
    name: str
    #: The most that it may be, or the least where more is better.
    target: Optional[float] = None
    more_is_better: bool = False
    #: How it is written.
    form: str = ".1f"
    factor: float = 1.0
    #: Whether the program without a package has that figure, too.
    of_bare: bool = False

    def written(self, figures: Figures) -> str:
        """The line of the table. The ratio is ours to that of the better peer."""
        values = {subject: self._value(figures, subject) for subject in SUBJECTS}
        ours = values["watchkeeper"]
        peers = [value for name in ("opentelemetry", "sentry") if (value := values[name]) is not None]
        best = None if not peers else max(peers) if self.more_is_better else min(peers)
        ratio = f"{ours / best:.2f}" if ours is not None and best is not None and best > 0 else NOTHING
        target = met = ""
        if self.target is not None and ours is not None:
            target = f"{'≥' if self.more_is_better else '≤'} {format(self.target, ',g')}"
            is_met = ours >= self.target if self.more_is_better else ours <= self.target
            met = "yes" if is_met else "**no**"
        cells = " | ".join(NOTHING if value is None else format(value, "," + self.form) for value in values.values())
        return f"| {self.what} | {cells} | {ratio} | {target} | {met} |"

    def _value(self, figures: Figures, subject: str) -> Optional[float]:
        if subject == "without" and not self.of_bare:
            return None
        value = figures.get(subject, {}).get(self.name)
        return None if value is None else value * self.factor


STAGES = [
    Line("a stage, added, p50, µs", "added_stage_p50_us", 20),
    Line("a stage, added, p99, µs", "added_stage_p99_us", 100),
    Line("a job, added, p50, µs", "added_job_p50_us", 20),
    Line("a job, added, p99, µs", "added_job_p99_us", 100),
    Line("CPU of all threads for a stage and a fifth of its job, added, µs", "added_cpu_us"),
]
REQUESTS = [
    Line("a request, p50, µs", "request_p50_us", of_bare=True),
    Line("a request, added, p50, µs", "added_request_p50_us", 20),
    Line("a request, added, p99, µs", "added_request_p99_us", 100),
]
THROUGHPUT = [
    Line("FastAPI under uvicorn, requests/s", "per_second", form=".0f", more_is_better=True, of_bare=True),
    Line("of those without, %", "share", 97, True, factor=100),
    Line("CPU of all threads for a request, µs", "cpu_us", of_bare=True),
    Line("of these requests, told, %", "told", form=".0f", factor=100, more_is_better=True),
]
MEMORY = [
    Line("memory with a full queue, RSS at most, MB", "queue_mb", 10, of_bare=True),
    Line("the same by `tracemalloc`, MB", "traced_mb", 10, of_bare=True),
    Line("memory of the import, MB", "import_mb", of_bare=True),
]
FLOOD = [
    Line("events/s delivered without a loss (two a stage, two a job)", "events_per_second", 50_000, True, ".0f"),
    Line("the same to the real server", "real_events_per_second", 50_000, True, ".0f"),
    Line("stages/s delivered without a loss", "stages_per_second", form=".0f", more_is_better=True),
    Line("stages lost thereby", "lost", 0, form=".0f"),
]
IDLE = [
    Line("not configured: a stage, µs", "stage_us", form=".2f", of_bare=True),
    Line("not configured: a request, µs", "request_us", form=".2f", of_bare=True),
]
