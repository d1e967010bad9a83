"""The landmarks of a catalog's videos: in the files that it names, or found once and kept."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import av

from unmask.catalog import hash_file
from unmask.errors import NotFoundError, UnmaskError, UnreadableMediaError
from unmask.execution.journal import key_of, run_journaled
from unmask.faces.landmarks import (
    check_finder,
    find_landmarks,
    read_landmarks,
    shows_face,
    write_landmarks,
)
from unmask.files import stamp

Row = dict[str, Any]


@dataclass(frozen=True)
class LandmarkFile:
    """What is known of the landmarks of one video.

    Args:
        status: ok, no_face, unreadable or failed.
        reason: why it is not ok.
        path: the file, from the folder that was worked in.
        points: landmarks a face: 478, 68 or 5.
        origin: `catalog`, or `found` in the frames.
        faces: frames that show the face.
        sha256: of the file.
    """

    status: str
    reason: str | None = None
    path: str = ""
    points: int = 0
    origin: str = ""
    faces: int = 0
    sha256: str = ""

    @property
    def told(self) -> dict[str, object]:
        """What is recorded with a forgery."""
        return {"points": self.points, "origin": self.origin}


@dataclass(frozen=True)
class _Task:
    row: Row
    out: Path
    finder: str

    @property
    def key(self) -> str:
        given = self.row["landmarks"]
        return key_of(
            "landmarks",
            self.row["id"],
            content_key(self.row, self.out),
            [given, stamp(self.out / given)] if given else self.finder,
        )


def landmark_files(
    rows: Sequence[Row], out: Path, *, finder: str, workers: int, retry_failed: bool
) -> list[LandmarkFile]:
    """Return the landmarks of each video, finding those that the catalog does not name.

    What is found is kept under `landmarks/<how many>/`, with a journal beside it.

    Args:
        rows: of the catalog, with paths told from `out`.
        out: the folder to work in.
        finder: auto, 68 or 5; see `unmask.faces.landmarks.find_landmarks`.
        workers: processes; 0 takes one for each core.
        retry_failed: whether videos without landmarks are looked at again.

    Raises:
        NotFoundError: if there is no such finder.
        MissingDependencyError: if 68 are asked for and the extra `landmarks` is not installed.
    """
    # What `auto` stands for is settled here, so that the journal does not mix two of them.
    points = str(check_finder(finder))
    made = run_journaled(
        [_Task(row, out, points) for row in rows],
        _look,
        key=lambda task: task.key,
        journal=out / "landmarks.jsonl",
        workers=workers,
        description="landmarks",
        retry_failed=retry_failed,
        files=lambda task, made: [out / one["path"] for one in made],
    )
    return [LandmarkFile(**one) for (one,) in made]


def content_key(row: Row, root: Path) -> object:
    """Return what changes when an item's file does: its hash, else its size and time."""
    return row["sha256"] or stamp(root / row["path"])


def slug(item: str) -> str:
    """Return an item's id as a part of a file's name.

    Example:
        >>> slug("youtube/000.mp4"), slug("clip.mov")
        ('youtube-000', 'clip.mov')
    """
    return item.removesuffix(".mp4").replace("/", "-")


def failure(error: Exception) -> dict[str, str]:
    """Return the status and the reason of an item that could not be worked on."""
    is_unreadable = isinstance(error, UnreadableMediaError | NotFoundError)
    return {"status": "unreadable" if is_unreadable else "failed", "reason": str(error)}


def _look(task: _Task) -> list[Row]:
    try:
        return [_known(task)]
    except (UnmaskError, OSError, av.FFmpegError) as error:
        return [failure(error)]


def _known(task: _Task) -> Row:
    path = task.row["landmarks"]
    if path:
        landmarks = read_landmarks(task.out / path)
    else:
        landmarks = find_landmarks(task.out / task.row["path"], finder=task.finder)
        path = f"landmarks/{task.finder}/{task.row['id']}.npz"
        write_landmarks(task.out / path, landmarks)
    faces = int(shows_face(landmarks).sum())
    if not faces:
        reason = f"none of the {len(landmarks)} frames shows a face; choose another clip"
        return {"status": "no_face", "reason": reason}
    return {
        "status": "ok",
        "path": path,
        "points": landmarks.shape[1],
        "origin": "catalog" if task.row["landmarks"] else "found",
        "faces": faces,
        "sha256": hash_file(task.out / path),
    }
