"""GPU time and memory, as a library says them that has the calls of NVIDIA's, and another process beside this one."""

from __future__ import annotations

import os
import subprocess
import sys

import watchkeeper as wk

LIBRARY = """
#include <unistd.h>
typedef struct { unsigned pid; unsigned long long used; unsigned gpu, compute; } memory;
typedef struct { unsigned pid; unsigned long long time; unsigned sm, mem, enc, dec; } use;
static unsigned long long now = 0;
int nvmlInit_v2(void) { return 0; }
int nvmlDeviceGetCount_v2(unsigned *count) { *count = 1; return 0; }
int nvmlDeviceGetHandleByIndex_v2(unsigned index, void **device) { *device = &now; return 0; }
int nvmlDeviceGetComputeRunningProcesses_v3(void *device, unsigned *count, memory *found) {
    if (device != &now || *count < 2) return 7;
    found[0] = (memory){1, 5ull << 30, 0, 0};
    found[1] = (memory){getpid(), 3ull << 30, 0, 0};
    *count = 2;
    return 0;
}
int nvmlDeviceGetProcessUtilization(void *device, use *found, unsigned *count, unsigned long long since) {
    if (device != &now || *count < 2 || since != now) return 7;
    now += 1000000;
    found[0] = (use){1, now, 100, 0, 0, 0};
    found[1] = (use){getpid(), now, 50, 0, 0, 0};
    *count = 2;
    return 0;
}
"""

PROGRAM = """
import sys, time
import watchkeeper as wk
client = wk.init(sys.argv[1], gpu=True, heartbeat_seconds=0)
with wk.job("a") as job:
    with job.stage("first"):
        while client.gpu.seconds is None:
            time.sleep(0.01)
    before = client.gpu.seconds
    with job.stage("second"):
        while client.gpu.seconds < before + 0.1:
            time.sleep(0.01)
"""


def test_time_and_memory_of_this_process_are_told_and_those_of_others_not(server, tmp_path):
    (tmp_path / "nvml.c").write_text(LIBRARY)
    library = tmp_path / "libnvidia-ml.so.1"
    subprocess.run(["cc", "-shared", "-fPIC", "-o", str(library), str(tmp_path / "nvml.c")], check=True)
    source = os.path.dirname(os.path.dirname(wk.__file__))
    environment = {**os.environ, "PYTHONPATH": source, "LD_LIBRARY_PATH": str(tmp_path)}
    subprocess.run([sys.executable, "-c", PROGRAM, server.url], timeout=60, check=True, env=environment)
    second = server.of("stage.finished")[1]
    assert second["gpu_memory_bytes"] == 3 << 30
    # Half of one GPU; what was measured at the first look belongs to the time before it, of a second at most.
    assert 0.1 <= second["gpu_seconds"] <= (second["duration_seconds"] + 1.0) / 2
