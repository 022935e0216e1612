"""As many stages a second as can be told without a loss: where the queue is half full, the program waits."""

from __future__ import annotations

import time

from subjects import Subject, wait_for_room

_STAGES = 10


def run(subject: Subject, url: str, jobs: str) -> dict[str, float]:
    """How many stages were told a second, from the first until all are delivered."""
    subject.load()
    subject.begin(url)
    begun = time.perf_counter()
    for number in range(int(jobs)):
        with subject.job(number) as job:
            for _ in range(_STAGES):
                with subject.stage(job) as stage:
                    subject.note(stage, 3)
        wait_for_room(subject)
    subject.flush()
    took = time.perf_counter() - begun
    return {"stages": int(jobs) * _STAGES, "seconds": took, "delivered": subject.delivered()}
