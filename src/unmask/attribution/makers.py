"""Asking a checkpoint which model made the faces of a catalog's videos."""

from dataclasses import dataclass
from pathlib import Path

import polars as pl
import torch

from unmask.catalog import Catalog
from unmask.errors import InvalidInputError
from unmask.torch_contracts import Detector
from unmask.training.checkpoint import Card, load_checkpoint
from unmask.training.clips import in_clips
from unmask.training.data import joined
from unmask.training.memory import kept_memory
from unmask.training.score import face_logits
from unmask.training.store import FaceStore
from unmask.training.target import TARGETS, Target

ASKS_FOR_MAKERS = ("method", "maker")  # of `TARGETS`


@dataclass(frozen=True)
class MakerCheckpoint:
    """A checkpoint that tells makers apart.

    Args:
        folder: where it lies.
        detector: its network.
        card: its card.
        target: what it was asked in training.
    """

    folder: Path
    detector: Detector
    card: Card
    target: Target

    @property
    def classes(self) -> tuple[str, ...]:
        """The makers, in the order of the network's outputs."""
        return self.detector.classes


def load_makers(folder: Path) -> MakerCheckpoint:
    """Return a checkpoint that tells makers apart.

    Raises:
        NotFoundError: if the folder holds no whole checkpoint.
        InvalidInputError: if it is damaged, or tells anything else apart.
    """
    detector, card = load_checkpoint(folder)
    target = card.trained_on.get("target", "label")  # older cards name none
    if target not in ASKS_FOR_MAKERS:
        raise InvalidInputError(
            f"a checkpoint must tell makers apart to attribute, got one of target {target!r} with "
            f"classes {', '.join(card.classes)} in {folder}; train one with "
            "`unmask train --target method`"
        )
    return MakerCheckpoint(folder, detector, card, TARGETS[target])


def score_makers(
    checkpoint: MakerCheckpoint,
    faces: pl.DataFrame,
    items: Catalog,
    *,
    device: str = "cpu",
    batch: int = 32,
) -> pl.DataFrame:
    """Return what the network says of each usable face of the items, or of each clip.

    Args:
        checkpoint: which network.
        faces: what `read_faces` gives.
        items: whose faces are scored.
        device: where the network runs.
        batch: faces that go through it at once, at least one clip.

    Returns:
        `item`, `frame` (of a clip the first), `track`, `p_<class>` for each class, and `level`,
        the log-sum-exp of the logits.

    Raises:
        UnreadableMediaError: if a crop cannot be read.
    """
    found = in_clips(joined(items.table.select("id"), faces), checkpoint.detector.frames)
    with kept_memory():
        logits = face_logits(
            checkpoint.detector,
            found.clips,
            batch=batch,
            device=torch.device(device),
            store=FaceStore(gib=0),
        ).double()
    chances = zip(checkpoint.classes, logits.softmax(-1).numpy().T, strict=True)
    return found.table.select("item", "frame", "track").with_columns(
        *(pl.Series(f"p_{name}", one) for name, one in chances),
        level=pl.Series(logits.logsumexp(-1).numpy()),
    )
