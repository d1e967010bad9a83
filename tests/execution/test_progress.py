"""Progress is a bar on a terminal, and a line now and then elsewhere."""

import io
import logging
import time
from collections.abc import Callable

import pytest
from rich.console import Console

from unmask.execution import progress as module
from unmask.execution.progress import progress


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> io.StringIO:
    """Return what a terminal of 100 columns is sent."""
    sent = io.StringIO()

    def console(stderr: bool) -> Console:
        assert stderr, "the output stream is for results"
        return Console(file=sent, force_terminal=True, width=100)

    monkeypatch.setattr(module, "Console", console)
    return sent


@pytest.fixture
def wait(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """Return a function that lets seconds pass at once."""
    now = 0.0

    def passing(seconds: float) -> None:
        nonlocal now
        now += seconds

    monkeypatch.setattr(time, "monotonic", lambda: now)
    return passing


def test_a_terminal_shows_how_many_steps_are_done(terminal: io.StringIO) -> None:
    with progress("finding faces", total=7, done=2) as advance:
        advance()
        advance(3)
    assert "finding faces" in terminal.getvalue()
    assert "6/7" in terminal.getvalue()


def test_a_bar_inside_a_bar_shares_its_display(terminal: io.StringIO) -> None:
    with progress("outer", total=1) as outer, progress("inner", total=3) as inner:
        inner(3)
        outer()
    last = terminal.getvalue()
    assert "1/1" in last
    assert "3/3" in last
    with progress("another", total=1):
        pass
    assert "another" in terminal.getvalue()


def test_elsewhere_a_line_comes_every_ten_seconds_and_at_the_end(
    caplog: pytest.LogCaptureFixture, wait: Callable[[float], None]
) -> None:
    caplog.set_level(logging.INFO, logger="unmask")
    with progress("finding faces", total=30, done=5) as advance:
        for _ in range(25):
            wait(1)
            advance()
    assert caplog.messages == [f"finding faces: {done} of 30" for done in (15, 25, 30)]


def test_short_work_says_nothing_elsewhere(
    caplog: pytest.LogCaptureFixture, wait: Callable[[float], None]
) -> None:
    caplog.set_level(logging.INFO, logger="unmask")
    with progress("finding faces", total=3) as advance:
        wait(1)
        advance(3)
    assert caplog.messages == []


def test_pace_of_what_else_is_counted_stands_beside_the_steps(
    caplog: pytest.LogCaptureFixture, wait: Callable[[float], None]
) -> None:
    caplog.set_level(logging.INFO, logger="unmask")
    with progress("attacking", total=3, unit="queries") as advance:
        for amount in (10_000, 2_000, 0):
            wait(10)
            advance(1, amount)
    assert caplog.messages == [
        "attacking: 1 of 3, 1,000 queries a second",
        "attacking: 2 of 3, 600 queries a second",
        "attacking: 3 of 3, 400 queries a second",
    ]


def test_a_terminal_shows_the_pace(terminal: io.StringIO, wait: Callable[[float], None]) -> None:
    with progress("attacking", total=2, unit="queries") as advance:
        wait(2)
        advance(2, 500)
    assert "250 queries a second" in terminal.getvalue()
