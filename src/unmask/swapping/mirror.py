"""A trained pair the other way round: the source's clips get the target's face."""

from dataclasses import replace
from pathlib import Path

from torch import nn

from unmask.swapping.swap_model import load_swap, save_swap

FOLDER = "back"


def mirrored(model: Path) -> Path:
    """Return a folder, within that of a trained pair, where target and source have changed places.

    It is written anew each time: one that is there may be of other weights, or broken.

    Raises:
        NotFoundError: if the folder holds no trained pair.
        InvalidInputError: if it was changed since the training.
    """
    network, card = load_swap(model)
    back = replace(
        card,
        names=card.names[::-1],
        losses={name: card.losses[_other(name)] for name in card.losses},
        faces={name: list(both)[::-1] for name, both in card.faces.items()},
    )
    folder = model / FOLDER
    network.own = nn.ModuleList(list(network.own)[::-1])
    save_swap(folder, network, back)
    return folder


def _other(name: str) -> str:
    """Return the name of a loss of the other side."""
    return name.replace("target", "x").replace("source", "target").replace("x", "source")
