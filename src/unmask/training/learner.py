"""One step of learning, on one device or many."""

from collections.abc import Mapping, Sequence
from math import isfinite
from typing import Any

import torch
from lightning_fabric import Fabric
from torch import Tensor
from torch.nn.functional import cross_entropy

from unmask.errors import InvalidInputError
from unmask.seeding import seed_for
from unmask.training.adversary import Change, trainer
from unmask.training.batches import Batch, as_faces
from unmask.training.settings import TrainSettings
from unmask.training.setup import learn_only_head, new_detector, new_optimiser


class Learner:
    """A detector and its optimiser on Fabric's devices.

    Args:
        fabric: launched.
        settings: of the training.
        classes: their names in the order of their numbers in the data.
    """

    def __init__(
        self,
        fabric: Fabric,
        settings: TrainSettings,
        classes: tuple[str, ...] = ("real", "fake"),
    ) -> None:
        self.fabric, self.settings = fabric, settings
        self.detector = new_detector(settings, classes)
        optimiser = new_optimiser(self.detector, settings, fabric.device)
        self._model, self._optimiser = fabric.setup(self.detector, optimiser)
        outputs = [self.detector.classes.index(name) for name in classes]
        self._outputs = torch.tensor(outputs)
        self._adversary = trainer(settings)
        self._random = torch.Generator(fabric.device)  # of the adversary
        is_free = settings.adversarial == "free"
        self.replays = self._adversary.steps if self._adversary and is_free else 1

    def step(self, batches: Sequence[Batch], number: int, rate: float, *, only_head: bool) -> float:
        """Take one step and return its loss, or one with each replay and return their mean.

        Args:
            batches: whose gradients are added up.
            number: of the step, on which its randomness depends.
            rate: the learning rate.
            only_head: whether all but the last layer stays as it is.

        Raises:
            InvalidInputError: if the loss is not finite.
        """
        rank = self.fabric.global_rank
        torch.manual_seed(seed_for(self.settings.seed, "step", number, rank))
        if self.settings.head_epochs:
            learn_only_head(self.detector, only_head)
        for group in self._optimiser.param_groups:
            group["lr"] = rate
        self._random.manual_seed(seed_for(self.settings.seed, "attack", number, rank))
        changes = [self._change_for(batch) for batch in batches]
        losses = [self._update(batches, changes, number) for _ in range(self.replays)]
        return sum(losses) / len(losses)

    def forget(self) -> None:
        """Let the optimiser forget what it knows of the gradients so far."""
        self._optimiser.optimizer.state.clear()

    def _change_for(self, batch: Batch) -> Change | None:
        """Return what free training changes from replay to replay, in place."""
        if self._adversary is None or self.settings.adversarial != "free":
            return None
        return self._adversary.start(as_faces(batch.faces, self.fabric.device), self._random)

    def _update(
        self, batches: Sequence[Batch], changes: Sequence[Change | None], number: int
    ) -> float:
        loss = sum(
            self._add_gradients(batch, change, len(batches), last=batch is batches[-1])
            for batch, change in zip(batches, changes, strict=True)
        )
        if not isfinite(loss):
            raise InvalidInputError(
                f"the loss must stay finite, got {loss} at step {number}; lower learning_rate"
            )
        self._optimiser.step()
        self._optimiser.zero_grad()
        return loss

    def _add_gradients(
        self, batch: Batch, change: Change | None, parts: int, *, last: bool
    ) -> float:
        targets = self._outputs[batch.labels].to(self.fabric.device)
        faces = self._shown(as_faces(batch.faces, self.fabric.device), targets, change)
        with self.fabric.no_backward_sync(self._model, enabled=not last):
            logits = self._model(faces)
            loss = cross_entropy(logits.float(), targets) / parts
            self.fabric.backward(loss)
        if self._adversary and change is not None and faces.grad is not None:
            self._adversary.move(change.values, faces.grad[change.places])
        return float(loss.item())

    def _shown(self, faces: Tensor, targets: Tensor, change: Change | None) -> Tensor:
        """Return the faces that are learned from: a share of them under attack."""
        if self._adversary is None:
            return faces
        if change is not None:
            return self._adversary.changed(faces, change).requires_grad_()
        with self.fabric.autocast():
            return self._adversary.attacked(self.detector, faces, targets, self._random)

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
