"""Compares Watchkeeper with peers in one run, and writes bench/RESULTS.md.

    python bench BINARY EXAMPLES [PART…]     (`make bench` builds what is there and calls it)

Parts are samples, queries, sizes, growth, watching, events, stored, redaction, logs, logs-growth, traces, traces-large and
tailing; without any, all are measured but traces-large, which takes half an hour or so. Each table is written as soon as it is
there, in place of the one before, so that a run that is stopped leaves what it has measured.
The figures of one table can be compared with each other; those of two runs on two machines cannot. Servers that are
measured are pinned alike (`machine.py`), and the head of the file says to what, on which machine, in which versions.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

import events
import log_tables
import logs
import machine
import medians
import metrics
import queries
import redaction
import scale
import sizes
import stored
import tailing
import traces
import watching
from results import Results
from services import Services

RESULTS = Path(__file__).parent / "RESULTS.md"
MB = 1 << 20
# Measured when they are named, and only then.
LARGE = ["traces-large"]

Figures = TypeVar("Figures")


def main(binary: str, examples: str, parts: list[str]) -> None:
    """Measures, prints, and writes down."""
    load, rows = f"{examples}/load", f"{examples}/events"

    def samples() -> Iterator[str]:
        for shape in metrics.SHAPES:
            with _folder() as folder:
                yield _metrics(metrics.measured(folder, binary, load, shape), shape)

    def asked() -> Iterator[str]:
        with _folder() as folder:
            yield _queries(queries.measured(folder, binary, load))

    def at_sizes() -> Iterator[str]:
        for series, hours in sizes.SIZES:
            with _folder() as folder:
                yield _sizes(sizes.measured(folder, binary, load, series, hours), series, hours)

    def growth() -> Iterator[str]:
        with _folder() as folder:
            yield _scale(scale.measured(folder, binary, load))

    def beside(measured: Callable[[Services, str], Figures], what: str) -> Figures:
        with _folder() as folder, Services(folder) as services:
            return measured(services, what)

    def watched() -> Iterator[str]:
        yield _watching(*medians.measured(lambda: beside(watching.measured, binary)))

    def taken() -> Iterator[str]:
        yield _events(*medians.measured(lambda: beside(events.measured, binary)))

    def kept() -> Iterator[str]:
        yield _stored(*medians.measured(lambda: beside(stored.measured, rows)))

    def redacted() -> Iterator[str]:
        yield _redaction(redaction.measured(f"{examples}/redaction"))

    def logged(records: int) -> logs.Figures:
        with _folder() as folder, Services(folder) as services:
            return logs.measured(services, binary, f"{examples}/logs", records)

    def many_logs() -> Iterator[str]:
        yield log_tables.of_logs(logged(logs.RECORDS))

    def more_logs() -> Iterator[str]:
        yield log_tables.of_log_growth([logged(records) for records in logs.GROWTH])

    def traced(spans: int) -> Iterator[str]:
        with _folder() as folder, Services(folder) as services:
            yield log_tables.of_traces(traces.measured(services, binary, f"{examples}/spans", spans))

    def tailed(form: str) -> tailing.Figures:
        with _folder() as folder, Services(folder) as services:
            return tailing.measured(services, binary, f"{examples}/log_speed", form)

    def followed() -> Iterator[str]:
        yield log_tables.of_tailing({form: tailed(form) for form in tailing.FORMS})

    known: dict[str, Callable[[], Iterator[str]]] = {
        "samples": samples,
        "queries": asked,
        "sizes": at_sizes,
        "growth": growth,
        "watching": watched,
        "events": taken,
        "stored": kept,
        "redaction": redacted,
        "logs": many_logs,
        "logs-growth": more_logs,
        "traces": lambda: traced(traces.SPANS),
        "traces-large": lambda: traced(traces.MANY_SPANS),
        "tailing": followed,
    }
    unknown = [part for part in parts if part not in known]
    if unknown:
        sys.exit(f"there is no part {unknown[0]!r}; there are {', '.join(known)}")
    head = machine.described(binary)
    if parts:
        head += f" Of this run are: {', '.join(parts)}; the other tables are of runs before it."
    results = Results(RESULTS, head)
    chosen = parts or [part for part in known if part not in LARGE]
    for place, part in enumerate(chosen, start=1):
        begun = time.monotonic()
        print(f"bench: {place} of {len(chosen)}: {part}", file=sys.stderr, flush=True)
        for table in known[part]():
            print(table, flush=True)
            results.put(table)
        print(f"bench: {part} took {time.monotonic() - begun:.0f} s", file=sys.stderr, flush=True)
    if not parts:
        results.drop_others(log_tables.traces_title(traces.MANY_SPANS))


@contextmanager
def _folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="watchkeeper-bench.") as folder:
        yield Path(folder)


def _metrics(costs: dict[str, metrics.Cost], shape: metrics.Shape) -> str:
    runs = f"Medians of {shape.runs} runs, in turns" if shape.runs > 1 else "One run"
    ours = costs["Watchkeeper"]
    lines = [
        f"## The cost of a sample: {shape.series:,} series, {shape.steps} samples each\n\nSent by remote write over one connection, "
        f"5,000 series a request, 15 s apart with ±{shape.jitter} ms. Watchkeeper answers when a request is on the disk; the "
        "others, as they come, do not wait for that. Bytes are those after all has been merged, the index included. "
        f"{runs}. A ratio is ours to theirs. Targets beside VictoriaMetrics, at 100,000 series: CPU 0.5, memory 0.75, "
        "bytes 0.8.\n",
        "| | CPU a sample, µs | ratio | time a sample, µs | peak memory, MB | ratio | bytes a sample | ratio |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for name, cost in costs.items():
        stored = f"{cost.disk_bytes:.2f}" if cost.disk_bytes else "–"
        ratio = f"{ours.disk_bytes / cost.disk_bytes:.2f}" if cost.disk_bytes else "–"
        lines.append(
            f"| {name} | {cost.cpu_microseconds:.2f} | {ours.cpu_microseconds / cost.cpu_microseconds:.2f} | "
            f"{cost.wall_microseconds:.2f} | {cost.peak_bytes / MB:.0f} | {ours.peak_bytes / cost.peak_bytes:.2f} | "
            f"{stored} | {ratio} |"
        )
    return "\n".join(lines) + "\n"


def _queries(times: dict[str, list[tuple[float, float]]]) -> str:
    ours, peers = times["Watchkeeper"], [name for name in times if name != "Watchkeeper"]
    head = " | ".join(f"{name} | ratio" for name in peers)
    lines = [
        "## Queries\n\n5,000 series × 24 h at 15 s, and fifty of them over 7 days. Milliseconds until the whole answer "
        f"is there, median of {queries.ASKED}, asked of the servers in turns and in each order of them: with caches off "
        "where a server has some, and, after the slash, as it comes (asked again, as a dashboard does). A ratio is ours "
        "to theirs. Targets: below 1 on each, and 0.6 of VictoriaMetrics on the mean, caches off; at most 1 asked again; "
        "for the sum by of a rate at 60 s 0.1 of Prometheus and 0.67 of VictoriaMetrics.\n",
        f"| | Watchkeeper | {head} |",
        "|---|---|" + "---|---|" * len(peers),
    ]
    for place, (what, *_) in enumerate(queries.QUERIES):
        others = " | ".join(
            f"{times[name][place][0]:.1f} / {times[name][place][1]:.1f} | "
            f"{ours[place][0] / times[name][place][0]:.2f} / {ours[place][1] / times[name][place][1]:.2f}"
            for name in peers
        )
        lines.append(f"| {what} | {ours[place][0]:.1f} / {ours[place][1]:.1f} | {others} |")

    def mean(name: str, way: int) -> float:
        ratios = (ours[place][way] / times[name][place][way] for place in range(queries.TWELVE))
        return statistics.geometric_mean(ratios)

    means = " | ".join(f"| {mean(name, 0):.2f} / {mean(name, 1):.2f}" for name in peers)
    lines.append(f"| geometric mean of the twelve | | {means} |")
    return "\n".join(lines) + "\n"


def _sizes(figures: dict[str, sizes.Figures], series: int, hours: int) -> str:
    ours, peers = figures["Watchkeeper"], [name for name in figures if name != "Watchkeeper"]
    head = " | ".join(f"{name} | ratio" for name in peers)
    lines = [
        f"## Queries at {series:,} series\n\n{hours} h at 15 s, asked over all of it or now. Milliseconds until the whole "
        f"answer is there, median and 95th percentile of {sizes.ASKED}, asked of the servers in turns and in each order "
        "of them: with caches off where a server has some, and, after the slash, as it comes (asked again, as a dashboard "
        "does). A ratio is ours to theirs, of medians. Memory is after all of that, and at its most since the start, the "
        "taking in included. Targets: below 1 on each.\n",
        f"| | Watchkeeper | {head} |",
        "|---|---|" + "---|---|" * len(peers),
    ]

    def cell(off: sizes.Times, on: sizes.Times) -> str:
        return f"{off.median:.1f}, {off.slow:.1f} / {on.median:.1f}, {on.slow:.1f}"

    for place, (what, *_) in enumerate(sizes.QUERIES):
        off, on = ours.off[place], ours.on[place]
        others = " | ".join(
            f"{cell(figures[name].off[place], figures[name].on[place])} | "
            f"{off.median / figures[name].off[place].median:.2f} / {on.median / figures[name].on[place].median:.2f}"
            for name in peers
        )
        lines.append(f"| {what} | {cell(off, on)} | {others} |")
    for what, bytes_of in (
        ("memory held, MB", lambda each: each.held_bytes),
        ("memory at its most, MB", lambda each: each.peak_bytes),
    ):
        others = " | ".join(
            f"{bytes_of(figures[name]) / MB:.0f} | {bytes_of(ours) / bytes_of(figures[name]):.2f}" for name in peers
        )
        lines.append(f"| {what} | {bytes_of(ours) / MB:.0f} | {others} |")
    return "\n".join(lines) + "\n"


def _scale(growths: list[scale.Growth]) -> str:
    lines = [
        "## Growth\n\nWatchkeeper alone, series of 20 samples each. The start is one after the process was killed, until "
        f"it answers queries. Medians of {medians.RUNS} runs. Targets at 1,000,000 series: 1,800 MB, 15 s.\n",
        "| series | CPU a sample, µs | peak memory, MB | start, s |",
        "|---|---|---|---|",
    ]
    for growth in growths:
        lines.append(
            f"| {growth.series:,} | {growth.cpu_microseconds:.2f} | {growth.peak_bytes / MB:.0f} | "
            f"{growth.restart_seconds:.1f} |"
        )
    return "\n".join(lines) + "\n"


def _watching(ours: watching.Cost, theirs: watching.Cost) -> str:
    return (
        f"## The cost of being watched\n\nAn idle server on a host with {watching.PROCESSES} processes, looked at every "
        f"15 s for {watching.MEASURED_SECONDS} s. The peer is Prometheus with node_exporter and process-exporter, which "
        "watch the same host in the same minutes. Memory is PSS: what is shared counts once. "
        f"Medians of {medians.RUNS} runs.\n\n"
        "| | Watchkeeper | Prometheus + 2 exporters | ratio | target |\n|---|---|---|---|---|\n"
        f"| CPU seconds an hour | {ours.cpu_seconds_per_hour:.1f} | {theirs.cpu_seconds_per_hour:.1f} | "
        f"{ours.cpu_seconds_per_hour / theirs.cpu_seconds_per_hour:.2f} | < 36 (1 % of a core) |\n"
        f"| memory, MB | {ours.memory_bytes / MB:.0f} | {theirs.memory_bytes / MB:.0f} | "
        f"{ours.memory_bytes / theirs.memory_bytes:.2f} | ≤ 80 |\n"
    )


def _events(ours: events.Cost, theirs: events.Cost) -> str:
    return (
        f"## The cost of an event\n\n{events.BATCHES} bodies of {events.BATCH} `stage.finished` events over one "
        "connection, each body acknowledged when it is on the disk. The peer is PostgreSQL with a table of the same "
        "columns, one prepared INSERT for each batch, repeated ids ignored as ours are. "
        f"Medians of {medians.RUNS} runs.\n\n"
        "| an event takes | Watchkeeper | PostgreSQL | ratio |\n|---|---|---|---|\n"
        f"| CPU of the server, µs | {ours.cpu_microseconds:.1f} | {theirs.cpu_microseconds:.1f} | "
        f"{ours.cpu_microseconds / theirs.cpu_microseconds:.2f} |\n"
        f"| time until acknowledged, µs | {ours.wall_microseconds:.1f} | {theirs.wall_microseconds:.1f} | "
        f"{ours.wall_microseconds / theirs.wall_microseconds:.2f} |\n"
    )


def _stored(many: stored.Figures, ours: stored.Figures, theirs: stored.Figures) -> str:
    lines = [
        "## Events in the store\n\nJob events with messages like lines of a log, in batches of "
        f"{stored.BATCH:,} that are on the disk when they are acknowledged. Ours is the engine by itself, asked in its "
        "process; the peer is PostgreSQL with the same rows by COPY, with indexes of ids, times and words, asked over a "
        "connection. Times are milliseconds: the first after a start, with nothing of the files in the system's memory "
        "(PostgreSQL keeps its own), and after the slash the median of ten more. "
        f"Medians of {medians.RUNS} runs. A ratio is ours to theirs.\n",
        f"| | Watchkeeper, {stored.ROWS:,} rows | PostgreSQL, {stored.ROWS:,} rows | ratio | Watchkeeper, "
        f"{stored.MANY_ROWS:,} rows | target |",
        "|---|---|---|---|---|---|",
        f"| rows taken, a second of a core | {ours.rows_per_core_second:,.0f} | {theirs.rows_per_core_second:,.0f} | "
        f"{ours.rows_per_core_second / theirs.rows_per_core_second:.2f} | {many.rows_per_core_second:,.0f} | "
        "≥ 300,000 |",
        f"| bytes a row, indexes included | {ours.bytes_per_row:.0f} | {theirs.bytes_per_row:.0f} | "
        f"{ours.bytes_per_row / theirs.bytes_per_row:.2f} | {many.bytes_per_row:.0f} | |",
    ]
    for what in stored.SCANS:
        one, other, large = ours.scans[what], theirs.scans[what], many.scans[what]
        target = "≤ 150" if what in ("one word, in one message", "events of one job") else ""
        lines.append(
            f"| {what} | {one[0]:.1f} / {one[1]:.1f} | {other[0]:.1f} / {other[1]:.1f} | "
            f"{one[0] / other[0]:.2f} / {one[1] / other[1]:.2f} | {large[0]:.1f} / {large[1]:.1f} | {target} |"
        )
    return "\n".join(lines) + "\n"


def _redaction(figures: redaction.Figures) -> str:
    lines = [
        "## Redaction\n\nThe lines with labels of crates/ingest/tests/redaction: a secret counts as found when "
        "the detector of its label has all of it and little else. Those by who wrote the detectors and those that these "
        "were mended by say that nothing has become worse; those that are held out say how well it does on lines that "
        "it was not made for, though not on yours (`watchkeeper redact --dry-run` does). Targets of the first: precision "
        "0.97, recall 0.95.\n",
        "| lines | detector | secrets | found | false alarms | precision | recall |",
        "|---|---|---|---|---|---|---|",
    ]
    lines += [
        f"| {corpus} | {name} | {one.secrets} | {one.found} | {one.false_alarms} | {one.precision:.3f} | "
        f"{one.recall:.3f} |"
        for corpus, scores in figures.scores.items()
        for name, one in scores.items()
    ]
    lines += ["", "| texts | MB a second of a core |", "|---|---|"]
    lines += [f"| {what} | {speed:,.0f} |" for what, speed in figures.speeds.items()]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    if len(sys.argv) < 3:
        sys.exit("usage: python bench BINARY EXAMPLES [PART…]")
    main(sys.argv[1], sys.argv[2], sys.argv[3:])
