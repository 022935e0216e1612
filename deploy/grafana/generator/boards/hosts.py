"""Hosts, their processes and their GPUs."""

from board import Board, Row
from limits import PERCENT, limit
from panel import ORANGE, RED, YELLOW, bars, dial, graph, number, timeline
from query import GROUP, HOST, Query

OF = 'host=~"$host"'
MEMORY = ((limit("MemoryEarlyWarning", PERCENT), YELLOW), (limit("HostMemoryHigh", PERCENT), RED))
CPU = ((limit("HostCpuHigh", PERCENT), RED),)
DISK = ((limit("DiskAlmostFull", PERCENT), YELLOW), (limit("DiskFull", PERCENT), RED))
GPU = ((limit("GpuHigh", PERCENT), RED),)
REAL = f'{OF}, fstype!~"squashfs|iso9660|erofs"'


def _pressure(resource: str, of: str) -> Query:
    return Query(f'host_pressure_ratio{{{OF}, resource="{resource}", kind="some"}}', f"{{{{host}}}} {of}")


BOARD = Board(
    name="hosts",
    title="Hosts and GPUs",
    description="CPU, memory, disks and network of hosts, their processes, and their GPUs.",
    tags=("hosts", "gpus"),
    variables=(HOST, GROUP),
    rows=(
        Row(
            "Now",
            (
                dial(
                    "CPU",
                    "Share of all cores in use.",
                    Query(f"host_cpu_usage_ratio{{{OF}}}", "{{host}}", now=True),
                    unit="percentunit",
                    most=1,
                    steps=CPU,
                    size=(6, 6),
                ),
                dial(
                    "Memory",
                    "Share of the memory in use.",
                    Query(f"host_memory_usage_ratio{{{OF}}}", "{{host}}", now=True),
                    unit="percentunit",
                    most=1,
                    steps=MEMORY,
                    size=(6, 6),
                ),
                dial(
                    "Fullest disk",
                    "Share in use of the fullest file system of each host. Above 90 %, see what grows.",
                    Query(f"max by (host) (host_filesystem_usage_ratio{{{REAL}}})", "{{host}}", now=True),
                    unit="percentunit",
                    most=1,
                    steps=DISK,
                    size=(6, 6),
                ),
                number(
                    "Up since",
                    "When the host was started. A recent start explains gaps everywhere else.",
                    Query(f"host_boot_time_seconds{{{OF}}} * 1000", "{{host}}", now=True),
                    unit="dateTimeFromNow",
                    size=(6, 6),
                    line=False,
                ),
            ),
        ),
        Row(
            "CPU and memory",
            (
                graph(
                    "CPU by host",
                    "Share of all cores in use. Above 90 % for long, everything on the host gets slower.",
                    Query(f"host_cpu_usage_ratio{{{OF}}}", "{{host}}"),
                    unit="percentunit",
                    most=1,
                    limits=CPU,
                    size=(8, 8),
                ),
                graph(
                    "CPU by mode",
                    "Cores in use by what for. Much iowait: the disks are what is waited for; much steal: the host "
                    "of this virtual machine is busy.",
                    Query(
                        f'sum by (mode) (rate(host_cpu_seconds_total{{{OF}, mode!="idle"}}[$__rate_interval]))',
                        "{{mode}}",
                    ),
                    unit="short",
                    stacked=True,
                    size=(8, 8),
                ),
                graph(
                    "Load and cores",
                    "Tasks that run or wait, on average of one and of fifteen minutes. Above the number of cores, "
                    "tasks wait.",
                    Query(f"host_load1{{{OF}}}", "{{host}} 1 min"),
                    Query(f"host_load15{{{OF}}}", "{{host}} 15 min"),
                    Query(f"host_cpus{{{OF}}}", "{{host}} cores"),
                    unit="short",
                    size=(8, 8),
                ),
                graph(
                    "Memory by host",
                    "Share of the memory in use.",
                    Query(f"host_memory_usage_ratio{{{OF}}}", "{{host}}"),
                    unit="percentunit",
                    most=1,
                    limits=MEMORY,
                    size=(8, 8),
                ),
                graph(
                    "Pressure",
                    "Share of the last ten seconds in which some tasks had to wait for CPU, memory or disks. It shows "
                    "what is short before anything is full.",
                    _pressure("cpu", "CPU"),
                    _pressure("memory", "memory"),
                    _pressure("io", "disks"),
                    unit="percentunit",
                    size=(8, 8),
                ),
                graph(
                    "Processes killed for want of memory",
                    "Kills by the kernel within an hour.",
                    Query(f"increase(host_oom_kills_total{{{OF}}}[1h])", "{{host}}"),
                    unit="short",
                    decimals=0,
                    size=(8, 8),
                ),
            ),
        ),
        Row(
            "Disks and network",
            (
                bars(
                    "File systems",
                    "Share in use of each file system. Above 95 % is critical.",
                    Query(f"host_filesystem_usage_ratio{{{REAL}}}", "{{host}} {{mountpoint}}", now=True),
                    unit="percentunit",
                    most=1,
                    steps=DISK,
                    size=(8, 8),
                ),
                graph(
                    "Free space",
                    "Bytes free. Lengthen the falling line in your mind: when does it reach 0?",
                    Query(f"host_filesystem_available_bytes{{{REAL}}}", "{{host}} {{mountpoint}}"),
                    unit="bytes",
                    size=(8, 8),
                ),
                graph(
                    "Full in",
                    "Until the file system is full if it goes on as in the last six hours. No line where it does not "
                    "fill up.",
                    Query(
                        f"host_filesystem_available_bytes{{{REAL}}} / "
                        f"-(deriv(host_filesystem_available_bytes{{{REAL}}}[6h]) < 0)",
                        "{{host}} {{mountpoint}}",
                    ),
                    unit="s",
                    size=(8, 8),
                ),
                graph(
                    "Disks read and write",
                    "Bytes per second of whole disks.",
                    Query(f"rate(host_disk_read_bytes_total{{{OF}}}[$__rate_interval])", "{{host}} {{device}} read"),
                    Query(
                        f"rate(host_disk_written_bytes_total{{{OF}}}[$__rate_interval])", "{{host}} {{device}} written"
                    ),
                    unit="Bps",
                    size=(8, 8),
                ),
                graph(
                    "Disks busy",
                    "Share of the time in which the disk had something to do. Near 100 %, and waiting for disks above: "
                    "the disk is the bottleneck.",
                    Query(f"rate(host_disk_io_seconds_total{{{OF}}}[$__rate_interval])", "{{host}} {{device}}"),
                    unit="percentunit",
                    most=1,
                    size=(8, 8),
                ),
                graph(
                    "Network",
                    "Bytes per second of each interface.",
                    Query(
                        f'rate(host_network_receive_bytes_total{{{OF}, device!~"ifb.*|dummy.*"}}[$__rate_interval])',
                        "{{host}} {{device}} in",
                    ),
                    Query(
                        f'rate(host_network_transmit_bytes_total{{{OF}, device!~"ifb.*|dummy.*"}}[$__rate_interval])',
                        "{{host}} {{device}} out",
                    ),
                    unit="Bps",
                    size=(8, 8),
                ),
            ),
        ),
        Row(
            "Processes",
            (
                graph(
                    "CPU of process groups",
                    "Cores that each group uses. 100 % is one core.",
                    Query(f'sum by (group) (process_group_cpu_ratio{{{OF}, group=~"$group"}})', "{{group}}"),
                    unit="percentunit",
                    stacked=True,
                    size=(8, 8),
                ),
                graph(
                    "Busiest processes",
                    "The ten processes that use most of the CPU at each moment.",
                    Query(f'topk(10, process_cpu_ratio{{{OF}, group=~"$group"}})', "{{name}} {{pid}}"),
                    unit="percentunit",
                    limits=((limit("ProcessCpuHigh", PERCENT), ORANGE),),
                    size=(8, 8),
                ),
                graph(
                    "Open files",
                    "The ten processes with the most open files. A line that only rises is a leak.",
                    Query(f'topk(10, process_open_fds{{{OF}, group=~"$group"}})', "{{name}} {{pid}}"),
                    unit="short",
                    size=(8, 8),
                ),
            ),
        ),
        Row(
            "GPUs",
            (
                timeline(
                    "GPUs up and down",
                    "Red: the driver has lost the GPU. It comes back with a reset, or a restart of the host.",
                    Query(f"gpu_up{{{OF}}}", "{{host}} {{gpu}} {{name}}"),
                    size=(12, 6),
                ),
                graph(
                    "GPU errors",
                    "ECC errors within an hour. Corrected ones that grow announce uncorrected ones, which end the work "
                    "that runs.",
                    Query(f"increase(gpu_memory_errors_total{{{OF}}}[1h])", "{{host}} {{gpu}} {{kind}}"),
                    unit="short",
                    size=(12, 6),
                ),
                graph(
                    "GPU in use",
                    "Share of the time in which the GPU computed. Low while tasks wait: the work does not reach it.",
                    Query(f"gpu_utilization_ratio{{{OF}}}", "{{host}} {{gpu}}"),
                    unit="percentunit",
                    most=1,
                    limits=GPU,
                    size=(8, 8),
                ),
                graph(
                    "GPU memory",
                    "Share in use. Full memory makes models fall back to the processor, or fail to load.",
                    Query(f"gpu_memory_usage_ratio{{{OF}}}", "{{host}} {{gpu}}"),
                    unit="percentunit",
                    most=1,
                    size=(8, 8),
                ),
                graph(
                    "GPU memory by process",
                    "Who holds the memory of the GPUs. What is left by a process that should be gone has to be ended.",
                    Query(f"gpu_process_memory_bytes{{{OF}}}", "{{gpu}} {{name}} {{pid}}"),
                    unit="bytes",
                    stacked=True,
                    size=(8, 8),
                ),
                graph(
                    "GPU temperature",
                    "Above some 85 °C most GPUs slow down.",
                    Query(f"gpu_temperature_celsius{{{OF}}}", "{{host}} {{gpu}}"),
                    unit="celsius",
                    limits=((85, RED),),
                    size=(8, 8),
                ),
                graph(
                    "GPU power",
                    "Power drawn, and the limit. At the limit, clocks go down.",
                    Query(f"gpu_power_watts{{{OF}}}", "{{host}} {{gpu}}"),
                    Query(f"gpu_power_limit_watts{{{OF}}}", "{{host}} {{gpu}} limit"),
                    unit="watt",
                    size=(8, 8),
                ),
                graph(
                    "GPU clocks and what holds them down",
                    "Clocks of the processors, and 1 for each reason that holds them down now: heat, power, a setting.",
                    Query(f'gpu_clock_hertz{{{OF}, domain="sm"}} / 1e9', "{{host}} {{gpu}} GHz"),
                    Query(f"gpu_throttled{{{OF}}}", "{{host}} {{gpu}} {{reason}}"),
                    unit="short",
                    size=(8, 8),
                ),
            ),
        ),
    ),
)
