"""Logs: what is logged, by whom and how badly, what is counted from it, and how it comes in."""

from board import Board, Row
from panel import ORANGE, RED, YELLOW, Column, graph, heat, lines, number, table
from query import LOG_SERVICE, LOG_SOURCE, LogQuery, Query, quantiles

OF = 'service=~"$service_name"'
STREAMS = 'service_name=~"$service_name"'
# The ways by which records of logs come, as `source` names them.
LOG_SOURCES = 'source=~"log_file|journal|kernel_log|otlp_logs|loki|syslog"'
STORED = f'watchkeeper_ingest_accepted_total{{{LOG_SOURCES}, kind="event"}}'
P95 = f"histogram_quantile(0.95, sum by (le, service) (rate(log_completed_seconds_bucket{{{OF}}}[$__range])))"
SLOW = ((10, YELLOW), (60, RED))


def _within_an_hour(metric: str, legend: str) -> Query:
    return Query(f"increase({metric}[1h])", legend)


def _rate(metric: str, legend: str) -> Query:
    return Query(f"rate({metric}[$__rate_interval])", legend)


def _counted(metric: str) -> str:
    return f"sum by (service) (increase({metric}{{{OF}}}[$__range]))"


BOARD = Board(
    name="logs",
    title="Logs",
    description="What is logged, by whom and how badly; what is counted from it; and how it comes in: files, syslog, "
    "shippers, OpenTelemetry.",
    tags=("logs",),
    variables=(LOG_SERVICE, LOG_SOURCE),
    since="now-3h",
    rows=(
        Row(
            "Now",
            (
                number(
                    "Records",
                    "Records of logs that are stored per second, of all services.",
                    Query(f"sum(rate({STORED}[$__rate_interval]))", "records"),
                    unit="ops",
                    decimals=1,
                ),
                number(
                    "Errors",
                    "Records of the level error and worse, per minute.",
                    Query(f"sum(rate(log_errors_total{{{OF}}}[$__rate_interval])) * 60", "per minute"),
                    unit="short",
                    steps=((1, ORANGE), (60, RED)),
                    decimals=1,
                ),
                number(
                    "Exceptions",
                    "Records within an hour that tell of an exception.",
                    Query(f"sum(increase(log_exceptions_total{{{OF}}}[1h]))", "within an hour"),
                    unit="short",
                    steps=((1, ORANGE),),
                    decimals=0,
                ),
                number(
                    "Crashes",
                    "Records within an hour that speak of a crash. Any deserves a look at its lines below.",
                    Query(f"sum(increase(log_crashes_total{{{OF}}}[1h]))", "within an hour"),
                    unit="short",
                    steps=((1, RED),),
                    decimals=0,
                ),
                number(
                    "Not read yet",
                    "Bytes of log files that are not stored yet. What stays or grows: more is written than is read.",
                    Query("sum(watchkeeper_tail_lag_bytes)", "bytes"),
                    unit="bytes",
                    steps=((1 << 20, YELLOW), (64 << 20, RED)),
                ),
                number(
                    "Files not read",
                    "Log files that are not read because more than tailing.max_files are there.",
                    Query("sum(watchkeeper_tail_files_unread)", "files"),
                    unit="short",
                    steps=((1, RED),),
                ),
            ),
        ),
        Row(
            "Levels and services",
            (
                graph(
                    "Records by level",
                    "Records in each step, by their level. A level that was rare and no longer is says more than the "
                    "height of all.",
                    LogQuery(f"sum by (level) (count_over_time({{{STREAMS}}}[$__interval]))", "{{level}}"),
                    unit="short",
                    stacked=True,
                    states=("fatal", "error", "warn", "info", "debug", "trace"),
                ),
                graph(
                    "Records by service",
                    "Records in each step, of the ten services that log most. A service that falls silent is as "
                    "telling as one that floods.",
                    LogQuery(
                        f"topk(10, sum by (service_name) (count_over_time({{{STREAMS}}}[$__interval])))",
                        "{{service_name}}",
                    ),
                    unit="short",
                    stacked=True,
                ),
                graph(
                    "Errors by service",
                    "Records of the level error and worse, per second; of records without a level those that say so.",
                    Query(f"sum by (service) (rate(log_errors_total{{{OF}}}[$__rate_interval]))", "{{service}}"),
                    unit="ops",
                ),
                graph(
                    "Warnings and errors by service",
                    "Records of the levels warn, error and fatal in each step. Warnings come before errors.",
                    LogQuery(
                        "topk(10, sum by (service_name, level) "
                        f'(count_over_time({{{STREAMS}, level=~"warn|error|fatal"}}[$__interval])))',
                        "{{service_name}} {{level}}",
                    ),
                    unit="short",
                ),
            ),
        ),
        Row(
            "Counted from logs",
            (
                graph(
                    "Exceptions by service",
                    "Records per second that say exception, or tell of one that was thrown.",
                    Query(f"sum by (service) (rate(log_exceptions_total{{{OF}}}[$__rate_interval]))", "{{service}}"),
                    unit="ops",
                    size=(8, 8),
                ),
                graph(
                    "Crashes by service",
                    "Records within an hour that say crash.",
                    Query(f"sum by (service) (increase(log_crashes_total{{{OF}}}[1h]))", "{{service}}"),
                    unit="short",
                    size=(8, 8),
                ),
                graph(
                    "Not counted as it is",
                    "Records within an hour that rules counted under other labels because there were too many, or not "
                    "at all because their value is no number. A rule of [log_metrics] wants mending.",
                    Query(
                        "sum by (metric) (increase(watchkeeper_log_metrics_overflowed_total[1h]))", "{{metric}} other"
                    ),
                    Query(
                        "sum by (metric) (increase(watchkeeper_log_metrics_unread_total[1h]))", "{{metric}} no number"
                    ),
                    unit="short",
                    size=(8, 8),
                ),
                graph(
                    "What logs say was completed",
                    "Durations behind “completed in”: half, 95 and 99 of 100 took no longer, by service.",
                    *quantiles("log_completed_seconds", OF, "service"),
                    unit="s",
                    size=(12, 9),
                ),
                heat(
                    "Durations in logs over time",
                    "How the durations behind “completed in” are spread: the darker, the more.",
                    "log_completed_seconds",
                    OF,
                    size=(12, 9),
                ),
                table(
                    "Services",
                    "What was counted from the logs of each service in the time that is shown.",
                    Column("completed", _counted("log_completed_seconds_count")),
                    Column("p95", P95, "s", SLOW),
                    Column("errors", _counted("log_errors_total"), steps=((1, ORANGE),)),
                    Column("exceptions", _counted("log_exceptions_total"), steps=((1, ORANGE),)),
                    Column("crashes", _counted("log_crashes_total"), steps=((1, RED),)),
                    labels={"service": "service"},
                ),
            ),
        ),
        Row(
            "How they come in",
            (
                graph(
                    "Stored by source",
                    "Records per second: files, the journal, the kernel's log, OpenTelemetry, Loki's shippers, syslog.",
                    Query(f"sum by (source) (rate({STORED}[$__rate_interval]))", "{{source}}"),
                    unit="ops",
                    stacked=True,
                    size=(8, 8),
                ),
                graph(
                    "Refused by source and reason",
                    "Records within an hour that were not stored. Duplicates are senders that try again, and no harm.",
                    Query(
                        "sum by (source, reason) "
                        f'(increase(watchkeeper_ingest_refused_total{{{LOG_SOURCES}, kind="event"}}[1h]))',
                        "{{source}} {{reason}}",
                    ),
                    unit="short",
                    size=(8, 8),
                ),
                graph(
                    "Stored with a flaw",
                    "Records within an hour that were cut or mended and stored all the same, by what was wrong.",
                    Query(
                        f"sum by (source, flaw) (increase(watchkeeper_ingest_flaws_total{{{LOG_SOURCES}}}[1h]))",
                        "{{source}} {{flaw}}",
                    ),
                    unit="short",
                    size=(8, 8),
                ),
                graph(
                    "Behind by file",
                    "Bytes of the files that are furthest behind. A line that does not come back to 0: reading waits "
                    "for the store, or the file grows faster than it is read.",
                    Query("topk(10, watchkeeper_tail_lag_bytes)", "{{path}}"),
                    unit="bytes",
                    size=(8, 8),
                ),
                graph(
                    "Read of files",
                    "Lines that were read, and records that they became, per second. Records are fewer where stack "
                    "traces are joined.",
                    _rate("watchkeeper_tail_lines_total", "lines"),
                    _rate("watchkeeper_tail_records_total", "records"),
                    unit="ops",
                    size=(8, 8),
                ),
                graph(
                    "Bytes read of files",
                    "Per second.",
                    _rate("watchkeeper_tail_bytes_total", "bytes"),
                    unit="Bps",
                    size=(8, 8),
                ),
                graph(
                    "Lines that were not as they should be",
                    "Within an hour: lines that were cut, were no text, or were not of their entry's format. They are "
                    "stored all the same.",
                    _within_an_hour("watchkeeper_tail_cut_total", "cut"),
                    _within_an_hour("watchkeeper_tail_lines_binary_total", "no text"),
                    _within_an_hour("watchkeeper_tail_lines_unparsed_total", "not {{format}}"),
                    unit="short",
                    size=(8, 8),
                ),
                graph(
                    "What became of files",
                    "Within an hour: rotated, emptied in their place, removed while they were read, and positions that "
                    "were forgotten.",
                    _within_an_hour("watchkeeper_tail_rotations_total", "rotated"),
                    _within_an_hour("watchkeeper_tail_truncations_total", "emptied"),
                    _within_an_hour("watchkeeper_tail_files_vanished_total", "vanished"),
                    _within_an_hour("watchkeeper_tail_positions_forgotten_total", "forgotten"),
                    unit="short",
                    size=(8, 8),
                ),
                graph(
                    "Reading that failed or waited",
                    "Within an hour: files that could not be read, and times that the store had no room. The reason "
                    "stands at the collector logs.",
                    _within_an_hour("watchkeeper_tail_errors_total", "errors"),
                    _within_an_hour("watchkeeper_tail_waits_total", "waits for the store"),
                    Query("watchkeeper_tail_files", "files open"),
                    unit="short",
                    size=(8, 8),
                ),
                graph(
                    "Syslog",
                    "Messages per second, by transport, and connections that are open.",
                    Query(
                        "sum by (transport) (rate(watchkeeper_syslog_messages_total[$__rate_interval]))",
                        "{{transport}}",
                    ),
                    Query("watchkeeper_syslog_connections", "connections"),
                    unit="short",
                    size=(8, 8),
                ),
                graph(
                    "Syslog that was lost or mended",
                    "Within an hour: messages that were lost (no room, not stored), that were not written as syslog "
                    "is, or were cut, and connections that were turned away.",
                    Query(
                        "sum by (transport, reason) (increase(watchkeeper_syslog_dropped_total[1h]))",
                        "{{transport}} lost: {{reason}}",
                    ),
                    Query(
                        "sum by (transport) (increase(watchkeeper_syslog_malformed_total[1h]))",
                        "{{transport}} no syslog",
                    ),
                    Query("sum by (transport) (increase(watchkeeper_syslog_cut_total[1h]))", "{{transport}} cut"),
                    _within_an_hour("watchkeeper_syslog_connections_refused_total", "turned away"),
                    unit="short",
                    size=(8, 8),
                ),
                graph(
                    "Who follows",
                    "Tails that are open, records within an hour that they missed because they read too slowly, and "
                    "lines of Watchkeeper's own log that were lost.",
                    Query("watchkeeper_log_tails", "tails"),
                    _within_an_hour("watchkeeper_log_tail_dropped_total", "missed"),
                    _within_an_hour("watchkeeper_log_lines_lost_total", "own lines lost"),
                    unit="short",
                    size=(8, 8),
                ),
            ),
        ),
        Row(
            "Lines",
            (
                lines(
                    "Newest errors",
                    "The newest records of the level error and worse. A line opens to its facts; where it has a trace, "
                    "a link leads there.",
                    LogQuery(f'{{{STREAMS}, level=~"error|fatal"}}'),
                ),
                lines(
                    "Newest records",
                    "All records of the services that are chosen, newest first.",
                    LogQuery(f"{{{STREAMS}}}"),
                ),
            ),
        ),
    ),
)
