"""Where the pixels of a training face come from: turned, zoomed, moved, mirrored and warped.

Places in a face are told from its middle, in sides of the face: x and y in [-0.5, 0.5]. So they
mean the same at every size.
"""

from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unmask.swapping.augment import CONTROLS, Draws

Matrices = NDArray[np.float64]  # (B, 2, 3), of affine maps


def ways_back(draws: Draws) -> Matrices:
    """Return the maps from places in the changed faces to those in the faces as they were.

    A face is turned, zoomed and moved first and mirrored afterwards.
    """
    cosine, sine = np.cos(draws.angle) / draws.zoom, np.sin(draws.angle) / draws.zoom
    turn = np.stack([np.stack([cosine, sine], -1), np.stack([-sine, cosine], -1)], axis=1)
    offset = -np.einsum("bij,bj->bi", turn, draws.shift)
    mirror = np.where(draws.flip, -1.0, 1.0)[:, None]
    turn[:, :, 0] *= mirror
    return np.concatenate([turn, offset[:, :, None]], axis=2)


def crop_matrices(back: Matrices, *, share: float, size: int, side: int) -> Matrices:
    """Return the maps from the pixels of the changed faces' crops to those of the faces.

    Args:
        back: of `ways_back`.
        share: of the face's side that is cropped, around its middle.
        size: of the crop in pixels.
        side: of the faces in pixels.
    """
    linear = back[:, :, :2] * (side * share / size)
    corner = np.full(2, (0.5 / size - 0.5) * share)
    offset = side * (back[:, :, :2] @ corner + back[:, :, 2]) + (side - 1) / 2
    return np.concatenate([linear, offset[:, :, None]], axis=2)


def warp_maps(
    back: Matrices, jitter: NDArray[Any], *, share: float, size: int, side: int
) -> NDArray[np.float32]:
    """Return where each pixel of the warped crops comes from: (B, 2, size, size), x then y.

    Control points stand evenly over the crop, from border to border. Each is moved, and the
    pixels between follow linearly.

    Args:
        back: of `ways_back`.
        jitter: (B, 5, 5, 2) how far each control point moves, in sides of the face.
        share: of the face's side that is cropped, around its middle.
        size: of the crop in pixels.
        side: of the faces in pixels.
    """
    along = (np.arange(CONTROLS) / (CONTROLS - 1) - 0.5) * share
    controls = np.stack(np.meshgrid(along, along), axis=-1) + jitter  # (B, 5, 5, 2)
    moved = np.einsum("bij,brcj->birc", back[:, :, :2], controls) + back[:, :, 2, None, None]
    pixels = np.asarray(moved * side + (side - 1) / 2, dtype=np.float32)
    weights = grid_weights(size, CONTROLS)
    return np.asarray(weights @ pixels @ weights.T, dtype=np.float32)


@cache
def grid_weights(size: int, points: int) -> NDArray[np.float32]:
    """Return how much of each point of a grid's side is in each pixel, (size, points).

    The first and the last point lie on the borders of the outermost pixels. For five points these
    are the weights of the published way, which resizes the points to 1.25 times the size and cuts
    the border off.
    """
    places = (np.arange(size) + 0.5) / size * (points - 1)
    distance = np.abs(places[:, None] - np.arange(points))
    return np.asarray(np.maximum(1 - distance, 0), dtype=np.float32)
