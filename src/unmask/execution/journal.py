"""Work that can be killed at any point and continued: a journal of what is done.

The journal is a text file with one JSON line for each finished item, written by one process
only. A line that a kill cut short is dropped when the journal is next opened. Reading takes about
5 s for a million lines of one row each.
"""

import fcntl
import json
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from hashlib import sha256
from pathlib import Path
from typing import Any, BinaryIO, TypeVar

from unmask.errors import InvalidInputError
from unmask.execution.executors import executor_for, worker_count
from unmask.execution.progress import progress

Item = TypeVar("Item")
Rows = list[dict[str, Any]]


def key_of(*parts: object) -> str:
    """Return a short key that changes when any of the parts does; each must be JSON or a path.

    Example:
        >>> key_of("a", 1) == key_of("a", 1), key_of("a", 1) == key_of("a", 2)
        (True, False)
    """
    text = json.dumps(parts, sort_keys=True, default=os.fspath)
    return sha256(text.encode()).hexdigest()[:32]


def run_journaled(
    items: Sequence[Item],
    work: Callable[[Item], Rows],
    *,
    key: Callable[[Item], str],
    journal: Path,
    workers: int = 0,
    description: str = "",
    retry_failed: bool = False,
    files: Callable[[Item, Rows], Iterable[Path]] = lambda item, rows: (),
    unit: str = "",
    amount: Callable[[Rows], float] = lambda rows: 0,
) -> list[Rows]:
    """Return the rows of every item, working only on those that the journal lacks.

    Args:
        items: what to work on.
        work: a module-level function that makes the rows (JSON values) of one item; it gives a
            row with a status other than `ok` for what it cannot do, and raises nothing expected.
        key: names the item together with its settings; the same key is never worked on twice.
        journal: the file of what is done.
        workers: processes; 0 takes one for each core.
        description: what the progress bar says.
        retry_failed: whether items with a row whose status is not `ok` are worked on again.
        files: what was written for an item whose rows are all `ok`; when one of them is gone, the
            item is worked on again.
        unit: what the progress bar counts by the second beside the items, such as `queries`.
        amount: how much of it the rows of an item stand for.

    Returns:
        One list of rows for each item, in the order of the items.

    Raises:
        InvalidInputError: if the journal is damaged, or in use by another run.
        WorkerLostError: if a worker process dies; what is done is kept.
    """
    keys = [key(item) for item in items]
    journal.parent.mkdir(parents=True, exist_ok=True)
    with _opened(journal) as file:
        done = _read(file, journal)
        # A dict holds each key once: equal items are worked on once.
        todo = {
            one: item
            for one, item in zip(keys, items, strict=True)
            if one not in done
            or (retry_failed if _has_failed(done[one]) else _is_lost(files(item, done[one])))
        }
        if todo:
            total = len(set(keys))
            with progress(description, total, done=total - len(todo), unit=unit) as advance:
                for one, rows in _results(todo, work, workers):
                    done[one] = _append(file, one, rows)
                    advance(1, amount(rows))
    return [done[one] for one in keys]


def _results(
    todo: Mapping[str, Item], work: Callable[[Item], Rows], workers: int
) -> Iterator[tuple[str, Rows]]:
    """Yield (key, rows) of each item as it is done."""
    keys = list(todo)
    executor = executor_for(min(worker_count(workers), len(todo)))
    with closing(executor.map(work, list(todo.values()))) as results:
        for position, rows in results:
            yield keys[position], rows


@contextmanager
def _opened(journal: Path) -> Iterator[BinaryIO]:
    """Open the journal for reading and appending, for this run alone."""
    with journal.open("ab+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise InvalidInputError(
                f"a journal must be used by one run at a time, got {journal}, which another run "
                "uses now; wait until that has ended"
            ) from None
        except OSError:
            pass  # Some network file systems have no locks.
        yield file


def _read(file: BinaryIO, journal: Path) -> dict[str, Rows]:
    """Return what is done, and cut off a last line that is not whole."""
    done = {}
    whole = 0  # bytes
    file.seek(0)
    for number, line in enumerate(file, 1):
        if not line.endswith(b"\n"):
            file.truncate(whole)
            break
        try:
            entry = json.loads(line)
            done[entry["key"]] = entry["rows"]
        except (ValueError, KeyError, TypeError):
            raise InvalidInputError(
                f"line {number} of a journal must be a JSON object with key and rows, got "
                f"{line[:60]!r} in {journal}; delete that line, and its item is worked on again"
            ) from None
        whole += len(line)
    return done


def _append(file: BinaryIO, key: str, rows: Rows) -> Rows:
    """Write the line of one item and return its rows as the next run will read them."""
    line = json.dumps({"key": key, "rows": rows})
    file.write(line.encode() + b"\n")
    file.flush()
    os.fsync(file.fileno())
    read: Rows = json.loads(line)["rows"]
    return read


def _is_lost(files: Iterable[Path]) -> bool:
    return not all(path.exists() for path in files)


def _has_failed(rows: Rows) -> bool:
    return any(row.get("status", "ok") != "ok" for row in rows)
