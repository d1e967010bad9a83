"""Where the work runs: in this process, or on local processes."""

import os
import pickle
import signal
from abc import ABC, abstractmethod
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager, suppress
from itertools import islice
from multiprocessing import get_context, parent_process, resource_tracker
from multiprocessing.connection import Connection, wait
from threading import Thread
from traceback import format_exc
from typing import Any, Generic, TypeVar

from unmask.errors import InvalidInputError, WorkerLostError

Item = TypeVar("Item")
Result = TypeVar("Result")

# Two threads a worker on two cores take twice the time of one; libraries read these at import.
ONE_THREAD = dict.fromkeys(
    (
        "MKL_NUM_THREADS",
        "OMP_NUM_THREADS",
        "OPENBLAS_NUM_THREADS",
        "OPENCV_FOR_THREADS_NUM",
        "POLARS_MAX_THREADS",
    ),
    "1",
)
SHOWN = 200  # characters of an item in a message


class Executor(ABC):
    """A way of calling one function on many items."""

    @abstractmethod
    def map(
        self, work: Callable[[Item], Result], items: Sequence[Item]
    ) -> Generator[tuple[int, Result], None, None]:
        """Yield (position, result) of each item as it is done, in any order.

        An exception of `work` ends the run; its notes name the item. Closing the generator stops
        the work that is under way.
        """


class InThisProcess(Executor):
    """One item after the other, in this process."""

    def map(
        self, work: Callable[[Item], Result], items: Sequence[Item]
    ) -> Generator[tuple[int, Result], None, None]:
        """Yield (position, result) of each item in order."""
        for position, item in enumerate(items):
            try:
                result = work(item)
            except Exception as error:
                error.add_note(f"while working on {_shown(item)}")
                raise
            yield position, result


class OnProcesses(Executor):
    """Several processes of this machine, one thread each.

    They take 0.2 s to start, and as long again as the import of what the work needs (PyTorch: 3 s).
    They end with this process, even when it is killed, so that a second run finds nobody writing.

    Args:
        workers: how many processes.
    """

    def __init__(self, workers: int) -> None:
        self.workers = workers

    def map(
        self, work: Callable[[Item], Result], items: Sequence[Item]
    ) -> Generator[tuple[int, Result], None, None]:
        """Yield (position, result) of each item as it is done.

        Args:
            work: a function of a module, which other processes can import.
            items: what to work on; it can be pickled, and so can the results.

        Raises:
            WorkerLostError: if a process dies; what was yielded before is not lost.
        """
        ahead = iter(enumerate(items))
        team: list[_Worker[Item, Result]] = []
        try:
            for task in islice(ahead, self.workers):
                team.append(_Worker(work))
                team[-1].take(task)
            while busy := [worker for worker in team if worker.task is not None]:
                ready = wait([worker.connection for worker in busy])
                for worker in busy:
                    if worker.connection in ready:
                        done = worker.result()
                        worker.take(next(ahead, None))
                        yield done
        finally:
            for worker in team:
                worker.dismiss()
            for worker in team:
                worker.process.join()


def executor_for(workers: int) -> Executor:
    """Return the executor with that many workers; 0 takes one for each core, 1 this process.

    Raises:
        InvalidInputError: if workers is negative.
    """
    count = worker_count(workers)
    return InThisProcess() if count == 1 else OnProcesses(count)


def worker_count(workers: int) -> int:
    """Return how many workers are meant: 0 is one for each core that this process may use.

    Raises:
        InvalidInputError: if workers is negative.
    """
    if workers < 0:
        raise InvalidInputError(
            f"workers must be 0 (all cores) or more, got {workers}; leave it out for all cores"
        )
    if workers:
        return workers
    if hasattr(os, "sched_getaffinity"):  # Not on macOS.
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


class _Worker(Generic[Item, Result]):
    """One process, seen from the process that hands out the work."""

    def __init__(self, work: Callable[[Item], Result]) -> None:
        context = get_context("spawn")  # A fork would copy the locks of other threads.
        self.task: tuple[int, Item] | None = None
        self.connection, theirs = context.Pipe()
        self.process = context.Process(target=_serve, args=(theirs, work), daemon=True)
        with _as_workers_start():
            self.process.start()
        theirs.close()  # Now the end of the process is the end of the connection.

    def take(self, task: tuple[int, Item] | None) -> None:
        """Start on a position and its item, or rest."""
        self.task = task
        if task is not None:
            with suppress(ConnectionError):  # A dead process is noticed by its missing result.
                self.connection.send(task[1])

    def result(self) -> tuple[int, Result]:
        """Return the position and the result of the task, or raise what the work raised."""
        assert self.task is not None
        position, item = self.task
        try:
            result, error = self.connection.recv()
        except (EOFError, ConnectionError):
            self.process.join()
            raise _lost(self.process.exitcode, item) from None
        if error is not None:
            raise error
        return position, result

    def dismiss(self) -> None:
        """Let a resting process end, and end a working one."""
        self.connection.close()
        if self.task is not None:
            self.process.terminate()


def _lost(exit_code: int | None, item: object) -> WorkerLostError:
    if exit_code is not None and exit_code < 0:
        end = f"was killed by {signal.Signals(-exit_code).name} (out of memory?)"
        advice = "run the same command again to continue, with fewer workers"
    else:
        end = f"ended with exit code {exit_code}"
        advice = (
            "see what it printed (a script must start its work under `if __name__ == '__main__':`) "
            "and run the same command again to continue"
        )
    return WorkerLostError(
        f"a worker process must live until its work is done, got one that {end} while working on "
        f"{_shown(item)}; {advice}"
    )


@contextmanager
def _as_workers_start() -> Iterator[None]:
    """Let processes start with one thread each, and deaf to Ctrl-C, which their parent handles.

    Both must hold before the first import of a worker, so it inherits them.
    """
    resource_tracker.ensure_running()  # It would unblock the signal if it came up later.
    before = {name: os.environ.get(name) for name in ONE_THREAD}
    os.environ.update(ONE_THREAD)
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def _serve(connection: "Connection[Any, Any]", work: Callable[[Any], Any]) -> None:
    """Work on what comes through the connection until it ends."""
    Thread(target=_end_with_the_parent, daemon=True).start()
    with suppress(EOFError, ConnectionError):
        while True:
            connection.send_bytes(_outcome(work, connection.recv()))


def _end_with_the_parent() -> None:
    parent = parent_process()
    assert parent is not None
    wait([parent.sentinel])
    os._exit(1)


def _outcome(work: Callable[[Any], Any], item: object) -> bytes:
    """Return the pickle of (result, None), or of (None, error) with the traceback in its notes."""
    try:
        return pickle.dumps((work(item), None))
    except Exception as error:
        error.add_note(f"while working on {_shown(item)}, in a worker process:\n{format_exc()}")
        return pickle.dumps((None, _portable(error)))


def _portable(error: Exception) -> Exception:
    """Return the error, or one with the same words if it does not survive pickling."""
    try:
        pickle.loads(pickle.dumps(error))
    except Exception:
        stand_in = RuntimeError(f"{type(error).__name__}: {error}")
        for note in error.__notes__:
            stand_in.add_note(note)
        return stand_in
    return error


def _shown(item: object) -> str:
    text = repr(item)
    return text if len(text) <= SHOWN else f"{text[:SHOWN]}..."
