"""The aligned faces of one person, cut once out of all clips and kept as arrays."""

import json
import logging
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import av
import cv2
import numpy as np
from numpy.lib.format import open_memmap
from numpy.typing import NDArray

from unmask.contracts import Image
from unmask.errors import InvalidInputError, NotFoundError, UnmaskError
from unmask.execution.journal import key_of, run_journaled
from unmask.faces.landmarks import read_landmarks, shows_face
from unmask.faces.topology import CONTOURS, MEAN_FACE, contours_of, moved
from unmask.files import write_whole
from unmask.generators.landmark_files import LandmarkFile, Row, content_key, failure
from unmask.swapping.alignment import PADDING, cut_face, face_matrix
from unmask.video.read import LazyFrame, decode
from unmask.video.sample import evenly_spaced

logger = logging.getLogger(__name__)

IMAGES, LANDMARKS, CARD = "images.npy", "landmarks.npy", "face_set.json"
FORM = 1  # to be raised when the same clips and settings give other faces
MARGIN = 3  # pixels of the reduced picture that sampling and halving reach beyond the cut


@dataclass(frozen=True)
class FaceSet:
    """The aligned faces of one person.

    Args:
        images: (N, S, S, 3) uint8 RGB, read from the disk as they are needed.
        landmarks: (N, 68, 2) float32 pixels x, y of these images.
        clips: the ids of the clips that they were cut from.
        sha256: of images and landmarks.
        folder: where they are kept; None if they are not. An array on the disk that is sent to
            another process becomes one in its memory: send the folder.
    """

    images: NDArray[np.uint8]
    landmarks: NDArray[np.float32]
    clips: tuple[str, ...]
    sha256: str
    folder: Path | None = None


@dataclass(frozen=True)
class _Cut:
    """How all clips are cut, and where to."""

    root: Path
    out: Path
    size: int
    padding: float


@dataclass(frozen=True)
class _Task:
    """The faces to cut out of one clip; it travels to another process."""

    row: Row
    landmarks: LandmarkFile
    places: tuple[int, ...]  # among the frames that show the face
    cut: _Cut

    @property
    def part(self) -> Path:
        return self.cut.out / f"{key_of(self.row['id'])}.npy"


def make_face_set(
    rows: Sequence[Row],
    files: Sequence[LandmarkFile],
    root: Path,
    out: Path,
    *,
    size: int = 256,
    most: int = 1000,
    padding: float = PADDING,
    workers: int = 0,
) -> FaceSet:
    """Cut one person's aligned faces out of frames that are spread evenly over all the clips.

    They are kept in a folder of `out` whose name changes with the clips, their landmarks and the
    settings: the same call reads them, another one makes others beside them. Killed at any point,
    it continues. A clip without a face, or one that cannot be decoded, is left out with a warning.

    Args:
        rows: of a catalog, with paths told from `root`; clips of one person.
        files: the landmarks of each of them, as `landmark_files` returns them.
        root: where the paths of the rows and of the landmarks start.
        out: the folder to keep face sets in.
        size: the side of the faces in pixels.
        most: how many faces to cut; all, where there are fewer.
        padding: see `face_matrix`.
        workers: processes; 0 takes one for each core.

    Raises:
        InvalidInputError: if no clip shows a face that can be cut, or a setting is out of range.
    """
    if most < 1:
        raise InvalidInputError(f"most must be 1 face or more, got {most}; 1000 are usual")
    face_matrix(MEAN_FACE, size, padding=padding)  # what it refuses is refused before the work
    settings = {"form": FORM, "size": size, "most": most, "padding": padding}
    contents = [
        [row["id"], content_key(row, root), file.status, file.sha256]
        for row, file in zip(rows, files, strict=True)
    ]
    folder = out / key_of(contents, settings)
    if not folder.is_dir():
        parts = out / f".{folder.name}.part"
        tasks = _tasks(rows, files, most, _Cut(root, parts, size, padding))
        _write(tasks, _cut_all(tasks, parts, workers), settings, parts / "whole")
        (parts / "whole").replace(folder)
        shutil.rmtree(parts)
    return read_face_set(folder)


def read_face_set(folder: Path) -> FaceSet:
    """Return the faces that `make_face_set` has kept in a folder.

    Raises:
        NotFoundError: if the folder holds none.
        InvalidInputError: if its files do not belong together.
    """
    if not (folder / CARD).is_file():
        raise NotFoundError(
            f"a face set must have the file {CARD}, got {folder}; make it with make_face_set"
        )
    try:
        card = json.loads((folder / CARD).read_bytes())
        images = np.load(folder / IMAGES, mmap_mode="r")
        landmarks = np.load(folder / LANDMARKS)
        clips = tuple(clip["id"] for clip in card["clips"])
        found = FaceSet(images, landmarks, clips, card["sha256"], folder)
    except (OSError, ValueError, KeyError, TypeError, EOFError) as error:
        raise _damaged(folder, str(error)) from None
    if landmarks.shape != (len(images), CONTOURS, 2) or len(images) != card["faces"]:
        raise _damaged(folder, f"{images.shape} images and {landmarks.shape} landmarks")
    return found


