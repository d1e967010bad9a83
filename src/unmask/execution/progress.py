"""A progress bar on the error stream, and a line now and then where that is no terminal."""

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing import parent_process

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

logger = logging.getLogger(__name__)

_shown: list[Progress] = []  # the display, while there is one: a terminal has room for one

SECONDS_BETWEEN_LINES = 10.0


@contextmanager
def progress(
    description: str, total: int, *, done: int = 0, unit: str = ""
) -> Iterator[Callable[..., None]]:
    """Show how far the work is; the value is a function that takes one step, or more.

    A bar inside another one is shown below it.

    Args:
        description: what is being done.
        total: how many steps there are.
        done: how many of them were done before.
        unit: what else is counted, by the function's second argument; it is shown by the second.

    Example:
        >>> with progress("copying", total=3) as advance:
        ...     advance()
        ...     advance(2)
    """
    console = Console(stderr=True)
    pace = _Pace(unit)
    if parent_process() is not None:  # the bar of the whole work is its parent's
        yield lambda steps=1, amount=0: None
    elif not console.is_terminal:
        yield _lines(description, total, done, pace)
    else:
        with _display(console) as bars:
            task = bars.add_task(description, total=total, completed=done, pace="")
            yield lambda steps=1, amount=0: bars.update(
                task, advance=steps, pace=pace.after(amount)
            )


class _Pace:
    """How much of something comes in a second, from the start on."""

    def __init__(self, unit: str) -> None:
        self._unit, self._amount, self._start = unit, 0.0, time.monotonic()

    def after(self, amount: float) -> str:
        """Return the pace as text when so much more has come."""
        self._amount += amount
        seconds = max(time.monotonic() - self._start, 1e-3)
        return f"{self._amount / seconds:,.0f} {self._unit} a second" if self._unit else ""


@contextmanager
def _display(console: Console) -> Iterator[Progress]:
    if _shown:
        yield _shown[0]
        return
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.fields[pace]}"),
    )
    with Progress(*columns, console=console) as bars:
        _shown.append(bars)
        try:
            yield bars
        finally:
            _shown.clear()


def _lines(description: str, total: int, done: int, pace: _Pace) -> Callable[..., None]:
    """Return a function that logs a line now and then, and one at the end if there was any."""
    said = start = time.monotonic()

    def advance(steps: int = 1, amount: float = 0) -> None:
        nonlocal done, said
        done += steps
        told = pace.after(amount)
        now = time.monotonic()
        is_last = done >= total and said > start
        if is_last or now - said >= SECONDS_BETWEEN_LINES:
            said = now
            logger.info("%s: %d of %d%s", description, done, total, told and f", {told}")

    return advance
