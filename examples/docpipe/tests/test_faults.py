"""Failures on purpose can be repeated."""

from __future__ import annotations

from docpipe.faults import Faults, TransientFault


def strikes(seed: int, rate: float, attempt: int = 0) -> set[int]:
    faults = Faults(seed, rate)
    struck = set()
    for number in range(2000):
        try:
            faults.strike("embedder", f"{number:05d}-a.txt", attempt)
        except TransientFault:
            struck.add(number)
    return struck


def test_the_rate_is_about_what_was_asked_for() -> None:
    assert strikes(1, 0.0) == set()
    assert 140 < len(strikes(1, 0.1)) < 260
    assert len(strikes(1, 1.0)) == 2000


def test_the_same_seed_strikes_the_same_documents() -> None:
    assert strikes(1, 0.1) == strikes(1, 0.1)
    assert strikes(1, 0.1) != strikes(2, 0.1)


def test_another_attempt_usually_succeeds() -> None:
    both = strikes(1, 0.1) & strikes(1, 0.1, attempt=1)
    assert len(both) < 50
