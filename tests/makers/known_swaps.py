"""Trained pairs whose answer is known, and the tasks of converting a drawn clip with them."""

from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import interpolate

from makers.forgeable import clip_row
from unmask.autoencoders import AUTOENCODERS
from unmask.catalog import hash_file
from unmask.faces.landmarks import read_landmarks, shows_face
from unmask.generators.landmark_files import LandmarkFile
from unmask.swapping.convert import ConvertTask, Output
from unmask.swapping.convert_settings import ConvertSettings
from unmask.swapping.swap_model import SwapCard, save_swap
from unmask.torch_contracts import Autoencoder


class Same(Autoencoder):
    """Gives back what it sees, at its output size; of the target's side it gives black."""

    def __init__(self, input_size: int = 64, output_size: int = 64) -> None:
        own = [nn.Identity(), nn.Identity()]
        super().__init__(input_size=input_size, output_size=output_size, own=own)

    def rebuild(self, faces: Tensor, own: nn.Module) -> Tensor:
        """Return the faces, or black."""
        if own is self.own[0]:
            return faces.new_zeros(len(faces), 3, self.output_size, self.output_size)
        return interpolate(faces, (self.output_size,) * 2, mode="bilinear", antialias=True)


class Plain(Autoencoder):
    """Gives one level everywhere, in all three channels."""

    def __init__(self, level: float, size: int = 64) -> None:
        super().__init__(input_size=size, output_size=size, own=[nn.Identity(), nn.Identity()])
        self.level = level

    def rebuild(self, faces: Tensor, own: nn.Module) -> Tensor:
        """Return the level."""
        return torch.full_like(faces, self.level)


def card(model: str = "original", **changed: Any) -> SwapCard:
    """Return a card of a pair that was never trained."""
    told: dict[str, Any] = {
        "model": model, "options": {"width": 0.02}, "width": 0.02,
        "input_size": 64, "output_size": 64, "parameters": 1, "coverage": 0.875, "padding": 0.5,
        "iterations": 7, "seconds": 1.0, "steps_per_second": 7.0, "stopped_by": "iterations",
        "losses": {}, "settings": {}, "names": ("ann", "bob"), "faces": {}, "started_from": "",
        "commit": "none", "versions": {},
    }  # fmt: skip
    return SwapCard(**told | changed)


def save_pair(folder: Path, *, seed: int = 0) -> Path:
    """Write a tiny pair that was never trained, and return its folder."""
    torch.manual_seed(seed)
    known = card()
    save_swap(folder, AUTOENCODERS[known.model](**known.options), known)
    return folder


def known_landmarks(row: dict[str, Any], root: Path) -> LandmarkFile:
    """Return what `landmark_files` says of a row's landmarks."""
    found = read_landmarks(root / row["landmarks"])
    faces = int(shows_face(found).sum())
    status, reason = ("ok", None) if faces else ("no_face", "none of the frames shows a face")
    return LandmarkFile(
        status=status,
        reason=reason,
        path=row["landmarks"],
        points=found.shape[1],
        origin="catalog",
        faces=faces,
        sha256=hash_file(root / row["landmarks"]),
    )


def convert_task(
    root: Path,
    *outputs: Output,
    row: dict[str, Any] | None = None,
    model: Path | None = None,
    folder: str = "swaps",
    **settings: Any,
) -> ConvertTask:
    """Return the task of converting a clip, by default a new one of a drawn person.

    Args:
        root: the folder to work in.
        outputs: the videos; by default one without loss.
        row: of the clip.
        model: the pair's folder, by default one that was never trained.
        folder: where the files go.
        settings: of the conversion.
    """
    row = row or clip_row(root, "ann")
    return ConvertTask(
        target=row,
        landmarks=known_landmarks(row, root),
        model=model or save_pair(root / "pair"),
        method="original",
        outputs=outputs or (Output(f"{folder}/ann_bob.mp4"),),
        mask=f"{folder}/masks/ann_bob.mp4",
        out=root,
        settings=ConvertSettings(**settings),
        device="cpu",
    )
