"""Threads that work ahead and behind: order, bounds, errors and ends."""

import threading
import time
from collections.abc import Iterator
from contextlib import closing

import pytest

from unmask.swapping.pipeline import Sink, ahead

NAMES = ("unmask-ahead", "unmask-sink")


@pytest.fixture(autouse=True)
def no_thread_stays() -> Iterator[None]:
    yield
    assert not [one for one in threading.enumerate() if one.name in NAMES]


def test_items_come_in_order_and_only_so_many_are_made_ahead() -> None:
    made: list[int] = []

    def items() -> Iterator[int]:
        for number in range(50):
            made.append(number)
            yield number

    taken = []
    for number in ahead(items(), most=3):
        time.sleep(0.001)
        taken.append(number)
        assert len(made) <= len(taken) + 5
    assert taken == made == list(range(50))


def test_items_are_made_in_another_thread_while_this_one_works() -> None:
    busy = threading.Event()

    def items() -> Iterator[int]:
        yield 0
        busy.set()
        yield 1

    numbers = ahead(items(), most=1)
    assert next(numbers) == 0
    assert busy.wait(5)
    assert list(numbers) == [1]


def test_error_of_an_item_is_raised_behind_those_before_it() -> None:
    def items() -> Iterator[int]:
        yield from range(3)
        raise ValueError("the disk is gone")

    numbers = ahead(items(), most=8)
    assert [next(numbers) for _ in range(3)] == [0, 1, 2]
    with pytest.raises(ValueError, match="the disk is gone"):
        next(numbers)


def test_closing_early_ends_the_thread_even_where_it_waits_for_a_place() -> None:
    made: list[int] = []

    def items() -> Iterator[int]:
        for number in range(10**6):
            made.append(number)
            yield number

    with closing(ahead(items(), most=2)) as numbers:
        assert next(numbers) == 0
    assert len(made) < 10


def test_sink_works_in_order_and_has_done_all_at_the_end() -> None:
    done: list[int] = []

    def work(number: int) -> None:
        time.sleep(0.001)
        done.append(number)

    with Sink(work, most=2) as sink:
        for number in range(30):
            sink.put(number)
            assert number - len(done) <= 4
    assert done == list(range(30))


def test_error_of_the_work_is_raised_by_a_later_put_and_ends_the_work() -> None:
    done: list[int] = []

    def work(number: int) -> None:
        if number == 2:
            raise ValueError("no space is left")
        done.append(number)

    def put_all() -> None:
        with Sink(work, most=1) as sink:
            for number in range(1000):
                sink.put(number)
            done.append(-1)

    with pytest.raises(ValueError, match="no space is left"):
        put_all()
    assert done == [0, 1]


def test_error_of_the_last_item_is_raised_at_the_end_of_the_block() -> None:
    def work(number: int) -> None:
        time.sleep(0.02)
        raise ValueError("no space is left")

    with pytest.raises(ValueError, match="no space is left"), Sink(work, most=4) as sink:
        sink.put(0)


def test_block_that_ends_with_an_error_leaves_what_waits_undone() -> None:
    done: list[int] = []

    def work(number: int) -> None:
        time.sleep(0.05)
        done.append(number)

    def put_all() -> None:
        with Sink(work, most=20) as sink:
            for number in range(20):
                sink.put(number)
            raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        put_all()
    assert len(done) <= 2
