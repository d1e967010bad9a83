"""Work is done in this process or on others, and whatever goes wrong there is told here."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from unmask.errors import InvalidInputError, NotFoundError, WorkerLostError
from unmask.execution.executors import (
    ONE_THREAD,
    Executor,
    InThisProcess,
    OnProcesses,
    executor_for,
    worker_count,
)

BOTH = pytest.mark.parametrize("executor", [InThisProcess(), OnProcesses(2)], ids=["here", "two"])


def double(item: int) -> int:
    return 2 * item


def slow_at_first(item: int) -> int:
    time.sleep(0.3 if item == 0 else 0)
    return item


def refuse_odd(item: int) -> int:
    if item % 2:
        raise NotFoundError(f"items must be even, got {item}; double it")
    return item


def divide_by_zero(item: int) -> float:
    return item / 0


class AwkwardError(Exception):
    """Cannot be unpickled, for it wants more than its message."""

    def __init__(self, first: str, second: str) -> None:
        super().__init__(f"{first} and {second}")


def raise_awkwardly(item: int) -> int:
    raise AwkwardError("one", "two")


def return_a_function(item: int) -> object:
    return lambda: item


def end_on_three(item: int) -> int:
    if item == 3:
        time.sleep(0.2)
        os.kill(os.getpid(), signal.SIGKILL)
    return item


def exit_with_seven(item: int) -> int:
    os._exit(7)


def sleep_long(item: int) -> int:
    if item:
        time.sleep(60)
    return item


def environment_and_pid(item: int) -> tuple[dict[str, str | None], int]:
    time.sleep(0.1)
    return {name: os.environ.get(name) for name in ONE_THREAD}, os.getpid()


@BOTH
@pytest.mark.parametrize("count", [0, 1, 5])
def test_each_item_comes_back_with_its_position(executor: Executor, count: int) -> None:
    items = list(range(10, 10 + count))
    assert sorted(executor.map(double, items)) == [(at, 2 * one) for at, one in enumerate(items)]


def test_results_come_as_they_are_done() -> None:
    positions = [position for position, _ in OnProcesses(2).map(slow_at_first, range(4))]
    assert positions[-1] == 0


@BOTH
def test_our_errors_stay_themselves(executor: Executor) -> None:
    with pytest.raises(NotFoundError) as caught:
        list(executor.map(refuse_odd, [0, 1]))
    assert str(caught.value) == "items must be even, got 1; double it"


@BOTH
def test_an_unexpected_error_names_its_item(executor: Executor) -> None:
    with pytest.raises(ZeroDivisionError) as caught:
        list(executor.map(divide_by_zero, [17]))
    assert "while working on 17" in caught.value.__notes__[0]


def test_the_traceback_of_a_worker_reaches_the_user() -> None:
    with pytest.raises(ZeroDivisionError) as caught:
        list(OnProcesses(1).map(divide_by_zero, [17]))
    assert "in divide_by_zero" in caught.value.__notes__[0]
    assert "return item / 0" in caught.value.__notes__[0]


def test_an_error_that_cannot_travel_keeps_its_words_and_traceback() -> None:
    with pytest.raises(RuntimeError, match="AwkwardError: one and two") as caught:
        list(OnProcesses(1).map(raise_awkwardly, [1]))
    assert "in raise_awkwardly" in caught.value.__notes__[0]


def test_a_result_that_cannot_travel_is_an_error_that_names_its_item() -> None:
    with pytest.raises(Exception, match="return_a_function") as caught:
        list(OnProcesses(1).map(return_a_function, [17]))
    assert "while working on 17" in caught.value.__notes__[0]


def test_long_items_are_shortened_in_messages() -> None:
    with pytest.raises(TypeError) as caught:
        list(InThisProcess().map(divide_by_zero, ["x" * 1000]))  # type: ignore[arg-type]
    assert len(caught.value.__notes__[0]) < 250


def test_a_killed_worker_is_named_with_its_item_after_what_the_others_did() -> None:
    done: list[int] = []
    results = OnProcesses(2).map(end_on_three, range(5))
    words = r"got one that was killed by SIGKILL \(out of memory\?\) while working on 3; run the"
    with pytest.raises(WorkerLostError, match=words):
        done.extend(position for position, _ in results)
    assert {0, 1, 2} <= set(done)


def test_a_worker_that_ends_itself_is_told_with_its_exit_code() -> None:
    with pytest.raises(WorkerLostError, match="ended with exit code 7 while working on 1"):
        list(OnProcesses(1).map(exit_with_seven, [1]))


def test_a_script_that_starts_its_work_unguarded_is_told_so(tmp_path: Path) -> None:
    script = tmp_path / "unguarded.py"
    script.write_text(
        "from unmask.execution.executors import OnProcesses\n"
        "print(list(OnProcesses(1).map(abs, [1])))\n"
    )
    ran = subprocess.run([sys.executable, str(script)], capture_output=True, text=True)
    assert "WorkerLostError" in ran.stderr
    assert "must start its work under `if __name__ == '__main__':`" in ran.stderr


def test_closing_stops_the_work_that_is_under_way() -> None:
    start = time.monotonic()
    results = OnProcesses(2).map(sleep_long, [0, 1, 1])
    assert next(results) == (0, 0)
    results.close()
    assert time.monotonic() - start < 20


def test_workers_have_one_thread_each_and_this_process_keeps_its_own(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "5")
    monkeypatch.delenv("MKL_NUM_THREADS", raising=False)
    told = [result for _, result in OnProcesses(2).map(environment_and_pid, range(4))]
    assert all(environment == ONE_THREAD for environment, _ in told)
    assert len({pid for _, pid in told} - {os.getpid()}) == 2
    assert (os.environ["OMP_NUM_THREADS"], os.environ.get("MKL_NUM_THREADS")) == ("5", None)


def test_there_are_no_more_workers_than_items() -> None:
    told = [result for _, result in OnProcesses(16).map(environment_and_pid, [0])]
    assert len(told) == 1


def test_the_number_of_workers_chooses_the_executor() -> None:
    assert isinstance(executor_for(1), InThisProcess)
    two = executor_for(2)
    assert isinstance(two, OnProcesses)
    assert two.workers == 2
    assert worker_count(0) == len(os.sched_getaffinity(0))


def test_cores_are_counted_where_the_system_tells_no_affinity(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delattr(os, "sched_getaffinity")
    monkeypatch.setattr(os, "cpu_count", lambda: 3)
    assert worker_count(0) == 3


def test_a_negative_number_of_workers_is_refused() -> None:
    with pytest.raises(InvalidInputError, match=r"workers must be 0 \(all cores\) or more, got -1"):
        executor_for(-1)