def _tasks(rows: Sequence[Row], files: Sequence[LandmarkFile], most: int, cut: _Cut) -> list[_Task]:
    """Return the clips that show the face, each with its part of all the faces."""
    shown = [file.faces if file.status == "ok" else 0 for file in files]
    for row, file, count in zip(rows, files, shown, strict=True):
        if not count:
            logger.warning("%s is left out: %s", row["id"], file.reason)
    total = sum(shown)
    if not total:
        raise _no_face(len(rows), files[0].reason if files else "there is no clip")
    starts = np.cumsum([0, *shown[:-1]])
    chosen = np.array(evenly_spaced(total, min(most, total)))
    chunks = np.split(chosen, np.searchsorted(chosen, starts[1:]))
    return [
        _Task(row, file, tuple((chunk - start).tolist()), cut)
        for row, file, chunk, start in zip(rows, files, chunks, starts, strict=True)
        if chunk.size
    ]


def _cut_all(tasks: Sequence[_Task], parts: Path, workers: int) -> list[Row]:
    """Write the faces of each clip that has not been cut before, and return what was made."""
    made = run_journaled(
        tasks,
        _cut_clip,
        key=lambda task: key_of(task.row["id"]),
        journal=parts / "faces.jsonl",
        workers=workers,
        description="faces",
        retry_failed=True,
        files=lambda task, rows: [task.part],
    )
    return [row for (row,) in made]


def _cut_clip(task: _Task) -> list[Row]:
    """Write the faces of one clip, and return of which frames they are."""
    try:
        return [_write_part(task)]
    except (UnmaskError, OSError, av.FFmpegError) as error:
        return [failure(error)]


def _write_part(task: _Task) -> Row:
    points = read_landmarks(task.cut.root / task.landmarks.path)
    shown = np.flatnonzero(shows_face(points))
    size = task.cut.size
    faces = [("image", np.uint8, (size, size, 3)), ("landmarks", np.float32, (CONTOURS, 2))]
    part = open_memmap(task.part, "w+", np.dtype(faces), (len(task.places),))
    frames: list[int] = []
    for frame in decode(task.cut.root / task.row["path"], shown[list(task.places)].tolist()):
        landmarks = contours_of(points[frame.number])
        matrix = face_matrix(landmarks, size, padding=task.cut.padding)
        image = _cut_frame(frame, matrix, size)
        if image is not None:
            part[len(frames)] = image, moved(landmarks, matrix)
            frames.append(frame.number)
    if not frames:
        return {"status": "no_face", "reason": "its faces lie outside of the picture"}
    part.flush()
    return {"status": "ok", "frames": frames}


def _cut_frame(frame: LazyFrame, matrix: NDArray[np.float64], size: int) -> Image | None:
    """Return the face, or None if none of it is in the picture; only what it needs is converted."""
    back = cv2.invertAffineTransform(matrix)
    corners = np.array([[0, 0], [size, 0], [0, size], [size, size]]) @ back[:, :2].T + back[:, 2]
    margin = MARGIN * max(float(np.hypot(*back[:, 0])), 1)
    low, high = corners.min(axis=0) - margin, corners.max(axis=0) + margin
    left, top = np.maximum(np.floor(low), 0).astype(int).tolist()
    right, bottom = np.minimum(np.ceil(high), (frame.width, frame.height)).astype(int).tolist()
    if left >= right or top >= bottom:
        return None
    inner = matrix.copy()
    inner[:, 2] += matrix[:, :2] @ [left, top]
    return cut_face(frame.crop(left, top, right, bottom), inner, size)


def _write(tasks: Sequence[_Task], made: Sequence[Row], settings: Row, folder: Path) -> None:
    """Write the faces of all clips one after the other, and last what they are."""
    whole = [(task, row) for task, row in zip(tasks, made, strict=True) if _is_cut(task, row)]
    if not whole:
        raise _no_face(len(tasks), made[0]["reason"])
    folder.mkdir(parents=True, exist_ok=True)
    total, size = sum(len(row["frames"]) for _, row in whole), settings["size"]
    images = open_memmap(folder / IMAGES, "w+", np.uint8, (total, size, size, 3))
    landmarks = open_memmap(folder / LANDMARKS, "w+", np.float32, (total, CONTOURS, 2))
    start = 0
    for task, row in whole:
        here = slice(start, start + len(row["frames"]))
        part = np.load(task.part, mmap_mode="r")[: len(row["frames"])]
        images[here], landmarks[here] = part["image"], part["landmarks"]
        start = here.stop
    content = sha256(images.data)
    content.update(landmarks.data)
    images.flush()
    landmarks.flush()
    card = {
        "faces": total,
        "sha256": content.hexdigest(),
        "settings": settings,
        "clips": [{"id": task.row["id"], "frames": row["frames"]} for task, row in whole],
    }
    write_whole(folder / CARD, json.dumps(card).encode())


def _is_cut(task: _Task, row: Row) -> bool:
    if row["status"] != "ok":
        logger.warning("%s is left out: %s", task.row["id"], row["reason"])
    return bool(row["status"] == "ok")


def _no_face(clips: int, reason: str | None) -> InvalidInputError:
    return InvalidInputError(
        f"the clips must show a face that can be cut out, got none in {clips} ({reason}); give "
        "clips that show the person"
    )


def _damaged(folder: Path, reason: str) -> InvalidInputError:
    return InvalidInputError(
        f"the files of a face set must belong together, got {reason} in {folder}; delete the "
        "folder and make it again"
    )
