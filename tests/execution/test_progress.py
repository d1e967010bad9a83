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
