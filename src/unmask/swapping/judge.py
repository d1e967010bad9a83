"""What a swap is worth, in figures: whose face it shows, in which pose, and what it left alone."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import cv2
import numpy as np

from unmask.contracts import Image
from unmask.errors import InvalidInputError
from unmask.faces.landmarks import Landmarks, face_at, find_landmarks, shows_face
from unmask.faces.masks import is_forged
from unmask.faces.topology import Points, contours_of, eye_distance
from unmask.files import write_whole
from unmask.metrics.likeness import WINDOW, ssim
from unmask.swapping.face_set import FaceSet
from unmask.swapping.identity import (
    Embeddings,
    check_embedder,
    distances,
    embeddings,
    mean_distance,
)
from unmask.swapping.pose import angle_between, head_pose
from unmask.video.read import read_frames
from unmask.video.sample import evenly_spaced


@dataclass(frozen=True)
class SwapFigures:
    """The figures of one swap; None where no frame tells.

    Distances of identity are Euclidean ones of dlib's embeddings, which lie below 0.6 for most
    pairs of pictures of one person; each is a mean over all pairs of a swapped face and a face of
    that person.

    Args:
        frames: of the original that show the face and were looked at.
        swapped: of these, in which the face was replaced.
        found: of these, in which a face is found again.
        to_source: the distance of the swapped faces to those of the source.
        to_target: their distance to those of the target.
        apart: the distance between the real faces of both, for comparison.
        nearer_to_source: the share of the swapped faces that are nearer to the source.
        pose_error: how far the head is turned away from the original's, mean in degrees.
        landmark_error: how far the landmarks lie from the original's, mean in distances of the
            eyes.
        surround_ssim: how like the original the pixels are that the mask leaves alone: 1 is equal.
    """

    frames: int
    swapped: int
    found: int
    to_source: float | None
    to_target: float | None
    apart: float
    nearer_to_source: float | None
    pose_error: float | None
    landmark_error: float | None
    surround_ssim: float | None

    def write(self, path: Path) -> None:
        """Write the figures as JSON, whole or not at all."""
        write_whole(path, json.dumps(asdict(self), indent=2).encode() + b"\n")

    def __str__(self) -> str:
        """Return the figures in one line."""
        if self.to_source is None:
            return f"no face was found again in {self.swapped} swapped frames"
        return (
            f"identity {self.to_source:.2f} from the source, {self.to_target:.2f} from the target "
            f"({self.apart:.2f} apart), {self.nearer_to_source:.0%} nearer to the source; "
            f"pose {self.pose_error:.1f} degrees and landmarks {self.landmark_error:.3f} eye "
            f"distances from the original's; surround SSIM {self.surround_ssim:.4f}; "
            f"{self.found} of {self.frames} frames"
        )


@dataclass(frozen=True)
class Swap:
    """The files of a swap.

    Args:
        original: the target's video.
        video: the swapped one.
        mask: the video of its mask.
        landmarks: of the original; None to find them.
    """

    original: Path
    video: Path
    mask: Path
    landmarks: Landmarks | None = None


def judge_swap(swap: Swap, target: FaceSet, source: FaceSet, *, most: int = 24) -> SwapFigures:
    """Return the figures of a swap.

    The landmarks of the swapped faces are found anew in its video, so that they say where the
    face came to be and not where it was meant to be.

    Args:
        swap: its files.
        target: faces of the person who was replaced.
        source: faces of the person who was put in.
        most: how many frames of the clip, and how many faces of each person, are looked at,
            evenly spread.

    Raises:
        MissingDependencyError: if the extra `landmarks` is not installed.
        InvalidInputError: if `most` is below 1, or if there are fewer landmarks than frames.
        NotFoundError: if a file does not exist.
        UnreadableMediaError: if a video cannot be decoded.
    """
    if most < 1:
        raise InvalidInputError(f"most must be 1 frame or more, got {most}; 24 are usual")
    check_embedder()
    known = find_landmarks(swap.original, finder="68") if swap.landmarks is None else swap.landmarks
    sights = list(_sights(swap, known, most))
    found = [sight for sight in sights if sight.after is not None]
    faces = embeddings((sight.image, sight.after) for sight in found if sight.after is not None)
    targets, sources = (_embedded(one, most) for one in (target, source))
    return SwapFigures(
        frames=min(int(shows_face(known).sum()), most),
        swapped=len(sights),
        found=len(found),
        to_source=mean_distance(faces, sources) if found else None,
        to_target=mean_distance(faces, targets) if found else None,
        apart=mean_distance(targets, sources),
        nearer_to_source=_nearer(faces, sources, targets) if found else None,
        pose_error=_mean([sight.turned for sight in found]),
        landmark_error=_mean([sight.moved for sight in found]),
        surround_ssim=_mean([sight.surround for sight in sights]),
    )


def surround_ssim(original: Image, swapped: Image, mask: Image) -> float | None:
    """Return the mean SSIM of two frames where their windows see a pixel that the mask leaves.

    What was replaced takes the original's pixels on both sides, so that it has no say.

    Args:
        original: (H, W, 3) uint8.
        swapped: of the same shape.
        mask: (H, W) uint8, 0 where nothing was to be replaced.

    Returns:
        The mean, or None where the mask covers all of the frame.

    Raises:
        InvalidInputError: as `unmask.metrics.likeness.ssim` does.
    """
    edge = WINDOW // 2
    inside = cv2.erode((mask > 0).astype(np.uint8), np.ones((WINDOW, WINDOW), np.uint8))
    # A window inside the mask alone sees two equal pictures, whose SSIM is 1.
    covered = inside[edge:-edge, edge:-edge] > 0
    if covered.all():
        return None
    both = ssim(original, np.where(mask[..., None] > 0, original, swapped))
    return (both * covered.size - int(covered.sum())) / (covered.size - int(covered.sum()))


@dataclass(frozen=True)
class _Sight:
    """One swapped frame, its landmarks before and after, and how like its surround is."""

    image: Image
    before: Points
    after: Points | None
    surround: float | None

    @property
    def turned(self) -> float | None:
        if self.after is None:
            return None
        return angle_between(head_pose(self.before), head_pose(self.after))

    @property
    def moved(self) -> float | None:
        if self.after is None:
            return None
        off = contours_of(self.before) - contours_of(self.after)
        return float(np.hypot(*off.T).mean()) / eye_distance(self.before)


def _sights(swap: Swap, known: Landmarks, most: int) -> Iterator[_Sight]:
    """Yield the frames that show the face and in which it was replaced."""
    shown = np.flatnonzero(shows_face(known))
    if not len(shown):
        return
    again = find_landmarks(swap.video, finder="68")
    numbers = shown[evenly_spaced(len(shown), min(most, len(shown)))].tolist()
    videos = (read_frames(path, numbers) for path in (swap.original, swap.video, swap.mask))
    for original, swapped, drawn in zip(*videos, strict=True):
        mask = np.asarray(drawn.image[..., 0])
        if is_forged(drawn.image).any():
            yield _Sight(
                image=swapped.image,
                before=known[original.number],
                after=face_at(again, original.number),
                surround=surround_ssim(original.image, swapped.image, mask),
            )


def _embedded(faces: FaceSet, most: int) -> Embeddings:
    places = evenly_spaced(len(faces.images), min(most, len(faces.images)))
    return embeddings((faces.images[place], faces.landmarks[place]) for place in places)


def _nearer(
    faces: Embeddings,
    sources: Embeddings,
    targets: Embeddings,
) -> float:
    near, far = distances(faces, sources).mean(axis=1), distances(faces, targets).mean(axis=1)
    return float((near < far).mean())


def _mean(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return float(np.mean(known)) if known else None
