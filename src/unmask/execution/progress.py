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
def progress(description: str, total: int, *, done: int = 0) -> Iterator[Callable[..., None]]:
    """Show how far the work is; the value is a function that takes one step, or more.

    A bar inside another one is shown below it.

    Args:
        description: what is being done.
        total: how many steps there are.
        done: how many of them were done before.

    Example:
        >>> with progress("copying", total=3) as advance:
        ...     advance()
        ...     advance(2)
    """
    console = Console(stderr=True)
    if parent_process() is not None:  # the bar of the whole work is its parent's
        yield lambda steps=1: None
    elif not console.is_terminal:
        yield _lines(description, total, done)
    else:
        with _display(console) as bars:
            task = bars.add_task(description, total=total, completed=done)
            yield lambda steps=1: bars.advance(task, steps)


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
    )
    with Progress(*columns, console=console) as bars:
        _shown.append(bars)
        try:
            yield bars
        finally:
            _shown.clear()


def _lines(description: str, total: int, done: int) -> Callable[..., None]:
    """Return a function that logs a line now and then, and one at the end if there was any."""
    said = start = time.monotonic()

    def advance(steps: int = 1) -> None:
        nonlocal done, said
        done += steps
        now = time.monotonic()
        is_last = done >= total and said > start
        if is_last or now - said >= SECONDS_BETWEEN_LINES:
            said = now
            logger.info("%s: %d of %d", description, done, total)

    return advance
