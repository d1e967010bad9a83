"""Looking at a swap that was made: the strip before and after, and its figures."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import av

from unmask.errors import UnmaskError
from unmask.execution.journal import key_of, run_journaled
from unmask.faces.landmarks import read_landmarks
from unmask.faces.topology import CONTOURS
from unmask.generators.landmark_files import LandmarkFile, Row, failure
from unmask.swapping.face_set import read_face_set
from unmask.swapping.judge import Swap, judge_swap
from unmask.swapping.strip import draw_strip

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class LookTask:
    """One swap to look at; it travels to another process.

    Args:
        swap: its row.
        original: the row of the clip that was changed.
        landmarks: of the original.
        target: the folder of the target's faces.
        source: the folder of the source's faces.
        out: the folder to work in; paths start there.
        judge: whether to measure it, too.
    """

    swap: Row
    original: Row
    landmarks: LandmarkFile
    target: Path
    source: Path
    out: Path
    judge: bool

    @property
    def key(self) -> str:
        """What changes when the strip or the figures would."""
        faces = [self.landmarks.sha256, self.target.name, self.source.name]
        return key_of(self.swap["id"], self.swap["sha256"], faces, self.judge)

    @property
    def strip(self) -> Path:
        """Where the strip lies: beside the video."""
        return self.out / Path(self.swap["path"]).with_suffix(".png")

    @property
    def figures(self) -> Path:
        """Where the figures lie: beside the video."""
        return self.out / Path(self.swap["path"]).with_suffix(".json")

    @property
    def files(self) -> list[Path]:
        """What it writes."""
        return [self.strip, self.figures] if self.judge else [self.strip]


def look_at_all(tasks: Sequence[LookTask], journal: Path, *, workers: int) -> None:
    """Draw and measure swaps, and say the figures and where the pictures are.

    Args:
        tasks: the swaps.
        journal: the file of what is done.
        workers: processes; 0 takes one for each core.
    """
    seen = run_journaled(
        tasks,
        look_at,
        key=lambda task: task.key,
        journal=journal,
        workers=workers,
        description="looking",
        retry_failed=True,
        files=lambda task, rows: task.files,
    )
    for task, (one,) in zip(tasks, seen, strict=True):
        if one["status"] != "ok":
            logger.warning("%s could not be looked at: %s", task.swap["id"], one["reason"])
            continue
        logger.info("%s before and after: %s", task.swap["id"], task.strip)
        if one["told"]:
            logger.info("%s", one["told"])


def look_at(task: LookTask) -> list[Row]:
    """Draw the strip of a swap and write its figures; return these as text, or why it failed."""
    try:
        return [{"status": "ok", "told": _look(task)}]
    except (UnmaskError, OSError, av.FFmpegError) as error:
        return [failure(error)]


def _look(task: LookTask) -> str | None:
    original, video = (task.out / row["path"] for row in (task.original, task.swap))
    landmarks, source = read_landmarks(task.out / task.landmarks.path), read_face_set(task.source)
    draw_strip(task.strip, original, video, landmarks, source, synthetic=task.swap["method"])
    if not task.judge:
        return None
    # Points of the same model are compared: others lie elsewhere on the same face.
    is_found = task.landmarks.origin == "found" and task.landmarks.points == CONTOURS
    files = Swap(original, video, task.out / task.swap["mask"], landmarks if is_found else None)
    figures = judge_swap(files, read_face_set(task.target), source)
    figures.write(task.figures)
    return str(figures)
