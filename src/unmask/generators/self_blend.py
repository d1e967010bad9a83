"""A forgery from one picture: the face blended into itself after small changes."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from unmask.contracts import FaceFrame, ForgedFrame, Generator, Image
from unmask.errors import InvalidInputError
from unmask.faces.blend import alpha_blend, fill
from unmask.faces.topology import (
    MEAN_FACE,
    Points,
    contours_of,
    moved,
    outline,
    similarity,
)
from unmask.faces.window import corner_of, window_around

RATIOS = (0.25, 0.5, 0.75, 1.0, 1.0, 1.0)

# The mask is drawn in the coordinates of the mean face, where the eyes are one apart, on a canvas
# that reaches this far from the middle of the eyes, at so many pixels a unit.
CANVAS = (-2.0, -2.0, 2.0, 2.8)  # left, top, right, bottom
PIXELS = 32
# How far beyond the face's outline the mask may reach.
MARGIN = 0.7

# The largest changes at strength 1: lengths in distances between the eyes, colours in grey levels.
SHIFT = (0.05, 0.1)
STRETCH = 0.05
COLOUR_SHIFT = 15.0
BRIGHTNESS = 15.0
CONTRAST, SATURATION, VALUE = 0.1, 0.15, 0.05
HUE = np.radians(5)
SHARPENING, SHRINKING = 0.8, 2.2
BEND = 0.06
# The two blurs of the mask, in distances between the eyes.
EATEN, SOFTENED = (0.02, 0.12), (0.05, 0.2)
# How much of these the slow drift within a clip may reach, and how long one swing of it takes.
DRIFT, SECONDS = 0.15, (2.0, 5.0)


class SelfBlend(Generator):
    """Blend each face into itself: no other person, only the traces that a blend leaves.

    The source is the frame itself after a change of colour, a sharpening or a loss of resolution,
    and a small stretch and shift; the mask is the face's outline, bent and softened. All of it is
    drawn once for a clip, moves with the face, and drifts slowly, so that nothing flickers.

    The paper changes either the source or the target; here always the source, as only so the
    picture outside the mask is bit-identical to the filmed one. Hue and saturation are changed
    by a linear map of RGB. The mask tells the place: 255 well inside the blended region, falling
    to 0 at its border; the share of the source is the mask times the drawn ratio.

    Args:
        strength: how large the changes are: 1 as published in kind, 0 none at all.
        ratio: the share of the source inside the mask, in (0, 1]; 0 draws it from 1/4, 1/2, 3/4
            and, three times as likely, 1.

    Reference:
        Shiohara and Yamasaki, "Detecting Deepfakes with Self-Blended Images", CVPR 2022,
        section 3. https://arxiv.org/abs/2204.08376

    Raises:
        InvalidInputError: if strength or ratio is out of range.
    """

    family = "blend"
    needs_source = False

    def __init__(self, *, strength: float = 1.0, ratio: float = 0.0) -> None:
        for name, value in (("strength", strength), ("ratio", ratio)):
            if not 0 <= value <= 1:
                raise InvalidInputError(
                    f"{name} must lie in [0, 1], got {value}; leave it out for the usual value"
                )
        self.strength, self.ratio = strength, ratio

    def forge(
        self,
        target: Iterable[FaceFrame],
        source: Sequence[FaceFrame],
        random: np.random.Generator,
    ) -> Iterator[ForgedFrame]:
        """Yield the target's frames, each with its face blended into itself."""
        changes = _drawn(random, self.strength)
        ratio = self.ratio or float(random.choice(RATIOS))
        for frame in target:
            assert frame.landmarks is not None  # the contract hands on no others
            yield _blended(frame, frame.landmarks, changes, ratio)


Drift = Callable[[float], NDArray[np.float64]]


@dataclass(frozen=True)
class _Changes:
    """What is done to the face of one clip; the functions of time change little by little.

    Args:
        geometry: shift x, y and stretch x, y in the coordinates of the mean face.
        colour: shifts of R, G, B, then brightness, contrast, saturation, value, hue.
        sharpening: how much of the fine detail is added.
        shrinking: by how much the picture is made smaller and enlarged again, 1 or more.
        bend: (displacements, frequencies, phases) of the waves that bend the outline.
        blurs: the two blurs of the mask, in the coordinates of the mean face.
    """

    geometry: Drift
    colour: Drift
    sharpening: float
    shrinking: float
    bend: tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]
    blurs: tuple[float, float]


def _drawn(random: np.random.Generator, strength: float) -> _Changes:
    geometry = _drift(random, strength * np.array([*SHIFT, STRETCH, STRETCH]))
    limits = [COLOUR_SHIFT] * 3 + [BRIGHTNESS, CONTRAST, SATURATION, VALUE, HUE]
    colour = _drift(random, strength * np.array(limits))
    sharper = random.random() < 0.5
    amount = strength * random.uniform(0.3, 1.0)
    waves = 4
    bend = (
        strength * random.normal(0, BEND, (waves, 2)),
        random.uniform(2.0, 5.0, (waves, 1)) * _directions(random, waves),
        random.uniform(0, 2 * np.pi, waves),
    )
    first, second = random.uniform(*EATEN), random.uniform(*SOFTENED)
    return _Changes(
        geometry,
        colour,
        sharpening=SHARPENING * amount if sharper else 0.0,
        shrinking=1.0 if sharper else 1.0 + (SHRINKING - 1) * amount,
        bend=bend,
        blurs=(first, second),
    )


