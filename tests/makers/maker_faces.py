"""A catalog with faces of several makers of fakes, each of which leaves a pattern of its own."""

from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from makers.prepared_faces import SIDE, SPLITS, Prepared
from unmask.catalog import make_catalog
from unmask.contracts import Image
from unmask.faces.table import make_face_table

ROWS, COLUMNS = np.indices((SIDE, SIDE))
PATTERNS: dict[str, NDArray[np.int64]] = {
    "chequers": (ROWS + COLUMNS) // 2 % 2,
    "dots": (ROWS // 2 % 2) * (COLUMNS // 2 % 2),
    "lines": ROWS // 2 % 2,
    "stripes": COLUMNS // 2 % 2,
}


def make_makers(
    folder: Path,
    *,
    persons: int = 6,
    frames: int = 4,
    qualities: Sequence[str] = ("c0", "c10"),
    strength: float = 30.0,
    changes: dict[str, dict[str, Any]] | None = None,
) -> Prepared:
    """Write a real video of each person and one of each maker, at each quality, with their crops.

    Args:
        folder: where everything is written.
        persons: who are split half to train, a third to val, a sixth to test.
        frames: faces of each video, at the first quality with a stronger pattern.
        qualities: each of them.
        strength: how strong the patterns are, in grey levels, at the first quality.
        changes: columns of the catalog to be set otherwise, by the item's id.
    """
    random = np.random.default_rng(0)
    rows, faces = [], []
    for number in range(persons):
        for place, quality in enumerate(qualities):
            for method in (None, *PATTERNS):
                row = _item(number, quality, method)
                rows.append(row | (changes or {}).get(row["id"], {}))
                for frame in range(frames):
                    crop = f"crops/{row['id']}/{frame}.png"
                    path = folder / "faces" / crop
                    path.parent.mkdir(parents=True, exist_ok=True)
                    cv2.imwrite(str(path), _face(random, method, strength / (1 + place)))
                    faces.append({"item": row["id"], "frame": 3 * frame, "track": 0, "crop": crop})
    make_catalog(rows, folder).write(folder / "catalog.parquet")
    told = [row | {"status": "ok"} for row in faces]
    make_face_table(told, folder / "faces").write(folder / "faces/faces.parquet")
    return Prepared(folder / "catalog.parquet", folder / "faces/faces.parquet")


def _item(number: int, quality: str, method: str | None) -> dict[str, Any]:
    name = f"{quality}/p{number}_{method or 'real'}.mp4"
    return {
        "id": name,
        "path": name,
        "dataset": "made",
        "label": int(method is not None),
        "person": f"p{number}",
        "method": method,
        "family": "swap" if method else None,
        "split": SPLITS[number % len(SPLITS)],
        "quality": quality,
        "sha256": sha256(name.encode()).hexdigest(),
    }


def _face(random: np.random.Generator, method: str | None, strength: float) -> Image:
    noise = cv2.GaussianBlur(random.normal(0, 60, (SIDE, SIDE, 3)), (0, 0), 3) * 3
    face = 128 + noise + random.normal(0, 4, noise.shape)
    if method:
        face += strength * (2 * PATTERNS[method] - 1)[..., np.newaxis]
    return np.asarray(face.clip(0, 255), np.uint8)
