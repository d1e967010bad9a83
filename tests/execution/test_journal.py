"""What is done stays done: after kills, errors, interruptions and damage to the journal."""

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
import pytest

from unmask.errors import InvalidInputError, WorkerLostError
from unmask.execution.journal import key_of, run_journaled

Rows = list[dict[str, Any]]

ITEMS = 120
PROGRAM = f"""
import os, sys, time
from pathlib import Path
from unmask.execution.journal import key_of, run_journaled

folder = Path(sys.argv[1])

def square(item):
    with (folder / "worked").open("a") as file:
        file.write(f"{{item}}\\n")
    time.sleep(0.02)
    return [{{"item": item, "square": item * item, "status": "ok"}}]

if __name__ == "__main__":
    try:
        run_journaled(
            range({ITEMS}), square, key=key_of, journal=folder / "journal.jsonl", workers=2
        )
    except KeyboardInterrupt:
        sys.exit("interrupted")
"""


def squares(items: range) -> list[Rows]:
    return [[{"item": item, "square": item * item, "status": "ok"}] for item in items]


def command(folder: Path) -> list[str]:
    program = folder / "program.py"
    program.write_text(PROGRAM)
    return [sys.executable, str(program), str(folder)]


@contextmanager
def running(folder: Path) -> Iterator[subprocess.Popen[str]]:
    """Run the program in a process group of its own, as a terminal does, until it has workers."""
    with subprocess.Popen(
        command(folder), start_new_session=True, stderr=subprocess.PIPE, text=True
    ) as run:
        while not psutil.Process(run.pid).children():
            assert run.poll() is None, "the run must not end before it has begun"
            time.sleep(0.005)
        yield run


def is_alive(process: psutil.Process) -> bool:
    try:
        return bool(process.status() != psutil.STATUS_ZOMBIE)  # Nobody may have asked for its end.
    except psutil.NoSuchProcess:
        return False


def read(journal: Path) -> dict[str, Rows]:
    lines = [json.loads(line) for line in journal.read_text().splitlines()]
    return {line["key"]: line["rows"] for line in lines}


def count(item: int) -> Rows:
    return [{"item": item, "status": "ok"}]


def refuse_odd(item: int) -> Rows:
    return [{"item": item, "status": "odd" if item % 2 else "ok"}]


def is_never_called(item: int) -> Rows:
    raise AssertionError(item)


def fail_on_two(item: int) -> Rows:
    if item == 2:
        raise ZeroDivisionError
    return count(item)


def die_on_two_once(folder_and_item: tuple[Path, int]) -> Rows:
    folder, item = folder_and_item
    if item == 2 and not (folder / "died").exists():
        (folder / "died").touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return count(item)


def test_killed_at_random_points_a_run_ends_with_the_rows_of_an_unbroken_one(
    tmp_path: Path,
) -> None:
    chance, kills = random.Random(0), 4
    for _ in range(kills):
        with running(tmp_path) as run:
            time.sleep(chance.uniform(0.05, 0.3))
            workers = psutil.Process(run.pid).children(recursive=True)
            run.kill()
        deadline = time.monotonic() + 10
        while any(is_alive(worker) for worker in workers):
            assert time.monotonic() < deadline, "workers must end with their parent"
            time.sleep(0.01)
    subprocess.run(command(tmp_path), check=True)

    rows = read(tmp_path / "journal.jsonl")
    assert [rows[key_of(item)] for item in range(ITEMS)] == squares(range(ITEMS))
    worked = (tmp_path / "worked").read_text().splitlines()
    assert len(worked) <= ITEMS + 2 * kills, "only what was under way may be worked on again"


@pytest.mark.parametrize("after", [0.02, 0.15, 0.4])
def test_ctrl_c_ends_a_run_at_once_and_without_tracebacks(tmp_path: Path, after: float) -> None:
    with running(tmp_path) as run:
        time.sleep(after)
        os.killpg(run.pid, signal.SIGINT)
        assert run.communicate(timeout=10)[1].strip() == "interrupted"
    subprocess.run(command(tmp_path), check=True)
    assert len(read(tmp_path / "journal.jsonl")) == ITEMS


@pytest.mark.parametrize("workers", [1, 2])
def test_rows_come_in_the_order_of_the_items(tmp_path: Path, workers: int) -> None:
    items = [5, 3, 9, 1]
    rows = run_journaled(
        items, count, key=key_of, journal=tmp_path / "new" / "journal", workers=workers
    )
    assert [one["item"] for (one,) in rows] == items


def test_what_is_done_is_not_worked_on_again(tmp_path: Path) -> None:
    journal = tmp_path / "journal"
    first = run_journaled([1, 2], count, key=key_of, journal=journal, workers=1)
    again = run_journaled([2, 1], is_never_called, key=key_of, journal=journal, workers=1)
    assert again == first[::-1]


def test_equal_items_are_worked_on_once(tmp_path: Path) -> None:
    journal = tmp_path / "journal"
    rows = run_journaled([7, 7, 7], count, key=key_of, journal=journal, workers=1)
    assert rows == [count(7)] * 3
    assert len(journal.read_text().splitlines()) == 1


def test_a_changed_setting_is_other_work(tmp_path: Path) -> None:
    journal = tmp_path / "journal"
    for crf in (23, 40):
        run_journaled([1], count, key=lambda item: key_of(item, crf), journal=journal, workers=1)
    assert len(journal.read_text().splitlines()) == 2


