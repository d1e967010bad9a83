"""Importing torchvision where its compiled part does not fit the installed PyTorch.

The package index has one torchvision for CUDA and CPU builds. Beside a CPU-only torch its
compiled operators do not load, and the import then fails on two that nobody asked for. Declaring
them by name is enough for its networks, transforms and for timm, which needs torchvision.
"""

import sys
from importlib import import_module

import torch

from unmask.errors import missing_extra

SCHEMAS = (
    "nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
    "qnms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
)
_declared: list[torch.library.Library] = []  # a declaration ends with its object


def import_torchvision() -> None:
    """Import torchvision; only where that fails for want of operators, declare them first.

    Raises:
        MissingDependencyError: if torchvision is not installed.
    """
    if "torchvision" in sys.modules:
        return
    try:
        import_module("torchvision")
    except ModuleNotFoundError:
        raise missing_extra("torchvision", "timm", "a timm network") from None
    except RuntimeError as error:
        if "operator torchvision::" not in str(error):
            raise
        for name in [name for name in sys.modules if name.startswith("torchvision.")]:
            del sys.modules[name]
        _declare()
        import_module("torchvision")


def _declare() -> None:
    library = torch.library.Library("torchvision", "DEF")  # type: ignore[no-untyped-call]
    for schema in SCHEMAS:
        library.define(schema)  # type: ignore[no-untyped-call]
    _declared.append(library)
