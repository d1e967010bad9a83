"""Checkpoints for the defence protocol: tiny detectors that a small step fools, and a guard."""

from pathlib import Path

import polars as pl
import torch
from torch import Tensor, nn

from makers.cards import card_of
from makers.prepared_faces import Prepared
from unmask.contracts import FAKE
from unmask.detectors.create import create_detector
from unmask.torch_contracts import Detector
from unmask.training.checkpoint import save_checkpoint
from unmask.training.data import read_faces
from unmask.training.store import read_face

SIZE = 32


def make_fragile(
    folder: Path, prepared: Prepared, *, seed: int = 0, methods: tuple[str, ...] = ("chequers",)
) -> Path:
    """Write a random Meso4 that calls every fake fake, and that a step of four levels fools."""
    torch.manual_seed(seed)
    detector = create_detector("meso4", size=SIZE).eval()
    faces = _fakes(prepared)
    last = [layer for layer in detector.modules() if isinstance(layer, nn.Linear)][-1]
    with torch.no_grad():
        last.weight *= 40 / _drop(detector, faces, 4 / 255)
        odds = detector.odds(faces)
        last.bias.add_(1)
        slope = (detector.odds(faces) - odds).mean()  # of the odds, when the bias grows by 1
        last.bias.add_((1 - odds.min()) / slope - 1)
    trained_on = {"dataset": "made", "qualities": ["raw"], "methods": list(methods)}
    save_checkpoint(folder, detector, card_of(detector, trained_on=trained_on))
    return folder


def make_guard(folder: Path, *, seed: int = 0) -> Path:
    """Write an untrained detector of attacked faces."""
    torch.manual_seed(seed)
    settings = {"size": SIZE, "depth": 8, "classes": ("clean", "adversarial")}
    guard = create_detector("phase_resnet", **settings).eval()
    told = settings | {"classes": ["clean", "adversarial"]}
    save_checkpoint(folder, guard, card_of(guard, "phase_resnet", detector_settings=told))
    return folder


def _fakes(prepared: Prepared) -> Tensor:
    table = pl.read_parquet(prepared.catalog).filter(pl.col("label") == FAKE)
    faces = read_faces(prepared.faces).filter(
        pl.col("status") == "ok", pl.col("item").is_in(table["id"].to_list())
    )
    images = [torch.from_numpy(read_face(crop, SIZE)) for crop in faces["crop"]]
    return torch.stack(images).permute(0, 3, 1, 2)[:, None] / 255


def _drop(detector: Detector, faces: Tensor, step: float) -> float:
    with torch.enable_grad():
        moving = faces.clone().requires_grad_()
        before = detector.odds(moving)
        (gradient,) = torch.autograd.grad(before.sum(), moving)
    after = detector.odds((faces - step * gradient.sign()).clamp(0, 1))
    return float((before - after).mean())
