"""The reader of the defence data set: folders, names, and where the two disagree."""

import json
from pathlib import Path

import pytest

from makers.defensedataset import make, write_face
from unmask.datasets.defensedataset import DefenseDataset
from unmask.datasets.doctor import examine
from unmask.errors import NotFoundError

CLEAN, ATTACKED = "original-dfvideos-faces", "b-adv-dfvideos-MesoNet-faces"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Return the folder of a tiny copy."""
    make(tmp_path / "copy")
    return tmp_path / "copy"


def suspicious(root: Path) -> list[str]:
    findings = examine("defensedataset", root)
    return [finding.what for finding in findings if finding.level == "suspicious"]


def row(root: Path, item: str) -> dict[str, object]:
    (found,) = (one for one in DefenseDataset(root).find() if one["id"] == item)
    return dict(found)


def test_folder_and_name_say_who_and_how(root: Path) -> None:
    clean = row(root, f"{CLEAN}/FaceSwap/071_054_50.png")
    assert clean | {"path": None} == {
        "id": f"{CLEAN}/FaceSwap/071_054_50.png",
        "path": None,
        "kind": "image",
        "label": 1,
        "original_label": CLEAN,
        "family": "swap",
        "method": "FaceSwap",
        "person": "071",
        "source_person": "054",
        "split": "train",
        "quality": "raw",
    }
    attacked = row(root, f"{ATTACKED}/FaceSwap/b_071_054_50.png")
    assert (attacked["family"], attacked["method"]) == ("adversarial", "nes")
    assert attacked["parents"] == [clean["id"]]
    assert json.loads(str(attacked["settings"])) == {"forgery": "FaceSwap", "victim": "MesoNet"}


def test_a_sound_copy_has_nothing_suspicious(root: Path) -> None:
    assert suspicious(root) == []


def test_misspelt_fifth_part_is_read_as_what_is_meant(root: Path) -> None:
    (root / ATTACKED).rename(root / "b-adv-dfvideos-MesonNet-faces")
    found = [one for one in DefenseDataset(root).find() if one["original_label"] == ATTACKED]
    assert len(found) == 24


def test_folders_may_be_nested_and_names_may_say_the_method(root: Path) -> None:
    write_face(root / CLEAN / CLEAN / "images" / "face2face" / "001_870" / "0050.png", root)
    write_face(root / CLEAN / "images" / "NeuralTextures_001_870_0050.png", root)
    nested = row(root, f"{CLEAN}/{CLEAN}/images/face2face/001_870/0050.png")
    flat = row(root, f"{CLEAN}/images/NeuralTextures_001_870_0050.png")
    assert (nested["method"], flat["method"]) == ("Face2Face", "NeuralTextures")
    assert [(one["person"], one["source_person"]) for one in (nested, flat)] == [("001", "870")] * 2


def test_a_flat_folder_is_read_by_the_names_alone(tmp_path: Path) -> None:
    for name in ("w_001_870.png", "b_001_870.png", "001_870.png", "new_001_870.png"):
        write_face(tmp_path / name, tmp_path)
    found = {str(one["id"]): one for one in DefenseDataset(tmp_path).find()}
    methods = {name: one["method"] for name, one in found.items()}
    assert methods == {
        "001_870.png": None,
        "b_001_870.png": "nes",
        "new_001_870.png": None,
        "w_001_870.png": "iterative_fgsm",
    }
    assert found["w_001_870.png"]["parents"] == ["001_870.png"]
    told = examine("defensedataset", tmp_path)
    assert "no folder of a part: 4 images, 2 of them attacked" in told[0].what
    assert any("1 clean images that the published rule takes" in one.what for one in told)


def test_names_that_contradict_their_folder_are_told(root: Path) -> None:
    write_face(root / CLEAN / "FaceSwap" / "w_001_870_0.png", root)
    write_face(root / ATTACKED / "FaceSwap" / "w_001_870_0.png", root)
    told = suspicious(root)
    for part in (CLEAN, ATTACKED):
        assert f"{part}: 1 images whose name contradicts the folder: w_001_870_0.png" in told
    assert row(root, f"{CLEAN}/FaceSwap/w_001_870_0.png")["family"] == "swap"


def test_names_without_any_mark_are_no_contradiction(root: Path) -> None:
    for path in (root / ATTACKED).rglob("*.png"):
        path.rename(path.with_name(path.name.removeprefix("b_")))
    findings = examine("defensedataset", root)
    assert f"{ATTACKED}: no name says that it is attacked" in [one.what for one in findings]
    assert suspicious(root) == []
    assert row(root, f"{ATTACKED}/FaceSwap/071_054_0.png")["family"] == "adversarial"


def test_missing_and_unequal_parts_are_told(root: Path) -> None:
    for path in (root / ATTACKED).rglob("*.png"):
        path.unlink()
    (root / CLEAN / "FaceSwap" / "071_054_0.png").unlink()
    findings = examine("defensedataset", root)
    missing = [one.what for one in findings if one.level == "missing"]
    assert missing == [f"{ATTACKED}: no images"]
    assert any(
        what.startswith("the parts hold unequal numbers of images: 23 ori")
        for what in suspicious(root)
    )


def test_images_of_unknown_method_or_people_are_told(root: Path) -> None:
    write_face(root / CLEAN / "7.png", root)
    told = suspicious(root)
    assert any("1 images of no method that can be recognised" in what for what in told)
    assert any(what.startswith("1 of 121 images without two ids") for what in told)
    assert "person" not in row(root, f"{CLEAN}/7.png")


def test_without_lists_the_split_stays_open(root: Path) -> None:
    for path in (root / "splits").iterdir():
        path.unlink()
    assert row(root, f"{CLEAN}/FaceSwap/071_054_50.png")["split"] is None
    findings = examine("defensedataset", root)
    assert [one.what for one in findings if one.level == "missing"] == ["official split: no lists"]


def test_no_folder_of_lists_is_refused(root: Path) -> None:
    with pytest.raises(NotFoundError, match="splits must be a folder"):
        DefenseDataset(root, splits=root / "nowhere")


def test_a_picture_is_examined_alone(root: Path) -> None:
    findings = examine(None, root / CLEAN / "FaceSwap" / "071_054_0.png")
    assert [one.what for one in findings] == ["a picture of 24x24", "no synthetic mark"]
