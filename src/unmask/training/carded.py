"""A network's weights beside the card that says where they come from, read only as written."""

import json
from collections.abc import Mapping
from dataclasses import fields
from hashlib import sha256
from pathlib import Path
from typing import Any

from safetensors.torch import load, save
from torch import nn

from unmask.errors import InvalidInputError, NotFoundError
from unmask.files import write_whole

FORMAT = 1
WEIGHTS, CARD = "weights.safetensors", "card.json"


def packed(network: nn.Module) -> tuple[bytes, str]:
    """Return the content of a network's weight file, and its SHA-256."""
    state = network.state_dict()
    content = save({name: tensor.cpu().contiguous() for name, tensor in state.items()})
    return content, sha256(content).hexdigest()


def write_carded(folder: Path, content: bytes, card: Mapping[str, Any]) -> None:
    """Write `weights.safetensors`, then `card.json`, which makes the folder whole."""
    plain = json.loads(json.dumps(card))
    write_whole(folder / WEIGHTS, content)
    text = json.dumps(plain | {"card_sha256": _hash(plain)}, indent=1)
    write_whole(folder / CARD, text.encode())


def read_plain_card(folder: Path, kind: type, *, told: str) -> dict[str, Any]:
    """Return the card of a folder as plain values.

    Args:
        folder: where it lies.
        kind: the dataclass that it fills in; its last field is the `format`.
        told: what the folder holds, such as `a checkpoint`.

    Raises:
        NotFoundError: if the folder holds no card.
        InvalidInputError: if the card was changed after it was written, or has another format.
    """
    path = folder / CARD
    try:
        plain = json.loads(_content(path, told))
        written = plain.pop("card_sha256")
    except (ValueError, KeyError, AttributeError, TypeError) as error:
        raise InvalidInputError(
            f"a card must be JSON as training writes it, got {path} ({error!r}); copy it again"
        ) from None
    if plain.get("format") != FORMAT or set(plain) != {one.name for one in fields(kind)}:
        raise InvalidInputError(
            f"a card must be that of {told} in format {FORMAT}, got {plain.get('format')} in "
            f"{path}; give the folder of {told}, or train again with this release"
        )
    if _hash(plain) != written:
        raise InvalidInputError(
            f"a card must be as training wrote it, got a changed one in {path}; restore it"
        )
    return dict(plain)


def read_weights(folder: Path, network: nn.Module, wanted: str, *, told: str, name: str) -> None:
    """Put the weights of a folder into a network.

    Args:
        folder: where they lie.
        network: what they are for.
        wanted: their SHA-256 by the card.
        told: what the folder holds.
        name: of the network.

    Raises:
        NotFoundError: if the folder holds no weights.
        InvalidInputError: if they are others than the card's, or do not fit the network.
    """
    content = _content(folder / WEIGHTS, told)
    if sha256(content).hexdigest() != wanted:
        raise InvalidInputError(
            f"the weights must be those of the card, got another hash in {folder / WEIGHTS}; "
            "copy the folder again, or train again"
        )
    try:
        network.load_state_dict(load(content))
    except RuntimeError as error:
        raise InvalidInputError(
            f"the weights must fit {name}, got {str(error).splitlines()[-1].strip()}; install the "
            "release that they were trained with"
        ) from None


def _content(path: Path, told: str) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        raise NotFoundError(
            f"{told} must hold {path.name}, got none in {path.parent}; finish its training or "
            "correct the path"
        ) from None


def _hash(plain: Mapping[str, Any]) -> str:
    return sha256(json.dumps(plain, sort_keys=True).encode()).hexdigest()
