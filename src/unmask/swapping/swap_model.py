"""A trained pair on disk: the weights of its autoencoder, and a card that tells its story."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load, save

from unmask.autoencoders import AUTOENCODERS
from unmask.errors import InvalidInputError, NotFoundError
from unmask.files import write_whole
from unmask.torch_contracts import Autoencoder

FORMAT = 1
WEIGHTS, CARD = "weights.safetensors", "card.json"


@dataclass(frozen=True)
class SwapCard:
    """What a trained autoencoder is and where it comes from.

    Args:
        model: its name in `AUTOENCODERS`.
        options: what it is made with, `width` among them.
        width: share of the published channels.
        input_size: side of the faces that it takes, in pixels.
        output_size: side of the faces that it returns.
        parameters: how many it has.
        coverage: share of the side of an aligned face that it sees, around the middle.
        padding: what the faces were aligned with.
        iterations: steps that it has learned, those of the warm start left out.
        seconds: how long that took, pauses left out.
        steps_per_second: both in one.
        stopped_by: iterations, minutes or plateau.
        losses: the last `target` and `source` of the training, and `validation_target` and
            `validation_source` of the faces held out.
        settings: of the training, as plain values.
        names: of the target's and of the source's person.
        faces: SHA-256 of the face sets, and how many faces were learned and held out, by side.
        started_from: SHA-256 of the weights that it started from; empty if they were random.
        commit: of Unmask's source, or its release.
        versions: of what it was trained with.
        weights_sha256: of the weight file; written by `save_swap`.
        format: of the card.
    """

    model: str
    options: Mapping[str, Any]
    width: float
    input_size: int
    output_size: int
    parameters: int
    coverage: float
    padding: float
    iterations: int
    seconds: float
    steps_per_second: float
    stopped_by: str
    losses: Mapping[str, float]
    settings: Mapping[str, Any]
    names: tuple[str, ...]
    faces: Mapping[str, Any]
    started_from: str
    commit: str
    versions: Mapping[str, str]
    weights_sha256: str = ""
    format: int = FORMAT


def save_swap(folder: Path, network: Autoencoder, card: SwapCard) -> SwapCard:
    """Write `weights.safetensors`, then `card.json`, which makes the folder whole.

    Returns:
        The card with the hash of the weights.
    """
    state = network.state_dict()
    content = save({name: tensor.cpu().contiguous() for name, tensor in state.items()})
    card = replace(card, weights_sha256=sha256(content).hexdigest())
    plain = _plain(card)
    write_whole(folder / WEIGHTS, content)
    text = json.dumps(plain | {"card_sha256": _hash(plain)}, indent=1)
    write_whole(folder / CARD, text.encode())
    return card


def load_swap(folder: Path) -> tuple[Autoencoder, SwapCard]:
    """Return a trained autoencoder, ready to rebuild faces on the CPU, and its card.

    Raises:
        NotFoundError: if the folder holds no whole training.
        InvalidInputError: if the card or the weights were changed after they were written, are
            of another format, or do not fit the autoencoder.
    """
    card = read_swap_card(folder)
    content = _content(folder / WEIGHTS)
    if sha256(content).hexdigest() != card.weights_sha256:
        raise InvalidInputError(
            f"the weights must be those of the card, got another hash in {folder / WEIGHTS}; "
            "copy the folder again, or train the pair again"
        )
    network = AUTOENCODERS[card.model](**card.options)
    try:
        network.load_state_dict(load(content))
    except RuntimeError as error:
        raise InvalidInputError(
            f"the weights must fit autoencoder {card.model}, got "
            f"{str(error).splitlines()[-1].strip()}; install the release that they were trained "
            "with"
        ) from None
    return network.to(memory_format=torch.channels_last).eval(), card  # type: ignore[call-overload]


def read_swap_card(folder: Path) -> SwapCard:
    """Return the card of a trained pair.

    Raises:
        NotFoundError: if the folder holds no whole training.
        InvalidInputError: if the card was changed after it was written or has another format.
    """
    path = folder / CARD
    try:
        plain = json.loads(_content(path))
        written = plain.pop("card_sha256")
    except (ValueError, KeyError, AttributeError, TypeError) as error:
        raise InvalidInputError(
            f"a card must be JSON as training writes it, got {path} ({error!r}); copy it again"
        ) from None
    if plain.get("format") != FORMAT or set(plain) != {one.name for one in fields(SwapCard)}:
        raise InvalidInputError(
            f"a card must be of a face swap of format {FORMAT}, got {plain.get('format')} in "
            f"{path}; give the folder of a trained pair, or train it again with this release"
        )
    if _hash(plain) != written:
        raise InvalidInputError(
            f"a card must be as training wrote it, got a changed one in {path}; restore it"
        )
    return SwapCard(**plain | {"names": tuple(plain["names"])})


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        raise NotFoundError(
            f"a trained pair must hold {path.name}, got none in {path.parent}; finish its "
            "training or correct the path"
        ) from None


def _plain(card: SwapCard) -> dict[str, Any]:
    """Return the card as JSON gives it back."""
    plain: dict[str, Any] = json.loads(json.dumps(asdict(card)))
    return plain


def _hash(plain: Mapping[str, Any]) -> str:
    return sha256(json.dumps(plain, sort_keys=True).encode()).hexdigest()
