"""A picture of a swap before and after, for looking at it."""

from pathlib import Path

import cv2
import numpy as np

from unmask.contracts import Image
from unmask.errors import InvalidInputError
from unmask.faces.landmarks import Landmarks, shows_face
from unmask.swapping.alignment import cut_face, face_matrix
from unmask.swapping.face_set import FaceSet
from unmask.video.picture import write_png
from unmask.video.read import read_frames
from unmask.video.sample import evenly_spaced

SIDE = 192  # pixels of one face
PADDING = 0.6  # of the alignment: shows the head and a little around it
GAP = 4  # pixels


def draw_strip(
    path: Path,
    original: Path,
    swapped: Path,
    landmarks: Landmarks,
    source: FaceSet,
    *,
    moments: int = 6,
    synthetic: str,
) -> Path:
    """Write a PNG of a swap: above the original, in the middle the swap, below the source.

    Args:
        path: of the PNG.
        original: the target's video.
        swapped: the video of the swap.
        landmarks: of the original, (T, K, 2).
        source: faces of the person who was put in; any of them, in no pose that fits.
        moments: how many moments, evenly spread over the frames with a face.
        synthetic: how the swap was made, for the synthetic mark.

    Returns:
        The path.

    Raises:
        InvalidInputError: if no frame shows the face, or `moments` is below 1.
    """
    shown = np.flatnonzero(shows_face(landmarks))
    if not len(shown) or moments < 1:
        raise InvalidInputError(
            f"a strip must show 1 moment or more, got {moments} of {len(shown)} frames with a "
            "face; choose another clip"
        )
    count = min(moments, len(shown))
    numbers = shown[evenly_spaced(len(shown), count)].tolist()
    rows = [_faces(video, landmarks, numbers) for video in (original, swapped)]
    places = evenly_spaced(len(source.images), min(count, len(source.images)))
    rows.append([cv2.resize(source.images[place], (SIDE, SIDE)) for place in places])
    return write_png(path, _sheet(rows, count), synthetic=synthetic)


def _faces(video: Path, landmarks: Landmarks, numbers: list[int]) -> list[Image]:
    return [
        cut_face(frame.image, face_matrix(landmarks[frame.number], SIDE, padding=PADDING), SIDE)
        for frame in read_frames(video, numbers)
    ]


def _sheet(rows: list[list[Image]], columns: int) -> Image:
    step = SIDE + GAP
    sheet = np.full((len(rows) * step - GAP, columns * step - GAP, 3), 255, np.uint8)
    for row, faces in enumerate(rows):
        for column, face in enumerate(faces):
            top, left = row * step, column * step
            sheet[top : top + SIDE, left : left + SIDE] = face
    return sheet
