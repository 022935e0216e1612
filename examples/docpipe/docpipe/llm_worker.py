"""The LLM worker: text → a summary, or insights.

    python -m docpipe.llm_worker --worker-id llm-1

The "model" computes both itself (see `summarizing.py`), and then waits as a real one makes you wait.
"""

from __future__ import annotations

import argparse
import json
import time
from typing import Any

from redis import Redis

from . import logs
from .attempt import Attempt
from .faults import Faults, TransientFault
from .llm_queue import LlmQueue
from .settings import Settings
from .summarizing import find_insights, summarize
from .tasks import Task
from .watch import Watch
from .worker import Worker

MODEL = "textrank"
PROVIDER = "docpipe"
OPERATIONS = {"summary": summarize, "insight": find_insights}


class LanguageWork:
    """What happens to one text."""

    def __init__(self, faults: Faults, delay: float) -> None:
        self._faults = faults
        self._delay = delay

    def work(self, attempt: Attempt) -> tuple[Any, int]:
        """Asks the model once."""
        with attempt.stage("generate", component=MODEL) as stage:
            result = self._ask_model(attempt)
            stage.items = 1
        return result, len(json.dumps(result).encode())

    def give_up(self, task: Task, error: str) -> None:
        """Nothing to note: the queue keeps the error as the task's result."""

    def _ask_model(self, attempt: Attempt) -> dict[str, Any]:
        task, started = attempt.task, time.monotonic()
        call = {
            "model": MODEL,
            "provider": PROVIDER,
            "operation": task.kind,
            "stage": "generate",
            "input_tokens": _tokens(task.text),
        }
        try:
            time.sleep(self._delay / 2)
            self._faults.strike("model", task.document_name + task.kind, task.attempt)
            first_token = time.monotonic() - started
            result = OPERATIONS[task.kind](task.text)
            time.sleep(self._delay / 2)
        except TransientFault as error:
            attempt.llm_call(**call, duration_seconds=time.monotonic() - started, error_message=str(error))
            raise
        attempt.llm_call(
            **call,
            duration_seconds=time.monotonic() - started,
            time_to_first_token_seconds=first_token,
            output_tokens=_tokens(json.dumps(result)),
            finish_reason="stop",
        )
        return result


def _tokens(text: str) -> int:
    """About how many tokens a text has: four characters each, as English has it."""
    return (len(text) + 3) // 4


def main() -> None:
    """Runs a worker."""
    parser = argparse.ArgumentParser(prog="docpipe.llm_worker", description="Summarizes, and finds insights.")
    parser.add_argument("--worker-id", default="llm-1", help="the same name after every restart")
    settings, options = Settings.parse(parser)
    logs.to_file(settings.log_dir, options.worker_id)
    queue = LlmQueue(Redis.from_url(settings.redis))
    work = LanguageWork(Faults(settings.seed, settings.fail_rate), settings.llm_delay)
    watch = Watch(settings.watchkeeper, service="docpipe")
    Worker(options.worker_id, queue, work, settings, watch).run()


if __name__ == "__main__":
    main()
