"""What a training starts with: a detector, an optimiser, and a repeatable PyTorch."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import nn
from torch.optim import SGD, AdamW, Optimizer

from unmask.detectors.create import create_detector, read_options, takes
from unmask.detectors.layers import head_of
from unmask.errors import InvalidInputError, unknown_name
from unmask.seeding import seed_for
from unmask.torch_contracts import Detector
from unmask.training.settings import TrainSettings


@contextmanager
def repeatable(device: torch.device) -> Iterator[None]:
    """Make equal seeds give equal results, and leave PyTorch as it was found.

    On a CPU every operation is repeatable for a given number of threads; on CUDA the convolutions
    are.
    """
    cudnn = torch.backends.cudnn
    fill: Any = torch.utils.deterministic
    before = (
        torch.are_deterministic_algorithms_enabled(),
        torch.is_deterministic_algorithms_warn_only_enabled(),
        fill.fill_uninitialized_memory,
        cudnn.deterministic,
        cudnn.benchmark,
    )
    with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
        try:
            torch.use_deterministic_algorithms(device.type == "cpu")
            fill.fill_uninitialized_memory = False  # costs time and changes nothing here
            cudnn.deterministic, cudnn.benchmark = True, False
            yield
        finally:
            torch.use_deterministic_algorithms(before[0], warn_only=before[1])
            fill.fill_uninitialized_memory = before[2]
            cudnn.deterministic, cudnn.benchmark = before[3:]


@contextmanager
def one_thread(device: str) -> Iterator[None]:
    """Let a CPU compute on one thread: the weights must not depend on what else is trained."""
    before = torch.get_num_threads()
    torch.set_num_threads(1 if device == "cpu" else before)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def device_for(name: str) -> str:
    """Return the device of a name: `auto` takes the fastest that is there.

    Raises:
        NotFoundError: if there is no such name.
        InvalidInputError: if this machine has no such device.

    Example:
        >>> device_for("cpu")
        'cpu'
    """
    there = {
        "cuda": torch.cuda.is_available(),
        "mps": torch.backends.mps.is_available(),
        "cpu": True,
    }
    if name == "auto":
        return next(one for one, is_there in there.items() if is_there)
    if name not in there:
        raise unknown_name("device", name, ["auto", *there])
    if not there[name]:
        raise InvalidInputError(f"device must be one of this machine, got {name}; take cpu or auto")
    return name


def new_detector(settings: TrainSettings, classes: tuple[str, ...]) -> Detector:
    """Return the detector to train, its random weights drawn from the seed.

    Raises:
        NotFoundError: if it has no such option.
        InvalidInputError: if it has other classes, or an option has a wrong value.
    """
    torch.manual_seed(seed_for(settings.seed, "weights"))
    name = settings.detector
    given = settings.detector_settings | read_options(name, settings.detector_options)
    if takes(name, "classes"):
        given["classes"] = classes
    detector = create_detector(name, **given)
    if set(detector.classes) != set(classes):
        raise InvalidInputError(
            f"the classes must be {' and '.join(classes)}, got {detector.classes} of detector "
            f"{name}; choose one that tells these apart"
        )
    if settings.norm_momentum is not None:
        for module in detector.modules():
            if isinstance(module, nn.BatchNorm2d):
                module.momentum = settings.norm_momentum
    return detector


def new_optimiser(detector: Detector, settings: TrainSettings, device: torch.device) -> Optimizer:
    """Return the optimiser; only kernels decay, for norms and biases have no size to be held down.

    With `paper_quirks` these decay, too.
    """
    parameters, all_decay = list(detector.parameters()), settings.paper_quirks
    groups = [
        {
            "params": [one for one in parameters if one.ndim > 1 or all_decay],
            "weight_decay": settings.weight_decay,
        },
        {
            "params": [one for one in parameters if one.ndim <= 1 and not all_decay],
            "weight_decay": 0.0,
        },
    ]
    fused = device.type in ("cpu", "cuda")
    if settings.optimiser == "sgd":
        return SGD(groups, settings.learning_rate, settings.momentum, fused=fused)
    return AdamW(groups, lr=settings.learning_rate, fused=fused)


def learn_only_head(detector: Detector, only: bool) -> None:
    """Let only the last layer learn, or everything."""
    head = {id(parameter) for parameter in head_of(detector).parameters()}
    for parameter in detector.parameters():
        parameter.requires_grad_(not only or id(parameter) in head)
