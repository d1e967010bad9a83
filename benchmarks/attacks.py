"""Attacks against ART, the bare passes of the network and a loop over single faces.

Run `python benchmarks/attacks.py [--networks NAME:SIZE ...] [--rounds N] [--threads N]`. All sides
run in one process, in turns and in the same kept memory; the medians are printed. Nothing stops
early, so all sides take the same steps. The faces are as large as the network's input.

The bare passes are what no attack can do without: forward and backward (iterative FGSM) or forward
alone (NES) on tensors that are ready, normalised and in channels-last, without an attack around
them. The loop asks as the published NES does, face by face and one noisy face in each pass; `plain`
is the same loop on the network in PyTorch's usual order of memory, in which the published one runs.
"""

import argparse
import warnings
from collections.abc import Callable
from copy import deepcopy

import numpy as np
import torch
from torch import Tensor, nn

from _turns import measured, show
from unmask.attack_contracts import GREY
from unmask.attacks.iterative_fgsm import IterativeFGSM
from unmask.attacks.nes import NES
from unmask.contracts import FAKE
from unmask.detectors.create import create_detector
from unmask.torch_contracts import Detector
from unmask.training.memory import kept_memory

EPSILON = 16 * GREY
PAIRS, SIGMA = 20, 0.001
QUERIES = 2 * PAIRS + 1  # of a step of NES
PER_PASS = 32
NETWORKS = ("meso4:256", "xception:128")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--networks", nargs="+", default=NETWORKS)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--faces", type=int, default=16, help="that iterative FGSM attacks at once")
    parser.add_argument("--steps", type=int, default=20, help="of iterative FGSM")
    parser.add_argument("--nes-faces", type=int, default=4, help="that NES attacks at once")
    parser.add_argument("--nes-steps", type=int, default=4)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    for network in options.networks:
        name, _, size = network.partition(":")
        torch.manual_seed(0)
        detector = create_detector(name, size=int(size)).eval()
        print(f"\n{name}, {size} px, {options.threads} threads: faces a second (ours over it)")
        with kept_memory():
            compare_fgsm(detector, options.faces, options.steps, options.rounds)
            compare_nes(detector, options.nes_faces, options.nes_steps, options.rounds)


def compare_fgsm(detector: Detector, count: int, steps: int, rounds: int) -> None:
    faces, labels = some_faces(detector, count)
    ready = bare_input(detector, faces)
    network = network_of(detector)
    attack = IterativeFGSM(epsilon=EPSILON, step=GREY, iterations=steps, lead=1.0)
    sides = {
        "ours": lambda: attack(detector, faces, labels),
        "bare passes": lambda: bare_gradients(network, ready, steps),
        "ART": art_attack(detector, faces, steps),
    }
    show(f"iterative FGSM, {steps} steps, batch {count}", measured(sides, count, rounds))


def compare_nes(detector: Detector, count: int, steps: int, rounds: int) -> None:
    faces, labels = some_faces(detector, count)
    network = network_of(detector)
    plain = deepcopy(network)
    for weight in plain.parameters():
        weight.data = weight.data.contiguous()
    ready = bare_input(detector, some_faces(detector, PER_PASS)[0])
    attack = NES(epsilon=EPSILON, iterations=steps, pairs=PAIRS, sigma=SIGMA, sure=1.0)
    passes = count * steps * QUERIES // PER_PASS
    sides = {
        "ours": lambda: attack(detector, faces, labels),
        "bare passes": lambda: bare_answers(network, ready, passes),
        "loop": lambda: loop_step(network, bare_input(detector, faces)[:1]),
        "loop, plain": lambda: loop_step(plain, faces[:1, 0]),
    }
    # What each side does, in faces: the loops take one step with one face.
    shares = {"bare passes": passes * PER_PASS / QUERIES / steps, "loop": 1 / steps}
    shares["loop, plain"] = shares["loop"]
    show(
        f"NES, {steps} steps of {QUERIES} queries, {count} faces at once",
        measured(sides, count, rounds, shares),
    )


def some_faces(detector: Detector, count: int) -> tuple[Tensor, Tensor]:
    """Return faces in 256 levels, of the network's size, and labels that say fake."""
    random = torch.Generator().manual_seed(0)
    shape = (count, 1, 3, detector.size, detector.size)
    faces = torch.randint(256, shape, generator=random) / 255
    return faces, torch.full((count,), FAKE)


def network_of(detector: Detector) -> nn.Module:
    network = detector.network
    assert isinstance(network, nn.Module)
    return network


def bare_input(detector: Detector, faces: Tensor) -> Tensor:
    """Return images (N, 3, size, size) as the network itself takes them."""
    normal = (faces - detector.get_buffer("mean")) / detector.get_buffer("deviation")
    return normal.flatten(0, 1).contiguous(memory_format=torch.channels_last)


def bare_gradients(network: nn.Module, ready: Tensor, steps: int) -> None:
    for _ in range(steps):
        images = ready.detach().requires_grad_()
        torch.autograd.grad(network(images).sum(), images)


@torch.no_grad()
def bare_answers(network: nn.Module, ready: Tensor, passes: int) -> None:
    for _ in range(passes):
        network(ready)


@torch.no_grad()
def loop_step(network: nn.Module, image: Tensor) -> None:
    """Take one step with one image (1, 3, size, size), one question after the other."""
    network(image)
    slope = torch.zeros_like(image)
    for _ in range(PAIRS):
        noise = torch.randn_like(image)
        above = network(image + SIGMA * noise).sigmoid()[0, 0]
        below = network(image - SIGMA * noise).sigmoid()[0, 0]
        slope += (above - below) * noise
    moved = image + GREY * (slope / (2 * PAIRS * SIGMA)).sign()
    (image + (moved - image).clamp(-EPSILON, EPSILON)).clamp(0, 1)


def art_attack(detector: Detector, faces: Tensor, steps: int) -> Callable[[], object]:
    """Return what runs ART's basic iterative method on the same faces."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from art.attacks.evasion import BasicIterativeMethod
        from art.estimators.classification import PyTorchClassifier

    classifier = PyTorchClassifier(
        model=PerImage(detector),
        loss=nn.CrossEntropyLoss(),
        input_shape=tuple(faces.shape[2:]),
        nb_classes=2,
        clip_values=(0.0, 1.0),
        device_type="cpu",
    )
    attack = BasicIterativeMethod(
        classifier, eps=EPSILON, eps_step=GREY, max_iter=steps, batch_size=len(faces), verbose=False
    )
    images = faces[:, 0].numpy()
    labels = np.full(len(faces), FAKE)
    return lambda: attack.generate(images, labels)


class PerImage(nn.Module):
    """A detector that takes images (N, 3, size, size)."""

    def __init__(self, detector: Detector) -> None:
        super().__init__()
        self.detector = detector

    def forward(self, images: Tensor) -> Tensor:
        """Return logits (N, classes)."""
        logits: Tensor = self.detector(images[:, None])
        return logits


if __name__ == "__main__":
    main()
