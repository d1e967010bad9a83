"""A run that continues must be the run that was stopped: its saved state, and what it was told."""

from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

import torch

from unmask.errors import InvalidInputError


def read_saved(path: Path) -> dict[str, Any]:
    """Return the state that a training saved, on the CPU.

    Raises:
        InvalidInputError: if it is damaged.
    """
    try:
        return dict(torch.load(path, map_location="cpu", weights_only=True))
    except Exception as error:  # of any kind: the bytes may be anything
        raise InvalidInputError(
            f"the state of a run must be as training wrote it, got {path} "
            f"({type(error).__name__}); delete it to start anew"
        ) from None


def refuse_other_run(
    folder: Path, there: Mapping[str, Any], now: Mapping[str, Any], *, kind: type, advice: str
) -> None:
    """Refuse to continue a run that had other settings or data.

    Args:
        folder: of the run.
        there: what it was told.
        now: what this one is told.
        kind: the dataclass of the settings.
        advice: what to do besides choosing another folder.

    Raises:
        InvalidInputError: naming the first difference.
    """
    usual = {one.name: one.default for one in fields(kind)}
    for name in now:
        # A setting that an older release did not know was as it is by default.
        was = there.get(name, usual.get(name))
        if was != now[name]:
            raise InvalidInputError(
                f"out must be new or hold the same run, got {folder}, whose {name} was {was!r}, "
                f"not {now[name]!r}; choose another folder, or {advice}"
            )
