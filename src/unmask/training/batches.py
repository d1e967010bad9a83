"""Batches of training faces, prepared by threads while the network learns."""

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import torch
from torch import Tensor

from unmask.contracts import Image
from unmask.seeding import generator_for
from unmask.training.augment import Augmentation
from unmask.training.data import Faces
from unmask.training.sampling import Order, Sampler
from unmask.training.store import FaceStore

Input = TypeVar("Input")
Result = TypeVar("Result")
Place = tuple[int, int, int]  # the epoch, the place in its order, and the row of the face
MOST_WORKERS = 8


@dataclass(frozen=True)
class Batch:
    """Faces (N, T, 3, H, W) uint8 in channels-last, and labels (N,)."""

    faces: Tensor
    labels: Tensor


class Plan:
    """Which rows each step takes, from its number alone, so that a run can continue anywhere.

    Args:
        sampler: gives the order of each epoch.
        batch: rows of one batch.
        accumulate: batches of one step on each device.
        rank: number of this device.
        world: number of devices.
    """

    def __init__(
        self, sampler: Sampler, *, batch: int, accumulate: int = 1, rank: int = 0, world: int = 1
    ) -> None:
        self._sampler = sampler
        self._known: tuple[int, Order] = (0, sampler(0))
        self._batch, self._accumulate = batch, accumulate
        self._rank, self._world = rank, world
        self._per_step = batch * accumulate * world
        self.steps_per_epoch = max(1, len(self._known[1]) // self._per_step)

    def places(self, step: int) -> list[list[Place]]:
        """Return the rows of each batch of the step."""
        epoch, part = divmod(step, self.steps_per_epoch)
        if self._known[0] != epoch:
            self._known = (epoch, self._sampler(epoch))
        order = self._known[1]
        found = []
        for number in range(self._accumulate):
            start = part * self._per_step + (number * self._world + self._rank) * self._batch
            # An epoch that is shorter than one step is gone through again and again.
            places = range(start, start + self._batch)
            found.append([(epoch, place, int(order[place % len(order)])) for place in places])
        return found


class Loader:
    """Makes the batches of a plan's steps, the same ones however many threads work.

    Args:
        faces: the training faces.
        plan: which of them each step takes.
        store: where their pictures are.
        size: of the network's input.
        augmentation: what changes the pictures.
        seed: of the run.
        frames: faces of one clip, from a start that is drawn anew each time.
        alike: whether all faces of a clip are changed alike, or each in another way.
        workers: threads; 0 chooses.
    """

    def __init__(
        self,
        faces: Faces,
        plan: Plan,
        store: FaceStore,
        *,
        size: int,
        augmentation: Augmentation,
        seed: int,
        frames: int = 1,
        alike: bool = True,
        workers: int = 0,
    ) -> None:
        self._faces, self._plan, self._store, self._size = faces, plan, store, size
        self._augmentation, self._seed = augmentation, seed
        self._frames, self._alike, self._workers = frames, alike, workers

    def batches(self, first: int, last: int) -> Iterator[list[Batch]]:
        """Yield the batches of each step in [first, last), in order."""
        plans = (self._plan.places(step) for step in range(first, last))
        return ahead(self._made, plans, self._workers)

    def _made(self, step: list[list[Place]]) -> list[Batch]:
        return [self._batch(places) for places in step]

    def _batch(self, places: list[Place]) -> Batch:
        clips = [self._clip(*place) for place in places]
        labels = self._faces.labels[[row for *_, row in places]]
        return Batch(stacked(clips), torch.from_numpy(labels))

    def _clip(self, epoch: int, place: int, row: int) -> list[Image]:
        files, first = self._faces.clips[row], 0
        spare = len(files) - self._frames
        if spare:
            first = int(generator_for(self._seed, "start", epoch, place).integers(spare + 1))
        images = [self._store.face(one, self._size) for one in files[first : first + self._frames]]
        random = generator_for(self._seed, "augment", epoch, place)
        if not self._alike:
            return [self._augmentation(image, random) for image in images]
        change = self._augmentation.drawn(random)
        return [change(image) for image in images]


def stacked(clips: Sequence[Sequence[Image]]) -> Tensor:
    """Return clips of T images (H, W, 3) as (N, T, 3, H, W) uint8 in channels-last."""
    images = torch.from_numpy(np.stack([image for clip in clips for image in clip]))
    return images.view(len(clips), -1, *images.shape[1:]).permute(0, 1, 4, 2, 3)


def as_faces(images: Tensor, device: torch.device) -> Tensor:
    """Return what a detector takes, (N, T, 3, H, W) in [0, 1], of the same as uint8."""
    return images.to(device).float().div_(255)


def ahead(
    work: Callable[[Input], Result], inputs: Iterable[Input], workers: int = 0
) -> Iterator[Result]:
    """Yield work(input) of each input in order, while threads work on those that follow."""
    count = workers or min(MOST_WORKERS, max(1, (os.cpu_count() or 1) // 2))
    waiting: deque[Future[Result]] = deque()
    pool = ThreadPoolExecutor(count, thread_name_prefix="unmask-batches")
    try:
        for one in inputs:
            waiting.append(pool.submit(work, one))
            if len(waiting) > count + 1:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        pool.shutdown(cancel_futures=True)
