"""Find faces with MTCNN: three small networks, each looking closer at what the one before left.

Reference:
    Zhang et al., "Joint Face Detection and Alignment using Multi-task Cascaded Convolutional
    Networks", IEEE Signal Processing Letters 2016. https://arxiv.org/abs/1604.02878
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from unmask.contracts import Image
from unmask.errors import InvalidInputError
from unmask.faces.boxes import Boxes, Scores, corrected, squared, suppress
from unmask.faces.networks import Network, network
from unmask.faces.pyramid import Halves

CELL, STRIDE = 12, 2  # pixels that the first network looks at, and from one cell to the next
LEVEL_FACTOR = 0.709  # from one size of the picture to the next, about the root of one half
# The published overlap of refined boxes is 0.7: it sends the same face to the last network seven
# times instead of three, and on the talkers no face more is found for it.
OVERLAP_IN_LEVEL, OVERLAP_PROPOSED, OVERLAP_REFINED, OVERLAP_FOUND = 0.5, 0.7, 0.5, 0.7
TOGETHER = 4  # pictures of one size go through the networks in groups: more leave the cache


Box = tuple[float, float, float, float]  # left, top, right, bottom in pixels


@dataclass(frozen=True)
class Face:
    """A face in a picture.

    Args:
        box: left, top, right, bottom in pixels; it may reach over the picture's edge.
        landmarks: (5, 2) float32 pixels x, y: left eye, right eye, nose, left mouth corner,
            right mouth corner, left and right as seen in the picture.
        confidence: in [0, 1].
    """

    box: Box
    landmarks: NDArray[np.float32]
    confidence: float


Looked = tuple[Boxes, NDArray[np.float32]]  # boxes, and what a network says about each


class MTCNN:
    """Find faces and their five landmarks, on one thread.

    The last threshold is higher than the published 0.7: on 1,224 frames of 49 real clips that
    keeps all 1,172 faces, the least sure of which has 0.93, and 1 of 13 false boxes.

    Args:
        smallest: the side in pixels of the smallest face to find; half of it takes four times
            as long.
        thresholds: the least confidence after each of the three networks.

    Raises:
        InvalidInputError: if a number makes no sense.
        MissingDependencyError: if the package with the weights is not installed.
    """

    def __init__(
        self, *, smallest: float = 80, thresholds: tuple[float, float, float] = (0.6, 0.7, 0.9)
    ) -> None:
        if not CELL <= smallest < math.inf:
            raise InvalidInputError(
                f"smallest must be {CELL} pixels or more, got {smallest}; "
                "enlarge pictures whose faces are smaller"
            )
        if len(thresholds) != 3 or not all(0 < one < 1 for one in thresholds):
            raise InvalidInputError(
                f"thresholds must be three numbers between 0 and 1, got {thresholds}; "
                "leave them out for those that were measured"
            )
        self.smallest, self.thresholds = smallest, thresholds
        self._least = [math.log(one / (1 - one)) for one in thresholds]
        self._propose, self._refine, self._finish = map(network, ("pnet", "rnet", "onet"))

    def find(self, images: Sequence[Image]) -> list[list[Face]]:
        """Return the faces of each picture, the most confident first.

        Args:
            images: (H, W, 3) uint8 RGB each; those of one size are worked on together.

        Raises:
            InvalidInputError: if a picture has another shape or type.
        """
        found: list[list[Face]] = [[] for _ in images]
        groups: dict[tuple[int, ...], list[int]] = {}
        for position, image in enumerate(images):
            check_image(image)
            groups.setdefault(image.shape, []).append(position)
        for group in groups.values():
            for start in range(0, len(group), TOGETHER):
                few = group[start : start + TOGETHER]
                halves = [Halves(images[position]) for position in few]
                for position, faces in zip(few, self._find(halves), strict=True):
                    found[position] = faces
        return found

    def look_again(self, pictures: Sequence[Halves], boxes: Sequence[Box]) -> list[Face | None]:
        """Return for each box the face that is at about the same place, or None.

        The first network, which searches whole pictures, is left out: where a face was in the
        frame before, this finds it ten times faster.

        Args:
            pictures: one for each box.
            boxes: where the face was.
        """
        squares = [squared(np.array([box])) for box in boxes]
        looked = self._look(self._refine, pictures, squares, self._least[1])
        squares = [squared(corrected(few, told[:, 1:])) for few, told in looked]
        looked = self._look(self._finish, pictures, squares, self._least[2])
        return [next(iter(_faces(*one)), None) for one in looked]

    def _find(self, halves: list[Halves]) -> list[list[Face]]:
        boxes = self._proposals(halves)
        looked = self._look(self._refine, halves, boxes, self._least[1])
        boxes = [_kept(few, told[:, 0], told[:, 1:], OVERLAP_REFINED) for few, told in looked]
        looked = self._look(self._finish, halves, boxes, self._least[2])
        return [_faces(*one) for one in looked]

    def _proposals(self, halves: list[Halves]) -> list[Boxes]:
        """Return for each picture square boxes that may hold a face, from all its sizes."""
        height, width = halves[0].height, halves[0].width
        found: list[list[NDArray[np.float64]]] = [[] for _ in halves]
        scale = CELL / self.smallest
        while min(height, width) * scale >= CELL:
            levels = [half.scaled(scale) for half in halves]
            told = self._propose(np.stack([level for level, _ in levels]))
            for few, maps in zip(found, told, strict=True):
                few.append(_cells(maps, self._least[0], levels[0][1]))
            scale *= LEVEL_FACTOR
        return [
            _kept(rows[:, :4], rows[:, 4], rows[:, 5:], OVERLAP_PROPOSED)
            for few in found
            for rows in [np.concatenate(few) if few else np.empty((0, 9))]
        ]

    def _look(
        self, look: Network, halves: Sequence[Halves], boxes: Sequence[Boxes], least: float
    ) -> list[Looked]:
        """Show a network what is in the boxes of each picture; return what passes."""
        cut = [half.crops(few, look.side) for half, few in zip(halves, boxes, strict=True)]
        if not cut:
            return []
        told = look(np.concatenate([pixels for pixels, _ in cut]))
        looked, start = [], 0
        for _, few in cut:
            own = told[start : start + len(few)]
            start += len(few)
            passed = own[:, 0] >= least
            looked.append((few[passed], own[passed]))
        return looked


def check_image(image: Image) -> None:
    """Refuse what is not a picture.

    Raises:
        InvalidInputError: if it is not (H, W, 3) uint8 with at least one pixel.
    """
    if image.ndim != 3 or image.shape[2] != 3 or image.dtype != np.uint8 or not image.size:
        raise InvalidInputError(
            f"image must be (H, W, 3) uint8 RGB, got {image.shape} {image.dtype}; convert it first"
        )


def _cells(
    told: NDArray[np.float32], least: float, size: tuple[float, float]
) -> NDArray[np.float64]:
    """Return the cells of one level that pass: box, logit and corrections, (N, 9)."""
    y, x = np.nonzero(told[0] >= least)
    corner = np.stack([x, y], axis=1).astype(np.float64) * STRIDE
    cells = np.concatenate([corner, corner + CELL], axis=1)
    logits = told[0, y, x]
    kept = suppress(cells, logits, OVERLAP_IN_LEVEL)
    corrections = told[1:, y[kept], x[kept]].T
    return np.column_stack([cells[kept] * (size * 2), logits[kept], corrections])


def _kept(boxes: Boxes, logits: Scores, corrections: Scores, most: float) -> Boxes:
    """Return the boxes that no better one covers, corrected and made square."""
    kept = suppress(boxes, logits, most)
    return squared(corrected(boxes[kept], corrections[kept]))


def _faces(boxes: Boxes, told: NDArray[np.float32]) -> list[Face]:
    """Return the faces that the last network has found, the most confident first."""
    points = told[:, 5:].reshape(-1, 2, 5).transpose(0, 2, 1)
    landmarks = boxes[:, None, :2] + points * (boxes[:, 2:] - boxes[:, :2])[:, None]
    edges = corrected(boxes, told[:, 1:5])
    return [
        Face(
            tuple(edges[index].tolist()),
            landmarks[index].astype(np.float32),
            float(1 / (1 + np.exp(-told[index, 0]))),
        )
        for index in suppress(edges, told[:, 0], OVERLAP_FOUND, of_smaller=True)
    ]
