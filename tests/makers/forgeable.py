"""A catalog of small clips of drawn people, with their landmarks, ready to be forged."""

from pathlib import Path
from typing import Any

import numpy as np

from makers.drawn_face import face_frame
from unmask.catalog import hash_file, make_catalog
from unmask.faces.landmarks import write_landmarks
from unmask.video.write import VideoWriter

SIDE = 96  # pixels of a picture


def clip_row(
    root: Path,
    person: str,
    take: str = "a",
    *,
    frames: int = 4,
    faceless: tuple[int, ...] = (),
    count: int = 68,
    **columns: Any,
) -> dict[str, object]:
    """Write a clip of a drawn person who turns a little, and return its row."""
    name = f"{person}/{take}.mp4"
    seed = int.from_bytes(person.encode(), "big") % 1000
    points = np.full((frames, count, 2), np.nan, np.float32)
    with VideoWriter(root / name, 25, lossless=True) as writer:
        for number in range(frames):
            frame = face_frame(
                number, count=count, seed=seed, turn=0.02 * number, size=18, x=48, y=34
            )
            writer.write(np.ascontiguousarray(frame.image[:SIDE, :SIDE]))
            if number not in faceless:
                assert frame.landmarks is not None
                points[number] = frame.landmarks
    write_landmarks(root / "known" / f"{person}-{take}.npz", points)
    return {
        "id": name,
        "path": name,
        "dataset": "drawn",
        "label": 0,
        "person": person,
        "licence": "ours",
        "sha256": hash_file(root / name),
        "landmarks": f"known/{person}-{take}.npz",
    } | columns


def make(root: Path, *rows: dict[str, object]) -> Path:
    """Write the catalog of the rows; by default one clip of each of three people."""
    path = root / "catalog.parquet"
    make_catalog(rows or [clip_row(root, person) for person in ("ann", "bob", "cid")], root).write(
        path
    )
    return path
