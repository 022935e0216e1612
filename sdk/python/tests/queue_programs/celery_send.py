"""Sends tasks, each given as `TASK:ID` or `TASK:ID=ARGUMENT`, from within a job."""

from __future__ import annotations

import sys

import watchkeeper as wk
from queue_programs.celery_app import app

for name in sys.argv[1:]:
    task, _, arguments = name.partition(":")
    id, _, value = arguments.partition("=")
    with wk.job("upload", id="the-upload", request_id="r-1"):
        app.send_task(f"queue_programs.celery_app.{task}", (value or id,), task_id=id)
