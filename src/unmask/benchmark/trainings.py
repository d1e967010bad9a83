"""What a comparison of many networks needs to train them."""

from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from unmask.errors import unknown_name
from unmask.settings import load_settings, read_toml
from unmask.training.settings import TrainSettings
from unmask.training.setup import device_for
from unmask.training.store import FaceStore

Training = Mapping[str, Mapping[str, object]]


def read_training(file: Path | None, detectors: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Return each detector's training settings: those of a TOML file for all, and its own table.

    Args:
        file: which need not be given.
        detectors: those of the comparison.

    Raises:
        NotFoundError: if the file does not exist, or has a table for another detector.
        InvalidInputError: if it is not TOML.
    """
    read = {} if file is None else read_toml(file)
    common = {name: value for name, value in read.items() if not isinstance(value, dict)}
    for name in sorted(read.keys() - common.keys()):
        if name not in detectors:
            raise unknown_name(f"detectors of this comparison ({file})", name, detectors)
    return {one: common | read.get(one, {}) for one in detectors}


def training_settings(
    detector: str, own: Mapping[str, object], *, name: str, out: Path, **fixed: object
) -> TrainSettings:
    """Return the settings of one training of a comparison.

    Args:
        detector: what is trained.
        own: the training settings that the user chose for it.
        name: of the checkpoint, which is kept under `out/checkpoints`.
        out: the folder of the comparison.
        fixed: settings that the comparison chooses, whatever the user says.

    Raises:
        NotFoundError: if there is no such setting.
        InvalidInputError: if a value is wrong.
    """
    folder = out / "checkpoints" / name.replace(":", "_").replace("/", "_")
    # What lies there may be of other clips.
    chosen = {"detector": detector, "out": folder, "restart": True}
    return load_settings(TrainSettings, {**own, **fixed, **chosen})


@cache
def shared_store(gib: float) -> FaceStore:
    """Return the faces that all trainings of this process share."""
    return FaceStore(gib=gib)


def workers_for(device: str, workers: int) -> int:
    """Return how many networks train at once: on a CPU one on each core, elsewhere one."""
    return workers if device_for(device) == "cpu" else 1
