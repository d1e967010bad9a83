"""Batches of warped faces and of what they were, prepared while the network learns."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from unmask.contracts import Image
from unmask.seeding import generator_for
from unmask.swapping.augment import Draws, colour_tables, draw, equalise, no_change
from unmask.swapping.pair_settings import PairSettings
from unmask.swapping.prepared import PreparedFaces
from unmask.swapping.warp import crop_matrices, warp_maps, ways_back
from unmask.torch_contracts import Autoencoder

JITTER = 5.0  # pixels, the standard deviation of the warp's control points
USUAL_SIZE = 256  # of faces: what the published strengths were made for
HELD_OUT = 20  # one face of so many is never learned
RUNS = 8  # pieces that the held-out faces lie in: neighbours in a clip look alike

Rows = NDArray[np.int64]


@dataclass(frozen=True)
class Batch:
    """Faces of one side, uint8 in channels-last.

    Args:
        inputs: (B, 3, in, in) RGB, warped.
        targets: (B, 3, out, out) RGB.
        masks: (B, 3, out, out), of face, eyes and mouth.
    """

    inputs: Tensor
    targets: Tensor
    masks: Tensor


class Side:
    """Makes the batches of one side, each from its step's number alone.

    Args:
        faces: of this side.
        network: whose sizes they must have.
        settings: of the training.
        number: of the side.
        rank: number of this device, which takes each `world`-th face of a batch.
        world: number of devices.
    """

    def __init__(
        self,
        faces: PreparedFaces,
        network: Autoencoder,
        settings: PairSettings,
        number: int,
        *,
        rank: int = 0,
        world: int = 1,
    ) -> None:
        self._faces, self._settings, self._number = faces, settings, number
        self._input_size, self._output_size = network.input_size, network.output_size
        self._mine = slice(rank, None, world)
        self.share = int(faces.size * settings.coverage // 2) * 2 / faces.size
        quirks = settings.paper_quirks
        self.jitter = JITTER / (faces.size if quirks else USUAL_SIZE)
        self._fewest_tiles = max((faces.size if quirks else USUAL_SIZE) // 128, 1)
        crop = faces.images.shape[1] * self.share
        self._over = [
            1 if quirks else max(1, min(2, round(crop / size)))
            for size in (self._input_size, self._output_size)
        ]
        self.held_out = held_out_rows(len(faces.images), settings.seed, number)
        self.learned = np.setdiff1d(np.arange(len(faces.images)), self.held_out)
        self._order = lru_cache(maxsize=2)(self._new_order)

    def batch(self, step: int) -> Batch:
        """Return what this device learns in a step."""
        random = generator_for(self._settings.seed, "augment", self._number, step)
        draws = draw(random, self._settings.batch)
        return self.made(self._rows(step)[self._mine], draws[self._mine])

    def plain(self, rows: Rows) -> Batch:
        """Return faces that are neither changed nor warped."""
        return self.made(rows, no_change(len(rows)))

    def made(self, rows: Rows, draws: Draws) -> Batch:
        """Return faces after the changes that were drawn."""
        back = ways_back(draws)
        images = self._equalised(rows, draws)
        tables = colour_tables(draws.colour)
        targets = self._targets(images, back, tables)
        inputs = self._inputs(images, back, draws, tables)
        return Batch(_tensor(_as_rgb(inputs)), _tensor(_as_rgb(targets)), self._masks(rows, back))

    def _rows(self, step: int) -> Rows:
        """Return the faces of a step on all devices: each once before any comes again."""
        count = self._settings.batch
        places = np.arange(step * count, (step + 1) * count)
        epochs, at = np.divmod(places, len(self.learned))
        return np.array(
            [self._order(epoch)[one] for epoch, one in zip(epochs.tolist(), at, strict=True)]
        )

    def _new_order(self, epoch: int) -> Rows:
        random = generator_for(self._settings.seed, "order", self._number, epoch)
        return random.permutation(self.learned)

    def _equalised(self, rows: Rows, draws: Draws) -> list[NDArray[np.uint8]]:
        fewest = self._fewest_tiles
        tiles = fewest + np.rint(draws.tiles).astype(int) * (fewest // 2)
        return [
            equalise(self._faces.images[row], int(count))
            if is_equalised
            else self._faces.images[row]
            for row, count, is_equalised in zip(rows, tiles, draws.equalised, strict=True)
        ]

    def _targets(
        self,
        images: Sequence[Image],
        back: NDArray[np.float64],
        tables: NDArray[np.uint8],
    ) -> NDArray[np.uint8]:
        size, over = self._output_size, self._over[1]
        made = np.empty((len(images), size, size, 3), np.uint8)
        matrices = self._crops(back, size * over, images[0].shape[0])
        for image, matrix, table, one in zip(images, matrices, tables, made, strict=True):
            _finish(_moved(image, matrix, size * over), size, table, one)
        return made

    def _inputs(
        self,
        images: Sequence[Image],
        back: NDArray[np.float64],
        draws: Draws,
        tables: NDArray[np.uint8],
    ) -> NDArray[np.uint8]:
        size, over = self._input_size, self._over[0]
        made = np.empty((len(images), size, size, 3), np.uint8)
        maps = warp_maps(
            back,
            draws.jitter * self.jitter,
            share=self.share,
            size=size * over,
            side=images[0].shape[0],
        )
        for image, (x, y), table, one in zip(images, maps, tables, made, strict=True):
            warped = cv2.remap(image, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
            _finish(warped, size, table, one)
        return made

    def _masks(self, rows: Rows, back: NDArray[np.float64]) -> Tensor:
        size, masks = self._output_size, self._faces.masks
        made = np.empty((len(rows), size, size, 3), np.uint8)
        matrices = self._crops(back, size, masks.shape[1])
        for row, matrix, one in zip(rows, matrices, made, strict=True):
            one[:] = _moved(masks[row], matrix, size)
        return _tensor(made)

    def _crops(self, back: NDArray[np.float64], size: int, side: int) -> NDArray[np.float64]:
        return crop_matrices(back, share=self.share, size=size, side=side)


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
    starts = [
        random.integers(low, high - length + 1)
        for low, high, length in zip(edges[:-1], edges[1:], lengths, strict=True)
    ]
    runs = [start + np.arange(length) for start, length in zip(starts, lengths, strict=True)]
    return np.concatenate(runs).astype(np.int64)


def as_faces(images: Tensor, device: torch.device) -> Tensor:
    """Return uint8 pictures as values in [0, 1] on a device."""
    return images.to(device, non_blocking=True).float().div_(255)


def _moved(image: NDArray[np.uint8], matrix: NDArray[np.float64], size: int) -> NDArray[np.uint8]:
    moved: NDArray[np.uint8] = cv2.warpAffine(  # type: ignore[assignment]
        image,
        matrix,
        (size, size),
        flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_REPLICATE,
    )
    return moved


def _finish(
    image: cv2.typing.MatLike, size: int, table: NDArray[np.uint8], into: NDArray[np.uint8]
) -> None:
    """Write a picture at its final size and in its final colours."""
    small = cv2.resize(image, (size, size), interpolation=cv2.INTER_AREA)
    cv2.LUT(small, table[None], dst=into)


def _as_rgb(images: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return pictures (B, S, S, 3) in LAB as RGB, all in one call."""
    tall = images.reshape(-1, *images.shape[2:])
    return np.asarray(cv2.cvtColor(tall, cv2.COLOR_LAB2RGB), np.uint8).reshape(images.shape)


def _tensor(images: NDArray[np.uint8]) -> Tensor:
    return torch.from_numpy(images).permute(0, 3, 1, 2)
