"""Find the faces of attacked files again and score them, as whoever receives a file does."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from unmask.adversarial.attack_clip import scores_of, victim_of
from unmask.catalog import Catalog
from unmask.execution.journal import key_of, run_journaled
from unmask.faces.boxes import SAME, overlaps
from unmask.faces.prepare import FacesSettings, prepare_faces
from unmask.video.picture import read_picture

Row = dict[str, Any]
Box = tuple[float, float, float, float]

CHUNK = 32  # faces that are scored at once


@dataclass(frozen=True)
class Seen:
    """A face that was found in an attacked file.

    Args:
        box: left, top, right, bottom in pixels.
        score: P(fake).
    """

    box: Box
    score: float


@dataclass(frozen=True)
class _Task:
    faces: tuple[Row, ...]
    folder: Path
    victim: str
    victim_sha256: str
    device: str

    @property
    def key(self) -> str:
        return key_of(self.victim_sha256, self.device, list(self.faces))


def find_again(
    attacked: Catalog,
    folder: Path,
    *,
    sampling: str,
    faces: str,
    victim: str,
    victim_sha256: str,
    device: str,
    workers: int,
    retry_failed: bool,
) -> dict[tuple[str, int], list[Seen]]:
    """Return the faces that are found in each attacked item's frames, with the victim's scores.

    They are searched in the written files alone: no box is taken over from before the attack.

    Args:
        attacked: the items that were written.
        folder: for the face table and its crops.
        sampling: which frames.
        faces: main or all.
        victim: the text that `open_victim` takes.
        victim_sha256: as `OpenVictim` has it.
        device: where it runs.
        workers: processes; 0 takes one for each core.
        retry_failed: whether files that could not be read are tried again.

    Returns:
        Lists of faces by item and frame.
    """
    if not len(attacked):
        return {}
    table = search(
        attacked, folder, sampling=sampling, faces=faces, workers=workers, retry_failed=retry_failed
    )
    usable = table.filter(pl.col("status") == "ok")
    tasks = [
        _Task(tuple(rows.to_dicts()), folder, victim, victim_sha256, device)
        for rows in usable.select(
            "item", "frame", "track", "left", "top", "right", "bottom", "crop", "sha256"
        ).partition_by("item", maintain_order=True)
    ]
    made = run_journaled(
        tasks,
        _score,
        key=lambda task: task.key,
        journal=folder / "scores.jsonl",
        workers=workers,
        description="scoring",
    )
    seen: dict[tuple[str, int], list[Seen]] = {}
    for task, (done,) in zip(tasks, made, strict=True):
        for row, score in zip(task.faces, done["scores"], strict=True):
            box = (row["left"], row["top"], row["right"], row["bottom"])
            seen.setdefault((row["item"], row["frame"]), []).append(Seen(box, score))
    return seen


def search(
    items: Catalog, folder: Path, *, sampling: str, faces: str, workers: int, retry_failed: bool
) -> pl.DataFrame:
    """Return the face table of items, each searched by itself, with the `sha256` of the item.

    The crops lie below the folder, at the size that they have in the frame. A mask would choose
    the forged face: where all are wanted, it is not looked at.
    """
    unmasked = items.table.with_columns(mask=pl.lit(None, pl.String))
    wanted = items if faces == "main" else Catalog(unmasked, items.root)
    folder.mkdir(parents=True, exist_ok=True)
    wanted.write(folder / "catalog.parquet")
    found = prepare_faces(
        FacesSettings(
            folder / "catalog.parquet",
            folder,
            sampling=sampling,
            size=0,
            faces=faces,
            boxes_from_parents=False,
            workers=workers,
            retry_failed=retry_failed,
        )
    )
    content = items.table.select("id", "sha256")
    return found.table.join(
        content, left_on="item", right_on="id", how="left", maintain_order="left"
    )


def matched(before: Sequence[Box], after: Iterable[Seen]) -> list[Seen | None]:
    """Return, for each box before the attack, the face that is found in its place.

    Two boxes are one face where their common area is half of that of both together, or more. The
    pairs that share most are taken first, and each box once.

    Example:
        >>> again = [Seen((90, 0, 110, 20), 0.1), Seen((1, 0, 21, 20), 0.2)]
        >>> [one and one.score for one in matched([(0, 0, 20, 20), (50, 0, 70, 20)], again)]
        [0.2, None]
    """
    seen = list(after)
    shares = overlaps(_rows(before), _rows([one.box for one in seen]))
    pairs = sorted(
        (-shares[pair], *pair) for pair in np.ndindex(shares.shape) if shares[pair] >= SAME
    )
    found: list[Seen | None] = [None] * len(before)
    taken = set()
    for _, place, number in pairs:
        if found[place] is None and number not in taken:
            found[place] = seen[number]
            taken.add(number)
    return found


def _rows(boxes: Sequence[Box]) -> NDArray[np.float64]:
    return np.array(boxes, np.float64).reshape(-1, 4)


def _score(task: _Task) -> list[Row]:
    detector = victim_of(task.victim, task.victim_sha256, task.device)
    scores: list[float] = []
    for start in range(0, len(task.faces), CHUNK):
        part = task.faces[start : start + CHUNK]
        scores += scores_of(detector, [read_picture(task.folder / row["crop"]) for row in part])
    return [{"scores": scores}]
