"""The warp of a face towards one of the other person, which dfaker has in place of a random one."""

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import LinearNDInterpolator
from scipy.spatial import cKDTree

from unmask.swapping.alignment import JAW
from unmask.swapping.augment import Draws
from unmask.swapping.warp import Matrices, grid_weights

CLOSEST = 10  # faces of the other person, one of which a face is warped towards
NOISE = 2 / 256  # sides of the face: the standard deviation of each landmark
COARSE = 33  # places along a side where the warp is found; between them it is linear

Places = NDArray[np.float64]  # (..., 2), from the middle of the face, in sides of the face


class LandmarkWarp:
    """Says where the pixels of one person's warped faces come from.

    Each landmark goes to that of a face of the other person, one of those that are most alike,
    and a little beside it. Corners and middles of the crop's borders stay. Places between follow
    linearly, in triangles.

    Args:
        own: landmarks (N, 68, 2) of this person, as places.
        others: landmarks (M, 68, 2) of the other person.
    """

    def __init__(self, own: Places, others: Places) -> None:
        self._own, self._others = own, others
        count = min(CLOSEST, len(others))
        flat = others.reshape(len(others), -1)
        _, found = cKDTree(flat).query(own.reshape(len(own), -1), k=range(1, count + 1))
        self._closest = found  # (N, count)

    def maps(
        self,
        rows: NDArray[np.int64],
        back: Matrices,
        draws: Draws,
        *,
        share: float,
        size: int,
        side: int,
    ) -> NDArray[np.float32]:
        """Return where each pixel of the warped crops comes from, as `warp.warp_maps` does.

        Args:
            rows: (B,) which of the own faces.
            back: of `warp.ways_back`.
            draws: of these faces; which of the closest and how far beside it.
            share: of the face's side that is cropped, around its middle.
            size: of the crop in pixels.
            side: of the faces in pixels.
        """
        along = (np.arange(COARSE) / (COARSE - 1) - 0.5) * share
        grid = np.stack(np.meshgrid(along, along), axis=-1)  # (33, 33, 2)
        edges = grid[:: COARSE // 2, :: COARSE // 2].reshape(-1, 2)[[0, 1, 2, 3, 5, 6, 7, 8]]
        weights, maps = grid_weights(size, COARSE), []
        for place, row in enumerate(rows):
            linear, offset = back[place, :, :2], back[place, :, 2]
            chosen = self._closest[row, int(draws.choice[place] * self._closest.shape[1])]
            towards = self._others[chosen] + NOISE * draws.beside[place]
            anchors = edges @ linear.T + offset
            found = _moved(grid @ linear.T + offset, self._own[row], towards, anchors)
            pixels = np.asarray(found * side + (side - 1) / 2, np.float32).transpose(2, 0, 1)
            maps.append(weights @ pixels @ weights.T)
        return np.stack(maps)


def _moved(places: Places, own: Places, towards: Places, anchors: Places) -> Places:
    """Return where places of the warped face come from; outside of the anchors they stay."""
    kept = np.r_[~(_inside(own) | _inside(towards)), np.ones(len(own) - JAW, bool)]
    ends = np.concatenate([towards[kept], anchors])
    ways = np.concatenate([own[kept] - towards[kept], np.zeros_like(anchors)])
    shifts: Any = LinearNDInterpolator(ends, ways, fill_value=0.0)(places)
    return np.asarray(places + shifts)


def _inside(landmarks: Places) -> NDArray[np.bool_]:
    """Return which points of the jaw lie within the rest of the face: they would fold the warp."""
    hull = cv2.convexHull(landmarks[JAW:].astype(np.float32))
    return np.array(
        [cv2.pointPolygonTest(hull, (float(x), float(y)), False) >= 0 for x, y in landmarks[:JAW]]
    )
