"""The LLM worker: text → a summary, or insights.

    python -m docpipe.llm_worker --worker-id llm-1

The "model" computes both itself (see `summarizing.py`), and then waits as a real one makes you wait.
"""

from __future__ import annotations

import argparse
import json
import time
from typing import Any

import watchkeeper as wk
from redis import Redis

from . import llm_queue, watch
from .faults import Faults
from .llm_queue import LlmQueue
from .settings import Settings
from .stages import stage
from .summarizing import find_insights, summarize
from .tasks import Task
from .worker import Worker

MODEL = "textrank"
PROVIDER = "docpipe"
OPERATIONS = {"summary": summarize, "insight": find_insights}


class LanguageWork:
    """What happens to one text."""

    def __init__(self, faults: Faults, delay: float) -> None:
        self._faults = faults
        self._delay = delay

    def work(self, task: Task) -> tuple[Any, int]:
        """Asks the model once."""
        with stage("generate", component=MODEL) as step:
            result = self._ask_model(task)
            step.items = 1
        return result, len(json.dumps(result).encode())

    def give_up(self, task: Task, error: str) -> None:
        """Nothing to note: the queue keeps the error as the task's result."""

    def _ask_model(self, task: Task) -> dict[str, Any]:
        with wk.llm_call(model=MODEL, provider=PROVIDER, operation=task.kind) as call:
            call.usage(input=_tokens(task.text))
            time.sleep(self._delay / 2)
            self._faults.strike("model", task.document_name + task.kind, task.attempt)
            call.first_token()
            result = OPERATIONS[task.kind](task.text)
            time.sleep(self._delay / 2)
            call.usage(output=_tokens(json.dumps(result)))
            call.finish("stop")
        return result


def _tokens(text: str) -> int:
    """About how many tokens a text has: four characters each, as English has it."""
    return (len(text) + 3) // 4


def main() -> None:
    """Runs a worker."""
    parser = argparse.ArgumentParser(prog="docpipe.llm_worker", description="Summarizes, and finds insights.")
    parser.add_argument("--worker-id", default="llm-1", help="the same name after every restart")
    settings, options = Settings.parse(parser)
    watch.begin_worker(settings, options.worker_id, llm_queue.NAME)
    queue = LlmQueue(Redis.from_url(settings.redis))
    work = LanguageWork(Faults(settings.seed, settings.fail_rate), settings.llm_delay)
    Worker(options.worker_id, queue, work, settings.max_attempts).run()


if __name__ == "__main__":
    main()
