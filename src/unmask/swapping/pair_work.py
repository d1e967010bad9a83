"""What the training of a pair is given, and whether it was done before."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from unmask.catalog import hash_file
from unmask.errors import InvalidInputError, NotFoundError
from unmask.settings import to_plain
from unmask.swapping.face_set import FaceSet
from unmask.swapping.learner import network_options, new_network
from unmask.swapping.pair_settings import FREE, PairSettings
from unmask.swapping.swap_model import load_swap, read_swap_card
from unmask.swapping.swap_run import STATE, refuse_other_pair
from unmask.torch_contracts import Autoencoder
from unmask.training.carded import WEIGHTS

SIDES = ("target", "source")


@dataclass(frozen=True)
class PairWork:
    """What a training is given.

    Args:
        settings: of the training.
        sides: the face sets of the target and of the source, or of the target alone.
        out: the folder of the result.
        names: of the persons.
        start: the folder of a trained autoencoder to start from.

    Raises:
        InvalidInputError: if the faces differ in size, or a side has fewer than 2.
    """

    settings: PairSettings
    sides: Sequence[Sequence[FaceSet]]
    out: Path
    names: tuple[str, ...]
    start: Path | None

    def __post_init__(self) -> None:
        sizes = {one.images.shape[1:] for side in self.sides for one in side}
        if len(sizes) != 1:
            raise InvalidInputError(
                f"the faces must be equally large, got {sorted(sizes)}; make the sets alike"
            )
        for name, side in zip(SIDES, self.sides, strict=False):
            count = sum(len(one.images) for one in side)
            if count < 2:
                raise InvalidInputError(
                    f"the faces of the {name} must be 2 or more, got {count}; give more clips"
                )

    @property
    def identity(self) -> dict[str, Any]:
        """What makes two runs the same run."""
        plain = {name: one for name, one in to_plain(self.settings).items() if name not in FREE}
        hashes = [[one.sha256 for one in side] for side in self.sides]
        return plain | {"faces": hashes, "names": list(self.names), "start": self.start_hash}

    @property
    def start_hash(self) -> str:
        """Of the weights that it starts from; empty if they are random."""
        return read_swap_card(self.start).weights_sha256 if self.start else ""

    def is_finished(self) -> bool:
        """Return whether the folder holds the whole result of this run.

        Raises:
            InvalidInputError: if it holds that of another run.
        """
        try:
            card = read_swap_card(self.out)
        except NotFoundError:
            return False
        there = dict(card.settings) | {
            "faces": card.faces["sha256"],
            "names": list(card.names),
            "start": card.started_from,
        }
        refuse_other_pair(self.out, there, self.identity)
        weights = self.out / WEIGHTS
        if not weights.is_file() or hash_file(weights) != card.weights_sha256:
            return False  # lost or damaged since: to be trained again
        (self.out / STATE).unlink(missing_ok=True)
        return True

    def network(self) -> Autoencoder:
        """Return the autoencoder as it starts.

        Raises:
            NotFoundError: if there is no such model, option or start.
            InvalidInputError: if the start is of another model, or has other options.
        """
        network = new_network(self.settings)
        if self.start is not None:
            begun, card = load_swap(self.start)
            options = network_options(self.settings)
            if (card.model, dict(card.options)) != (self.settings.model, options):
                raise InvalidInputError(
                    f"start must be the same autoencoder, {self.settings.model} with {options}, "
                    f"got {card.model} with {dict(card.options)}; choose the settings of the start"
                )
            network.load_state_dict(begun.state_dict())
        return network
