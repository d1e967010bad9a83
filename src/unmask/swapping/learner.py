"""One step of a face-swap autoencoder, on one device or many."""

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from lightning_fabric import Fabric
from torch import Tensor, nn
from torch.optim import Adam

from unmask.autoencoders import AUTOENCODERS
from unmask.options import parse_options
from unmask.seeding import seed_for
from unmask.swapping.batches import as_faces
from unmask.swapping.loss import swap_loss
from unmask.swapping.pair_settings import PairSettings
from unmask.swapping.pictures import Batch
from unmask.torch_contracts import SOURCE, Autoencoder

MOMENTA, SMALLEST_DIVISOR = (0.5, 0.99), 1e-7
NARROW = 0.01  # a width that is built in milliseconds


def network_options(settings: PairSettings) -> dict[str, Any]:
    """Return all that the autoencoder is made with.

    Raises:
        NotFoundError: if there is no such autoencoder, or it has no such option.
        InvalidInputError: if an option has a value of another type or out of its range.
    """
    given = (f"width={settings.width}", *settings.options)
    options: dict[str, Any] = parse_options(AUTOENCODERS[settings.model], given)
    is_narrowed = 0 < float(options["width"]) <= 1
    with torch.random.fork_rng(devices=()):
        # Only the part knows which values it takes: it is asked, at a size that costs nothing.
        AUTOENCODERS[settings.model](**options | ({"width": NARROW} if is_narrowed else {}))
    return options


def new_network(settings: PairSettings) -> Autoencoder:
    """Return the autoencoder with random weights drawn from the seed.

    Raises:
        NotFoundError, InvalidInputError: as `network_options`.
    """
    torch.manual_seed(seed_for(settings.seed, "weights"))
    network = AUTOENCODERS[settings.model](**network_options(settings))
    return network.to(memory_format=torch.channels_last)  # type: ignore[call-overload,no-any-return]


class _Sides(nn.Module):
    """The autoencoder on the faces of each side in one call, as several devices need it."""

    def __init__(self, network: Autoencoder) -> None:
        super().__init__()
        self.network = network

    def forward(self, *faces: Tensor) -> list[Tensor]:
        return [self.network(one, side) for side, one in enumerate(faces)]


class SwapLearner:
    """An autoencoder and its optimiser on Fabric's devices.

    Args:
        fabric: launched.
        settings: of the training.
        network: to be trained.
        sides: 2 for a pair, 1 where only the target's side learns.
    """

    def __init__(
        self, fabric: Fabric, settings: PairSettings, network: Autoencoder, sides: int
    ) -> None:
        self.fabric, self.settings, self.network = fabric, settings, network
        if not settings.learn_shared:
            network.requires_grad_(False)
            network.own.requires_grad_()
        if sides == 1:
            network.own[SOURCE].requires_grad_(False)
        optimiser = Adam(
            [one for one in network.parameters() if one.requires_grad],
            lr=settings.learning_rate,
            betas=MOMENTA,
            eps=SMALLEST_DIVISOR,
            fused=fabric.device.type in ("cpu", "cuda"),
        )
        self._model, self._optimiser = fabric.setup(_Sides(network), optimiser)

    def step(self, batches: Sequence[Batch]) -> Tensor:
        """Take one step and return the loss of each side, (sides,), on the device."""
        losses = self._losses(batches, self._model)
        self.fabric.backward(losses.sum())
        self._optimiser.step()
        self._optimiser.zero_grad()
        return losses.detach()

    @torch.inference_mode()
    def look(self, batches: Sequence[Batch]) -> Tensor:
        """Return the loss of each side, (sides,), without learning; on one device alone."""
        with self.fabric.autocast():
            return self._losses(batches, _Sides(self.network))

    def _losses(self, batches: Sequence[Batch], model: nn.Module) -> Tensor:
        device = self.fabric.device
        rebuilt = model(*(as_faces(one.inputs, device) for one in batches))
        losses = [
            swap_loss(
                faces.float(),
                as_faces(one.targets, device),
                as_faces(one.masks, device),
                eyes=self.settings.eyes,
                mouth=self.settings.mouth,
            )
            for faces, one in zip(rebuilt, batches, strict=True)
        ]
        return torch.stack(losses)

    def state(self) -> dict[str, Any]:
        """Return all that learning has changed."""
        return {
            "network": self.network.state_dict(),
            "optimiser": self._optimiser.state_dict(),
            "precision": self.fabric.strategy.precision.state_dict(),
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go back to a state; an empty one is the start."""
        if state:
            self.network.load_state_dict(state["network"])
            self._optimiser.load_state_dict(state["optimiser"])
            self.fabric.strategy.precision.load_state_dict(state["precision"])
