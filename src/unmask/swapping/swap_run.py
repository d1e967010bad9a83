"""Where the training of a pair stands: all that it needs to continue as if it had never stopped."""

import csv
import io
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from math import inf
from pathlib import Path
from typing import Any

import torch

from unmask.files import write_whole
from unmask.swapping.pair_settings import PairSettings
from unmask.training.same_run import read_saved, refuse_other_run

STATE, LOG = "state.pt", "log.csv"
Row = dict[str, float]


@dataclass
class SwapRun:
    """Where a training stands after a number of steps.

    Randomness and the order of the faces are functions of the seed and the step.

    Args:
        identity: what must be the same to continue: settings and hashes of the faces.
        step: steps that are done.
        losses: sums of each side's losses since the last look.
        best: the lowest loss of held-out faces so far.
        stale: looks since then.
        seconds: time worked before this process.
        rows: the lines of the log.
    """

    identity: Mapping[str, Any]
    step: int = 0
    losses: list[float] = field(default_factory=list)
    best: float = inf
    stale: int = 0
    seconds: float = 0.0
    rows: list[Row] = field(default_factory=list)
    _started: float = field(default_factory=time.monotonic)

    @property
    def worked(self) -> float:
        """Return the seconds worked, in earlier processes too."""
        return self.seconds + time.monotonic() - self._started

    def save(self, folder: Path, parts: Mapping[str, Any]) -> None:
        """Write the state with the states of network and optimiser, whole or not at all."""
        plain = {name: getattr(self, name) for name in _KEPT} | {"seconds": self.worked}
        content = io.BytesIO()
        torch.save(plain | {"identity": dict(self.identity), "parts": dict(parts)}, content)
        write_whole(folder / STATE, content.getvalue())

    def write_log(self, folder: Path) -> None:
        """Write one line for each look at the held-out faces."""
        text = io.StringIO()
        writer = csv.DictWriter(text, list(self.rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(self.rows)
        write_whole(folder / LOG, text.getvalue().encode())


_KEPT = ("step", "losses", "best", "stale", "rows")


def read_swap_run(folder: Path, identity: Mapping[str, Any]) -> tuple[SwapRun, Mapping[str, Any]]:
    """Return where the run in a folder stands, and the states of its network and optimiser.

    Raises:
        InvalidInputError: if the folder holds another run, or its state is damaged.
    """
    path = folder / STATE
    if not path.is_file():
        return SwapRun(identity), {}
    plain = read_saved(path)
    refuse_other_pair(folder, plain.pop("identity"), identity)
    parts = plain.pop("parts")
    return SwapRun(identity, **plain), parts


def refuse_other_pair(folder: Path, there: Mapping[str, Any], now: Mapping[str, Any]) -> None:
    """Refuse to continue a run that had other settings or faces.

    Raises:
        InvalidInputError: naming the first difference.
    """
    refuse_other_run(folder, there, now, kind=PairSettings, advice="delete this one")
