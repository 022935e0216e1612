"""The middle and the tail of many measurements."""

from __future__ import annotations

import statistics


def spread(name: str, nanoseconds: list[int]) -> dict[str, float]:
    """The median and the 99th percentile, in microseconds."""
    cuts = statistics.quantiles(nanoseconds, n=100)
    return {f"{name}_p50_us": cuts[49] / 1e3, f"{name}_p99_us": cuts[98] / 1e3}
