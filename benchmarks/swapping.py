"""Training a face swap and converting a clip with it, against what neither can do without.

Run `python benchmarks/swapping.py [--model NAME] [--width SHARE] [--threads N] [--clip FILE]`. All
sides run in one process, in turns; the medians are printed, and behind each the median of ours
over it.

Training: steps a second, both persons in each. `bare` is a loop of the same layers and optimiser
on random tensors that are ready, with the mean squared error; `bare, our loss` has the loss that
is trained with. Neither reads, warps, colours or masks anything. As in training, memory is kept.

Conversion: frames a second into one video at crf 23. `in turn` decodes the clip, takes random
faces through the network, eight at once, and encodes the clip's own frames, one after the other;
`at once` does the three in threads, as conversion does. Neither looks for a face, puts one back,
or writes a mask. Without a clip one is made: a moving texture of 640 x 480 pixels.
Beside busy neighbours several threads need OMP_WAIT_POLICY=PASSIVE, or they wait for each other.
"""

import argparse
from collections.abc import Callable, Iterator
from itertools import cycle, islice
from pathlib import Path
from tempfile import TemporaryDirectory

import cv2
import numpy as np
import torch
from lightning_fabric import Fabric
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import mse_loss
from torch.optim import Adam

from _turns import Sides, measured, show
from unmask.catalog import hash_file
from unmask.faces.landmarks import Landmarks, find_landmarks, write_landmarks
from unmask.faces.topology import MEAN_FACE
from unmask.generators.landmark_files import LandmarkFile
from unmask.swapping.batches import Side, make_sides
from unmask.swapping.convert import ConvertTask, Output, convert_clip
from unmask.swapping.face_set import FaceSet
from unmask.swapping.learner import SwapLearner, network_options, new_network
from unmask.swapping.loss import swap_loss
from unmask.swapping.pair_settings import PairSettings
from unmask.swapping.pictures import Batch
from unmask.swapping.pipeline import Sink, ahead
from unmask.swapping.swap_frames import TOGETHER
from unmask.swapping.swap_model import SwapCard, save_swap
from unmask.torch_contracts import SOURCE, Autoencoder
from unmask.training.batches import ahead as batches_ahead
from unmask.training.memory import kept_memory
from unmask.training.setup import repeatable
from unmask.video.read import read_frames
from unmask.video.write import VideoWriter

FACES, SIDE = 256, 256
CRF = 23


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", default="original")
    parser.add_argument("--width", type=float, default=1.0, help="share of the channels")
    parser.add_argument("--batch", type=int, default=16, help="faces of each person in a step")
    parser.add_argument("--steps", type=int, default=4, help="of each turn")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--clip", type=Path, help="a video of one face")
    parser.add_argument("--frames", type=int, default=96, help="of the clip that is made")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    settings = PairSettings(
        model=options.model, width=options.width, batch=options.batch, device="cpu"
    )
    print(f"{options.model}, width {options.width:g}, {options.threads} threads")
    compare_training(settings, options.steps, options.rounds)
    with TemporaryDirectory() as folder:
        compare_conversion(settings, Path(folder), options.clip, options.frames, options.rounds)


def compare_training(settings: PairSettings, steps: int, rounds: int) -> None:
    fabric = Fabric(accelerator="cpu", devices=1)
    with repeatable(fabric.device), kept_memory():
        cv2.setNumThreads(1)  # as in training
        network = new_network(settings)
        learner = SwapLearner(fabric, settings, network, 2)
        people = make_sides([[some_faces(0)], [some_faces(1)]], network, settings)
        starts = iter(range(0, 10**6, steps))
        mean_squares = bare_steps(settings, mse_loss)
        masked = bare_steps(settings, under_masks)
        sides: Sides = {
            "ours": lambda: our_steps(learner, people, next(starts), steps),
            "bare": lambda: list(islice(mean_squares, steps)),
            "bare, our loss": lambda: list(islice(masked, steps)),
        }
        show(f"training, batch {settings.batch}: steps a second", measured(sides, steps, rounds))


def some_faces(seed: int) -> FaceSet:
    random = np.random.default_rng(seed)
    images = np.stack([texture(random, (SIDE, SIDE)) for _ in range(FACES)])
    points = face_points(SIDE / 2, SIDE / 2, SIDE / 7)
    return FaceSet(images, np.stack([points] * FACES), ("made",), str(seed))


def texture(random: np.random.Generator, shape: tuple[int, int]) -> NDArray[np.uint8]:
    noise = cv2.GaussianBlur(random.normal(0, 60, (*shape, 3)), (0, 0), 4) * 6 + 128
    return np.asarray(np.clip(noise, 0, 255), np.uint8)


def face_points(x: float, y: float, unit: float) -> NDArray[np.float32]:
    """Return 68 landmarks of an upright face, the eyes `unit` apart and their middle at x, y."""
    return np.asarray(MEAN_FACE * unit + (x, y), np.float32)


