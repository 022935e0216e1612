"""How well and how fast secrets are found: the example `redaction` over lines with labels."""

from __future__ import annotations

import json
import subprocess
from dataclasses import dataclass
from pathlib import Path

from machine import pinned

FOLDER = Path(__file__).parent.parent / "crates/ingest/tests/redaction"
# By whom the lines are, and where.
CORPORA = {
    "by those who wrote the detectors": "corpus.txt",
    "by somebody else, mended by": "fresh.txt",
    "by somebody else, held out": "held_out.txt",
}


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
    """Scores by corpus and detector, and MB a second of a core by kind of text, those of the first corpus."""

    scores: dict[str, dict[str, Score]]
    speeds: dict[str, float]


def measured(example: str) -> Figures:
    """What the example says of each corpus."""
    scores: dict[str, dict[str, Score]] = {}
    speeds: dict[str, float] = {}
    for name, file in CORPORA.items():
        with pinned():
            run = subprocess.run([example, str(FOLDER / file), "--json"], check=True, stdout=subprocess.PIPE)
        told = json.loads(run.stdout)
        scores[name] = {one.pop("detector"): Score(**one) for one in told["detectors"]}
        speeds = speeds or {one["what"]: one["mb_per_core_second"] for one in told["speeds"]}
    return Figures(scores, speeds)
