"""The first look: is all well, and if not, where."""

from board import Board, Row
from limits import PERCENT, limit
from panel import GREEN, ORANGE, RED, YELLOW, Column, graph, number, table
from query import HOST, QUEUE, Query, quantiles, share

ERRORS = limit("TaskErrorRateHigh", PERCENT)
HOST_MEMORY = ((limit("MemoryEarlyWarning", PERCENT), YELLOW), (limit("HostMemoryHigh", PERCENT), RED))

BOARD = Board(
    name="overview",
    title="Overview",
    description="Is all well, and if not, where: alerts, queues, jobs, workers and hosts on one page.",
    variables=(QUEUE, HOST),
    since="now-3h",
    rows=(
        Row(
            "Now",
            (
                number(
                    "Alerts firing",
                    "Alerts that fire, acknowledged ones too; infos are left out. Anything but 0 deserves a look at "
                    "the alerts dashboard.",
                    Query('count(ALERTS{alertstate="firing", severity!="info"}) or vector(0)', "firing"),
                    unit="short",
                    steps=((1, RED),),
                ),
                number(
                    "Tasks waiting",
                    "Tasks that no worker has taken yet, in all queues that are chosen.",
                    Query('sum(queue_depth{queue=~"$queue", state="pending"})', "waiting"),
                    unit="short",
                    steps=((limit("QueuePendingAboveTarget"), YELLOW), (limit("QueueBacklog"), RED)),
                ),
                number(
                    "Jobs running",
                    "Jobs in work. More than 10 at a time may mean that some of them wait for each other.",
                    Query('sum(jobs_active{queue=~"$queue"})', "running"),
                    unit="short",
                    steps=((limit("ActiveJobsAboveTarget") + 1, YELLOW), (limit("TooManyActiveJobs") + 1, RED)),
                ),
                number(
                    "Workers online",
                    "Workers that have sent a heartbeat within a minute. None means that nothing is worked on.",
                    Query('sum(workers{state="online"})', "online"),
                    unit="short",
                    base=RED,
                    steps=((1, GREEN),),
                ),
                number(
                    "Jobs that ended well",
                    "Jobs completed per minute.",
                    Query(
                        'sum(rate(jobs_total{queue=~"$queue", status="completed"}[$__rate_interval])) * 60',
                        "per minute",
                    ),
                    unit="short",
                    decimals=1,
                ),
                number(
                    "Error rate",
                    "Jobs that failed for good, among those that ended within 15 minutes.",
                    Query(
                        'sum(rate(jobs_total{queue=~"$queue", status="failed"}[15m])) / '
                        'sum(rate(jobs_total{queue=~"$queue", status=~"completed|failed"}[15m]))',
                        "errors",
                    ),
                    unit="percentunit",
                    steps=((ERRORS, RED),),
                    decimals=1,
                ),
            ),
        ),
        Row(
            "Work",
            (
                graph(
                    "Tasks waiting by queue",
                    "A line that rises and does not fall again is a backlog: more comes in than goes out.",
                    Query('queue_depth{queue=~"$queue", state="pending"}', "{{queue}}"),
                    unit="short",
                    limits=((limit("QueuePendingAboveTarget"), YELLOW), (limit("QueueBacklog"), RED)),
                    size=(8, 8),
                ),
                graph(
                    "Jobs that ended",
                    "Attempts per second, by how they ended. Retries that grow are failures to come.",
                    Query('sum by (status) (rate(jobs_total{queue=~"$queue"}[$__rate_interval]))', "{{status}}"),
                    unit="ops",
                    stacked=True,
                    states=("completed", "failed", "retried"),
                    size=(8, 8),
                ),
                graph(
                    "Job duration",
                    "How long half, 95 and 99 of 100 jobs took. When p95 leaves p50 behind, some jobs hang.",
                    *quantiles("job_duration_seconds", 'queue=~"$queue"'),
                    unit="s",
                    size=(8, 8),
                ),
                graph(
                    "Workers",
                    "Workers by state. Stale: no heartbeat for a minute; offline: for five.",
                    Query("workers", "{{state}}"),
                    unit="short",
                    stacked=True,
                    states=("online", "stale", "offline", "stopped"),
                    decimals=0,
                    size=(8, 8),
                ),
                graph(
                    "Errors of jobs",
                    "Jobs that failed for good, among those that ended, by queue.",
                    Query(
                        share(
                            'jobs_total{queue=~"$queue", status="failed"}',
                            'jobs_total{queue=~"$queue", status=~"completed|failed"}',
                            "queue",
                        ),
                        "{{queue}}",
                    ),
                    unit="percentunit",
                    limits=((ERRORS, RED),),
                    size=(8, 8),
                ),
                graph(
                    "Requests that failed",
                    "Requests answered with a status of 500 or above, among all, by service.",
                    Query(
                        share('http_requests_total{status=~"5.."}', "http_requests_total", "service"),
                        "{{service}}",
                    ),
                    unit="percentunit",
                    limits=(
                        (limit("ApiErrorRateIncreased", PERCENT), ORANGE),
                        (limit("ApiErrorRateHigh", PERCENT), RED),
                    ),
                    size=(8, 8),
                ),
            ),
        ),
        Row(
            "Hosts",
            (
                graph(
                    "Memory of hosts",
                    "Share of the memory in use. Above 90 % the kernel may soon end processes.",
                    Query('host_memory_usage_ratio{host=~"$host"}', "{{host}}"),
                    unit="percentunit",
                    most=1,
                    limits=HOST_MEMORY,
                    size=(8, 8),
                ),
                graph(
                    "CPU of hosts",
                    "Share of all cores in use. Above 90 % for long, everything on the host gets slower.",
                    Query('host_cpu_usage_ratio{host=~"$host"}', "{{host}}"),
                    unit="percentunit",
                    most=1,
                    limits=((limit("HostCpuHigh", PERCENT), RED),),
                    size=(8, 8),
                ),
                graph(
                    "Services that do not answer",
                    "0 where a collector or probe fails: what it watches is not seen. Lines at 1 are well.",
                    Query("min by (collector, target) (collector_up)", "{{collector}} {{target}}"),
                    unit="none",
                    most=1,
                    decimals=0,
                    size=(8, 8),
                ),
            ),
        ),
        Row(
            "Alerts",
            (
                table(
                    "Alerts that fire",
                    "Each alert that fires, and for how long its condition has held. What to do about it stands on "
                    "Watchkeeper's page.",
                    Column(
                        "holds for",
                        '(time() - ALERTS_FOR_STATE) and ignoring (alertstate) ALERTS{alertstate="firing"}',
                        "s",
                    ),
                    labels={"alertname": "alert", "severity": "severity"},
                    size=(24, 8),
                ),
            ),
        ),
    ),
)
