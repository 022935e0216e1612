"""What can be set, in one place: each setting is an option of every command and an environment variable."""

from __future__ import annotations

import argparse
import os
from dataclasses import dataclass, field, fields
from typing import Any, Sequence


def _setting(default: Any, variable: str, meaning: str) -> Any:
    return field(default=default, metadata={"variable": variable, "meaning": meaning})


@dataclass(frozen=True)
class Settings:
    """The settings that the gateway and the workers share. Durations are in seconds."""

    redis: str = _setting("redis://127.0.0.1:6379/0", "REDIS_URL", "the Redis that holds queues and documents")
    watchkeeper: str = _setting("", "WATCHKEEPER_URL", "where to report; empty: report nothing")
    log_dir: str = _setting("logs", "DOCPIPE_LOG_DIR", "where the log files go")
    heartbeat: float = _setting(5.0, "DOCPIPE_HEARTBEAT", "seconds between two heartbeats of a worker")
    max_attempts: int = _setting(3, "DOCPIPE_MAX_ATTEMPTS", "how often a task is tried before it is given up")
    retry_delay: float = _setting(2.0, "DOCPIPE_RETRY_DELAY", "seconds before an extraction is tried again")
    llm_delay: float = _setting(0.2, "DOCPIPE_LLM_DELAY", "seconds that the model takes to answer, at least")
    fail_rate: float = _setting(0.02, "DOCPIPE_FAIL_RATE", "the share of attempts that fail on purpose, 0 to 1")
    seed: int = _setting(1, "DOCPIPE_SEED", "chooses which attempts fail")

    @classmethod
    def parse(
        cls, parser: argparse.ArgumentParser, arguments: Sequence[str] | None = None
    ) -> tuple[Settings, argparse.Namespace]:
        """Adds an option for each setting to `parser`, and reads them all. Returns the command's own options too."""
        for each in fields(cls):
            variable = each.metadata["variable"]
            parser.add_argument(
                "--" + each.name.replace("_", "-"),
                type=type(each.default),
                default=os.environ.get(variable, each.default),
                help=f"{each.metadata['meaning']} (environment: {variable})",
            )
        options = parser.parse_args(arguments)
        return cls(**{each.name: getattr(options, each.name) for each in fields(cls)}), options

    def environment(self) -> dict[str, str]:
        """The same settings as environment variables, for a child process. A URL may hold a password, and
        command lines can be read by every user of the machine; environments cannot."""
        return {each.metadata["variable"]: str(getattr(self, each.name)) for each in fields(self)}
