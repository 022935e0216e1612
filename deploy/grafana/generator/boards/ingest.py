"""What is taken in and what is not, what redaction found in it, and what is audited."""

from board import Board, Row
from panel import ORANGE, YELLOW, Column, bars, graph, lines, number, table
from query import HOST, LOG_SOURCE, LogQuery, Query

OF = 'host=~"$host"'
ACCEPTED = f"watchkeeper_ingest_accepted_total{{{OF}}}"
# Who sends again what was stored does no harm, and of traces that sampling left out nothing is amiss.
AMISS = f'watchkeeper_ingest_refused_total{{{OF}, reason!~"duplicate|sampled"}}'
REFUSED = f"watchkeeper_ingest_refused_total{{{OF}}}"
FLAWS = f"watchkeeper_ingest_flaws_total{{{OF}}}"
FOUND = f"watchkeeper_redactions_total{{{OF}}}"
AUDITS = '{service_name=~".*"} | category=~"audit|security"'


def _found(by: str) -> Query:
    legend = " ".join(f"{{{{{label}}}}}" for label in by.split(", "))
    return Query(f"sum by ({by}) (rate({FOUND}[$__rate_interval]))", legend)


def _audited(by: str) -> LogQuery:
    legend = " ".join(f"{{{{{label}}}}}" for label in by.split(", "))
    return LogQuery(f"sum by ({by}) (count_over_time({AUDITS} [$__interval]))", legend)


def _within_an_hour(metric: str, legend: str) -> Query:
    return Query(f"increase(watchkeeper_{metric}{{{OF}}}[1h])", legend)


