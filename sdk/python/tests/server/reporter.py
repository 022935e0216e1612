"""A program that has jobs in several threads until there is a file: `reporter.py NAME STOP [JOBS]`.

With a number of jobs it has so many, as quickly as it can, says by the file `STOP.done` that it had them, and waits.
"""

from __future__ import annotations

import concurrent.futures
import itertools
import os
import sys
import time

from accounts import keep_account

import watchkeeper as wk

THREADS = 4


def work(name: str, stop: str, most: int) -> None:
    for number in range(most) if most else itertools.count():
        if not most:
            # As much as it tells may wait a while without a server.
            time.sleep(0.02)
            if os.path.exists(stop):
                return
        with wk.job("extract", id=f"{name}-{number}", queue="extraction") as job:
            with job.stage("ocr"):
                pass
            job.set(pages=number)


if __name__ == "__main__":
    keep_account()
    wk.init(service="tests")
    most = int(sys.argv[3]) if len(sys.argv) > 3 else 0
    with concurrent.futures.ThreadPoolExecutor(THREADS) as pool:
        for run in [pool.submit(work, f"{sys.argv[1]}-{n}", sys.argv[2], most // THREADS) for n in range(THREADS)]:
            run.result()
    open(sys.argv[2] + ".done", "w").close()
    while not os.path.exists(sys.argv[2]):
        time.sleep(0.01)
