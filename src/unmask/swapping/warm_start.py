"""One encoder that has seen many persons, for the pairs that start from it."""

from collections.abc import Sequence
from pathlib import Path

from unmask.swapping.face_set import FaceSet
from unmask.swapping.pair import run_training
from unmask.swapping.pair_settings import PairSettings


def train_encoder(settings: PairSettings, faces: Sequence[FaceSet], out: Path) -> Path:
    """Train an autoencoder to rebuild the faces of many persons, for `train_pair(start=...)`.

    All persons share one side, so that a step costs half of a pair's; what that side has alone
    is written to both.

    Args:
        settings: of the training; those of the pairs must have the same model and options.
        faces: of each person.
        out: the folder of the result; the same folder continues a run.

    Returns:
        The folder, as `train_pair` writes it.

    Raises:
        NotFoundError, InvalidInputError: as `train_pair`.
    """
    return run_training(settings, [list(faces)], out, names=("many persons",), start=None)
