"""Where the work runs: in this process, or on local processes."""

import os
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context
from typing import TypeVar

from unmask.errors import InvalidInputError, UnmaskError

Item = TypeVar("Item")
Result = TypeVar("Result")


class WorkerLostError(UnmaskError):
    """A worker process died: killed, or out of memory."""


class Executor(ABC):
    """A way of calling one function on many items."""

    @abstractmethod
    def map(
        self, work: Callable[[Item], Result], items: Sequence[Item]
    ) -> Iterator[tuple[int, Result]]:
        """Yield (position, result) of each item as it is done, in any order."""


class InThisProcess(Executor):
    """One item after the other, in this process."""

    def map(
        self, work: Callable[[Item], Result], items: Sequence[Item]
    ) -> Iterator[tuple[int, Result]]:
        """Yield (position, result) of each item in order."""
        return ((position, work(item)) for position, item in enumerate(items))


class OnProcesses(Executor):
    """Several processes of this machine, one thread each.

    Args:
        workers: how many processes.
    """

    def __init__(self, workers: int) -> None:
        self.workers = workers

    def map(
        self, work: Callable[[Item], Result], items: Sequence[Item]
    ) -> Iterator[tuple[int, Result]]:
        """Yield (position, result) of each item as it is done.

        Raises:
            WorkerLostError: if a process dies; what was yielded before is not lost.
        """
        pool = ProcessPoolExecutor(
            self.workers, get_context("spawn"), initializer=_one_thread_a_process
        )
        running: dict[Future[Result], int] = {}
        ahead = iter(enumerate(items))
        try:
            while True:
                # Few are handed out ahead, so that an interruption has little to wait for.
                while len(running) < 2 * self.workers and (next_one := next(ahead, None)):
                    running[pool.submit(work, next_one[1])] = next_one[0]
                if not running:
                    break
                for future in wait(running, return_when=FIRST_COMPLETED).done:
                    yield running.pop(future), future.result()
        except BrokenProcessPool:
            raise WorkerLostError(
                "every worker process must live until its work is done, but one was killed (out of "
                "memory?); run the same command again to continue, with fewer workers"
            ) from None
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


def executor_for(workers: int) -> Executor:
    """Return the executor with that many workers; 0 takes one for each core, 1 this process.

    Raises:
        InvalidInputError: if workers is negative.
    """
    if workers < 0:
        raise InvalidInputError(
            f"workers must be 0 (all cores) or more, got {workers}; leave it out for all cores"
        )
    count = (
        workers or len(os.sched_getaffinity(0))
        if hasattr(os, "sched_getaffinity")
        else (workers or os.cpu_count() or 1)
    )
    return InThisProcess() if count == 1 else OnProcesses(count)


def _one_thread_a_process() -> None:
    os.environ["OMP_NUM_THREADS"] = "1"
    os.environ["POLARS_MAX_THREADS"] = "1"
    import cv2

    cv2.setNumThreads(1)
