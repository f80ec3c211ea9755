"""Warms a database up: Java compiles what runs often only after some minutes of work."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

# A pair of syncs that saves less than this of the fastest one shows that the database is warm.
GAIN = 0.05
# Then it is measured as it is, and the page says so.
MOST = 8


def until_no_faster(pair: Callable[[int], float]) -> list[float]:
    """Runs `pair`, which returns seconds, until it no longer gets faster; returns the seconds of all runs."""
    seconds = [pair(0)]
    while len(seconds) < MOST:
        fastest = min(seconds)
        seconds.append(pair(len(seconds)))
        if seconds[-1] > fastest * (1 - GAIN):
            break
    return seconds


def is_warm(seconds: Sequence[float]) -> bool:
    return len(seconds) > 1 and seconds[-1] > min(seconds[:-1]) * (1 - GAIN)


def line(program: str, seconds: Sequence[float]) -> str:
    pairs = ", ".join(f"{it:.1f} s" for it in seconds)
    return f"warm-up: {program} {pairs}{'' if is_warm(seconds) else '; still getting faster'}"


def sentence(warm_ups: Mapping[str, Sequence[float]]) -> str:
    """For the page: how many pairs each program took."""
    of_each = ", ".join(f"{program} {len(seconds)}" for program, seconds in warm_ups.items())
    cold = [program for program, seconds in warm_ups.items() if not is_warm(seconds)]
    still = f" {' and '.join(cold)} still got faster then." if cold else ""
    return f"(pairs of syncs: {of_each}).{still}"
