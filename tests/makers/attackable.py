"""Clips of people that a tiny trained detector calls fake, and that detector's checkpoint."""

from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from makers.cards import card_of
from makers.clips import write_clip
from makers.people import Person, scene
from unmask.catalog import hash_file, make_catalog
from unmask.contracts import Image
from unmask.detectors.create import create_detector
from unmask.torch_contracts import Detector
from unmask.training.checkpoint import save_checkpoint
from unmask.video.write import VideoWriter

SIZE = (232, 136)  # width and height of a picture
ANN, BEN = Person("P001", 0, 2, 120), Person("P002", 112, 10, 120)


def picture(*people: Person, shift: int = 0) -> Image:
    """Return a picture of people who have moved to the right by so many pixels."""
    moved = [Person(one.name, one.left + shift, one.top, one.side) for one in people]
    return scene(SIZE, moved)


def clip_row(
    root: Path,
    name: str,
    *people: Person,
    frames: int = 3,
    faceless: tuple[int, ...] = (),
    times: tuple[float, ...] = (),
    sound: bool = False,
    **columns: Any,
) -> dict[str, Any]:
    """Write a lossless clip of people and return its row: a fake, unless told otherwise."""
    path = root / "clips" / name
    tone = root / "tone.mp4"
    if sound:
        write_clip(tone, frames=40, audio="aac")
    with VideoWriter(path, 25, lossless=True, audio_from=tone if sound else None) as writer:
        for number in range(frames):
            shown = () if number in faceless else people
            time = times[number] if times else None
            writer.write(picture(*shown, shift=2 * number), time)
    return {
        "id": f"swap/{name}",
        "path": f"clips/{name}",
        "dataset": "made",
        "label": 1,
        "family": "swap",
        "method": "swap",
        "person": people[0].name if people else "nobody",
        "split": "test",
        "quality": "raw",
        "sha256": hash_file(path),
    } | columns


def make_attackable(root: Path, *rows: dict[str, Any]) -> Path:
    """Write the catalog of the rows."""
    path = root / "catalog.parquet"
    make_catalog(rows, root).write(path)
    return path


def make_victim(folder: Path, *, odds: float = 2.0, seed: int = 0) -> Path:
    """Write the checkpoint of a Meso4 of 32 pixels that calls the people fake, with those odds.

    Its last layer is scaled so that one step of two grey levels changes its mind.
    """
    torch.manual_seed(seed)
    detector = create_detector("meso4", size=32).eval()
    last = [layer for layer in detector.modules() if isinstance(layer, nn.Linear)][-1]
    faces = torch.cat([_face(one) for one in (ANN, BEN)])
    with torch.no_grad():
        last.weight *= 4 * odds / _drop(detector, faces, 2 / 255)
        before = detector.odds(faces)
        last.bias.add_(1)
        last.bias.add_((odds - before.min()) / (detector.odds(faces) - before).mean() - 1)
    save_checkpoint(folder, detector, card_of(detector))
    return folder


def _face(person: Person) -> Tensor:
    """Return about the crop of a person's face (1, 1, 3, H, W)."""
    size = int(person.side)
    cut = picture(person)[int(person.top) :, int(person.left) :][:size, :size]
    return torch.from_numpy(np.ascontiguousarray(cut)).permute(2, 0, 1)[None, None] / 255


def _drop(detector: Detector, faces: Tensor, step: float) -> float:
    """Return by how much the odds fall, in the mean, with one step against the gradient."""
    with torch.enable_grad():
        moving = faces.clone().requires_grad_()
        before = detector.odds(moving)
        (gradient,) = torch.autograd.grad(before.sum(), moving)
    after = detector.odds((faces - step * gradient.sign()).clamp(0, 1))
    return float((before - after).mean())