def _drift(random: np.random.Generator, limits: NDArray[np.float64]) -> Drift:
    """Return values within `limits`, drawn once, that swing slowly by a small part of them."""
    middle = random.uniform(-1, 1, len(limits)) * (1 - DRIFT)
    speed = 2 * np.pi / random.uniform(*SECONDS, len(limits))
    phase = random.uniform(0, 2 * np.pi, len(limits))
    return lambda time: np.asarray(limits * (middle + DRIFT * np.sin(speed * time + phase)))


def _directions(random: np.random.Generator, count: int) -> NDArray[np.float64]:
    angles = random.uniform(0, 2 * np.pi, count)
    return np.stack([np.cos(angles), np.sin(angles)], axis=1)


def _blended(frame: FaceFrame, landmarks: Points, changes: _Changes, ratio: float) -> ForgedFrame:
    to_pixels, polygon = similarity(MEAN_FACE, contours_of(landmarks)), outline(landmarks)
    image, mask = frame.image.copy(), np.zeros(frame.image.shape[:2], np.uint8)
    window = window_around(polygon, MARGIN * float(np.hypot(*to_pixels[:, 0])), image)
    if window is not None:
        to_pixels[:, 2] -= corner_of(window)
        here = image[window]
        mask[window] = _mask(polygon - corner_of(window), to_pixels, changes, here.shape[:2])
        source = _changed(here, to_pixels, changes, frame.time)
        share = np.rint(mask[window] * ratio).astype(np.uint8)
        image[window] = alpha_blend(source, here, share)
    return ForgedFrame(image, mask)


def _changed(image: Image, to_pixels: NDArray[np.float64], changes: _Changes, time: float) -> Image:
    """Return the source: the picture after all changes."""
    height, width = image.shape[:2]
    way = _through_face(to_pixels, changes.geometry(time))
    made = cv2.warpAffine(image, way, (width, height), borderMode=cv2.BORDER_REPLICATE)
    if changes.shrinking > 1:
        size = (round(width / changes.shrinking) or 1, round(height / changes.shrinking) or 1)
        made = cv2.resize(made, size, interpolation=cv2.INTER_AREA)
        made = cv2.resize(made, (width, height), interpolation=cv2.INTER_LINEAR)
    if changes.sharpening:
        soft = cv2.GaussianBlur(made, (0, 0), 1.5)
        made = cv2.addWeighted(made, 1 + changes.sharpening, soft, -changes.sharpening, 0)
    return np.asarray(cv2.transform(made, _colour_matrix(changes.colour(time))), dtype=np.uint8)


def _through_face(
    to_pixels: NDArray[np.float64], geometry: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return the 2x3 matrix that shifts and stretches in the coordinates of the mean face."""
    x, y, wider, higher = geometry
    # The middle of the face, and not that of the eyes, stays where it is.
    change = np.array([[1 + wider, 0, x], [0, 1 + higher, y - higher * 0.6], [0, 0, 1]])
    whole = np.vstack([to_pixels, [0, 0, 1]])
    return np.asarray((whole @ change @ np.linalg.inv(whole))[:2])


def _colour_matrix(colour: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the 3x4 matrix that changes RGB in grey levels."""
    brightness, contrast, saturation, value, hue = colour[3:]
    # Hue turns colours around the grey diagonal; saturation moves them away from it.
    axis = np.full(3, 1 / np.sqrt(3))
    turn, _ = cv2.Rodrigues(axis * hue)
    grey = np.full((3, 3), 1 / 3)
    matrix = (1 + value) * (1 + contrast) * (grey + (1 + saturation) * (np.eye(3) - grey)) @ turn
    offset = colour[:3] + brightness - 128 * contrast
    return np.column_stack([matrix, offset])


def _mask(
    polygon: Points, to_pixels: NDArray[np.float64], changes: _Changes, shape: tuple[int, int]
) -> Image:
    """Return the bent, softened outline as a mask (H, W)."""
    left, top, right, bottom = CANVAS
    size = round((bottom - top) * PIXELS), round((right - left) * PIXELS)
    from_canvas = np.array([[1 / PIXELS, 0, left], [0, 1 / PIXELS, top], [0, 0, 1]])
    way = to_pixels @ from_canvas
    bent = _bent(moved(polygon, cv2.invertAffineTransform(to_pixels)), changes)
    drawn = fill((bent - (left, top)) * PIXELS, size)
    first, second = (blur * PIXELS for blur in changes.blurs)
    # What the first blur has touched is taken away: it eats the border, the second softens it.
    eaten = np.where(cv2.GaussianBlur(drawn, (0, 0), first) == 255, drawn, 0).astype(np.uint8)
    soft = cv2.GaussianBlur(eaten, (0, 0), second)
    return np.asarray(cv2.warpAffine(soft, way, (shape[1], shape[0])), dtype=np.uint8)


def _bent(polygon: Points, changes: _Changes) -> NDArray[np.float64]:
    displacements, frequencies, phases = changes.bend
    return np.asarray(polygon + np.sin(polygon @ frequencies.T + phases) @ displacements)
