"""Which faces each step learns, and the batches of them."""

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
import torch
from torch import Tensor

from unmask.seeding import generator_for
from unmask.swapping.augment import draw
from unmask.swapping.face_set import FaceSet
from unmask.swapping.pair_settings import PairSettings
from unmask.swapping.pictures import Batch, Pictures, Rows
from unmask.swapping.prepared import bytes_of_face, prepare
from unmask.torch_contracts import Autoencoder

MOST_FACES = 8000  # of a side
MOST_BYTES = 2_000_000_000  # of their pictures and masks, which are kept in memory
HELD_OUT = 20  # one face of so many is never learned
RUNS = 8  # pieces that the held-out faces lie in: neighbours in a clip look alike


class Side:
    """Makes the batches of one side, each from its step's number alone.

    Args:
        pictures: of this side's faces.
        settings: of the training.
        number: of the side.
        rank: number of this device, which takes each `world`-th face of a batch.
        world: number of devices.
    """

    def __init__(
        self,
        pictures: Pictures,
        settings: PairSettings,
        number: int,
        *,
        rank: int = 0,
        world: int = 1,
    ) -> None:
        self.pictures, self._settings, self._number = pictures, settings, number
        self._mine = slice(rank, None, world)
        count = len(pictures.faces.images)
        self.held_out = held_out_rows(count, settings.seed, number)
        self.learned = np.setdiff1d(np.arange(count), self.held_out)
        self._order = lru_cache(maxsize=2)(self._new_order)

    def batch(self, step: int) -> Batch:
        """Return what this device learns in a step."""
        random = generator_for(self._settings.seed, "augment", self._number, step)
        draws = draw(random, self._settings.batch)
        return self.pictures.made(self.rows(step)[self._mine], draws[self._mine])

    def rows(self, step: int) -> Rows:
        """Return the faces of a step on all devices: each once before any comes again."""
        count = self._settings.batch
        places = np.arange(step * count, (step + 1) * count)
        epochs, at = np.divmod(places, len(self.learned))
        pairs = zip(epochs.tolist(), at.tolist(), strict=True)
        return np.array([self._order(epoch)[place] for epoch, place in pairs])

    def unchanged(self, most: int) -> Batch:
        """Return so many of the faces held out, evenly over all of them, as they are."""
        count = min(most, len(self.held_out))
        chosen = np.linspace(0, len(self.held_out) - 1, count).round().astype(int)
        return self.pictures.plain(self.held_out[chosen])

    def _new_order(self, epoch: int) -> Rows:
        random = generator_for(self._settings.seed, "order", self._number, epoch)
        return random.permutation(self.learned)


def make_sides(
    sets: Sequence[Sequence[FaceSet]],
    network: Autoencoder,
    settings: PairSettings,
    *,
    rank: int = 0,
    world: int = 1,
) -> list[Side]:
    """Return the sides of an autoencoder, their faces made ready.

    Args:
        sets: the face sets of each side.
        network: whose sizes the faces get.
        settings: of the training.
        rank: number of this device.
        world: number of devices.
    """
    sizes = {"input_size": network.input_size, "output_size": network.output_size}
    largest, whole = max(sizes.values()), settings.paper_quirks
    size = sets[0][0].images.shape[1]
    count = min(MOST_FACES, MOST_BYTES // bytes_of_face(size, largest=largest, whole=whole))
    faces = [
        prepare(one, largest=largest, whole=whole, most=max(1, count // len(one))) for one in sets
    ]
    others = reversed(faces) if settings.warp_to_landmarks else [None] * len(faces)
    shown = [
        Pictures(one, **sizes, settings=settings, others=other)
        for one, other in zip(faces, others, strict=True)
    ]
    return [Side(one, settings, number, rank=rank, world=world) for number, one in enumerate(shown)]


def held_out_rows(count: int, seed: int, side: int) -> Rows:
    """Return the faces that are never learned: a twentieth, in short runs all over the set.

    Neighbours in a clip look alike, so that a face between two that were learned tells little.

    Example:
        >>> held_out_rows(60, seed=0, side=0).size
        3
    """
    total = max(1, count // HELD_OUT)
    random = generator_for(seed, "held out", side)
    edges = np.linspace(0, count, min(RUNS, total) + 1).astype(int)
    lengths = np.diff(np.linspace(0, total, len(edges)).astype(int))
    pieces = zip(edges[:-1], edges[1:], lengths, strict=True)
    runs = [random.integers(low, high - more + 1) + np.arange(more) for low, high, more in pieces]
    return np.concatenate(runs).astype(np.int64)


def as_faces(images: Tensor, device: torch.device) -> Tensor:
    """Return uint8 pictures as values in [0, 1] on a device."""
    return images.to(device, non_blocking=True).float().div_(255)
