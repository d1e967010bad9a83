"""Any image network of timm, by its name."""

from difflib import get_close_matches
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

import torch
from torch import Tensor, nn

from unmask.detectors.layers import checked_size, head_of, per_face
from unmask.detectors.states import read_state, without_prefix
from unmask.detectors.torchvision_shim import import_torchvision
from unmask.errors import InvalidInputError, UnmaskError, missing_extra, unknown_name
from unmask.torch_contracts import Detector


class WeightsUnavailableError(UnmaskError):
    """Weights that had to be downloaded did not arrive."""


class TimmModel(Detector):
    """A network of timm with a new head; size, mean and deviation are those it was made for.

    `create_detector("resnet50")` and `create_detector("timm:resnet50")` make it.

    Args:
        architecture: timm's name of the network, such as `resnet50` or `efficientnet_b4`.
        size: side of the input; None takes that of the network.
        pretrained: whether timm may download its ImageNet weights.
        weights: a file with weights of this architecture to start from; its head is left out.
        classes: names of the outputs in order.

    Raises:
        MissingDependencyError: if timm is not installed.
        NotFoundError: if timm has no such network.
        InvalidInputError: if the weights do not fit, or are asked for twice.
        WeightsUnavailableError: if they cannot be downloaded.
    """

    def __init__(
        self,
        *,
        architecture: str,
        size: int | None = None,
        pretrained: bool = False,
        weights: Path | None = None,
        classes: tuple[str, ...] = ("real", "fake"),
    ) -> None:
        if pretrained and weights is not None:
            raise InvalidInputError(
                f"weights must not be given with pretrained=True, got {weights}; choose one"
            )
        timm = _timm()
        config = _config(timm, architecture)
        usual = config.input_size[-1]
        side = checked_size(usual if size is None else size, smallest=16)
        super().__init__(size=side, mean=config.mean, deviation=config.std, classes=classes)
        settings: dict[str, Any] = {"num_classes": len(classes)}
        if config.fixed_input_size and side != usual:
            settings["img_size"] = side
        self.network = _made(timm, architecture, pretrained, settings)
        if weights is not None:
            _start_from(self.network, weights, architecture)
        self.network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def logits(self, faces: Tensor) -> Tensor:
        """Return logits (N, T, classes) of faces (N, T, 3, size, size)."""
        return per_face(self.network, faces)


def timm_names() -> list[str]:
    """Return the names of timm's networks, or none where it is not installed."""
    try:
        return list(_timm().list_models())
    except ImportError:
        return []


def closest_timm_names(name: str) -> list[str]:
    """Return the few names of timm's networks that come nearest, of some 1,300."""
    return get_close_matches(name, timm_names(), n=5, cutoff=0)


@cache
def _timm() -> ModuleType:
    import_torchvision()
    try:
        import timm
    except ImportError:
        raise missing_extra("timm", "timm", "a timm network") from None
    return timm


def _config(timm: ModuleType, architecture: str) -> Any:
    if not timm.is_model(architecture):
        raise unknown_name("timm", architecture, closest_timm_names(architecture))
    try:
        return timm.get_pretrained_cfg(architecture) or timm.models.PretrainedCfg()
    except RuntimeError:
        name, tag = architecture.split(".", 1)
        tags = timm.list_pretrained(f"{name}.*")
        raise unknown_name(f"timm's {name}", tag, (one.split(".", 1)[1] for one in tags)) from None


def _made(
    timm: ModuleType, architecture: str, pretrained: bool, settings: dict[str, Any]
) -> nn.Module:
    try:
        network: nn.Module = timm.create_model(architecture, pretrained=pretrained, **settings)
    except Exception as error:
        if not pretrained:
            raise
        raise WeightsUnavailableError(
            f"the weights of {architecture} must be downloadable, got {type(error).__name__}; go "
            "online, or give weights= a file that you have, or pretrained=False"
        ) from error
    return network


def _start_from(network: nn.Module, path: Path, architecture: str) -> None:
    own = network.state_dict()
    state = without_prefix(read_state(path), next(iter(own)))
    head = {id(tensor) for tensor in head_of(network).state_dict(keep_vars=True).values()}
    needed = {
        name
        for name, tensor in network.state_dict(keep_vars=True).items()
        if id(tensor) not in head
    }
    wrong = sorted(
        name for name in needed if name not in state or state[name].shape != own[name].shape
    )
    if wrong:
        raise InvalidInputError(
            f"the weights must be those of {architecture}, got {path} without a fitting "
            f"{wrong[0]!r} and {len(wrong) - 1} more; give a file of that network"
        )
    network.load_state_dict(own | {name: state[name] for name in needed})
