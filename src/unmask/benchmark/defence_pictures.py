"""Faces before and after the adaptive attack on each defence, and after its purifiers."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl
import torch

from unmask.adversarial.pixels import as_face, as_image
from unmask.benchmark.attack_pictures import difference
from unmask.benchmark.defence_measure import FACE
from unmask.benchmark.defence_runs import Face
from unmask.benchmark.defence_trials import ADAPTIVE
from unmask.benchmark.pictures import Picture
from unmask.contracts import FAKE, Image
from unmask.defences.purified import Purified
from unmask.torch_contracts import Detector
from unmask.video.picture import read_picture


@dataclass(frozen=True)
class Shown:
    """One face and a defence: clean, attacked, the difference, and what the purifiers make of it.

    Args:
        defence: its name.
        pictures: from left to right.
    """

    defence: str
    pictures: tuple[Picture, ...]


def shown_faces(
    defences: Sequence[tuple[str, Detector]],
    rows: pl.DataFrame,
    faces: Sequence[Face],
    *,
    out: Path,
) -> list[Shown]:
    """Return one attacked face of each defence, where one was kept.

    Args:
        defences: name and detector of each.
        rows: of `defence_runs.ROWS`.
        faces: all that were judged.
        out: the folder that the kept pictures are told from.
    """
    crops = {(one.item, one.frame, one.track): one.crop for one in faces}
    found = []
    for name, detector in defences:
        kept = rows.filter(
            pl.col("made_on") == name,
            pl.col("seen_by") == name,
            pl.col("attack") == ADAPTIVE,
            pl.col("picture").is_not_null(),
        )
        # Best a face that the defence finds while it is clean.
        for row in kept.sort("before", descending=True).head(1).to_dicts():
            clean = read_picture(Path(crops[tuple(row[key] for key in FACE)]))
            attacked = read_picture(out / row["picture"])
            pictures = [
                Picture(clean, "clean", row["item"], row["before"], FAKE),
                Picture(attacked, "attacked", _change(row["linf"]), row["after"], FAKE),
                Picture(difference(clean, attacked), "difference × 20"),
                *_purified(detector, clean, attacked),
            ]
            found.append(Shown(name, tuple(pictures)))
    return found


def _change(linf: float) -> str:
    return f"no value changed by more than {255 * linf:.0f} of 255"


@torch.no_grad()
def _purified(detector: Detector, clean: Image, attacked: Image) -> list[Picture]:
    if not isinstance(detector, Purified):
        return []
    device = detector.get_buffer("mean").device
    shown = [detector.fitted(as_face(one)[None].to(device)) for one in (clean, attacked)]
    images = [as_image(detector.purified(one)[0]) for one in shown]
    told = "at the size that the network sees"
    return [
        Picture(image, f"{name}, purified", told)
        for image, name in zip(images, ("clean", "attacked"), strict=True)
    ]
