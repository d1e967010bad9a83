"""Training and scoring against a bare PyTorch loop of the same network on the same input.

Run `python benchmarks/training.py [--detectors NAME ...] [--size N] [--threads N]`. All sides run
in one process, in turns; the medians are printed. The bare loop has its batches ready in memory, as
floats in channels-last, and neither reads, decodes, augments nor checks anything. It runs twice:
as it is, and (`kept`) inside the same `kept_memory` as ours, so that only the loading is compared.
Beside busy neighbours several threads need OMP_WAIT_POLICY=PASSIVE, or they wait for each other.
"""

import argparse
from collections.abc import Callable, Iterator
from itertools import cycle
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

import cv2
import numpy as np
import polars as pl
import torch
from lightning_fabric import Fabric
from torch.nn.functional import cross_entropy
from torch.optim import AdamW

from _turns import timed
from unmask.detectors.create import create_detector
from unmask.torch_contracts import Detector
from unmask.training.augment import Augmentation
from unmask.training.batches import Batch, Loader, Plan, as_faces
from unmask.training.data import Faces
from unmask.training.learner import Learner
from unmask.training.memory import kept_memory
from unmask.training.sampling import sampler_for
from unmask.training.score import face_logits
from unmask.training.settings import PROBABILITIES, TrainSettings
from unmask.training.setup import repeatable
from unmask.training.store import FaceStore

FACES = 256
SIDE = 256
ROUNDS = 5
COLUMNS = (
    *("training", "bare", "bare, kept", "over bare", "over kept"),
    *("scoring", "bare", "bare, kept", "over bare", "over kept"),
)
DETECTORS = ("meso4", "mesoinception4", "efficientnet_lite0")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--detectors", nargs="+", default=DETECTORS)
    parser.add_argument("--size", type=int, default=128, help="side of the networks' input")
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--steps", type=int, default=6, help="of each turn")
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    print(f"{options.size} px, batch {options.batch}, {options.threads} threads, images a second")
    print(" " * 18 + "".join(f"{head:>12}" for head in COLUMNS))
    with TemporaryDirectory() as folder:
        faces = make_faces(Path(folder))
        for name in options.detectors:
            compare(name, faces, options.size, options.batch, options.steps)


def make_faces(folder: Path) -> Faces:
    """Write crops as PNG and return them as training faces."""
    random = np.random.default_rng(0)
    crops = []
    for number in range(FACES):
        noise = cv2.GaussianBlur(random.normal(0, 60, (SIDE, SIDE, 3)), (0, 0), 8) * 10 + 128
        crops.append(str(folder / f"{number}.png"))
        cv2.imwrite(crops[-1], np.asarray(noise.clip(0, 255), np.uint8))
    labels = [number % 2 for number in range(FACES)]
    return Faces(pl.DataFrame({"item": crops, "crop": crops, "label": labels}))


def compare(name: str, faces: Faces, size: int, batch: int, steps: int) -> None:
    settings = TrainSettings(
        *(Path(),) * 3, detector=name, size=size, batch=batch, steps=steps, device="cpu"
    )
    fabric = Fabric(accelerator="cpu", devices=1)
    store = FaceStore()
    with repeatable(fabric.device):
        learner = Learner(fabric, settings)
        loader = Loader(
            faces,
            Plan(sampler_for("balanced", faces, pl.DataFrame(), seed=0), batch=batch),
            store,
            size=size,
            augmentation=Augmentation(**{one: getattr(settings, one) for one in PROBABILITIES}),
            seed=0,
        )
        starts = iter(range(0, 10**6, steps))
        bare = bare_steps(settings, next(loader.batches(0, 1))[0])
        learning = rates(
            batch * steps,
            lambda: our_steps(learner, loader, next(starts), steps),
            lambda: [next(bare) for _ in range(steps)],
        )
        scoring = rates(
            FACES,
            lambda: face_logits(
                learner.detector.eval(), faces.clips, batch=batch, device=fabric.device, store=store
            ),
            lambda: bare_scores(learner.detector.eval(), batch),
        )
    print(f"{name:>18}" + "".join(f"{figure:12.2f}" for figure in (*learning, *scoring)))


def rates(images: int, ours: Callable[[], object], bare: Callable[[], object]) -> list[float]:
    """Return the images a second of ours, bare and bare in kept memory, and ours over these."""
    times: list[tuple[float, float, float]] = []
    for _ in range(ROUNDS + 1):
        alone = timed(bare)
        with kept_memory():
            times.append((timed(ours), alone, timed(bare)))
    del times[0]  # reads the faces
    found = [images / median(side) for side in zip(*times, strict=True)]
    return [*found, *(median(one[side] / one[0] for one in times) for side in (1, 2))]


def our_steps(learner: Learner, loader: Loader, first: int, count: int) -> None:
    learner.detector.train()
    for number, batches in enumerate(loader.batches(first, first + count), start=first):
        learner.step(batches, number, 1e-4, only_head=False)


def bare_steps(settings: TrainSettings, batch: Batch) -> Iterator[None]:
    """Take a step of plain PyTorch with each `next`."""
    detector = create_detector(settings.detector, **settings.detector_settings)
    optimiser = AdamW(detector.parameters(), lr=1e-4, fused=True)
    inputs = [as_faces(batch.faces.roll(shift, 0), torch.device("cpu")) for shift in range(4)]
    targets = [batch.labels.roll(shift, 0) for shift in range(4)]
    for faces, labels in cycle(zip(inputs, targets, strict=True)):
        cross_entropy(detector(faces), labels).backward()  # type: ignore[no-untyped-call]
        optimiser.step()
        optimiser.zero_grad()
        yield


def bare_scores(detector: Detector, batch: int) -> None:
    images = torch.zeros(batch, detector.size, detector.size, 3, dtype=torch.uint8)
    ready = as_faces(images.permute(0, 3, 1, 2).unsqueeze(1), torch.device("cpu"))
    with torch.inference_mode():
        for _ in range(FACES // batch):
            detector(ready)


if __name__ == "__main__":
    main()
