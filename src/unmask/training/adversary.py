"""The attacker that a detector is trained against, at the size of the network's input."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from unmask.torch_contracts import Detector
from unmask.training.settings import ADVERSARIES, TrainSettings

EXAMINING = 10  # steps of the attacker at validation
REACH = 2.5  # radii that the steps of PGD go together


@dataclass(frozen=True)
class Change:
    """What an attacker adds to some faces of a batch.

    Args:
        places: (n,) of these faces in the batch, rising.
        values: (n, T, 3, H, W).
    """

    places: Tensor
    values: Tensor


@dataclass(frozen=True)
class Adversary:
    """Projected gradient ascent on the loss within an L-infinity ball, from a random start.

    The network is attacked as it will be: in evaluation mode, with its running statistics and
    without dropout. So an attack neither moves those statistics nor chases the noise of dropout.

    Args:
        epsilon: radius of the ball, in values of [0, 1].
        step: the change of a value in one step.
        steps: how many steps.
        share: of a batch, that is attacked; the rest stays clean. Which faces is drawn, as a batch
            may have an order, such as a real face before each fake.

    Reference:
        Madry et al., "Towards Deep Learning Models Resistant to Adversarial Attacks", ICLR 2018,
        section 2.1. https://arxiv.org/abs/1706.06083
    """

    epsilon: float
    step: float
    steps: int
    share: float = 1.0

    def attacked(
        self, detector: Detector, faces: Tensor, targets: Tensor, random: torch.Generator
    ) -> Tensor:
        """Return the faces (N, T, 3, H, W), a share of them where the loss is higher.

        Args:
            detector: what is attacked; its parameters get no gradient.
            faces: (N, T, 3, H, W) in [0, 1].
            targets: (N,) the places of the true classes among the outputs.
            random: of the choice and of the start, on the device of the faces.
        """
        change = self.start(faces, random)
        clean, wanted = faces[change.places], targets[change.places]
        with _evaluating(detector):
            for _ in range(self.steps):
                now = (clean + change.values).clamp_(0, 1).requires_grad_()
                # A sum, as each face has its own gradient; a mean would make it small.
                loss = cross_entropy(detector(now).float(), wanted, reduction="sum")
                self.move(change.values, torch.autograd.grad(loss, now)[0])
        return self.changed(faces, change)

    def start(self, faces: Tensor, random: torch.Generator) -> Change:
        """Return a change of a share of the faces, drawn evenly from the ball."""
        count = max(1, round(self.share * len(faces)))
        places = torch.arange(len(faces), device=faces.device)
        if count < len(faces):
            drawn = torch.randperm(len(faces), generator=random, device=faces.device)
            places = drawn[:count].sort().values
        values = torch.empty_like(faces[:count])
        return Change(places, values.uniform_(-self.epsilon, self.epsilon, generator=random))

    @torch.no_grad()
    def move(self, values: Tensor, gradient: Tensor) -> None:
        """Take one step along the gradient (n, T, 3, H, W) of the loss, in place."""
        # In half precision a gradient may overflow; such a value stays where it is.
        uphill = gradient.nan_to_num(0, 0, 0).sign_()
        values.add_(uphill, alpha=self.step).clamp_(-self.epsilon, self.epsilon)

    @torch.no_grad()
    def changed(self, faces: Tensor, change: Change) -> Tensor:
        """Return the faces (N, T, 3, H, W) with the change of some of them, inside [0, 1]."""
        return faces.index_add(0, change.places, change.values).clamp_(0, 1)


def trainer(settings: TrainSettings) -> Adversary | None:
    """Return the attacker of a training, or None where it learns from clean faces alone.

    `pgd` takes some steps that together go 2.5 radii. `fast` takes one of 1.25 radii (Wong et al.,
    "Fast is better than free", ICLR 2020, section 4, https://arxiv.org/abs/2001.03994). `free`
    takes steps of one radius, each from the gradient that also moves the weights (Shafahi et al.,
    "Adversarial Training for Free!", NeurIPS 2019, algorithm 1, https://arxiv.org/abs/1904.12843);
    here every batch starts from a change of its own, so that a run can continue anywhere.
    """
    kind, radius = settings.adversarial, settings.adversarial_epsilon
    if not kind:
        return None
    steps = settings.adversarial_steps or ADVERSARIES[kind]
    step = settings.adversarial_step
    if step is None:
        step = radius * {"pgd": REACH / steps, "free": 1.0, "fast": 1.25}[kind]
    return Adversary(radius, step, steps, settings.adversarial_share)


def examiner(settings: TrainSettings) -> Adversary | None:
    """Return the attacker of the validation, or None where nobody asks for one.

    It always goes many steps: a network that only seems robust to a single one, as `fast` may
    make it, is found out.
    """
    if not settings.adversarial and settings.selection != "robust_auc":
        return None
    radius = settings.adversarial_epsilon
    return Adversary(radius, radius * REACH / EXAMINING, EXAMINING)


@contextmanager
def _evaluating(detector: Detector) -> Iterator[None]:
    before = detector.training
    detector.eval()
    try:
        yield
    finally:
        detector.train(before)
