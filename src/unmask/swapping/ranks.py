"""Several processes of one run, as torchrun starts them: who does what all of them need."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

LOCK = ".prepare.lock"


def is_first() -> bool:
    """Return whether this process does what one alone must do, such as writing the catalog."""
    return os.environ.get("RANK", os.environ.get("LOCAL_RANK", "0")) == "0"


@contextmanager
def one_after_another(lock: Path) -> Iterator[None]:
    """Let the processes of one run through one by one; those behind find the work done.

    A run of one process is let through at once.

    Args:
        lock: a file to wait at.
    """
    if os.environ.get("WORLD_SIZE", "1") == "1":
        yield
        return
    with lock.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
