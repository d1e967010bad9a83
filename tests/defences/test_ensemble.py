"""Several detectors as one: the mean of what each says."""

import pytest
import torch
from torch import Tensor

from unmask.defences.ensemble import Ensemble
from unmask.errors import InvalidInputError
from unmask.torch_contracts import Detector


class Reddish(Detector):
    """Its logit of each class but the last is a multiple of the mean of a channel."""

    def __init__(self, classes: tuple[str, ...], *, size: int = 8, gain: float = 4.0) -> None:
        super().__init__(size=size, classes=classes)
        self.gain = gain

    def logits(self, faces: Tensor) -> Tensor:
        means = faces.mean((-2, -1))[:, :, : len(self.classes) - 1] * self.gain
        return torch.cat([means, torch.zeros_like(means[..., :1])], -1)


def some_faces(items: int = 4, times: int = 1, side: int = 8) -> Tensor:
    """Return noise, each item brighter than the one before."""
    noise = torch.rand(items, times, 3, side, side, generator=torch.Generator().manual_seed(0))
    return noise * torch.linspace(0.2, 1, items).view(-1, 1, 1, 1, 1)


def test_the_score_is_the_mean_of_the_members_scores_whatever_their_classes() -> None:
    members = [
        Reddish(("fake", "real")),
        Reddish(("real", "fake"), gain=9),
        Reddish(("swap", "real", "blend"), gain=-3),
    ]
    faces = some_faces()
    wanted = torch.stack([member.scores(faces) for member in members]).mean(0)
    torch.testing.assert_close(Ensemble(members).scores(faces), wanted)
    assert wanted.std() > 0.01


def test_the_logits_are_log_probabilities_of_real_and_fake() -> None:
    ensemble = Ensemble([Reddish(("fake", "real")), Reddish(("real", "fake"))])
    assert ensemble.classes == ("real", "fake")
    torch.testing.assert_close(ensemble(some_faces()).exp().sum(-1), torch.ones(4))


def test_times_are_kept_apart_until_the_end() -> None:
    ensemble, faces = Ensemble([Reddish(("fake", "real"))] * 2), some_faces(2, 3)
    each = ensemble(faces.transpose(0, 1)[:, :1])
    torch.testing.assert_close(ensemble(faces)[0], each.mean(0))


def test_a_smaller_member_resizes_by_itself() -> None:
    small, large = Reddish(("fake", "real"), size=4), Reddish(("fake", "real"), size=16)
    ensemble, faces = Ensemble([small, large]), some_faces(side=16)
    assert ensemble.size == 16
    wanted = (small.scores(faces) + large.scores(faces)) / 2
    torch.testing.assert_close(ensemble.scores(faces), wanted)


def test_a_certain_member_leaves_a_gradient() -> None:
    sure = Ensemble([Reddish(("fake", "real"), gain=1e3), Reddish(("fake", "real"), gain=2e3)])
    faces = some_faces().requires_grad_()
    (gradient,) = torch.autograd.grad(sure.odds(faces).sum(), faces)
    assert gradient.isfinite().all()
    assert gradient.abs().sum() > 0


def test_one_member_is_refused() -> None:
    with pytest.raises(InvalidInputError, match="must have two members or more, got 1"):
        Ensemble([Reddish(("fake", "real"))])


def test_a_member_that_cannot_say_real_is_refused() -> None:
    members = [Reddish(("fake", "real")), Reddish(("clean", "adversarial"))]
    with pytest.raises(InvalidInputError, match=r"must have the class 'real', got \('clean'"):
        Ensemble(members)
