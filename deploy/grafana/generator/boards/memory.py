"""Where the memory goes: hosts, groups of processes, workers, stages, components."""

from board import Board, Row
from limits import GIB, MIB, PERCENT, limit
from panel import RED, YELLOW, Column, bars, dial, graph, number, table
from query import GROUP, HOST, STAGE, WORKER, Query

HOSTS = ((limit("MemoryEarlyWarning", PERCENT), YELLOW), (limit("HostMemoryHigh", PERCENT), RED))
WORKERS = ((limit("WorkerMemoryAboveTarget", GIB), YELLOW), (limit("WorkerMemoryHigh", GIB), RED))
STAGES = ((limit("StageMemoryHigh", MIB), YELLOW), (limit("StageMemoryCritical", MIB), RED))
OF = 'host=~"$host", group=~"$group"'
PIPELINE = f'{OF}, group!~"watchkeeper|ollama|redis"'

BOARD = Board(
    name="memory",
    title="Memory",
    description="Where the memory goes: hosts, groups of processes, workers, stages and loaded components.",
    tags=("memory",),
    variables=(HOST, GROUP, WORKER, STAGE),
    rows=(
        Row(
            "Now",
            (
                dial(
                    "Memory of hosts",
                    "Share of each host's memory in use. Above 80 % is an early warning, above 90 % a problem, above "
                    "97 % the kernel ends processes.",
                    Query('host_memory_usage_ratio{host=~"$host"}', "{{host}}", now=True),
                    unit="percentunit",
                    most=1,
                    steps=HOSTS,
                    size=(6, 6),
                ),
                number(
                    "Pipeline together",
                    "Resident memory of the watched processes, without model servers and Redis. The target is 12 GiB "
                    "a host.",
                    Query(f"sum(process_group_resident_memory_bytes{{{PIPELINE}}})", "resident"),
                    unit="bytes",
                    steps=((limit("TotalMemoryHigh", GIB), RED),),
                    size=(6, 6),
                ),
                number(
                    "Largest worker",
                    "Resident memory of the largest worker. The target is 4 GiB.",
                    Query('max(worker_memory_bytes{worker=~"$worker"})', "largest"),
                    unit="bytes",
                    steps=WORKERS,
                    size=(6, 6),
                    none="no worker",
                ),
                number(
                    "Killed for want of memory",
                    "Processes that the kernel ended in the time that is shown. Any is too many.",
                    Query('sum(increase(host_oom_kills_total{host=~"$host"}[$__range]))', "kills", now=True),
                    unit="short",
                    steps=((1, RED),),
                    size=(6, 6),
                    line=False,
                    decimals=0,
                ),
            ),
        ),
        Row(
            "Processes",
            (
                graph(
                    "Groups of processes",
                    "Resident memory of each group. A band that only widens is a leak, or work that piles up.",
                    Query(f"sum by (group) (process_group_resident_memory_bytes{{{OF}}})", "{{group}}"),
                    unit="bytes",
                    stacked=True,
                ),
                graph(
                    "Growth of groups",
                    "Bytes per second that each group gained over the last half hour. Around 0 is well; above it for "
                    "hours is a leak.",
                    Query(f"sum by (group) (deriv(process_group_resident_memory_bytes{{{OF}}}[30m]))", "{{group}}"),
                    unit="Bps",
                    least=None,
                ),
                graph(
                    "Largest processes",
                    "The ten processes with the most resident memory at each moment.",
                    Query(f"topk(10, process_resident_memory_bytes{{{OF}}})", "{{name}} {{pid}}"),
                    unit="bytes",
                ),
                graph(
                    "Memory of workers",
                    "As each worker reports it of itself. 4 GiB is the target, 4.5 GiB near the limit.",
                    Query('worker_memory_bytes{worker=~"$worker"}', "{{worker}}"),
                    unit="bytes",
                    limits=WORKERS,
                ),
                table(
                    "Processes",
                    "Each process with its memory: resident, its fair share of what is shared with others, and "
                    "what it has mapped.",
                    Column(
                        "resident",
                        f"max by (host, group, name, pid) (process_resident_memory_bytes{{{OF}}})",
                        "bytes",
                        ((limit("ProcessMemoryHigh", GIB), RED),),
                    ),
                    Column(
                        "proportional",
                        f"max by (host, group, name, pid) (process_proportional_memory_bytes{{{OF}}})",
                        "bytes",
                    ),
                    Column(
                        "virtual", f"max by (host, group, name, pid) (process_virtual_memory_bytes{{{OF}}})", "bytes"
                    ),
                    Column(
                        "of the host",
                        f"max by (host, group, name, pid) (process_memory_ratio{{{OF}}})",
                        "percentunit",
                    ),
                    labels={"host": "host", "group": "group", "name": "name", "pid": "pid"},
                ),
            ),
        ),
        Row(
            "Stages and components",
            (
                graph(
                    "Peak of stages",
                    "The most that the process held within five minutes of each stage. Above 2.4 GiB is high.",
                    Query('stage_memory_peak_bytes{stage=~"$stage"}', "{{stage}}"),
                    unit="bytes",
                    limits=STAGES,
                ),
                graph(
                    "Gain of stages",
                    "Resident memory at the end of a stage less that at its beginning. A stage that gains every time "
                    "does not give back what it takes.",
                    Query('stage_memory_delta_bytes{stage=~"$stage"}', "{{stage}}"),
                    unit="bytes",
                    least=None,
                ),
                graph(
                    "Resident at the end of stages",
                    "What the process held when the stage ended last.",
                    Query('stage_memory_rss_bytes{stage=~"$stage"}', "{{stage}}"),
                    unit="bytes",
                ),
                bars(
                    "Loaded components",
                    "What models and indexes hold that workers have loaded now.",
                    Query("sum by (component) (component_memory_bytes)", "{{component}}", now=True),
                    unit="bytes",
                ),
            ),
        ),
        Row(
            "Hosts",
            (
                graph(
                    "Memory of hosts over time",
                    "Memory in use and in all. What is in use counts no caches.",
                    Query('host_memory_used_bytes{host=~"$host"}', "{{host}} used"),
                    Query('host_memory_total_bytes{host=~"$host"}', "{{host}} total"),
                    unit="bytes",
                ),
                graph(
                    "Swap",
                    "Swap in use. A host that swaps is slow long before it is full.",
                    Query('host_swap_used_bytes{host=~"$host"}', "{{host}} used"),
                    Query('host_swap_total_bytes{host=~"$host"}', "{{host}} total"),
                    unit="bytes",
                ),
                graph(
                    "Waiting for memory",
                    "Share of the last ten seconds in which some or all tasks had to wait for memory. Above a few "
                    "percent the host is short of it.",
                    Query('host_pressure_ratio{host=~"$host", resource="memory"}', "{{host}} {{kind}}"),
                    unit="percentunit",
                ),
                graph(
                    "Processes killed for want of memory",
                    "Kills by the kernel within an hour.",
                    Query('increase(host_oom_kills_total{host=~"$host"}[1h])', "{{host}}"),
                    unit="short",
                    decimals=0,
                ),
            ),
        ),
    ),
)