def our_steps(learner: SwapLearner, people: list[Side], first: int, count: int) -> None:
    def batches(step: int) -> list[Batch]:
        return [side.batch(step) for side in people]

    for made in batches_ahead(batches, range(first, first + count)):
        learner.step(made)


def bare_steps(settings: PairSettings, loss: Callable[[Tensor, Tensor], Tensor]) -> Iterator[None]:
    """Take a step of plain PyTorch with each `next`: both persons, ready tensors."""
    network = new_network(settings)
    optimiser = Adam(network.parameters(), lr=5e-5, betas=(0.5, 0.99), fused=True)
    faces, truth = (
        [random_faces(settings.batch, size) for _ in range(4)]
        for size in (network.input_size, network.output_size)
    )
    for one, other in cycle(zip(faces, truth, strict=True)):
        total = sum(loss(network(one, side), other) for side in range(2))
        assert isinstance(total, Tensor)
        total.backward()  # type: ignore[no-untyped-call]
        optimiser.step()
        optimiser.zero_grad()
        yield


def under_masks(predicted: Tensor, truth: Tensor) -> Tensor:
    return swap_loss(predicted, truth, truth)


def random_faces(count: int, size: int) -> Tensor:
    return torch.rand(count, 3, size, size).contiguous(memory_format=torch.channels_last)


def compare_conversion(
    settings: PairSettings, folder: Path, clip: Path | None, frames: int, rounds: int
) -> None:
    if clip is None:
        clip = folder / "clip.mp4"
        landmarks = make_clip(clip, frames)
    else:
        landmarks = find_landmarks(clip, finder="auto")
    write_landmarks(folder / "landmarks.npz", landmarks)
    network = new_network(settings)
    save_pair(folder / "pair", network, settings)
    task = conversion(folder, clip, landmarks)
    sides: Sides = {
        "ours": lambda: convert_clip(task),
        "in turn": lambda: in_turn(clip, network, folder / "alone.mp4"),
        "at once": lambda: at_once(clip, network, folder / "alone.mp4"),
    }
    (row,) = convert_clip(task)
    assert row["status"] == "ok", row["reason"]
    title = (
        f"conversion of {row['frames']} frames, {row['width']} x {row['height']}: frames a second"
    )
    show(title, measured(sides, row["frames"], rounds))


def make_clip(path: Path, frames: int) -> Landmarks:
    """Write a texture that moves, and return landmarks that move with it."""
    still = texture(np.random.default_rng(0), (480, 640 + 2 * frames))
    points = []
    with VideoWriter(path, 25, crf=CRF) as writer:
        for number in range(frames):
            writer.write(still[:, 2 * number : 2 * number + 640])
            points.append(face_points(400 - 2 * number, 200, 90))
    return np.stack(points)


def save_pair(folder: Path, network: Autoencoder, settings: PairSettings) -> None:
    card = SwapCard(
        model=settings.model,
        options=network_options(settings),
        width=settings.width,
        input_size=network.input_size,
        output_size=network.output_size,
        parameters=0,
        coverage=settings.coverage,
        padding=settings.padding,
        iterations=0,
        seconds=0,
        steps_per_second=0,
        stopped_by="",
        losses={},
        settings={},
        names=("target", "source"),
        faces={},
        started_from="",
        commit="",
        versions={},
    )
    save_swap(folder, network, card)


def conversion(folder: Path, clip: Path, landmarks: Landmarks) -> ConvertTask:
    known = folder / "landmarks.npz"
    return ConvertTask(
        target={"id": "clip", "path": str(clip), "sha256": None},
        landmarks=LandmarkFile(
            "ok",
            path=known.name,
            points=landmarks.shape[1],
            origin="found",
            sha256=hash_file(known),
        ),
        model=folder / "pair",
        method="benchmark",
        outputs=(Output("ours.mp4", CRF),),
        mask="mask.mp4",
        out=folder,
        device="cpu",
    )


def in_turn(clip: Path, network: Autoencoder, out: Path) -> None:
    faces = random_faces(TOGETHER, network.input_size)
    with VideoWriter(out, 25, crf=CRF) as writer:
        for number, frame in enumerate(read_frames(clip)):
            if number % TOGETHER == 0:
                forward(network, faces)
            writer.write(frame.image)


def at_once(clip: Path, network: Autoencoder, out: Path) -> None:
    faces = random_faces(TOGETHER, network.input_size)
    with VideoWriter(out, 25, crf=CRF) as writer, Sink(writer.write, most=TOGETHER) as sink:
        for number, frame in enumerate(ahead(read_frames(clip), most=TOGETHER)):
            if number % TOGETHER == 0:
                forward(network, faces)
            sink.put(frame.image)


@torch.inference_mode()
def forward(network: Autoencoder, faces: Tensor) -> None:
    network(faces, SOURCE)


if __name__ == "__main__":
    main()
