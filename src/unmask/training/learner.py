"""One step of learning, on one device or many."""

from collections.abc import Mapping, Sequence
from math import isfinite
from typing import Any

import torch
from lightning_fabric import Fabric
from torch.nn.functional import cross_entropy

from unmask.errors import InvalidInputError
from unmask.seeding import seed_for
from unmask.training.batches import Batch, as_faces
from unmask.training.settings import TrainSettings
from unmask.training.setup import learn_only_head, new_detector, new_optimiser


class Learner:
    """A detector and its optimiser on Fabric's devices.

    Args:
        fabric: launched.
        settings: of the training.
    """

    def __init__(self, fabric: Fabric, settings: TrainSettings) -> None:
        self.fabric, self.settings = fabric, settings
        self.detector = new_detector(settings)
        optimiser = new_optimiser(self.detector, settings, fabric.device)
        self._model, self._optimiser = fabric.setup(self.detector, optimiser)
        outputs = [self.detector.classes.index(name) for name in ("real", "fake")]
        self._outputs = torch.tensor(outputs)  # of the labels REAL and FAKE

    def step(self, batches: Sequence[Batch], number: int, rate: float, *, only_head: bool) -> float:
        """Take one step and return its loss.

        Args:
            batches: whose gradients are added up.
            number: of the step, on which its randomness depends.
            rate: the learning rate.
            only_head: whether all but the last layer stays as it is.

        Raises:
            InvalidInputError: if the loss is not finite.
        """
        torch.manual_seed(seed_for(self.settings.seed, "step", number, self.fabric.global_rank))
        if self.settings.head_epochs:
            learn_only_head(self.detector, only_head)
        for group in self._optimiser.param_groups:
            group["lr"] = rate
        loss = sum(
            self._add_gradients(batch, len(batches), last=batch is batches[-1]) for batch in batches
        )
        if not isfinite(loss):
            raise InvalidInputError(
                f"the loss must stay finite, got {loss} at step {number}; lower learning_rate"
            )
        self._optimiser.step()
        self._optimiser.zero_grad()
        return loss

    def _add_gradients(self, batch: Batch, parts: int, *, last: bool) -> float:
        targets = self._outputs[batch.labels].to(self.fabric.device)
        with self.fabric.no_backward_sync(self._model, enabled=not last):
            logits = self._model(as_faces(batch.faces, self.fabric.device))
            loss = cross_entropy(logits.float(), targets) / parts
            self.fabric.backward(loss)
        return float(loss.item())

    def state(self) -> dict[str, Any]:
        """Return all that learning has changed."""
        return {
            "detector": self.detector.state_dict(),
            "optimiser": self._optimiser.state_dict(),
            "precision": self.fabric.strategy.precision.state_dict(),
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go back to a state; an empty one is the start."""
        if state:
            self.detector.load_state_dict(state["detector"])
            self._optimiser.load_state_dict(state["optimiser"])
            self.fabric.strategy.precision.load_state_dict(state["precision"])
