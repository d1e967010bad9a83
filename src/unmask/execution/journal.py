"""Work that can be killed at any point and continued: a journal of what is done.

The journal is a text file with one JSON line for each finished item, written by one process
only. A line that a kill cut short is dropped when the journal is next opened.
"""

import json
import os
from collections.abc import Callable, Sequence
from contextlib import closing
from hashlib import sha256
from pathlib import Path
from typing import Any, TypeVar

from unmask.execution.executors import executor_for
from unmask.execution.progress import progress

Item = TypeVar("Item")
Rows = list[dict[str, Any]]


def key_of(*parts: object) -> str:
    """Return a short key that changes when any of the parts does; each must be JSON.

    Example:
        >>> key_of("a", 1) == key_of("a", 1), key_of("a", 1) == key_of("a", 2)
        (True, False)
    """
    text = json.dumps(parts, sort_keys=True, default=str)
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

    Returns:
        One list of rows for each item, in the order of the items.
    """
    done = _read(journal)
    keys = [key(item) for item in items]

    def is_open(one: str) -> bool:
        rows = done.get(one)
        return rows is None or (retry_failed and any(row.get("status") != "ok" for row in rows))

    # A dict keeps one position for each key: equal items are worked on once.
    todo = list({one: position for position, one in enumerate(keys) if is_open(one)}.values())
    if todo:
        journal.parent.mkdir(parents=True, exist_ok=True)
        results = executor_for(min(workers, len(todo)) or (1 if len(todo) == 1 else 0)).map(
            work, [items[position] for position in todo]
        )
        with (
            journal.open("a", encoding="utf-8") as file,
            progress(description, len(keys), done=len(keys) - len(todo)) as advance,
            closing(results),  # type: ignore[type-var]
        ):
            for position, rows in results:
                one = keys[todo[position]]
                file.write(json.dumps({"key": one, "rows": rows}) + "\n")
                file.flush()
                os.fsync(file.fileno())
                done[one] = rows
                advance()
    return [done[one] for one in keys]


def _read(journal: Path) -> dict[str, Rows]:
    """Return what is done, and cut off a last line that is not whole."""
    if not journal.exists():
        return {}
    with journal.open("rb+") as file:
        content = file.read()
        whole = content.rfind(b"\n") + 1
        if whole != len(content):
            file.truncate(whole)
    lines = (json.loads(line) for line in content[:whole].splitlines())
    return {line["key"]: line["rows"] for line in lines}
