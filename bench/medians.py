"""Everything is measured several times, in turns, and each figure's median is told."""

from __future__ import annotations

import statistics
from collections.abc import Callable
from dataclasses import fields, is_dataclass, replace
from typing import Any, TypeVar

RUNS = 3

Figures = TypeVar("Figures")


def measured(run: Callable[[], Figures], runs: int = RUNS) -> Figures:
    """The medians of several runs."""
    return of([run() for _ in range(runs)])


def of(figures: list[Any]) -> Any:
    """The median of each number by itself: within tuples, dictionaries and dataclasses, by place and by name."""
    first = figures[0]
    if is_dataclass(first) and not isinstance(first, type):
        medians = {field.name: of([getattr(each, field.name) for each in figures]) for field in fields(first)}
        return replace(first, **medians)
    if isinstance(first, dict):
        return {name: of([each[name] for each in figures]) for name in first}
    if isinstance(first, tuple):
        return tuple(of(list(place)) for place in zip(*figures, strict=True))
    return statistics.median(figures)
