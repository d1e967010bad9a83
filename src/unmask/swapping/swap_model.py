"""A trained pair on disk: the weights of its autoencoder, and a card that tells its story."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import torch

from unmask.autoencoders import AUTOENCODERS
from unmask.torch_contracts import Autoencoder
from unmask.training.carded import FORMAT, packed, read_plain_card, read_weights, write_carded

TOLD = "a trained pair"


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
    content, weights_sha256 = packed(network)
    card = replace(card, weights_sha256=weights_sha256)
    write_carded(folder, content, asdict(card))
    return card


def load_swap(folder: Path) -> tuple[Autoencoder, SwapCard]:
    """Return a trained autoencoder, ready to rebuild faces on the CPU, and its card.

    Raises:
        NotFoundError: if the folder holds no whole training.
        InvalidInputError: if the card or the weights were changed after they were written, are
            of another format, or do not fit the autoencoder.
    """
    card = read_swap_card(folder)
    network = AUTOENCODERS[card.model](**card.options)
    name = f"autoencoder {card.model}"
    read_weights(folder, network, card.weights_sha256, told=TOLD, name=name)
    return network.to(memory_format=torch.channels_last).eval(), card  # type: ignore[call-overload]


def read_swap_card(folder: Path) -> SwapCard:
    """Return the card of a trained pair.

    Raises:
        NotFoundError: if the folder holds no whole training.
        InvalidInputError: if the card was changed after it was written or has another format.
    """
    plain = read_plain_card(folder, SwapCard, told=TOLD)
    return SwapCard(**plain | {"names": tuple(plain["names"])})
