"""The face as it looks from the front: mouth, lids, brows and blush, before the head moves."""

import numpy as np
from numpy.typing import NDArray

from unmask.contracts import Image
from unmask.faces.mesh import warp
from unmask.generators.stills_face import (
    BROWS,
    CREASES,
    EYE_TRIANGLES,
    FOREHEAD,
    LOWER_LIDS,
    MESH,
    NOSE_BASE,
    NOSE_BRIDGE,
    OVAL,
    UPPER_LIDS,
    Floats,
    Triangles,
    soft_step,
)
from unmask.generators.stills_gesture import Gesture
from unmask.generators.stills_person import Person

LEAST_MOVE = 0.02  # canvas pixels
MEETING = 0.15  # shut lids meet so far above the lower one, in heights of the eye
RIM = 0.25  # the wet edge of the lower lid, which the upper one covers, in heights of the eye
CREASE_FOLLOWS = 0.3  # of the upper lid's way
TAKEN_OVER = 0.35  # of the way to a key: from here on only its texture is seen
BLUSH_GAIN = np.array([1.02, 0.925, 0.945], dtype=np.float32)


def express(person: Person, gesture: Gesture) -> tuple[Image, Floats]:
    """Return the person's canvas with an expression, and the landmarks (478, 2) on it."""
    points = expressed_points(person, gesture)
    moved = np.abs(points - person.points[:, :2]).max() > LEAST_MOVE
    if not moved and gesture.blush <= 0:
        return person.canvas, points
    canvas = person.canvas.copy()
    if moved:
        _draw_skin(canvas, person, points, shut=max(0.0, gesture.lids - gesture.widened))
        _draw_eyeballs(canvas, person, points, shutting=gesture.lids > gesture.widened)
        for name, share in (("open", gesture.open), ("smile", gesture.smile)):
            if share > 0:
                _draw_key(canvas, person, name, points, min(1.0, share / TAKEN_OVER))
    if gesture.blush > 0:
        gain = 1 + gesture.blush * person.cheeks[:, :, None] * (BLUSH_GAIN - 1)
        canvas = np.clip(np.rint(canvas * gain), 0, 255).astype(np.uint8)
    return canvas, points


def expressed_points(person: Person, gesture: Gesture) -> Floats:
    """Return where the landmarks (478, 2) go, in canvas pixels."""
    neutral = person.points[:, :2]
    points = neutral.copy()
    lower = _lower_face(neutral)
    points[:MESH] += gesture.open * lower * person.keys["open"].shift
    points[:MESH] += gesture.smile * lower * person.keys["smile"].shift
    points[:MESH, 1] -= gesture.brows * person.eye_distance * _forehead(neutral)
    _move_lids(points, neutral, gesture.lids - gesture.widened)
    return points


def _lower_face(neutral: Floats) -> Floats:
    """Return (468, 1) how far each landmark follows the mouth: 0 at the eyes, 1 from the nose."""
    eyes, nose = neutral[NOSE_BRIDGE, 1], neutral[NOSE_BASE, 1]
    start = eyes + 0.35 * (nose - eyes)
    return soft_step(neutral[:MESH, 1:], start, nose)


def _forehead(neutral: Floats) -> Floats:
    """Return (468,) how far each landmark follows the brows."""
    heights = neutral[:MESH, 1]
    brows = neutral[list(BROWS), 1].mean()
    eyes = neutral[list(UPPER_LIDS), 1].mean()
    rising = 1 - soft_step(heights, brows, eyes)
    falling = soft_step(heights, neutral[FOREHEAD, 1], brows)
    share = np.minimum(rising, 0.3 + 0.7 * falling)
    share[list(UPPER_LIDS)] = 0
    share[list(OVAL)] *= 0.3
    return share


def _move_lids(points: Floats, neutral: Floats, shut: float) -> None:
    """Shut the lids by a share, or open them further where it is negative."""
    upper, lower, crease = list(UPPER_LIDS), list(LOWER_LIDS), list(CREASES)
    meeting = neutral[lower] + MEETING * (neutral[upper] - neutral[lower])
    way = shut * (meeting - neutral[upper])
    points[upper] = neutral[upper] + way
    points[lower] = neutral[lower] + shut * (meeting - neutral[lower])
    points[crease] += CREASE_FOLLOWS * way


def _draw_skin(canvas: Image, person: Person, points: Floats, *, shut: float) -> None:
    sources = person.mesh.copy()
    targets = np.concatenate([points[:MESH], sources[MESH:]])
    moved = np.abs(targets - sources).max(axis=1) > LEAST_MOVE
    upper, lower = list(UPPER_LIDS), list(LOWER_LIDS)
    sources[lower] += shut * RIM * (sources[lower] - sources[upper])
    triangles = person.skin[moved[person.skin].any(axis=1)]
    _draw(canvas, person.canvas, sources, targets, triangles)


def _draw_eyeballs(canvas: Image, person: Person, points: Floats, *, shutting: bool) -> None:
    """Draw what the lids leave of the eyeballs, which stay where they are.

    Where the eyes are opened further than in the still, the eyeball is stretched to fill them.
    """
    sources = points[:MESH] if shutting else person.points[:MESH, :2]
    _draw(canvas, person.canvas, sources, points[:MESH], EYE_TRIANGLES)


def _draw_key(canvas: Image, person: Person, name: str, points: Floats, share: float) -> None:
    key = person.keys[name]
    _draw(canvas, key.texture, key.points, points[:MESH], key.triangles, share=share)


def _draw(
    canvas: Image,
    texture: NDArray[np.uint8],
    sources: Floats,
    targets: Floats,
    triangles: Triangles,
    *,
    share: float = 1.0,
) -> None:
    """Draw a mesh into the canvas, through the texture's fourth channel where it has one."""
    corners = targets[triangles].reshape(-1, 2)
    length = canvas.shape[0]
    left, top = np.floor(corners.min(axis=0)).astype(int).clip(0, length)
    right, bottom = np.ceil(corners.max(axis=0) + 1).astype(int).clip(0, length)
    region = canvas[top:bottom, left:right]
    drawn, covered = warp(texture, sources, targets - (left, top), triangles, region.shape[:2])
    if texture.shape[2] == 4:
        opacity = drawn[:, :, 3:].astype(np.float32) * (share / 255)
        region[:] = np.rint(region + (drawn[:, :, :3] - region.astype(np.float32)) * opacity)
    else:
        np.copyto(region, drawn, where=covered[:, :, None])
