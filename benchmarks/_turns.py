"""Timing several sides of a comparison in turns, so that a busy neighbour disturbs all alike."""

import time
from collections.abc import Callable, Mapping
from statistics import median

Sides = Mapping[str, Callable[[], object]]


def measured(
    sides: Sides, count: int, rounds: int, counts: Mapping[str, float] | None = None
) -> dict[str, tuple[float, float]]:
    """Return the median of what each side does in a second, and of `ours` over it.

    Args:
        sides: what is timed, `ours` among it.
        count: how much one call of a side does.
        rounds: how often each has its turn, after one that warms up.
        counts: how much one call does, of sides that do another amount.
    """
    done = {name: (counts or {}).get(name, count) for name in sides}
    rates: list[dict[str, float]] = []
    for _ in range(rounds + 1):
        rates.append({name: done[name] / timed(work) for name, work in sides.items()})
    del rates[0]  # warms up
    return {
        name: (median(one[name] for one in rates), median(one["ours"] / one[name] for one in rates))
        for name in sides
    }


def show(title: str, figures: Mapping[str, tuple[float, float]]) -> None:
    """Print what each side does in a second, and what ours does over it."""
    print(f"  {title}")
    for name, (rate, over) in figures.items():
        print(f"{name:>16}{rate:12.3f}{'' if name == 'ours' else f'   ({over:.2f})'}", flush=True)


def timed(work: Callable[[], object]) -> float:
    """Return the seconds that a call takes."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start
