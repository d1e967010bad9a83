"""Reading the tensors of a weight file without running anything that stands in it."""

import warnings
from collections.abc import Mapping
from pathlib import Path
from pickle import UnpicklingError

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from unmask.errors import InvalidInputError, NotFoundError

State = dict[str, Tensor]
WRAPPERS = ("state_dict", "model_state_dict", "model", "net", "network")


def read_state(path: Path) -> State:
    """Return the tensors of a `.safetensors` file or of a state dict that torch saved.

    Raises:
        NotFoundError: if the file does not exist.
        InvalidInputError: if it holds a pickled module or is no weight file.
    """
    if not path.is_file():
        raise NotFoundError(f"the weight file must exist, got {path}; check the path")
    if path.suffix == ".safetensors":
        try:
            return load_file(path)
        except SafetensorError as error:
            raise _no_weights(path, error) from None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # torch's advice on odd pickles helps no user
            content = torch.load(path, map_location="cpu", weights_only=True)
    except UnpicklingError:
        raise InvalidInputError(
            f"the weight file must hold a state dict, got a pickled object in {path}, which may "
            "run any code when it is read; where you trust it, open it in the project that made "
            "it and save model.state_dict()"
        ) from None
    except Exception as error:  # of any kind: the bytes may be anything
        raise _no_weights(path, error) from None
    return _unwrapped(content, path)


def without_prefix(state: State, known: str) -> State:
    """Return the state with what stands before the name `known` cut off every name.

    Networks wrapped by other projects carry `module.`, `model.`, `backbone.` and the like.

    Example:
        >>> list(without_prefix({"model.conv1.bias": torch.zeros(1)}, "conv1.bias"))
        ['conv1.bias']
    """
    prefixes = [name[: -len(known)] for name in state if f".{name}".endswith(f".{known}")]
    prefix = min(prefixes, key=len, default="")
    return {name.removeprefix(prefix): tensor for name, tensor in state.items()}


def _unwrapped(content: object, path: Path) -> State:
    for wrapper in WRAPPERS:
        if isinstance(content, Mapping) and isinstance(content.get(wrapper), Mapping):
            content = content[wrapper]
    if not (
        isinstance(content, Mapping)
        and content
        and all(isinstance(one, Tensor) for one in content.values())
    ):
        raise InvalidInputError(
            f"the weight file must hold a state dict of tensors, got {type(content).__name__} in "
            f"{path}; save model.state_dict()"
        )
    return dict(content)


def _no_weights(path: Path, error: Exception) -> InvalidInputError:
    reason = (str(error).splitlines() or [type(error).__name__])[0]
    return InvalidInputError(
        f"the weight file must be safetensors or saved by torch, got {path} ({reason}); "
        "download or save it again"
    )
