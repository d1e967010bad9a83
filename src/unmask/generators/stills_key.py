"""One expression at its full, cut from a sheet and fitted to the neutral face."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from unmask.contracts import Image
from unmask.faces.mesh import warp
from unmask.faces.topology import moved, similarity
from unmask.generators.stills_face import (
    CHEEKS,
    MESH,
    MOUTH_TRIANGLES,
    OUTER_LIPS,
    RING_TRIANGLES,
    STILL,
    Floats,
    Triangles,
    eye_distance,
    skin_triangles,
    soft_step,
    with_ring,
)

# Up to here from the mouth the key is seen alone, and from there on no more, in eye distances.
ALONE, ENDS = 0.10, 0.45
COLOUR_REACH = 0.35  # eye distances over which the gain in colour may vary
DARKEST = 8  # grey levels added before ratios are taken, against noise in the dark
COARSE = 0.25  # scale of the picture at which the gain is worked out


@dataclass(frozen=True, eq=False)
class Key:
    """One expression at its full: where the landmarks go, and what the mouth looks like there.

    Args:
        texture: (C, C, 4) uint8, RGB and how much of it replaces the neutral face.
        points: (468, 2) landmarks in `texture`.
        shift: (468, 2) canvas pixels that each landmark moves from the neutral face.
        triangles: (M, 3) mesh of the part of `texture` that is used.
    """

    texture: NDArray[np.uint8]
    points: Floats
    shift: Floats
    triangles: Triangles


def make_key(name: str, canvas: Image, neutral: Floats, sheet: Image, found: Floats) -> Key:
    """Return one expression of the sheet, in the place and the colours of the neutral face.

    Args:
        name: `smile` takes the cheeks along; any other is of the mouth alone.
        canvas: (C, C, 3) uint8 RGB, the neutral face.
        neutral: (478, 3) landmarks on the canvas.
        sheet: (H, W, 3) uint8 RGB that shows the expression.
        found: (478, 3) landmarks of the expression on the sheet.
    """
    matrix = similarity(
        found[list(STILL), :2].astype(np.float32), neutral[list(STILL), :2].astype(np.float32)
    )
    points = moved(found[:MESH, :2].astype(np.float32), matrix).astype(np.float64)
    size = (canvas.shape[1], canvas.shape[0])
    placed = np.asarray(
        cv2.warpAffine(sheet, matrix, size, flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE),
        dtype=np.uint8,
    )
    opacity = _opacity(name, points, canvas.shape[0], eye_distance(neutral))
    matched = _matched(placed, points, canvas, neutral, opacity)
    texture = np.dstack([matched, np.rint(255 * opacity).astype(np.uint8)])
    shift = (_fitted(found, neutral) - neutral)[:MESH, :2]
    return Key(texture, points, shift, _used_triangles(points, opacity))


def _opacity(name: str, points: Floats, length: int, unit: float) -> NDArray[np.float32]:
    """Return how much of the key is used (C, C) in [0, 1]: the mouth and what moves with it."""
    around = [*OUTER_LIPS, *CHEEKS] if name == "smile" else [*OUTER_LIPS]
    hull = cv2.convexHull(np.rint(points[around]).astype(np.int32))
    outside = cv2.fillConvexPoly(np.full((length, length), 255, np.uint8), hull, 0)
    distance = cv2.distanceTransform(outside, cv2.DIST_L2, cv2.DIST_MASK_PRECISE) / unit
    return soft_step(distance.astype(np.float64), ENDS, ALONE).astype(np.float32)


def _used_triangles(points: Floats, opacity: NDArray[np.float32]) -> Triangles:
    nodes = np.rint(points).astype(int).clip(0, len(opacity) - 1)
    near = cv2.dilate(opacity, np.ones((9, 9), np.uint8))
    used = near[nodes[:, 1], nodes[:, 0]] > 0
    triangles = np.concatenate([skin_triangles(), MOUTH_TRIANGLES])
    return np.asarray(triangles[used[triangles].any(axis=1)])


def _matched(
    picture: Image,
    points: Floats,
    canvas: Image,
    neutral: Floats,
    opacity: NDArray[np.float32],
) -> Image:
    """Return the key's picture in the colours that the neutral face has around the mouth.

    The gain is known on a ring around the lips, where both show the same skin; it is spread from
    there smoothly, so that shades of the light are matched and not only one mean colour.
    """
    triangles = np.concatenate([skin_triangles(), RING_TRIANGLES])
    like, covered = warp(canvas, with_ring(neutral), with_ring(points), triangles, opacity.shape)
    lips = np.zeros(opacity.shape, np.uint8)
    cv2.fillPoly(lips, [np.rint(points[list(OUTER_LIPS)]).astype(np.int32)], 1)
    ring = (covered & (opacity > 0.02) & (opacity < 0.7) & (lips == 0)).astype(np.float32)
    bright = picture.astype(np.float32) + DARKEST
    ratio = np.log((like.astype(np.float32) + DARKEST) / bright) * ring[:, :, None]
    reach = COLOUR_REACH * eye_distance(neutral) * COARSE
    spread, weight = (
        cv2.GaussianBlur(
            cv2.resize(one, None, fx=COARSE, fy=COARSE, interpolation=cv2.INTER_AREA),
            (0, 0),
            reach,
        )
        for one in (ratio, ring)
    )
    gain = np.exp(spread / np.maximum(weight, 1e-3)[:, :, None])
    fine = cv2.resize(gain, picture.shape[1::-1], interpolation=cv2.INTER_LINEAR)
    return np.asarray(np.clip(np.rint(bright * fine - DARKEST), 0, 255), dtype=np.uint8)


def _fitted(found: Floats, neutral: Floats) -> Floats:
    """Return `found` turned in space, scaled and shifted so that its bones lie on the neutral's.

    Reference:
        Umeyama, "Least-squares estimation of transformation parameters between two point
        patterns", PAMI 1991, equations 40 to 43.
    """
    source, target = found[list(STILL)], neutral[list(STILL)]
    centred, wanted = source - source.mean(axis=0), target - target.mean(axis=0)
    left, sizes, right = np.linalg.svd(wanted.T @ centred)
    signs = np.array([1, 1, np.sign(np.linalg.det(left @ right))])
    rotation = left * signs @ right
    scale = (sizes * signs).sum() / (centred**2).sum()
    return np.asarray(scale * (found - source.mean(axis=0)) @ rotation.T + target.mean(axis=0))
