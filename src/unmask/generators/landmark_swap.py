"""A face swap by warping the source's face, triangle by triangle, onto the target's landmarks."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from unmask.contracts import FaceFrame, ForgedFrame, Generator, Image
from unmask.errors import InvalidInputError
from unmask.faces.blend import alpha_blend, fill, poisson_blend, soften
from unmask.faces.colour import ColourStatistics, colour_statistics, match_colour
from unmask.faces.mesh import triangulate, warp
from unmask.faces.topology import (
    MESH,
    Points,
    as_complex,
    bare_skin,
    contours_of,
    eye_distance,
    outline,
    region,
    vertices,
)
from unmask.faces.window import corner_of, shrunk, window_around

BLENDINGS = ("feather", "poisson")

# A source frame must fit the pose this much better than the present one to take its place, and
# then fades in over so many frames: a change of frames at every chance flickers.
BETTER = 0.75
FADE_FRAMES = 5
# How much of each new frame goes into the running colour statistics.
COLOUR_SHARE = 0.15
# By how much the contrast of the source's colours is changed at most.
LARGEST_GAIN = 1.2
# How soft the border of the inner mouth is, in distances between the eyes.
LIP_BLUR = 0.02
# From which area on, in squared distances between the eyes, a mouth is open.
OPEN_MOUTH = 0.03
# A source frame whose eyes are open less than this part of the usual is not taken.
OPEN_EYES = 0.8
# A source face is made smaller beforehand if the target's is below this part of its size.
SHRINK_BELOW = 0.67
# The share of a mesh's area that may be turned over before it is triangulated anew.
FOLDED = 0.01


class LandmarkSwap(Generator):
    """Put the source's face onto the target's landmarks, in the target's colours.

    Each target frame takes the source frame whose landmarks are closest after a similarity
    alignment. Inside the lips the target's own picture stays: teeth and tongue of another mouth
    would not follow the speech. Lengths are told in distances between the eyes.

    The mask is the share of the source in each pixel, 0 to 255: 0 is untouched bit for bit, and
    `mask >= 128` is the replaced face as a binary mask. Poisson blending replaces just that.

    Args:
        blending: feather (a soft border) or poisson (the source's gradients in the target).
        erosion: how far inside the face's outline the replaced part begins.
        feather: how wide its soft border is.
        match: whether colours are moved to those of the target.

    Raises:
        InvalidInputError: if the blending is unknown or a length is negative.
    """

    family = "swap"
    needs_source = True

    def __init__(
        self,
        *,
        blending: str = "feather",
        erosion: float = 0.05,
        feather: float = 0.35,
        match: bool = True,
    ) -> None:
        if blending not in BLENDINGS:
            raise InvalidInputError(
                f"blending must be one of {', '.join(BLENDINGS)}, got {blending!r}; choose one"
            )
        for name, value in (("erosion", erosion), ("feather", feather)):
            if value < 0:
                raise InvalidInputError(
                    f"{name} must be 0 or more, got {value}; it is told in distances of the eyes"
                )
        self.blending, self.erosion, self.feather, self.match = blending, erosion, feather, match

    def forge(
        self,
        target: Iterable[FaceFrame],
        source: Sequence[FaceFrame],
        random: np.random.Generator,
    ) -> Iterator[ForgedFrame]:
        """Yield the target's frames with the source's face; nothing is drawn at random."""
        faces: _SourceFaces | None = None
        colours = _SteadyColours()
        for frame in target:
            faces = faces or _SourceFaces(source, _landmarks(frame))
            landmarks = faces.shared(_landmarks(frame))
            image, mask = frame.image.copy(), np.zeros(frame.image.shape[:2], np.uint8)
            window = window_around(vertices(landmarks), 2.0, image)
            if window is not None:
                here = landmarks - corner_of(window)
                image[window], mask[window] = self._swapped(image[window], here, faces, colours)
            yield ForgedFrame(image, mask)

    def _swapped(
        self, image: Image, landmarks: Points, faces: "_SourceFaces", colours: "_SteadyColours"
    ) -> tuple[Image, Image]:
        """Return the picture with the source's face at the landmarks, and the mask."""
        drawn, covered = faces.drawn_at(vertices(landmarks), image.shape[:2])
        mask = self._mask(landmarks, covered)
        skin = _as_image(np.where(mask >= 128, fill(bare_skin(landmarks), mask.shape), 0))
        if self.match and skin.any():
            drawn = colours.matched(drawn, image, skin)
        if self.blending == "feather":
            return alpha_blend(drawn, image, mask), mask
        replaced = _as_image(np.where(mask >= 128, 255, 0))
        return poisson_blend(drawn, image, replaced), replaced

    def _mask(self, landmarks: Points, covered: NDArray[np.bool_]) -> Image:
        unit, shape = eye_distance(landmarks), covered.shape
        face = fill(cv2.convexHull(outline(landmarks))[:, 0], shape)
        soft = soften(
            _as_image(np.where(covered, face, 0)),
            erosion=self.erosion * unit,
            feather=self.feather * unit,
        )
        mouth = region(landmarks, "inner_mouth")
        # A mouth that is all but closed is no hole: its lips are the source's.
        opened = min(cv2.contourArea(mouth) / (OPEN_MOUTH * unit**2 + 1e-6), 1.0)
        hole = cv2.GaussianBlur(fill(mouth, shape), (0, 0), max(LIP_BLUR * unit, 0.3))
        return _as_image(np.minimum(soft, 255 - np.rint(opened * hole)))


class _SourceFaces:
    """The source's frames, ready to be drawn onto landmarks.

    Args:
        frames: frames with landmarks.
        first: the landmarks of the first target frame; they give the size and the scheme.
    """

    def __init__(self, frames: Sequence[FaceFrame], first: Points) -> None:
        counts = {len(_landmarks(frame)) for frame in frames} | {len(first)}
        self.whole_mesh = counts == {MESH}
        self.images: list[Image] = []
        self.points: list[Points] = []
        for frame in _with_open_eyes(frames):
            landmarks = _landmarks(frame)
            scale = eye_distance(first) / max(eye_distance(landmarks), 1e-6)
            scale = scale if scale < SHRINK_BELOW else 1.0
            image, landmarks = shrunk(frame.image, landmarks, scale)
            self.images.append(image)
            self.points.append(vertices(self.shared(landmarks)))
        self.shapes = np.stack([_shape(points) for points in self.points])
        self.triangles = triangulate(vertices(self.shared(first)))
        self.present: int | None = None
        self.leaving: int | None = None
        self.fading = 0

    def shared(self, landmarks: Points) -> Points:
        """Return landmarks in the scheme that source and target share: 478 or 68."""
        return landmarks if self.whole_mesh else contours_of(landmarks)

    def drawn_at(self, points: Points, shape: tuple[int, int]) -> tuple[Image, NDArray[np.bool_]]:
        """Return the fitting source face at mesh vertices, (H, W, 3), and where it is, (H, W)."""
        if _folded(points, self.triangles) > FOLDED:
            self.triangles = triangulate(points)
        self._choose(_shape(points))
        drawn, covered = self._warped(self.present, points, shape)
        if self.fading:
            leaving, _ = self._warped(self.leaving, points, shape)
            share = self.fading / (FADE_FRAMES + 1)
            drawn = _as_image(cv2.addWeighted(leaving, share, drawn, 1 - share, 0))
            self.fading -= 1
        return drawn, covered

    def _choose(self, shape: NDArray[np.complex128]) -> None:
        # Both are centred and of length 1: their product tells how well the best turn fits.
        # (Not by a matrix product, whose threads wait for each other longer than this takes.)
        likeness = np.abs((self.shapes.conj() * shape).sum(axis=1))
        distances = np.sqrt(np.maximum(1 - likeness**2, 0))
        best = int(distances.argmin())
        if self.present is None:
            self.present = best
        elif not self.fading and distances[best] < BETTER * distances[self.present]:
            self.leaving, self.present, self.fading = self.present, best, FADE_FRAMES

    def _warped(
        self, number: int | None, points: Points, shape: tuple[int, int]
    ) -> tuple[Image, NDArray[np.bool_]]:
        assert number is not None
        return warp(self.images[number], self.points[number], points, self.triangles, shape)


class _SteadyColours:
    """Colour matching with running statistics, so that the tone does not flicker."""

    def __init__(self) -> None:
        self.own: ColourStatistics | None = None
        self.wanted: ColourStatistics | None = None

    def matched(self, drawn: Image, target: Image, mask: Image) -> Image:
        own, wanted = colour_statistics(drawn, mask), colour_statistics(target, mask)
        self.own = self.own.towards(own, COLOUR_SHARE) if self.own else own
        self.wanted = self.wanted.towards(wanted, COLOUR_SHARE) if self.wanted else wanted
        return match_colour(drawn, self.own, self.wanted.limited(self.own, LARGEST_GAIN))


def _landmarks(frame: FaceFrame) -> Points:
    assert frame.landmarks is not None  # the contract hands on no others
    return frame.landmarks


def _as_image(made: NDArray[Any]) -> Image:
    return np.asarray(made, dtype=np.uint8)


def _with_open_eyes(frames: Sequence[FaceFrame]) -> list[FaceFrame]:
    """Return the frames in which nobody blinks: lids can be drawn together, but not apart."""

    def opened(frame: FaceFrame) -> float:
        eyes = [region(_landmarks(frame), name) for name in ("left_eye", "right_eye")]
        areas = [cv2.contourArea(eye) for eye in eyes]
        return float(sum(areas)) / max(eye_distance(_landmarks(frame)), 1e-6) ** 2

    openness = [opened(frame) for frame in frames]
    least = OPEN_EYES * float(np.median(openness))
    return [frame for frame, value in zip(frames, openness, strict=True) if value >= least]


def _shape(points: Points) -> NDArray[np.complex128]:
    """Return the points without their place and size."""
    centred = as_complex(points)
    centred = centred - centred.mean()
    return np.asarray(centred / max(float(np.linalg.norm(centred)), 1e-9))


def _folded(points: Points, triangles: NDArray[np.int32]) -> float:
    """Return how much of the mesh's area is turned over."""
    corners = as_complex(points)[triangles]
    edges = corners[:, 1:] - corners[:, :1]
    areas = (edges[:, 0].conj() * edges[:, 1]).imag
    return float(min(areas[areas > 0].sum(), -areas[areas < 0].sum()) / np.abs(areas).sum())
