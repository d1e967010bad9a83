from pathlib import Path

import pytest
import torch
from torch import Tensor

from makers.defended import SIZE, make_fragile, make_guard
from makers.known_detectors import Tint
from makers.prepared_faces import make_prepared
from unmask.adversarial.opening import open_guard, open_victim
from unmask.defences.ensemble import Ensemble
from unmask.defences.guarded import Guarded
from unmask.defences.purified import Purified
from unmask.errors import InvalidInputError
from unmask.torch_contracts import Detector


class Reds(Detector):
    """Tells attacked faces by how red they are; its classes stand the other way round."""

    def __init__(self, gain: float = 8.0) -> None:
        super().__init__(size=8, classes=("adversarial", "clean"))
        self.gain = gain

    def logits(self, faces: Tensor) -> Tensor:
        odds = self.gain * (faces[:, :, 0].mean((2, 3)) - 0.5)
        return torch.stack([odds, torch.zeros_like(odds)], -1)


def some_faces(items: int = 5, times: int = 1) -> Tensor:
    return torch.rand(items, times, 3, 8, 8, generator=torch.Generator().manual_seed(3))


def test_a_face_is_real_if_the_detector_says_real_and_the_guard_says_clean() -> None:
    faces, detector, guard = some_faces(), Tint(), Reds()
    attacked = guard(faces).softmax(-1)[:, 0]
    expected = 1 - (1 - detector.scores(faces)) * (1 - attacked)
    torch.testing.assert_close(Guarded(detector, guard).scores(faces), expected)


def test_several_faces_of_an_item_are_judged_each_for_itself() -> None:
    faces, both = some_faces(2, 3), Guarded(Tint(), Reds())
    each = both(faces.flatten(0, 1).unsqueeze(1)).view(2, 3, 2)
    torch.testing.assert_close(both(faces), each.mean(1))


def test_odds_keep_a_slope_where_both_are_certain() -> None:
    class Sure(Tint):
        def logits(self, faces: Tensor) -> Tensor:
            return 100 * super().logits(faces)

    faces = some_faces(4).requires_grad_()
    odds = Guarded(Sure(), Reds(gain=500)).odds(faces)
    (slope,) = torch.autograd.grad(odds.sum(), faces)
    assert odds.isfinite().all()
    assert (slope.abs().sum((1, 2, 3, 4)) > 0).all()


def test_a_detector_and_a_guard_in_the_wrong_places_are_refused() -> None:
    with pytest.raises(InvalidInputError, match="the detector must have the class 'real'"):
        Guarded(Reds(), Reds())
    with pytest.raises(InvalidInputError, match="the guard must have the class 'clean'"):
        Guarded(Tint(), Tint())


def test_a_member_that_tells_clean_from_attacked_guards_the_others(tmp_path: Path) -> None:
    prepared = make_prepared(tmp_path / "data", persons=2, frames=1)
    one, other = (make_fragile(tmp_path / name, prepared, seed=3) for name in ("one", "other"))
    guard = make_guard(tmp_path / "phase")
    alone = open_victim(f"{one}&{guard}")
    assert (alone.name, len(alone.cards)) == ("one+phase", 2)
    faces = torch.rand(2, 1, 3, SIZE, SIZE, generator=torch.Generator().manual_seed(0))
    members = open_victim(str(one)).detector, open_guard(str(guard)).detector
    torch.testing.assert_close(alone.detector.scores(faces), Guarded(*members).scores(faces))
    behind = open_victim(f"{one}&{guard}&{other}@jpeg:75").detector
    assert isinstance(behind, Purified)
    assert isinstance(behind.detector, Guarded)
    assert isinstance(behind.detector.detector, Ensemble)


def test_guards_without_a_detector_are_refused(tmp_path: Path) -> None:
    guard = make_guard(tmp_path / "phase")
    with pytest.raises(InvalidInputError, match="a member with the class 'real', got guards only"):
        open_victim(f"{guard}&{guard}")


def test_a_detector_of_fakes_is_no_guard(tmp_path: Path) -> None:
    prepared = make_prepared(tmp_path / "data", persons=2, frames=1)
    folder = make_fragile(tmp_path / "meso4", prepared)
    with pytest.raises(InvalidInputError, match="a guard must have the class 'clean'"):
        open_guard(str(folder))
