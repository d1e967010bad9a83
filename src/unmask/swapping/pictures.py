"""What a network is shown of a face and what it is to rebuild, after the changes drawn for it."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from unmask.contracts import Image
from unmask.swapping.augment import Draws, colour_tables, equalise, no_change
from unmask.swapping.landmark_warp import LandmarkWarp
from unmask.swapping.pair_settings import PairSettings
from unmask.swapping.prepared import PreparedFaces
from unmask.swapping.warp import Matrices, crop_matrices, warp_maps, ways_back

JITTER = 5.0  # pixels, the standard deviation of the warp's control points
USUAL_SIZE = 256  # of faces: what the published strengths were made for
EASY = 2  # times smaller: linear interpolation still averages almost all pixels

Rows = NDArray[np.int64]


@dataclass(frozen=True)
class Batch:
    """Faces of one side, uint8.

    Args:
        inputs: (B, 3, in, in) RGB in channels-last, warped.
        targets: (B, 3, out, out) RGB in channels-last.
        masks: (B, 3, out, out), of face, eyes and mouth.
    """

    inputs: Tensor
    targets: Tensor
    masks: Tensor


class Pictures:
    """Makes batches of prepared faces.

    The published steps are to turn, zoom, move and mirror the face, to crop the target, and to
    warp the crop. Here each result is sampled once, through all of them, from the face itself.

    Args:
        faces: of one side.
        input_size: side in pixels of what the network takes.
        output_size: side of what it returns.
        settings: of the training.
        others: faces of the other side, where its landmarks are warped to.
    """

    def __init__(
        self,
        faces: PreparedFaces,
        *,
        input_size: int,
        output_size: int,
        settings: PairSettings,
        others: PreparedFaces | None = None,
    ) -> None:
        self.faces = faces
        self.share = int(faces.size * settings.coverage // 2) * 2 / faces.size
        published_for = faces.size if settings.paper_quirks else USUAL_SIZE
        self._jitter = JITTER / published_for
        self._tiles = max(published_for // 128, 1)
        self._warp = LandmarkWarp(faces.landmarks, others.landmarks) if others else None
        self._input_size, self._output_size = input_size, output_size
        # How many times larger a picture is sampled before its pixels are averaged.
        crop = int(faces.images.shape[1]) * self.share
        quirks = settings.paper_quirks
        self._input_over, self._output_over = (
            max(1, round(crop / size / (1 if quirks else EASY)))
            for size in (input_size, output_size)
        )
        if quirks:
            self._input_over = 1

    def made(self, rows: Rows, draws: Draws) -> Batch:
        """Return faces after the changes that were drawn."""
        return self._batch(rows, draws, self._warp)

    def plain(self, rows: Rows) -> Batch:
        """Return faces that are neither changed nor warped."""
        return self._batch(rows, no_change(len(rows)), None)

    def _batch(self, rows: Rows, draws: Draws, warp: LandmarkWarp | None) -> Batch:
        back = ways_back(draws)
        images = self._equalised(rows, draws)
        tables = colour_tables(draws.colour)[:, None]
        warped = self._warped(images, self._maps(rows, back, draws, warp))
        inputs = _in_rgb(warped, tables, self._input_size)
        targets = _in_rgb(self._cropped(images, back), tables, self._output_size)
        return Batch(_tensor(inputs), _tensor(targets), self._masks(rows, back))

    def _equalised(self, rows: Rows, draws: Draws) -> list[Image]:
        tiles = self._tiles + np.rint(draws.tiles).astype(int) * (self._tiles // 2)
        images: list[Image] = [self.faces.images[row] for row in rows]
        for place in np.flatnonzero(draws.equalised):
            images[place] = equalise(images[place], int(tiles[place]))
        return images

    def _maps(
        self, rows: Rows, back: Matrices, draws: Draws, warp: LandmarkWarp | None
    ) -> NDArray[np.float32]:
        """Return where the pixels of the inputs come from, (B, 2, in, in)."""
        share, side = self.share, self.faces.images.shape[1]
        size = self._input_size * self._input_over
        if warp is None:
            jitter = draws.jitter * self._jitter
            return warp_maps(back, jitter, share=share, size=size, side=side)
        return warp.maps(rows, back, draws, share=share, size=size, side=side)

    def _warped(self, images: list[Image], maps: NDArray[np.float32]) -> Iterable[Any]:
        for image, (x, y) in zip(images, maps, strict=True):
            yield cv2.remap(image, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)

    def _cropped(self, images: list[Image], back: Matrices) -> Iterable[Any]:
        return self._crops(images, back, self._output_size * self._output_over)

    def _crops(self, images: list[Image], back: Matrices, size: int) -> Iterable[Any]:
        flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        matrices = crop_matrices(back, share=self.share, size=size, side=images[0].shape[0])
        for image, matrix in zip(images, matrices, strict=True):
            yield cv2.warpAffine(
                image, matrix, (size, size), flags=flags, borderMode=cv2.BORDER_REPLICATE
            )

    def _masks(self, rows: Rows, back: Matrices) -> Tensor:
        masks = [self.faces.masks[row] for row in rows]
        made = np.stack(list(self._crops(masks, back, self._output_size)))
        # One area after the other in memory, where the loss takes them apart.
        return _tensor(made).contiguous()


def _in_rgb(images: Iterable[Any], tables: NDArray[np.uint8], size: int) -> NDArray[np.uint8]:
    """Return pictures in LAB at their final size and in their final colours, (B, size, size, 3)."""
    made = np.empty((len(tables), size, size, 3), np.uint8)
    for image, table, one in zip(images, tables, made, strict=True):
        is_fitting = image.shape[0] == size
        small = (
            image if is_fitting else cv2.resize(image, (size, size), interpolation=cv2.INTER_AREA)
        )
        cv2.LUT(small, table, dst=one)
    tall = made.reshape(-1, size, 3)  # as one picture: one call for all
    return np.asarray(cv2.cvtColor(tall, cv2.COLOR_LAB2RGB, dst=tall), np.uint8).reshape(made.shape)


def _tensor(images: NDArray[np.uint8]) -> Tensor:
    return torch.from_numpy(images).permute(0, 3, 1, 2)
