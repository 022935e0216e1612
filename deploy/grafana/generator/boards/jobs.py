"""Jobs and the stages that they go through: how many, how long, how well."""

from board import Board, Row
from limits import MINUTES, PERCENT, limit
from panel import ORANGE, RED, YELLOW, Column, bars, graph, heat, histogram, number, table
from query import KIND, QUEUE, STAGE, Query, quantiles, share

OF = 'queue=~"$queue", kind=~"$kind"'
AGE = ((limit("JobDurationAboveTarget", MINUTES), YELLOW), (limit("JobTooLong", MINUTES), RED))
ACTIVE = ((limit("ActiveJobsAboveTarget"), YELLOW), (limit("TooManyActiveJobs"), RED))
ERRORS = ((limit("TaskErrorRateHigh", PERCENT), RED),)
STAGE_P95 = (
    'histogram_quantile(0.95, sum by (le, stage) (rate(stage_duration_seconds_bucket{stage=~"$stage"}[$__range])))'
)

BOARD = Board(
    name="jobs",
    title="Jobs and stages",
    description="Jobs by kind and queue, and the stages inside them: throughput, durations, errors.",
    tags=("jobs", "stages"),
    variables=(QUEUE, KIND, STAGE),
    rows=(
        Row(
            "Now",
            (
                number(
                    "Running",
                    "Jobs in work. More than 10 at a time may mean that some of them wait for each other.",
                    Query(f"sum(jobs_active{{{OF}}})", "running"),
                    unit="short",
                    steps=tuple((value + 1, colour) for value, colour in ACTIVE),
                ),
                number(
                    "Runs for longest",
                    "How long the oldest running job has run. More than five minutes is above target, more than ten "
                    "near a timeout.",
                    Query('max(job_active_max_age_seconds{kind=~"$kind"})', "oldest"),
                    unit="s",
                    steps=AGE,
                    none="none runs",
                ),
                number(
                    "Lost",
                    "Jobs whose worker is gone. Nobody works on them: queue them again on Watchkeeper's page.",
                    Query(f"sum(jobs_lost{{{OF}}})", "lost"),
                    unit="short",
                    steps=((1, RED),),
                ),
                number(
                    "Completed",
                    "Jobs that ended well in the time that is shown.",
                    Query(f'sum(increase(jobs_total{{{OF}, status="completed"}}[$__range]))', "completed", now=True),
                    unit="short",
                    line=False,
                    decimals=0,
                ),
                number(
                    "Failed for good",
                    "Jobs that were given up in the time that is shown.",
                    Query(f'sum(increase(jobs_total{{{OF}, status="failed"}}[$__range]))', "failed", now=True),
                    unit="short",
                    steps=((1, RED),),
                    line=False,
                    decimals=0,
                ),
                number(
                    "Retried",
                    "Attempts that failed and were tried again in the time that is shown.",
                    Query(f'sum(increase(jobs_total{{{OF}, status="retried"}}[$__range]))', "retried", now=True),
                    unit="short",
                    steps=((1, ORANGE),),
                    line=False,
                    decimals=0,
                ),
            ),
        ),
        Row(
            "Jobs",
            (
                graph(
                    "Ended",
                    "Attempts per second by how they ended. Retries come before failures: see what fails.",
                    Query(f"sum by (status) (rate(jobs_total{{{OF}}}[$__rate_interval]))", "{{status}}"),
                    unit="ops",
                    stacked=True,
                    states=("completed", "failed", "retried"),
                ),
                graph(
                    "Error rate",
                    "Jobs that failed for good, among those that ended, by kind.",
                    Query(
                        share(
                            f'jobs_total{{{OF}, status="failed"}}',
                            f'jobs_total{{{OF}, status=~"completed|failed"}}',
                            "kind",
                        ),
                        "{{kind}}",
                    ),
                    unit="percentunit",
                    limits=ERRORS,
                ),
                graph(
                    "Running by kind",
                    "Jobs in work, by kind.",
                    Query(f"sum by (kind) (jobs_active{{{OF}}})", "{{kind}}"),
                    unit="short",
                    stacked=True,
                    limits=ACTIVE,
                ),
                graph(
                    "The oldest that runs",
                    "How long the oldest running job of each kind has run. A ramp without an end is a job that hangs.",
                    Query('job_active_max_age_seconds{kind=~"$kind"}', "{{kind}}"),
                    unit="s",
                    limits=AGE,
                ),
                graph(
                    "Duration by kind",
                    "Half, 95 and 99 of 100 jobs took no longer.",
                    *quantiles("job_duration_seconds", OF, "kind"),
                    unit="s",
                    size=(12, 9),
                ),
                heat(
                    "Duration over time",
                    "How durations are spread: the darker, the more jobs. Two bands are two kinds of work.",
                    "job_duration_seconds",
                    OF,
                    size=(12, 9),
                ),
                histogram(
                    "How long jobs took",
                    "Jobs of the time that is shown, by how long they took; bars are named by their upper bound in "
                    "seconds.",
                    "job_duration_seconds",
                    OF,
                ),
                graph(
                    "Lost jobs",
                    "Jobs whose worker is gone, by queue and kind.",
                    Query(f"sum by (queue, kind) (jobs_lost{{{OF}}})", "{{queue}} {{kind}}"),
                    unit="short",
                    decimals=0,
                ),
            ),
        ),
        Row(
            "Stages",
            (
                bars(
                    "Slowest stages",
                    "How long 95 of 100 runs of each stage took, in the time that is shown. Begin at the longest bar.",
                    Query(f"sort_desc({STAGE_P95})", "{{stage}}", now=True),
                    unit="s",
                ),
                graph(
                    "Time in each stage",
                    "Seconds of work per second, by stage: how many of them run at a time on average. The widest band "
                    "is where the pipeline spends its time.",
                    Query(
                        'sum by (stage) (rate(stage_duration_seconds_sum{stage=~"$stage"}[$__rate_interval]))',
                        "{{stage}}",
                    ),
                    unit="short",
                    stacked=True,
                ),
                graph(
                    "Duration of stages",
                    "How long 95 of 100 runs took, by stage.",
                    Query(
                        "histogram_quantile(0.95, sum by (le, stage) "
                        '(rate(stage_duration_seconds_bucket{stage=~"$stage"}[$__rate_interval])))',
                        "{{stage}}",
                    ),
                    unit="s",
                ),
                graph(
                    "Stages that ended",
                    "Runs per second, by how they ended. completed_empty is a run without an error and without a "
                    "result: no success.",
                    Query('sum by (status) (rate(stages_total{stage=~"$stage"}[$__rate_interval]))', "{{status}}"),
                    unit="ops",
                    stacked=True,
                    states=("completed", "completed_empty", "failed", "skipped"),
                ),
                table(
                    "Stages",
                    "Every stage with its runs, errors, durations and memory over the time that is shown.",
                    Column("runs", 'sum by (stage) (increase(stages_total{stage=~"$stage"}[$__range]))'),
                    Column(
                        "failed or empty",
                        "sum by (stage) (increase(stages_total"
                        '{stage=~"$stage", status=~"failed|completed_empty"}[$__range]))',
                        steps=((1, RED),),
                    ),
                    Column(
                        "average",
                        'sum by (stage) (increase(stage_duration_seconds_sum{stage=~"$stage"}[$__range])) / '
                        'sum by (stage) (increase(stage_duration_seconds_count{stage=~"$stage"}[$__range]))',
                        "s",
                    ),
                    Column("p95", STAGE_P95, "s"),
                    Column("memory at most", 'max by (stage) (stage_memory_peak_bytes{stage=~"$stage"})', "bytes"),
                    labels={"stage": "stage"},
                ),
            ),
        ),
    ),
)
