"""The tables of logs, spans and log files, for RESULTS.md."""

from __future__ import annotations

import logs
import tailing
import traces
from ours import Times

MB = 1_000_000
GB = 1_000_000_000

# What is measured of VictoriaLogs, and what is aimed at.
INGEST_TARGETS = {
    "CPU seconds a GB": ("29", "≤ 10"),
    "MB a second": ("71", "> 71"),
    "records a second of a core": ("–", "≥ 100,000"),
    "smaller than raw": ("5.6", "≥ 6.5"),
    "peak memory, taking in, MB": ("490", "≤ 300"),
    "memory after queries, MB": ("840", "≤ 300"),
}
BRUTE_GB = 1.5


def of_logs(figures: logs.Figures) -> str:
    """What many records take, and how soon questions are answered."""
    sent = figures.sent
    raw = sent.raw_bytes
    ours = {
        "CPU seconds a GB": f"{figures.cpu_seconds / raw * GB:.1f}; merged {figures.merged_cpu_seconds / raw * GB:.1f}",
        "MB a second": f"{raw / sent.seconds / MB:.0f}",
        "records a second of a core": f"{sent.records / figures.cpu_seconds:,.0f}",
        "smaller than raw": f"{raw / figures.stored_bytes:.1f}; while it runs {raw / figures.running_bytes:.1f}",
        "peak memory, taking in, MB": f"{figures.ingest_peak_bytes / MB:.0f}; "
        f"and merging {figures.merged_peak_bytes / MB:.0f}",
        "memory after queries, MB": f"{figures.asked_rss_bytes / MB:.0f}; at most {figures.asked_peak_bytes / MB:.0f}",
    }
    lines = [
        f"## Logs: {sent.records:,} records of a day\n\nA pipeline's records, {raw / sent.records:.0f} bytes each as a "
        "line of JSON (raw bytes are those), 1,200 streams, a trace of its own on each, sent by OTLP over HTTP on "
        f"{logs.CONNECTIONS} connections and acknowledged when they are on the disk. What sends them has them ready, and has "
        "the same cores. "
        "CPU is that until the last was acknowledged, and until all files were merged; bytes are those after "
        "`store compact`, indexes included, and what lies there before that, the log included. Figures of VictoriaLogs "
        "were told of a machine of this size, and are not of this run.\n",
        "| | Watchkeeper | VictoriaLogs | target |",
        "|---|---|---|---|",
    ]
    lines += [f"| {what} | {ours[what]} | {theirs} | {target} |" for what, (theirs, target) in INGEST_TARGETS.items()]
    lines += [
        f"\nQuestions over the API, of the same server, each one another word, id or time, {logs.ASKED - 1} of each after a "
        "first one. Milliseconds until the whole answer is there: the median, and the 95th percentile. CPU is that of "
        "the server. A ratio is that of our median to VictoriaLogs' figure; the target is below 1 on each. Where no "
        f"filter helps, at least {BRUTE_GB} GB of raw text a second of a core.\n",
        "| | median | 95th | CPU, ms | VictoriaLogs | ratio | raw GB a second of a core |",
        "|---|---|---|---|---|---|---|",
    ]
    lines += [_question(what, each, raw) for what, each in figures.queries.items()]
    return "\n".join(lines) + "\n"


def _question(what: str, each: Times, raw: int) -> str:
    theirs = logs.VICTORIA_LOGS.get(what)
    beside = f"{theirs} | {each.median / theirs:.2f}" if theirs else "– | –"
    speed = f"{raw / GB / (each.cpu / 1000):.2f}" if what in logs.UNPRUNED else "–"
    return f"| {what} | {each.median:.1f} | {each.slow:.1f} | {each.cpu:.1f} | {beside} | {speed} |"


