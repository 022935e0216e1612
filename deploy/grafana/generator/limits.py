"""The thresholds that panels draw: those of the shipped rules, read out of them.

A rule that changes changes what the generator gives, and the test of the dashboards says so.
"""

from __future__ import annotations

import re
from pathlib import Path

RULES = Path(__file__).resolve().parents[3] / "rules/pipeline.yml"
GIB = 1 << 30
MIB = 1 << 20
PERCENT = 0.01
MINUTES = 60.0
RULE = re.compile(r"^ +- alert: (\w+)\n(.*?)(?=^ +- alert:|^ +- name:|\Z)", re.MULTILINE | re.DOTALL)
EXPR = re.compile(r"^ +expr: (.*?)(?=^ +(?:for|labels|keep_firing_for):)", re.MULTILINE | re.DOTALL)
COMPARED = re.compile(r"[<>]=?\s*(\d+(?:\.\d+)?)")


def read(path: Path = RULES) -> dict[str, float]:
    """The first number that each rule compares with, in the unit in which it compares."""
    numbers = {}
    for name, body in RULE.findall(path.read_text(encoding="utf-8")):
        expr = EXPR.search(body)
        compared = expr and COMPARED.search(expr[1])
        if compared:
            numbers[name] = float(compared[1])
    return numbers


NUMBERS = read()


def limit(alert: str, unit: float = 1.0) -> float:
    """The threshold of a rule, in the panel's unit: `limit("WorkerMemoryHigh", GIB)` are bytes."""
    number = NUMBERS[alert] * unit
    return int(number) if number == int(number) else round(number, 6)
