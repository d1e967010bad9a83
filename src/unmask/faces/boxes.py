"""Arithmetic on boxes: arrays (N, 4) of left, top, right, bottom in pixels."""

import numpy as np
from numpy.typing import NDArray

Boxes = NDArray[np.float64]
Scores = NDArray[np.floating]

SMALLEST_AREA = 1e-9  # keeps a box that has shrunk to nothing from dividing by zero


SAME = 0.5  # overlap from which on two boxes show one face


def squared(boxes: Boxes, *, scale: float = 1.0) -> Boxes:
    """Return boxes made square about their centres: the longer side, times `scale`.

    Example:
        >>> squared(np.array([[0.0, 0.0, 4.0, 2.0]])).tolist()
        [[0.0, -1.0, 4.0, 3.0]]
    """
    centres = (boxes[:, :2] + boxes[:, 2:]) / 2
    half = (boxes[:, 2:] - boxes[:, :2]).max(axis=1, keepdims=True) * (scale / 2)
    squares: Boxes = np.concatenate([centres - half, centres + half], axis=1)
    return squares


def corrected(boxes: Boxes, corrections: Scores) -> Boxes:
    """Return boxes whose edges moved by fractions (N, 4) of their width and height."""
    sides = boxes[:, 2:] - boxes[:, :2]
    moved: Boxes = boxes + corrections * np.concatenate([sides, sides], axis=1)
    return moved


def overlaps(first: Boxes, second: Boxes, *, of_smaller: bool = False) -> Boxes:
    """Return how much each pair of boxes shares, in [0, 1].

    Args:
        first: N boxes.
        second: M boxes.
        of_smaller: whether the shared area is divided by the smaller box's, not by the union's.

    Returns:
        An (N, M) array.

    Example:
        >>> box = np.array([[0.0, 0.0, 2.0, 2.0]])
        >>> overlaps(box, box + [1, 0, 1, 0]).round(2).tolist()
        [[0.33]]
    """
    left, top, right, bottom = first.T[:, :, None]
    width = np.minimum(right, second[:, 2]) - np.maximum(left, second[:, 0])
    height = np.minimum(bottom, second[:, 3]) - np.maximum(top, second[:, 1])
    shared = np.maximum(width, 0) * np.maximum(height, 0)
    areas, others = (right - left) * (bottom - top), _areas(second)
    whole = np.minimum(areas, others) if of_smaller else areas + others - shared
    shares: Boxes = shared / np.maximum(whole, SMALLEST_AREA)
    return shares


def suppress(
    boxes: Boxes, scores: Scores, most: float, *, of_smaller: bool = False
) -> NDArray[np.intp]:
    """Return which boxes stay, best first: those that no better one that stays overlaps too much.

    This is greedy non-maximum suppression without its loop over boxes: every box looks at once at
    the better ones that stay. Each round settles at least one more box, mostly all of them.

    Args:
        boxes: N boxes.
        scores: of each box; of equal ones the earlier box counts as better.
        most: the overlap above which the worse box goes.
        of_smaller: see `overlaps`.
    """
    order = np.argsort(-scores, kind="stable")
    if len(order) < 2:
        return order
    ranked = boxes[order]
    covers = np.tril(overlaps(ranked, ranked, of_smaller=of_smaller) > most, -1)
    stays = np.ones(len(order), bool)
    while True:
        after = ~np.any(covers & stays, axis=1)
        if np.array_equal(after, stays):
            return order[stays]
        stays = after


def _areas(boxes: Boxes) -> Boxes:
    areas: Boxes = (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])
    return areas
