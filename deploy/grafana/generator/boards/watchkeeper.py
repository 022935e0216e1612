"""Watchkeeper itself: what comes in, how it is kept, what is asked."""

from board import Board, Row
from limits import GIB, limit
from panel import GREEN, ORANGE, RED, UP, YELLOW, Column, graph, number, table, timeline
from query import HOST, Query

OF = 'host=~"$host"'
FREE = limit("StoreAlmostFull", GIB)
PROCESS = f'{OF}, group="watchkeeper"'


def _rate(metric: str, legend: str, more: str = "") -> Query:
    return Query(f"rate(watchkeeper_{metric}{{{OF}{more}}}[$__rate_interval])", legend)


def _within_an_hour(metric: str, legend: str) -> Query:
    return Query(f"increase(watchkeeper_{metric}{{{OF}}}[1h])", legend)


def _slowest(metric: str, window: str = "$__rate_interval") -> tuple[Query, ...]:
    return tuple(
        Query(
            f"histogram_quantile({share}, sum by (le) (rate(watchkeeper_{metric}_bucket{{{OF}}}[{window}])))",
            name,
        )
        for share, name in ((0.5, "p50"), (0.99, "p99"))
    )


BOARD = Board(
    name="watchkeeper",
    title="Watchkeeper itself",
    description="What Watchkeeper takes in, how it keeps it, what it is asked, and whether its collectors see.",
    tags=("self",),
    variables=(HOST,),
    rows=(
        Row(
            "Now",
            (
                number(
                    "Samples stored",
                    "Samples per second, from all sources.",
                    Query(f"sum(rate(watchkeeper_store_samples_total{{{OF}}}[$__rate_interval]))", "samples"),
                    unit="ops",
                ),
                number(
                    "Series in memory",
                    "Series that had a sample lately. A number that climbs: a label holds ids.",
                    Query(f"sum(watchkeeper_store_head_series{{{OF}}})", "series"),
                    unit="short",
                ),
                number(
                    "On disk",
                    "Bytes of the files and of the log.",
                    Query(f"sum(watchkeeper_store_file_bytes{{{OF}}} + watchkeeper_store_wal_bytes{{{OF}}})", "bytes"),
                    unit="bytes",
                ),
                number(
                    "Free on the disk",
                    "Where the data lies. Below 2 GiB the rule StoreAlmostFull fires; at the reserve, nothing more is "
                    "taken.",
                    Query(f"min(watchkeeper_store_free_bytes{{{OF}}})", "free"),
                    unit="bytes",
                    base=RED,
                    steps=((FREE, ORANGE), (5 * FREE, GREEN)),
                ),
                number(
                    "Damaged files",
                    "Files that were set aside because they could not be read. What was in them is not found any more.",
                    Query(f"sum(watchkeeper_store_quarantined_files{{{OF}}})", "files"),
                    unit="short",
                    steps=((1, RED),),
                ),
                number(
                    "Collectors that fail",
                    "What they watch is not seen. The reason stands at /api/v1/collectors.",
                    Query("count(collector_up == 0) or vector(0)", "failing"),
                    unit="short",
                    steps=((1, RED),),
                ),
            ),
        ),
        Row(
            "Ingest",
            (
                graph(
                    "Accepted",
                    "Items per second by source and kind. A source that stops has lost its way here.",
                    Query(
                        f"sum by (source, kind) (rate(watchkeeper_ingest_accepted_total{{{OF}}}[$__rate_interval]))",
                        "{{source}} {{kind}}",
                    ),
                    unit="ops",
                    stacked=True,
                    size=(8, 8),
                ),
                graph(
                    "Refused",
                    "Items per second that were not stored, by reason. Duplicates are senders that try again, and no "
                    "harm.",
                    Query(
                        "sum by (source, kind, reason) "
                        f"(rate(watchkeeper_ingest_refused_total{{{OF}}}[$__rate_interval]))",
                        "{{source}} {{kind}} {{reason}}",
                    ),
                    unit="ops",
                    size=(8, 8),
                ),
                graph(
                    "Samples and rows",
                    "Stored per second, and samples that were there already, came too late, or were of a series too "
                    "many.",
                    _rate("store_samples_total", "samples"),
                    _rate("store_rows_total", "rows of events"),
                    _rate("store_samples_duplicate_total", "duplicates"),
                    _rate("store_samples_too_old_total", "too old"),
                    _rate("store_samples_over_series_limit_total", "of a series too many"),
                    unit="ops",
                    size=(8, 8),
                ),
                graph(
                    "Commits to the log",
                    "How long writing and syncing takes: the least that a sender waits. Slow: the disk is.",
                    *_slowest("wal_commit_duration_seconds"),
                    unit="s",
                    size=(8, 8),
                ),
                graph(
                    "Turned away at a bound",
                    "Within an hour: requests because too many were in flight, batches because the store was behind, "
                    "and jobs and workers that were dropped from memory.",
                    _within_an_hour("http_turned_away_total", "requests"),
                    _within_an_hour("store_overloaded_total", "batches"),
                    _within_an_hour("pipeline_jobs_dropped_total", "jobs {{reason}}"),
                    _within_an_hour("pipeline_workers_dropped_total", "workers"),
                    unit="short",
                    size=(8, 8),
                ),
                graph(
                    "Queues not read whole",
                    "Within an hour: keys too long to be read whole, payloads without an id, results not read, tasks "
                    "forgotten. Depths are right all the same.",
                    _within_an_hour("queue_partial_reads_total", "{{queue}} partial"),
                    _within_an_hour("queue_payloads_malformed_total", "{{queue}} malformed"),
                    _within_an_hour("queue_results_unread_total", "{{queue}} unread"),
                    _within_an_hour("queue_tasks_forgotten_total", "{{queue}} forgotten"),
                    unit="short",
                    size=(8, 8),
                ),
            ),
        ),
        Row(
            "Storage",
            (
                graph(
                    "Series in memory over time",
                    "A climb without more hosts or workers: a label holds ids. The limit is in [store].",
                    Query(f"watchkeeper_store_head_series{{{OF}}}", "{{host}}"),
                    unit="short",
                    size=(8, 8),
                ),
                graph(
                    "Bytes kept",
                    "In memory and not in files yet, in files, and in the log. The log shrinks when memory is written.",
                    Query(f"watchkeeper_store_head_bytes{{{OF}}}", "memory"),
                    Query(f"watchkeeper_store_file_bytes{{{OF}}}", "files"),
                    Query(f"watchkeeper_store_wal_bytes{{{OF}}}", "log"),
                    unit="bytes",
                    size=(8, 8),
                ),
                graph(
                    "Free on the disk over time",
                    "When it falls steadily, shorten what is kept, or give it a larger disk.",
                    Query(f"watchkeeper_store_free_bytes{{{OF}}}", "{{host}}"),
                    unit="bytes",
                    limits=((FREE, RED),),
                    size=(8, 8),
                ),
                graph(
                    "Files",
                    "Files in use. Merging keeps their number low.",
                    Query(f"watchkeeper_store_files{{{OF}}}", "{{host}}"),
                    unit="short",
                    size=(8, 8),
                ),
                graph(
                    "Writing memory to files",
                    "How long flushes of the last six hours took. Slow: the disk is.",
                    *_slowest("flush_duration_seconds", "6h"),
                    unit="s",
                    size=(8, 8),
                ),
                graph(
                    "Merged, rolled up, expired",
                    "Within an hour: merges, days rolled up, files dropped because of their age or for want of space.",
                    _within_an_hour("store_compactions_total", "merges"),
                    _within_an_hour("store_rollups_total", "days rolled up"),
                    _within_an_hour("store_expired_files_total", "expired"),
                    _within_an_hour("store_dropped_for_space_files_total", "dropped for space"),
                    unit="short",
                    size=(8, 8),
                ),
                graph(
                    "Errors of the store",
                    "Within a day. All of these should be 0; what could not be written is tried again, what is damaged "
                    "is set aside.",
                    *(
                        Query(f"increase(watchkeeper_{metric}{{{OF}}}[1d])", legend)
                        for metric, legend in (
                            ("flush_errors_total", "flushes"),
                            ("store_compaction_errors_total", "merges"),
                            ("store_archive_errors_total", "archive"),
                            ("store_scrub_unread_total", "not readable"),
                            ("store_scrub_log_problems_total", "log"),
                            ("store_scrub_catalog_problems_total", "catalog"),
                            ("wal_corrupt_records_total", "corrupt records"),
                            ("log_lines_lost_total", "lines of the log lost"),
                        )
                    ),
                    unit="short",
                    size=(12, 8),
                ),
                graph(
                    "Archive",
                    "Days that wait to be archived, and days archived within a day. A number that waits and grows: the "
                    "archive cannot be reached.",
                    Query(f"watchkeeper_store_archive_pending_days{{{OF}}}", "waiting"),
                    Query(f"increase(watchkeeper_store_archived_days_total{{{OF}}}[1d])", "archived"),
                    unit="short",
                    size=(12, 8),
                ),
            ),
        ),
        Row(
            "Queries",
            (
                graph(
                    "Queries stopped at a limit",
                    "Within an hour. The answer named the limit and how to ask for less.",
                    _within_an_hour("store_query_limits_total", "{{host}}"),
                    unit="short",
                    size=(8, 8),
                ),
                graph(
                    "Row groups read",
                    "Per second: parts of event files that were read, and that were passed over thanks to their "
                    "statistics.",
                    _rate("scan_row_groups_total", "read"),
                    _rate("scan_row_groups_passed_over_total", "passed over"),
                    unit="ops",
                    size=(8, 8),
                ),
                graph(
                    "Who is connected",
                    "Pages that are open (live streams), and exports that run.",
                    Query(f"watchkeeper_live_streams{{{OF}}}", "live streams"),
                    Query(f"watchkeeper_exports_open{{{OF}}}", "exports"),
                    unit="short",
                    decimals=0,
                    size=(8, 8),
                ),
            ),
        ),
        Row(
            "Collectors",
            (
                timeline(
                    "Collectors up and down",
                    "Red: the last look failed, and what it watches is not seen.",
                    Query("min by (collector, target) (collector_up)", "{{collector}} {{target}}"),
                    size=(24, 9),
                ),
                graph(
                    "How long a look takes",
                    "Above its interval a look is given up.",
                    Query("max by (collector, target) (collector_duration_seconds)", "{{collector}} {{target}}"),
                    unit="s",
                ),
                table(
                    "Collectors",
                    "Every collector: its state, when it last succeeded, and its errors in the time that is shown.",
                    Column("state", "min by (collector, target) (collector_up)", "none", mappings=tuple(UP)),
                    Column(
                        "succeeded before",
                        "time() - max by (collector, target) (collector_last_success_timestamp_seconds)",
                        "s",
                        ((300, YELLOW), (900, RED)),
                    ),
                    Column(
                        "errors",
                        "sum by (collector, target) (increase(collector_errors_total[$__range]))",
                        steps=((1, RED),),
                    ),
                    labels={"collector": "collector", "target": "target"},
                    size=(12, 8),
                ),
            ),
        ),
        Row(
            "Its process",
            (
                graph(
                    "Memory of Watchkeeper",
                    "Resident memory. It stays level; a climb is worth a report.",
                    Query(f"sum by (host) (process_group_resident_memory_bytes{{{PROCESS}}})", "{{host}}"),
                    unit="bytes",
                ),
                graph(
                    "CPU of Watchkeeper",
                    "100 % is one core.",
                    Query(f"sum by (host) (process_group_cpu_ratio{{{PROCESS}}})", "{{host}}"),
                    unit="percentunit",
                ),
            ),
        ),
    ),
)