def of_log_growth(figures: list[logs.Figures]) -> str:
    """How figures grow with the number of records."""
    rows: dict[str, list[str]] = {
        "CPU a record, µs": [f"{one.cpu_seconds / one.sent.records * 1e6:.2f}" for one in figures],
        "CPU a record with merging, µs": [f"{one.merged_cpu_seconds / one.sent.records * 1e6:.2f}" for one in figures],
        "CPU seconds a raw GB": [f"{one.cpu_seconds / one.sent.raw_bytes * GB:.1f}" for one in figures],
        "raw MB a second": [f"{one.sent.raw_bytes / one.sent.seconds / MB:.0f}" for one in figures],
        "bytes a raw byte": [f"{one.stored_bytes / one.sent.raw_bytes:.3f}" for one in figures],
        "peak memory, taking in, MB": [f"{one.ingest_peak_bytes / MB:.0f}" for one in figures],
        "memory after queries, MB": [f"{one.asked_rss_bytes / MB:.0f}" for one in figures],
    }
    for what in figures[0].queries:
        rows[f"{what}, ms"] = [f"{one.queries[what].median:.1f}" for one in figures]
    for what in logs.UNPRUNED:
        rows[f"{what}, raw GB a second of a core"] = [
            f"{one.sent.raw_bytes / GB / (one.queries[what].cpu / 1000):.2f}" for one in figures
        ]
    head = " | ".join(f"{one.sent.records:,} records" for one in figures)
    lines = [
        "## Growth of logs\n\nThe same day of logs with fewer and with more records, each number on a server of its own. "
        "Questions are as above, their medians.\n",
        f"| | {head} |",
        "|---|" + "---|" * len(figures),
    ]
    lines += [f"| {what} | {' | '.join(cells)} |" for what, cells in rows.items()]
    return "\n".join(lines) + "\n"


def traces_title(spans: int) -> str:
    """Under which heading that many spans stand."""
    return f"Traces: {spans:,} spans of a day"


def of_traces(figures: traces.Figures) -> str:
    """What spans take, and how soon a trace is there."""
    spans = figures.spans
    target = "≤ 50" if spans >= traces.MANY_SPANS else f"≤ 50 of {traces.MANY_SPANS:,}"
    return (
        f"## {traces_title(spans)}\n\nTraces of ten spans, sent by OTLP over HTTP on {traces.CONNECTIONS} connections and "
        "acknowledged when they are on the disk, with the jobs, requests and calls of models that follow from them. What "
        f"sends them has the same cores. Of {figures.sent_bytes / spans:.0f} bytes a span on the wire. Traces are asked "
        f"for by ids taken by chance, {traces.ASKED - 1} after a first one; times are the median and the 95th percentile"
        f"{'; measured when `PARTS=traces-large` asks for it' if spans >= traces.MANY_SPANS else ''}.\n\n"
        "| | Watchkeeper | target |\n|---|---|---|\n"
        f"| spans a second of a core | {spans / figures.cpu_seconds:,.0f} | ≥ 100,000 |\n"
        f"| CPU a span, µs | {figures.cpu_seconds / spans * 1e6:.2f} | ≤ 10 |\n"
        f"| the same with merging, µs | {figures.merged_cpu_seconds / spans * 1e6:.2f} | |\n"
        f"| spans a second | {spans / figures.wall_seconds:,.0f} | |\n"
        f"| bytes a span, indexes included | {figures.stored_bytes / spans:.1f} | |\n"
        f"| peak memory, taking in, MB | {figures.ingest_peak_bytes / MB:.0f} | |\n"
        f"| memory after queries, MB | {figures.asked_rss_bytes / MB:.0f}; at most {figures.peak_bytes / MB:.0f} | |\n"
        f"| a trace by its id, ms | {figures.trace.median:.1f}, {figures.trace.slow:.1f} | {target} |\n"
        f"| an id that there is not, ms | {figures.none.median:.1f}, {figures.none.slow:.1f} | |\n"
    )


def of_tailing(figures: dict[str, tailing.Figures]) -> str:
    """How fast log files are stored."""
    lines = [
        f"## Log files\n\nA file of {tailing.FILE_BYTES / MB:,.0f} MB. Reading is what following a file costs by itself: its bytes "
        "become lines and records, in one thread, and nothing is stored. Then it appears in a folder which is followed, until "
        "all of it is stored and durable; each form on a server of its own. Files are merged meanwhile, as they come.\n",
        "| lines | bytes a line | read, MB a second of a core | target | read and stored, MB a second of a core | CPU a line, µs "
        "| MB a second | peak memory, MB |",
        "|---|---|---|---|---|---|---|---|",
    ]
    lines += [
        f"| {form} | {one.bytes / one.lines:.0f} | {one.bytes / one.reading_seconds / MB:.0f} | ≥ 100 | "
        f"{one.bytes / one.cpu_seconds / MB:.0f} | {one.cpu_seconds / one.lines * 1e6:.2f} | "
        f"{one.bytes / one.wall_seconds / MB:.0f} | {one.peak_bytes / MB:.0f} |"
        for form, one in figures.items()
    ]
    return "\n".join(lines) + "\n"
