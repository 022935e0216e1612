"""The six things that operators of a document pipeline asked to see first."""

from board import Board, Row
from limits import GIB, MINUTES, PERCENT, limit
from panel import GREEN, ORANGE, RED, YELLOW, bars, dial, graph, heat, number
from query import QUEUE, WORKER, Query, share

MEMORY = ((limit("WorkerMemoryAboveTarget", GIB), YELLOW), (limit("WorkerMemoryHigh", GIB), RED))
TOTAL = ((limit("TotalMemoryHigh", GIB), RED),)
CPU = ((limit("WorkerCpuAboveTarget", PERCENT), YELLOW), (limit("WorkerCpuHigh", PERCENT), RED))
SLOW = limit("JobDurationAboveTarget", MINUTES)
TOO_SLOW = limit("JobTooLong", MINUTES)

BOARD = Board(
    name="pipeline",
    title="Pipeline",
    description="Queue depth, memory, CPU, job duration, worker uptime and error rate, with the thresholds of the "
    "shipped rules.",
    tags=("pipeline",),
    variables=(QUEUE, WORKER),
    rows=(
        Row(
            "Queue depth and error rate",
            (
                graph(
                    "Queue depth",
                    "Tasks that wait and that are worked on. Up to "
                    f"{limit('QueuePendingAboveTarget'):.0f} waiting is the target; above {limit('QueueBacklog'):.0f} "
                    "it is a backlog: add workers, or look for what slows them down.",
                    Query('queue_depth{queue=~"$queue", state=~"pending|processing"}', "{{queue}} {{state}}"),
                    unit="short",
                    limits=((limit("QueuePendingAboveTarget"), YELLOW), (limit("QueueBacklog"), RED)),
                ),
                graph(
                    "Error rate",
                    "Jobs that failed for good, among those that ended. Retries that went well in the end are not in "
                    f"it. Above {limit('TaskErrorRateHigh'):.0f} % the rule TaskErrorRateHigh fires.",
                    Query(
                        share(
                            'jobs_total{queue=~"$queue", status="failed"}',
                            'jobs_total{queue=~"$queue", status=~"completed|failed"}',
                            "queue",
                        ),
                        "{{queue}}",
                    ),
                    unit="percentunit",
                    limits=((limit("TaskErrorRateHigh", PERCENT), RED),),
                ),
            ),
        ),
        Row(
            "Memory usage",
            (
                dial(
                    "Memory usage",
                    "Resident memory of each worker, as it reports it. 4 GiB is the target of one worker; above "
                    "4.5 GiB it comes near its limit.",
                    Query('worker_memory_bytes{worker=~"$worker"}', "{{worker}}", now=True),
                    unit="bytes",
                    most=6 * GIB,
                    steps=MEMORY,
                    size=(8, 8),
                ),
                graph(
                    "Memory usage over time",
                    "The same over time. A line that only rises is a leak: compare it with the stages that run, on "
                    "the memory dashboard.",
                    Query('worker_memory_bytes{worker=~"$worker"}', "{{worker}}"),
                    unit="bytes",
                    limits=MEMORY,
                    size=(8, 8),
                ),
                graph(
                    "Memory of all watched processes",
                    "Resident memory of the pipeline's process groups together, by host. The target is 12 GiB.",
                    Query(
                        'sum by (host) (process_group_resident_memory_bytes{group!~"watchkeeper|ollama|redis"})',
                        "{{host}}",
                    ),
                    unit="bytes",
                    limits=TOTAL,
                    size=(8, 8),
                ),
            ),
        ),
        Row(
            "CPU usage",
            (
                dial(
                    "CPU usage",
                    "CPU of each worker; 100 % is one core. Sustained use above 90 % means that the CPU is what the "
                    "pipeline waits for.",
                    Query('worker_cpu_ratio{worker=~"$worker"}', "{{worker}}", now=True),
                    unit="percentunit",
                    most=1,
                    steps=CPU,
                    size=(8, 8),
                ),
                graph(
                    "CPU usage over time",
                    "The same over time. Workers with several threads can use more than one core.",
                    Query('worker_cpu_ratio{worker=~"$worker"}', "{{worker}}"),
                    unit="percentunit",
                    limits=CPU,
                    size=(16, 8),
                ),
            ),
        ),
        Row(
            "Job duration",
            (
                bars(
                    "Job duration",
                    "How many jobs of the time that is shown took how long: each bar is a bucket of the histogram, "
                    "named by its upper bound in seconds. "
                    f"{SLOW:.0f} s is the target; above {TOO_SLOW:.0f} s a timeout is near.",
                    Query(
                        'sum by (le) (increase(job_duration_seconds_bucket{queue=~"$queue"}[$__range]))',
                        "{{le}}",
                        now=True,
                        format="heatmap",
                    ),
                    unit="short",
                    upright=True,
                ),
                heat(
                    "Job duration over time",
                    "The same over time: the darker, the more jobs. A band that moves upwards means that jobs get "
                    "slower; a second band, that some kind of them is different.",
                    "job_duration_seconds",
                    'queue=~"$queue"',
                ),
            ),
        ),
        Row(
            "Worker uptime",
            (
                number(
                    "Worker uptime",
                    "Since each worker's process began. A day and more is the target; less than an hour, again and "
                    "again, means that workers crash.",
                    Query('worker_uptime_seconds{worker=~"$worker"}', "{{worker}}", now=True),
                    unit="s",
                    size=(24, 5),
                    base=RED,
                    steps=(
                        (limit("WorkerRestartsOften"), ORANGE),
                        (limit("WorkerUptimeBelowTarget"), GREEN),
                    ),
                    line=False,
                    none="no worker",
                ),
            ),
        ),
    ),
)
