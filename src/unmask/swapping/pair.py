"""The training of a pair: one autoencoder that learns to rebuild the faces of two persons."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import cv2
from lightning_fabric import Fabric

from unmask.swapping.face_set import FaceSet
from unmask.swapping.pair_loop import PairTraining
from unmask.swapping.pair_settings import PairSettings
from unmask.swapping.pair_work import PairWork
from unmask.training.memory import kept_memory
from unmask.training.setup import device_for, repeatable


def train_pair(
    settings: PairSettings,
    target: FaceSet,
    source: FaceSet,
    out: Path,
    *,
    names: tuple[str, str] = ("target", "source"),
    start: Path | None = None,
) -> Path:
    """Train an autoencoder on the faces of two persons.

    It stops at the iterations, the minutes or a plateau, whichever comes first. A run that was
    stopped at any moment continues where it was, to the same weights; a finished one returns at
    once.

    Args:
        settings: of the training.
        target: faces of the person whose clips are changed.
        source: faces of the person whose face goes in.
        out: the folder of the result; the same folder continues a run.
        names: of both persons, for the card.
        start: the folder of a trained autoencoder to start from, with its shared layers and those
            of each side, such as `train_encoder` makes it.

    Returns:
        The folder, with `weights.safetensors`, `card.json`, `preview.png` and `log.csv`.

    Raises:
        NotFoundError: if there is no such model, option or start.
        InvalidInputError: if the faces differ in size or are too few, the start has another
            model, or the folder holds another run.
    """
    return run_training(settings, [[target], [source]], out, names=names, start=start)


def run_training(
    settings: PairSettings,
    sides: Sequence[Sequence[FaceSet]],
    out: Path,
    *,
    names: tuple[str, ...],
    start: Path | None,
) -> Path:
    """Train on the face sets of both sides, or of the target's alone, and return `out`."""
    work = PairWork(settings, sides, out, names, start)
    if not work.is_finished():
        fabric = Fabric(
            accelerator=device_for(settings.device),
            devices=settings.devices,
            precision=settings.precision,  # type: ignore[arg-type]  # the settings have checked it
        )
        fabric.launch()
        with repeatable(fabric.device), kept_memory(), _single_threaded_opencv():
            PairTraining(fabric, work).run_to_its_end()
    return out


@contextmanager
def _single_threaded_opencv() -> Iterator[None]:
    """Keep OpenCV's own threads off the cores that the network works on."""
    before = cv2.getNumThreads()
    cv2.setNumThreads(1)
    try:
        yield
    finally:
        cv2.setNumThreads(before)
