"""How well and how fast secrets are found: the example `redaction` over the lines with labels that the tests use."""

from __future__ import annotations

import json
import subprocess
from dataclasses import dataclass
from pathlib import Path

from machine import pinned

CORPUS = Path(__file__).parent.parent / "crates/ingest/tests/redaction/corpus.txt"


@dataclass(frozen=True)
class Score:
    """How often a detector was right and wrong."""

    secrets: int
    found: int
    false_alarms: int
    precision: float
    recall: float


@dataclass(frozen=True)
class Figures:
    """Scores by detector, and MB a second of a core by kind of text."""

    scores: dict[str, Score]
    speeds: dict[str, float]


def measured(example: str) -> Figures:
    """What the example says."""
    with pinned():
        run = subprocess.run([example, str(CORPUS), "--json"], check=True, stdout=subprocess.PIPE)
    told = json.loads(run.stdout)
    scores = {one.pop("detector"): Score(**one) for one in told["detectors"]}
    return Figures(scores, {one["what"]: one["mb_per_core_second"] for one in told["speeds"]})