BOARD = Board(
    name="ingest",
    title="Ingest, redaction and audits",
    description="What is taken in and what is refused or cut, by sender and reason; which secrets redaction found; and "
    "who did what, as applications report it.",
    tags=("self",),
    variables=(HOST, LOG_SOURCE),
    rows=(
        Row(
            "Now",
            (
                number(
                    "Events stored",
                    "Events, records of logs and spans per second, from all sources.",
                    Query(
                        f'sum(rate(watchkeeper_ingest_accepted_total{{{OF}, kind="event"}}[$__rate_interval]))',
                        "events",
                    ),
                    unit="ops",
                    decimals=1,
                ),
                number(
                    "Samples taken in",
                    "Samples of metrics per second, from all sources.",
                    Query(
                        f'sum(rate(watchkeeper_ingest_accepted_total{{{OF}, kind="sample"}}[$__rate_interval]))',
                        "samples",
                    ),
                    unit="ops",
                    decimals=1,
                ),
                number(
                    "Refused",
                    "Items within an hour that were not stored and should perhaps have been: all reasons but "
                    "duplicates and sampling.",
                    Query(f"sum(increase({AMISS}[1h]))", "within an hour"),
                    unit="short",
                    steps=((1, ORANGE),),
                    decimals=0,
                ),
                number(
                    "Stored with a flaw",
                    "Records and spans within an hour that were cut or mended and stored all the same.",
                    Query(f"sum(increase({FLAWS}[1h]))", "within an hour"),
                    unit="short",
                    steps=((1, YELLOW),),
                    decimals=0,
                ),
                number(
                    "Redactions",
                    "Secrets and personal data within an hour that were found before they were stored.",
                    Query(f"sum(increase({FOUND}[1h]))", "within an hour"),
                    unit="short",
                    decimals=0,
                ),
                number(
                    "Memory of requests",
                    "Set aside for requests that are being taken in; at server.max_ingest_memory others wait.",
                    Query(f"sum(watchkeeper_http_ingest_memory_bytes{{{OF}}})", "memory"),
                    unit="bytes",
                ),
            ),
        ),
        Row(
            "Taken in and refused",
            (
                graph(
                    "Events by source",
                    "Events, records of logs and spans per second, by the way they came. A source that stops has lost "
                    "its way here.",
                    Query(
                        "sum by (source) "
                        f'(rate(watchkeeper_ingest_accepted_total{{{OF}, kind="event"}}[$__rate_interval]))',
                        "{{source}}",
                    ),
                    unit="ops",
                    stacked=True,
                ),
                graph(
                    "Samples by source",
                    "Samples of metrics per second, by the way they came.",
                    Query(
                        "sum by (source) "
                        f'(rate(watchkeeper_ingest_accepted_total{{{OF}, kind="sample"}}[$__rate_interval]))',
                        "{{source}}",
                    ),
                    unit="ops",
                    stacked=True,
                ),
                graph(
                    "Refused by reason",
                    "Items per second that were not stored. duplicate: sent again, no harm. sampled: left out on "
                    "purpose. malformed, future, too_old, too_large: the sender wants mending. series_limit: a label "
                    "holds ids, or too many delta series. overloaded: the store had no room, and the sender tries "
                    "again.",
                    Query(f"sum by (reason) (rate({REFUSED}[$__rate_interval]))", "{{reason}}"),
                    unit="ops",
                ),
                graph(
                    "Refused by source",
                    "Items per second that were not stored and should perhaps have been: all reasons but duplicates "
                    "and sampling.",
                    Query(f"sum by (source, reason) (rate({AMISS}[$__rate_interval]))", "{{source}} {{reason}}"),
                    unit="ops",
                ),
                graph(
                    "Flaws",
                    "Records of logs and spans per second that were stored with something cut or mended, by what it "
                    "was: text_cut, time_missing, severity_invalid and the like.",
                    Query(f"sum by (source, flaw) (rate({FLAWS}[$__rate_interval]))", "{{source}} {{flaw}}"),
                    unit="ops",
                ),
                graph(
                    "Requests told to come back",
                    "Within an hour: requests of ingest for which there was no memory, requests because too many were "
                    "in flight, and batches that the store had no room for. Senders try again.",
                    _within_an_hour("http_ingest_turned_away_total", "no memory"),
                    _within_an_hour("http_turned_away_total", "too many in flight"),
                    _within_an_hour("store_overloaded_total", "store has no room"),
                    unit="short",
                ),
                table(
                    "What was refused",
                    "Every source, kind and reason with its items in the time that is shown.",
                    Column("items", f"sum by (source, kind, reason) (increase({REFUSED}[$__range]))"),
                    labels={"source": "source", "kind": "kind", "reason": "reason"},
                    size=(12, 9),
                ),
                table(
                    "Sources",
                    "Every source and kind with its items in the time that is shown.",
                    Column("items", f"sum by (source, kind) (increase({ACCEPTED}[$__range]))"),
                    labels={"source": "source", "kind": "kind"},
                    size=(12, 9),
                ),
            ),
        ),
        Row(
            "Redaction",
            (
                graph(
                    "Found by detector",
                    "Secrets and personal data per second. A detector that finds far more than it did has found "
                    "somebody's new log line, or is wrong.",
                    _found("detector"),
                    unit="ops",
                    size=(8, 8),
                ),
                graph(
                    "Found by source",
                    "By the way that they came. Whoever sends them should not.",
                    _found("source"),
                    unit="ops",
                    size=(8, 8),
                ),
                graph(
                    "What became of it",
                    "Masked, hashed, dropped, or kept because a rule says so.",
                    _found("action"),
                    unit="ops",
                    size=(8, 8),
                ),
                bars(
                    "Most found",
                    "What was found most in the time that is shown.",
                    Query(
                        f"topk(15, sort_desc(sum by (detector) (increase({FOUND}[$__range]))))",
                        "{{detector}}",
                        now=True,
                    ),
                    unit="short",
                ),
                table(
                    "Findings",
                    "Every detector and source, with what was done, in the time that is shown.",
                    Column("found", f"sum by (detector, source, action) (increase({FOUND}[$__range]))"),
                    labels={"detector": "detector", "source": "source", "action": "action"},
                    size=(12, 8),
                ),
            ),
        ),
        Row(
            "Audits",
            (
                graph(
                    "Audited by category",
                    "What applications report for audits, in each step; security apart.",
                    _audited("category"),
                    unit="short",
                    stacked=True,
                    size=(8, 8),
                ),
                graph(
                    "Audited by service",
                    "Who reports. An application that falls silent keeps no account any more.",
                    _audited("service_name"),
                    unit="short",
                    stacked=True,
                    size=(8, 8),
                ),
                graph(
                    "Denied and failed",
                    "What was not allowed or went wrong, in each step. Many of one service within a short time: "
                    "somebody tries.",
                    LogQuery(
                        "sum by (service_name, outcome) "
                        f'(count_over_time({AUDITS} | outcome=~"denied|failure" [$__interval]))',
                        "{{service_name}} {{outcome}}",
                    ),
                    unit="short",
                    size=(8, 8),
                ),
                lines(
                    "Newest audits",
                    "Who did what, newest first; a line opens to all that was reported. What people do in Watchkeeper "
                    "itself is another log, at /api/v1/audit.",
                    LogQuery(AUDITS),
                ),
            ),
        ),
    ),
)
