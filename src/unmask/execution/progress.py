"""A progress bar on the error stream, and a line now and then where that is no terminal."""

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

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

SECONDS_BETWEEN_LINES = 10.0


@contextmanager
def progress(description: str, total: int, *, done: int = 0) -> Iterator[Callable[..., None]]:
    """Show how far the work is; the value is a function that takes one step.

    Args:
        description: what is being done.
        total: how many steps there are.
        done: how many of them were done before.

    Example:
        >>> with progress("copying", total=2) as advance:
        ...     advance()
        ...     advance(1)
    """
    console = Console(stderr=True)
    if not console.is_terminal:
        yield _lines(description, total, done)
        return
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console) as bar:
        task = bar.add_task(description, total=total, completed=done)
        yield lambda steps=1: bar.advance(task, steps)


def _lines(description: str, total: int, done: int) -> Callable[..., None]:
    state = {"done": done, "said": time.monotonic()}

    def advance(steps: int = 1) -> None:
        state["done"] += steps
        now = time.monotonic()
        if now - state["said"] >= SECONDS_BETWEEN_LINES:
            state["said"] = now
            logger.info("%s: %d of %d", description, state["done"], total)

    return advance
