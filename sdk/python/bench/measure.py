"""Each subject in turn, round after round, each time in a fresh process; of each figure the median of the rounds.

What a package adds is its figure less that of the program without it in the same round.
"""

from __future__ import annotations

import statistics
from collections import defaultdict
from typing import Optional

import processes
from processes import Load, Sink
from subjects import SUBJECTS

#: Figures by subject and name.
Figures = dict[str, dict[str, float]]

ROUNDS = 3
_SECONDS = "2.5"
_FLOOD_JOBS = {"watchkeeper": "8000", "opentelemetry": "3000", "sentry": "700"}
_SLICES = 5
_SLICE_SECONDS = 0.8
_WARM_UP_SECONDS = 0.7
_PEERS = [name for name in SUBJECTS if name != "without"]


class Rounds:
    """Collects figures, and gives their medians."""

    def __init__(self) -> None:
        self._seen: dict[str, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))

    def add(self, subject: str, figures: dict[str, float]) -> None:
        """Adds those of one round."""
        for name, value in figures.items():
            self._seen[subject][name].append(value)

    def medians(self) -> Figures:
        """The median of each."""
        return {
            subject: {name: statistics.median(values) for name, values in named.items()}
            for subject, named in self._seen.items()
        }


def added(program: str, sink: Sink) -> Figures:
    """What packages add to the figures of a program."""
    rounds = Rounds()
    for _ in range(ROUNDS):
        bare: dict[str, float] = {}
        for subject in SUBJECTS:
            figures = processes.run(program, subject, sink.url(sink.name()), _SECONDS)
            bare = bare or figures
            rounds.add(subject, figures)
            rounds.add(subject, {f"added_{name}": value - bare[name] for name, value in figures.items()})
    return rounds.medians()


def memory(sink: Sink) -> Figures:
    """What packages hold when their queues are full."""
    rounds = Rounds()
    for _ in range(ROUNDS):
        for subject in SUBJECTS:
            rounds.add(subject, processes.run("memory", subject, sink.silent, "rss"))
    for subject in SUBJECTS:
        rounds.add(subject, processes.run("memory", subject, sink.silent, "traced"))
    return rounds.medians()


def idle() -> Figures:
    """What packages cost that are not configured."""
    rounds = Rounds()
    for _ in range(ROUNDS):
        for subject in SUBJECTS:
            rounds.add(subject, processes.run("idle", subject, "none"))
    return rounds.medians()


def flood(sink: Sink, binary: Optional[str]) -> Figures:
    """How much can be told a second without a loss, to the sink and to the real server."""
    rounds = Rounds()
    for _ in range(ROUNDS):
        for subject in _PEERS:
            name = sink.name()
            figures = processes.run("flood", subject, sink.url(name), _FLOOD_JOBS[subject])
            counts = sink.counted(name)
            lost = figures["stages"] - counts.get(SUBJECTS[subject].told_stage, 0)
            per_second = figures["stages"] / figures["seconds"]
            rounds.add(subject, {"stages_per_second": per_second, "lost": lost})
            if subject == "watchkeeper":
                rounds.add(subject, {"events_per_second": sum(counts.values()) / figures["seconds"]})
        if binary:
            with processes.watchkeeper(binary) as url:
                figures = processes.run("flood", "watchkeeper", url, _FLOOD_JOBS["watchkeeper"])
            rounds.add("watchkeeper", {"real_events_per_second": figures["delivered"] / figures["seconds"]})
    return rounds.medians()


def throughput(sink: Sink) -> Figures:
    """Requests a second of the application under uvicorn: short slices in turns, of several generations of servers."""
    rounds = Rounds()
    with processes.load() as load:
        for _ in range(ROUNDS):
            names = {subject: sink.name() for subject in SUBJECTS}
            with processes.served({subject: sink.url(name) for subject, name in names.items()}) as servers:
                answered, used = _slices(load, servers, rounds)
            for subject in SUBJECTS:
                rounds.add(subject, {"cpu_us": used[subject] / answered[subject] * 1e6})
                told = sink.counted(names[subject]).get(SUBJECTS[subject].told_request, 0)
                rounds.add(subject, {"told": told / answered[subject]})
    return rounds.medians()


def _slices(
    load: Load, servers: dict[str, tuple[int, int]], rounds: Rounds
) -> tuple[dict[str, float], dict[str, float]]:
    """How many requests were answered by each, and the CPU time that took."""
    answered = {subject: load.ask(port, _WARM_UP_SECONDS)["answered"] for subject, (port, _) in servers.items()}
    begun = {subject: processes.cpu_seconds(pid) for subject, (_, pid) in servers.items()}
    warm = dict(answered)
    for _ in range(_SLICES):
        bare = 0.0
        for subject, (port, _) in servers.items():
            figures = load.ask(port, _SLICE_SECONDS)
            bare = bare or figures["per_second"]
            answered[subject] += figures["answered"]
            rounds.add(subject, {"per_second": figures["per_second"], "share": figures["per_second"] / bare})
    used = {
        subject: (processes.cpu_seconds(pid) - begun[subject]) * answered[subject] / (answered[subject] - warm[subject])
        for subject, (_, pid) in servers.items()
    }
    return answered, used
