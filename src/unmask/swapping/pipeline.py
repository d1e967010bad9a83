"""Work that goes on in other threads, in order and with few items waiting."""

from collections.abc import Callable, Generator, Iterable
from dataclasses import dataclass
from queue import Queue
from threading import Event, Thread
from types import TracebackType
from typing import Generic, Self, TypeVar

Item = TypeVar("Item")


@dataclass(frozen=True)
class _End:
    """Comes after the last item."""

    error: BaseException | None = None


def ahead(items: Iterable[Item], *, most: int) -> Generator[Item, None, None]:
    """Yield the items, while a thread makes those that follow.

    An error of theirs is raised here, behind the items that came before it. An iterator that is
    closed early waits until the thread has made the item that it is at.

    Args:
        items: are made in the thread, one after the other.
        most: how many wait at most.
    """
    queue: Queue[Item | _End] = Queue(most)
    has_left = Event()

    def make() -> None:
        error = None
        try:
            for item in items:
                queue.put(item)
                if has_left.is_set():
                    break
        except BaseException as raised:
            error = raised
        queue.put(_End(error))

    thread = Thread(target=make, daemon=True, name="unmask-ahead")
    thread.start()
    one: Item | _End | None = None
    try:
        while not isinstance(one := queue.get(), _End):
            yield one
    finally:
        has_left.set()
        while not isinstance(one, _End):
            one = queue.get()
        thread.join()
    if one.error is not None:
        raise one.error


class Sink(Generic[Item]):
    """Works on what is put into it in a thread, in order; a context manager.

    The block ends when everything is worked on, or, if it ends with an error, with the item that
    the thread is at. An error of the work is raised by the next `put` or at the end of the block.

    Args:
        work: is called with each item.
        most: how many wait at most; `put` waits for a place.
    """

    def __init__(self, work: Callable[[Item], object], *, most: int) -> None:
        self._work = work
        self._queue: Queue[Item | _End] = Queue(most)
        self._error: BaseException | None = None
        self._has_left = False
        self._thread = Thread(target=self._run, daemon=True, name="unmask-sink")

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def put(self, item: Item) -> None:
        """Hand over an item."""
        self._check()
        self._queue.put(item)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._has_left = kind is not None
        self._queue.put(_End())
        self._thread.join()
        if kind is None:
            self._check()

    def _run(self) -> None:
        while not isinstance(item := self._queue.get(), _End):
            if self._error is None and not self._has_left:
                try:
                    self._work(item)
                except BaseException as error:
                    self._error = error

    def _check(self) -> None:
        if self._error is not None:
            raise self._error
