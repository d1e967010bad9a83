"""Loading a checkpoint that another project has made."""

from collections.abc import Sequence
from pathlib import Path

import torch
from torch import nn

from unmask.detectors.layers import head_of
from unmask.detectors.states import State, read_state, without_prefix
from unmask.detectors.xception import Xception
from unmask.errors import InvalidInputError
from unmask.torch_contracts import Detector


def load_foreign(path: Path, detector: Detector, *, classes: Sequence[str] | None = None) -> None:
    """Put the weights of a checkpoint made elsewhere into a detector.

    Projects disagree on whether the first output means real or fake, and no file says so: the
    order must be given, and the outputs are put into the detector's own.

    Args:
        path: a `.safetensors` file or a state dict saved by torch.
        detector: a detector of the same network.
        classes: the classes in the order of the checkpoint's outputs. Where it has one output,
            the class that its sigmoid stands for comes first.

    Raises:
        NotFoundError: if the file does not exist.
        InvalidInputError: if the classes are not given or others, if the file holds a pickled
            module, or if it is of another network.
    """
    if classes is None:
        raise InvalidInputError(
            f"classes must be given for {path}, got nothing; say what its outputs mean, for "
            "example classes=('real', 'fake') for FaceForensics++"
        )
    if sorted(classes) != sorted(detector.classes):
        raise InvalidInputError(
            f"classes must be an order of {detector.classes}, got {tuple(classes)}; name the "
            "checkpoint's outputs by the detector's classes"
        )
    network = detector.get_submodule("network") if hasattr(detector, "network") else detector
    state = _renamed(read_state(path), detector, network)
    _refuse_other_network(state, network, path)
    network.load_state_dict(state, strict=False)
    _reorder(head_of(network), classes, detector.classes)


def _renamed(state: State, detector: Detector, network: nn.Module) -> State:
    if isinstance(detector, Xception):
        return detector.published_state(state)
    return without_prefix(state, next(iter(network.state_dict())))


def _refuse_other_network(state: State, network: nn.Module, path: Path) -> None:
    own = network.state_dict()
    # Files older than PyTorch 0.4.1 have no counters, and nothing but training reads them.
    missing = [name for name in own if name not in state and "num_batches_tracked" not in name]
    unexpected = [name for name in state if name not in own]
    shaped = [name for name in own if name in state and own[name].shape != state[name].shape]
    for names, problem in (
        (missing, "lacks"),
        (unexpected, "also has"),
        (shaped, "has another shape of"),
    ):
        if names:
            raise InvalidInputError(
                f"the checkpoint must hold the tensors of {type(network).__name__}, got {path}, "
                f"which {problem} {names[0]!r} and {len(names) - 1} more; make the detector of "
                "that network, size and number of classes"
            )


@torch.no_grad()
def _reorder(head: nn.Linear | nn.Conv2d, theirs: Sequence[str], ours: Sequence[str]) -> None:
    """Put the head's outputs into our order; one output turns its sign when two change places."""
    if list(theirs) == list(ours):
        return
    order = [theirs.index(name) for name in ours]
    for tensor in head.parameters():
        tensor.copy_(-tensor if len(tensor) == 1 else tensor[order])
