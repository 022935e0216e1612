"""Who works, how well, and who has died."""

from board import Board, Row
from limits import GIB, MINUTES, PERCENT, limit
from panel import GREEN, ORANGE, RED, UP, YELLOW, Column, graph, number, table, timeline
from query import GROUP, WORKER, Query

MEMORY = ((limit("WorkerMemoryAboveTarget", GIB), YELLOW), (limit("WorkerMemoryHigh", GIB), RED))
SHARE = ((limit("WorkerMemoryEarlyWarning", PERCENT), YELLOW), (limit("WorkerMemoryShareHigh", PERCENT), RED))
CPU = ((limit("WorkerCpuAboveTarget", PERCENT), YELLOW), (limit("WorkerCpuHigh", PERCENT), RED))
OFFLINE = limit("WorkerOffline", MINUTES)
OF = '{worker=~"$worker"}'

BOARD = Board(
    name="workers",
    title="Workers",
    description="Heartbeats, uptime, crashes, load and use of every worker.",
    tags=("workers",),
    variables=(WORKER, GROUP),
    rows=(
        Row(
            "Now",
            (
                number(
                    "Online",
                    "Workers with a heartbeat within the last minute.",
                    Query('sum(workers{state="online"})', "online"),
                    unit="short",
                    base=RED,
                    steps=((1, GREEN),),
                ),
                number(
                    "Stale or offline",
                    "Workers that have not been heard of for a minute and more, and did not say that they stop.",
                    Query('sum(workers{state=~"stale|offline"})', "gone"),
                    unit="short",
                    steps=((1, RED),),
                ),
                number(
                    "Tasks in work",
                    "Tasks that workers say they work on. Compare it with the tasks in work of the queues: what is "
                    "there and not here has lost its worker.",
                    Query(f"sum(worker_active_tasks{OF})", "active"),
                    unit="short",
                ),
                number(
                    "Crashes",
                    "Ends that nobody asked for, in the time that is shown. The target is none.",
                    Query(f"sum(increase(worker_crashes_total{OF}[$__range]))", "crashes", now=True),
                    unit="short",
                    steps=((1, RED),),
                    line=False,
                    decimals=0,
                ),
                number(
                    "Restarts",
                    "New processes under the same id, in the time that is shown: deployments, or crashes.",
                    Query(f"sum(increase(worker_restarts_total{OF}[$__range]))", "restarts", now=True),
                    unit="short",
                    steps=((2, ORANGE),),
                    line=False,
                    decimals=0,
                ),
                number(
                    "Shortest uptime",
                    "Of the worker that was started last. A day and more is the target.",
                    Query(f"min(worker_uptime_seconds{OF})", "uptime"),
                    unit="s",
                    base=RED,
                    steps=(
                        (limit("WorkerRestartsOften"), YELLOW),
                        (limit("WorkerUptimeBelowTarget"), GREEN),
                    ),
                    none="no worker",
                    line=False,
                ),
            ),
        ),
        Row(
            "Who is there",
            (
                timeline(
                    "Up and down",
                    "Each worker over time. Red: no heartbeat for a minute. A band that ends: it said that it stops.",
                    Query(f"worker_up{OF}", "{{worker}}"),
                ),
                table(
                    "Workers",
                    "Every worker with its load. Look for failures in a row, a high age of the heartbeat, and memory "
                    "that stands out.",
                    Column("state", f"max by (worker) (worker_up{OF})", "none", mappings=tuple(UP)),
                    Column("uptime", f"max by (worker) (worker_uptime_seconds{OF})", "s"),
                    Column(
                        "last heartbeat",
                        f"min by (worker) (worker_heartbeat_age_seconds{OF})",
                        "s",
                        ((60, YELLOW), (OFFLINE, RED)),
                    ),
                    Column("in work", f"max by (worker) (worker_active_tasks{OF})"),
                    Column("completed", f"max by (worker) (worker_completed_tasks_total{OF})"),
                    Column("failed", f"max by (worker) (worker_failed_tasks_total{OF})"),
                    Column(
                        "failed in a row",
                        f"max by (worker) (worker_consecutive_failures{OF})",
                        steps=((3, YELLOW), (10, RED)),
                    ),
                    Column("memory", f"max by (worker) (worker_memory_bytes{OF})", "bytes", MEMORY),
                    Column("CPU", f"max by (worker) (worker_cpu_ratio{OF})", "percentunit", CPU),
                    labels={"worker": "worker"},
                ),
                graph(
                    "Workers by state",
                    "Stale: no heartbeat for a minute; offline: for five minutes.",
                    Query("workers", "{{state}}"),
                    unit="short",
                    stacked=True,
                    states=("online", "stale", "offline", "stopped"),
                    decimals=0,
                    size=(8, 8),
                ),
                graph(
                    "Workers by capability",
                    "What the workers that are there can do. Jobs that need a GPU wait when no such worker is online.",
                    Query("workers_by_capability", "{{capability}}"),
                    unit="short",
                    stacked=True,
                    decimals=0,
                    size=(8, 8),
                ),
                graph(
                    "Age of the last heartbeat",
                    "Seconds since each worker was last heard of. A line that rises like a ramp is a worker that "
                    "hangs or is gone.",
                    Query(f"worker_heartbeat_age_seconds{OF}", "{{worker}}"),
                    unit="s",
                    limits=((60, YELLOW), (OFFLINE, RED)),
                    size=(8, 8),
                ),
            ),
        ),
        Row(
            "Work",
            (
                graph(
                    "Tasks in work by worker",
                    "As each worker reports. One that never has any takes none: is it on the right queue?",
                    Query(f"worker_active_tasks{OF}", "{{worker}}"),
                    unit="short",
                    size=(8, 8),
                ),
                graph(
                    "Tasks completed",
                    "Per second. Workers of one kind should be alike; one that lags has a slower host or larger tasks.",
                    Query(f"rate(worker_completed_tasks_total{OF}[$__rate_interval])", "{{worker}}"),
                    unit="ops",
                    size=(8, 8),
                ),
                graph(
                    "Tasks failed",
                    "Per second. One worker alone that fails: look at its host. All: look at what they depend on.",
                    Query(f"rate(worker_failed_tasks_total{OF}[$__rate_interval])", "{{worker}}"),
                    unit="ops",
                    size=(8, 8),
                ),
            ),
        ),
        Row(
            "Use",
            (
                graph(
                    "Memory",
                    "Resident memory. 4 GiB is the target of one worker; above 4.5 GiB it comes near its limit.",
                    Query(f"worker_memory_bytes{OF}", "{{worker}}"),
                    unit="bytes",
                    limits=MEMORY,
                ),
                graph(
                    "Share of the host's memory",
                    "Above 90 % of the host in one worker, the kernel is about to end it.",
                    Query(f"worker_memory_ratio{OF}", "{{worker}}"),
                    unit="percentunit",
                    limits=SHARE,
                ),
                graph(
                    "CPU",
                    "100 % is one core. Sustained use above 90 %: the CPU is what the work waits for.",
                    Query(f"worker_cpu_ratio{OF}", "{{worker}}"),
                    unit="percentunit",
                    limits=CPU,
                ),
                graph(
                    "GPU",
                    "Share of the GPU and of its memory, as workers report it. A GPU that idles while tasks wait is "
                    "not the bottleneck.",
                    Query(f"worker_gpu_ratio{OF}", "{{worker}} GPU"),
                    Query(f"worker_gpu_memory_ratio{OF}", "{{worker}} memory"),
                    unit="percentunit",
                    most=1,
                    limits=((limit("WorkerGpuHigh", PERCENT), RED),),
                ),
            ),
        ),
        Row(
            "Restarts and crashes",
            (
                graph(
                    "Crashes and restarts",
                    "Within an hour. Crashes without a deployment beside them are bugs, or want of memory.",
                    Query(f"increase(worker_crashes_total{OF}[1h])", "{{worker}} crashes"),
                    Query(f"increase(worker_restarts_total{OF}[1h])", "{{worker}} restarts"),
                    unit="short",
                    size=(8, 8),
                ),
                graph(
                    "Processes that ended badly",
                    "By cause, within an hour: oom_kill is want of memory, signal a fault or a kill, exit an error.",
                    Query(
                        "sum by (host, group, cause) (increase(process_exits_total[1h]))",
                        "{{host}} {{group}} {{cause}}",
                    ),
                    unit="short",
                    size=(8, 8),
                ),
                graph(
                    "Processes",
                    "Running processes of each group, and restarts within an hour.",
                    Query('process_group_count{group=~"$group"}', "{{group}}"),
                    Query('increase(process_group_restarts_total{group=~"$group"}[1h])', "{{group}} restarts"),
                    unit="short",
                    size=(8, 8),
                ),
            ),
        ),
    ),
)
