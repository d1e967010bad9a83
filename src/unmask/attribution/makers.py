"""Asking a checkpoint which model made the faces of a catalog's videos."""

from dataclasses import dataclass
from pathlib import Path

from unmask.errors import InvalidInputError
from unmask.torch_contracts import Detector
from unmask.training.checkpoint import Card, load_checkpoint
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
