"""What tells a training from others: a key for the folder of its weights."""

from collections.abc import Sequence
from pathlib import Path

from unmask.execution.journal import key_of
from unmask.settings import to_plain
from unmask.swapping.face_set import FaceSet
from unmask.swapping.pair_settings import FREE, PairSettings
from unmask.swapping.swap_model import read_swap_card

FaceFolder = Path | str  # of the faces of a person, or why there are none


def learning_key(settings: PairSettings, faces: Sequence[FaceFolder], start: Path | None) -> str:
    """Return what changes when the weights of a training would.

    Args:
        settings: of the training.
        faces: the folders of the face sets, which are called by what they hold.
        start: the folder of what it starts from.

    Raises:
        NotFoundError: if nothing was trained in `start`.
    """
    learned = {name: value for name, value in to_plain(settings).items() if name not in FREE}
    begun = read_swap_card(start).weights_sha256 if start else ""
    return key_of(learned, [one.name if isinstance(one, Path) else one for one in faces], begun)


def folder_of(faces: FaceSet | Exception) -> FaceFolder:
    """Return the folder of a person's faces, or why there are none."""
    if isinstance(faces, Exception):
        return str(faces)
    assert faces.folder is not None  # they are kept
    return faces.folder