@pytest.mark.parametrize("retry", [False, True])
def test_what_failed_is_tried_again_only_on_request(tmp_path: Path, retry: bool) -> None:
    journal = tmp_path / "journal"
    run_journaled([1, 2], refuse_odd, key=key_of, journal=journal, workers=1)
    again = run_journaled([1, 2], count, key=key_of, journal=journal, workers=1, retry_failed=retry)
    assert [rows[0]["status"] for rows in again] == ["ok" if retry else "odd", "ok"]
    assert run_journaled([1], is_never_called, key=key_of, journal=journal, workers=1) == again[:1]


def test_first_and_second_run_return_equal_rows(tmp_path: Path) -> None:
    def work(item: int) -> Rows:
        return [{"box": (1.5, 2.0), "nothing": None, "ratio": 0.1 + 0.2}]

    journal = tmp_path / "journal"
    first = run_journaled([1], work, key=key_of, journal=journal, workers=1)
    assert first == run_journaled([1], work, key=key_of, journal=journal, workers=1)


def test_a_torn_last_line_is_dropped_and_its_item_worked_on_again(tmp_path: Path) -> None:
    journal = tmp_path / "journal"
    whole = run_journaled([1, 2, 3], count, key=key_of, journal=journal, workers=1)
    content = journal.read_bytes()
    for cut in range(1, len(content.splitlines(keepends=True)[-1])):
        journal.write_bytes(content[:-cut])
        assert run_journaled([1, 2, 3], count, key=key_of, journal=journal, workers=1) == whole
        assert journal.read_bytes() == content


@pytest.mark.parametrize("damage", [b"\x00\x00\x00", b'{"key": 1}', b"[]", b"3", b"\xff\xfe{}"])
def test_a_damaged_line_is_refused_with_its_number(tmp_path: Path, damage: bytes) -> None:
    journal = tmp_path / "journal"
    run_journaled([1, 2, 3], count, key=key_of, journal=journal, workers=1)
    lines = journal.read_bytes().splitlines()
    journal.write_bytes(b"\n".join([lines[0], damage, lines[2], b""]))
    with pytest.raises(InvalidInputError, match=r"line 2 of a journal must be .* delete that line"):
        run_journaled([1, 2, 3], count, key=key_of, journal=journal, workers=1)


def test_a_journal_in_use_is_refused(tmp_path: Path) -> None:
    journal = tmp_path / "journal"

    def run_again(item: int) -> Rows:
        return run_journaled([2], count, key=key_of, journal=journal, workers=1)[0]

    with pytest.raises(InvalidInputError, match="must be used by one run at a time"):
        run_journaled([1], run_again, key=key_of, journal=journal, workers=1)


@pytest.mark.parametrize("workers", [1, 2])
def test_what_came_before_an_unexpected_error_is_kept(tmp_path: Path, workers: int) -> None:
    journal = tmp_path / "journal"
    with pytest.raises(ZeroDivisionError):
        run_journaled([0, 1, 2], fail_on_two, key=key_of, journal=journal, workers=workers)
    assert read(journal).keys() & {key_of(0), key_of(1)}
    assert len(run_journaled([0, 1, 2], count, key=key_of, journal=journal, workers=1)) == 3


def test_after_a_lost_worker_the_same_call_continues(tmp_path: Path) -> None:
    items = [(tmp_path, item) for item in range(6)]

    def run() -> list[Rows]:
        return run_journaled(
            items, die_on_two_once, key=key_of, journal=tmp_path / "journal", workers=2
        )

    with pytest.raises(WorkerLostError, match=r"killed by SIGKILL .* run the same command again"):
        run()
    assert run() == [count(item) for item in range(6)]


def test_a_key_depends_on_every_part_and_takes_paths() -> None:
    keys = {key_of(), key_of(1), key_of("1"), key_of(1, None), key_of([1, None]), key_of({"a": 1})}
    assert len(keys) == 6
    assert key_of(Path("a/b")) == key_of("a/b")
    assert key_of({"a": 1, "b": 2}) == key_of({"b": 2, "a": 1})


def test_a_key_of_what_has_no_fixed_text_is_refused() -> None:
    with pytest.raises(TypeError, match=r"expected str, bytes or os.PathLike object, not object"):
        key_of(object())


def test_item_whose_file_was_deleted_is_worked_on_again(tmp_path: Path) -> None:
    worked = []

    def work(item: int) -> Rows:
        worked.append(item)
        (tmp_path / f"{item}.txt").write_text("made")
        return [{"item": item, "status": "ok"}]

    def run() -> list[Rows]:
        return run_journaled(
            range(3),
            work,
            key=key_of,
            journal=tmp_path / "journal.jsonl",
            workers=1,
            files=lambda item, rows: [tmp_path / f"{row['item']}.txt" for row in rows],
        )

    first = run()
    (tmp_path / "1.txt").unlink()

    assert run() == first
    assert worked == [0, 1, 2, 1]


def test_pace_counts_only_what_came_in_this_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[tuple[int, float]] = []

    @contextmanager
    def progress(*words: object, **more: object) -> Iterator[Callable[[int, float], None]]:
        assert more["unit"] == "queries"
        yield lambda steps, amount: told.append((steps, amount))

    monkeypatch.setattr("unmask.execution.journal.progress", progress)
    for items in ([2, 3], [2, 3, 5]):
        run_journaled(
            items,
            count,
            key=key_of,
            journal=tmp_path / "journal",
            workers=1,
            unit="queries",
            amount=lambda rows: sum(row["item"] for row in rows),
        )
    assert told == [(1, 2), (1, 3), (1, 5)]
