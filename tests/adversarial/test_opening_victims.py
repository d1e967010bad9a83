from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from shutil import copytree

import pytest
import torch
from torch import Tensor

from makers.cards import card_of
from unmask.adversarial import opening
from unmask.adversarial.opening import open_victim
from unmask.defences.jpeg import Jpeg
from unmask.detectors.create import create_detector
from unmask.errors import InvalidInputError, NotFoundError
from unmask.torch_contracts import Detector
from unmask.training.checkpoint import Card, save_checkpoint


def write(folder: Path, *, size: int = 32, seed: int = 0) -> Card:
    torch.manual_seed(seed)
    detector = create_detector("meso4", size=size)
    return save_checkpoint(folder, detector, card_of(detector))


def some_faces(side: int = 64) -> Tensor:
    return torch.rand(3, 1, 3, side, side, generator=torch.Generator().manual_seed(0))


def scores(victim: str, faces: Tensor) -> Tensor:
    with torch.no_grad():
        return open_victim(victim).detector.scores(faces)


def test_a_folder_is_its_checkpoint(tmp_path: Path) -> None:
    card = write(tmp_path / "meso4")
    victim = open_victim(str(tmp_path / "meso4"))
    assert (victim.name, victim.cards) == ("meso4", (card,))
    assert not victim.detector.training


def test_a_path_that_ends_elsewhere_still_has_the_folders_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path / "meso4")
    monkeypatch.chdir(tmp_path / "meso4")
    assert open_victim(".").name == open_victim(f"{tmp_path}/meso4/").name == "meso4"


def test_folders_with_and_between_are_an_ensemble(tmp_path: Path) -> None:
    cards = write(tmp_path / "small"), write(tmp_path / "large", size=64, seed=1)
    text = f"{tmp_path}/small & {tmp_path}/large"
    victim, faces = open_victim(text), some_faces()
    assert (victim.name, victim.cards, victim.detector.size) == ("small+large", cards, 64)
    wanted = (scores(f"{tmp_path}/small", faces) + scores(f"{tmp_path}/large", faces)) / 2
    torch.testing.assert_close(scores(text, faces), wanted)


def test_purifiers_behind_an_at_stand_before_the_detector(tmp_path: Path) -> None:
    write(tmp_path / "meso4")
    faces = some_faces(32)
    assert open_victim(f"{tmp_path}/meso4@jpeg:30").name == "meso4@jpeg-30"
    wanted = scores(f"{tmp_path}/meso4", Jpeg(30)(faces))
    torch.testing.assert_close(scores(f"{tmp_path}/meso4@jpeg:30", faces), wanted)


def test_purifiers_stand_before_a_whole_ensemble(tmp_path: Path) -> None:
    write(tmp_path / "a")
    write(tmp_path / "b", seed=1)
    victim = open_victim(f"{tmp_path}/a&{tmp_path}/b@median+bit_depth:4")
    assert victim.name == "a+b@median-3+bit_depth-4"
    assert not any(module.training for module in victim.detector.modules())


def test_the_hash_is_of_all_members_in_order_and_of_the_purifiers(tmp_path: Path) -> None:
    write(tmp_path / "a")
    write(tmp_path / "b", seed=1)
    a, b = tmp_path / "a", tmp_path / "b"
    hashes = f"{open_victim(str(a)).sha256} {open_victim(str(b)).sha256} median-3"
    victim = open_victim(f"{a}&{b}@median")
    assert victim.sha256 == sha256(hashes.encode()).hexdigest()
    assert victim.sha256 == open_victim(f"{a}&{b}@median:window=3").sha256
    texts = (f"{a}&{b}@median", f"{a}&{b}", f"{b}&{a}", f"{a}@median", f"{b}@median:5", f"{a}")
    assert len({open_victim(text).sha256 for text in texts}) == len(texts)


def test_the_same_weights_at_another_size_or_with_other_classes_are_another_victim(
    tmp_path: Path,
) -> None:
    network = "timm:lcnet_035"
    weights = create_detector(network, size=64).state_dict()
    victims = []
    for name, size, classes in (
        ("plain", 64, ("real", "fake")),
        ("larger", 96, ("real", "fake")),
        ("turned", 64, ("fake", "real")),
    ):
        detector = create_detector(network, size=size, classes=classes)
        detector.load_state_dict(weights)
        save_checkpoint(tmp_path / name, detector, card_of(detector, network))
        victims.append(open_victim(str(tmp_path / name)))
    assert len({victim.cards[0].weights_sha256 for victim in victims}) == 1
    assert len({victim.sha256 for victim in victims}) == 3


def test_a_copy_of_a_checkpoint_is_the_same_victim(tmp_path: Path) -> None:
    write(tmp_path / "a")
    copytree(tmp_path / "a", tmp_path / "b")
    assert open_victim(f"{tmp_path}/a").sha256 == open_victim(f"{tmp_path}/b").sha256


@pytest.mark.parametrize("folder", ["me@home/meso4", "meso4@2", "me@home/meso4@2"])
def test_a_folder_may_have_an_at_in_its_path(tmp_path: Path, folder: str) -> None:
    write(tmp_path / "plain", seed=1)
    write(tmp_path / folder)
    name = Path(folder).name
    for text, wanted in (
        (f"{tmp_path}/{folder}", name),
        (f"{tmp_path}/plain & {tmp_path}/{folder}", f"plain+{name}"),
        (f"{tmp_path}/{folder}@jpeg:75", f"{name}@jpeg-75"),
    ):
        assert open_victim(text).name == wanted


@pytest.mark.parametrize("text", ["", "&", "{}/meso4&", "&{}/meso4", "@jpeg:75"])
def test_a_member_without_a_folder_is_refused(tmp_path: Path, text: str) -> None:
    write(tmp_path / "meso4")
    with pytest.raises(InvalidInputError, match="a victim must be like FOLDER, FOLDER&FOLDER or"):
        open_victim(text.format(tmp_path))


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match=r"must hold card\.json, got none in .*absent"):
        open_victim(f"{tmp_path}/absent")


@pytest.mark.parametrize("spec", ["", "jpeg:", "jpeg:75+"])
def test_an_empty_purifier_is_refused(tmp_path: Path, spec: str) -> None:
    write(tmp_path / "meso4")
    with pytest.raises(InvalidInputError, match="purifiers must be like jpeg:75"):
        open_victim(f"{tmp_path}/meso4@{spec}")


def test_a_misspelt_purifier_is_answered_before_any_weights_are_read(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="did you mean 'median'"):
        open_victim(f"{tmp_path}/absent@medain:3")


def test_a_checkpoint_that_knows_nothing_of_real_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class TellsFakesApart(Detector):
        def logits(self, faces: Tensor) -> Tensor:
            return faces.mean((-2, -1))[..., :2]

    card = replace(write(tmp_path / "meso4"), classes=("swap", "blend"))
    other = TellsFakesApart(size=32, classes=("swap", "blend"))
    monkeypatch.setattr(opening, "load_checkpoint", lambda folder: (other, card))
    with pytest.raises(
        InvalidInputError, match=r"must have the class 'real', got \('swap', 'blend'\) in"
    ):
        open_victim(f"{tmp_path}/meso4")
