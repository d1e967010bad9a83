"""The reader of pristine clips."""

from pathlib import Path

import pytest

from unmask.datasets.footage import Footage
from unmask.errors import InvalidInputError, NotFoundError

CLIPS = ("ann/1.mp4", "bob.mov", "nobody.mp4")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "clips"
    for name in CLIPS:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()
    return folder


def people(footage: Footage) -> dict[object, object]:
    return {row["id"]: row["person"] for row in footage.find()}


def test_everybody_is_told_by_folder_or_by_file(root: Path) -> None:
    assert people(Footage(root)) == {"ann/1.mp4": "ann", "bob.mov": "bob", "nobody.mp4": "nobody"}
    assert {row["label"] for row in Footage(root).find()} == {0}


@pytest.mark.parametrize("place", ["clips/persons.csv", "clips.csv"])
def test_a_table_decides_who_is_seen(root: Path, place: str) -> None:
    (root.parent / place).write_text("file,person,source\nbob.mov,ann,web\nnobody.mp4,,web\n")
    assert people(Footage(root)) == {"ann/1.mp4": "ann", "bob.mov": "ann", "nobody.mp4": None}
    (finding, *_) = Footage(root).check()
    assert "3 videos of 1 people, as " in finding.what


def test_a_table_may_be_given(root: Path) -> None:
    table = root.parent / "who.csv"
    table.write_text("file,person\nbob.mov,ann\n", encoding="utf-8-sig")
    assert people(Footage(root, persons=table))["bob.mov"] == "ann"


def test_a_table_beside_the_folder_that_is_about_something_else_is_let_be(root: Path) -> None:
    (root.parent / "clips.csv").write_text("x,y\n1,2\n")
    assert people(Footage(root))["bob.mov"] == "bob"


def test_a_table_without_its_columns_is_refused(root: Path) -> None:
    (root / "persons.csv").write_text("name,person\nbob.mov,ann\n")
    with pytest.raises(InvalidInputError, match="the columns file and person, got none named file"):
        Footage(root)
    with pytest.raises(NotFoundError, match="the table of people must exist, got"):
        Footage(root, persons=root / "nowhere.csv")


def test_a_table_of_files_that_are_not_there_is_told(root: Path) -> None:
    (root / "persons.csv").write_text("file,person\nBob.mov,ann\n")
    told = [finding.what for finding in Footage(root).check()]
    assert "table of people: 1 files that are not there: Bob.mov" in told


@pytest.mark.shared
def test_the_talkers_are_read_with_their_people(shared: Path) -> None:
    found = people(Footage(shared / "data/talkers"))
    assert len(found) == len(list((shared / "data/talkers").iterdir()))
    assert found["grid-id2_vcd_swwp2s.mpg"] == found["grid-pwij3p.mpg"]
    assert found["pyfeat-no_face.mp4"] is None
