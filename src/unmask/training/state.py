"""Where a training stands: everything that it needs to continue as if it had never stopped."""

import io
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from unmask.files import write_whole
from unmask.training.findings import ClassValidation, Findings, Validation
from unmask.training.same_run import read_saved, refuse_other_run
from unmask.training.settings import TrainSettings

STATE = "state.pt"
Row = dict[str, float]


@dataclass
class Best:
    """The weights that did best on validation, and what they said there."""

    weights: dict[str, Tensor]
    validation: Findings
    merit: tuple[float, float]
    epoch: int
    step: int


@dataclass
class RunState:
    """Where a training stands after a number of steps.

    Randomness and the order of the data are functions of the seed and the step, so the step says
    all about them.

    Args:
        identity: what must be the same to continue: settings and hashes of the data.
        step: steps that are done.
        losses: sum of the losses of the epoch's steps so far.
        stale: validations since the best one.
        seconds: time worked before this process.
        rows: the lines of the log.
        best: the best weights so far.
    """

    identity: Mapping[str, Any]
    step: int = 0
    losses: float = 0.0
    stale: int = 0
    seconds: float = 0.0
    rows: list[Row] = field(default_factory=list)
    best: Best | None = None
    _started: float = field(default_factory=time.monotonic)

    @property
    def worked(self) -> float:
        """Return the seconds worked, in earlier processes too."""
        return self.seconds + time.monotonic() - self._started

    def save(self, folder: Path, parts: Mapping[str, Any]) -> None:
        """Write the state with the states of network and optimiser, whole or not at all."""
        best = None
        if self.best is not None:
            found = self.best.validation
            tensors = {
                name: torch.from_numpy(value) if isinstance(value, np.ndarray) else value
                for name, value in vars(found).items()
            }
            best = vars(self.best) | {"validation": tensors}
        plain = {
            "identity": dict(self.identity),
            "step": self.step,
            "losses": self.losses,
            "stale": self.stale,
            "seconds": self.worked,
            "rows": self.rows,
            "best": best,
        }
        content = io.BytesIO()
        torch.save(plain | {"parts": dict(parts)}, content)
        write_whole(folder / STATE, content.getvalue())


def read_run(folder: Path, identity: Mapping[str, Any]) -> tuple[RunState, Mapping[str, Any]]:
    """Return where the run in a folder stands, and the states of its network and optimiser.

    Raises:
        InvalidInputError: if the folder holds another run.
    """
    path = folder / STATE
    if not path.is_file():
        return RunState(identity), {}
    plain = read_saved(path)
    refuse_other_training(folder, plain.pop("identity"), identity)
    parts = plain.pop("parts")
    if plain["best"] is not None:
        tensors = plain["best"].pop("validation")
        arrays: dict[str, Any] = {
            name: value.numpy() if isinstance(value, Tensor) else value
            for name, value in tensors.items()
        }
        kind = Validation if "video_scores" in arrays else ClassValidation
        plain["best"] = Best(validation=kind(**arrays), **plain["best"])
    return RunState(identity, **plain), parts


def refuse_other_training(folder: Path, there: Mapping[str, Any], now: Mapping[str, Any]) -> None:
    """Refuse to continue a training that had other settings or data.

    Raises:
        InvalidInputError: naming the first difference.
    """
    refuse_other_run(folder, there, now, kind=TrainSettings, advice="restart=True")
