"""What a pipeline does: jobs of five stages, each of which computes and then waits for something.

Only what is at the borders of a stage and of a job is timed, so that the work in between, which differs from time to
time by more than the package takes, is not in it. The CPU time is of the whole process, less that of the work.
"""

from __future__ import annotations

import gc
import time
from typing import TYPE_CHECKING

from spread import spread

if TYPE_CHECKING:
    from subjects import Subject

STAGES = 5
_WARM_UP_SECONDS = 0.5
_COMPUTE = range(4_000)
_WAIT_SECONDS = 0.0005


def work() -> int:
    """Some 0.2 ms of Python, and a wait such as that for a file or a model."""
    total = 0
    for number in _COMPUTE:
        total += number & 7
    time.sleep(_WAIT_SECONDS)
    return total


def run(subject: Subject, url: str, seconds: str) -> dict[str, float]:
    """Microseconds at the borders of a stage and of a job, and of CPU time for a stage with its share of the job."""
    subject.load()
    subject.begin(url)
    _jobs(subject, time.monotonic() + _WARM_UP_SECONDS)
    gc.collect()
    cpu = time.process_time()
    stages, jobs, worked = _jobs(subject, time.monotonic() + float(seconds))
    cpu = time.process_time() - cpu - worked
    subject.flush()
    return {
        **spread("stage", stages),
        **spread("job", jobs),
        "cpu_us": cpu / len(stages) * 1e6,
        "stages": len(stages),
    }


def _jobs(subject: Subject, until: float) -> tuple[list[int], list[int], float]:
    """What the borders took, in nanoseconds, and the CPU time of the work in seconds."""
    clock, cpu_clock = time.perf_counter_ns, time.thread_time_ns
    stages: list[int] = []
    jobs: list[int] = []
    worked = number = 0
    while time.monotonic() < until:
        number += 1
        begun = clock()
        with subject.job(number) as job:
            entered = clock()
            for _ in range(STAGES):
                before = clock()
                with subject.stage(job) as stage:
                    inside = clock()
                    cpu = cpu_clock()
                    work()
                    worked += cpu_clock() - cpu
                    leaving = clock()
                    subject.note(stage, 3)
                stages.append(inside - before + clock() - leaving)
            left = clock()
        jobs.append(entered - begun + clock() - left)
    return stages, jobs, worked / 1e9
