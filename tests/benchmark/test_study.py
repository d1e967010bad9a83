"""What may and what may not go on in the folder of a study."""

import json
from pathlib import Path

import pytest

from unmask.benchmark.study import keep_only, same_study
from unmask.errors import InvalidInputError

IDENTITY = {"protocol": "attack", "frames": "all", "clip_frames": 16, "sizes": (1, 2)}


def test_same_study_goes_on_and_its_note_stays_as_it_is(tmp_path: Path) -> None:
    same_study(tmp_path / "out", IDENTITY)
    written = (tmp_path / "out/study.json").stat().st_mtime_ns
    same_study(tmp_path / "out", IDENTITY)
    assert (tmp_path / "out/study.json").stat().st_mtime_ns == written


def test_other_study_is_refused_with_the_first_difference_and_leaves_the_note(
    tmp_path: Path,
) -> None:
    same_study(tmp_path, IDENTITY)
    other = IDENTITY | {"clip_frames": 8, "sizes": (3,)}
    with pytest.raises(
        InvalidInputError, match=r"whose clip_frames was 16, not 8; choose another folder"
    ):
        same_study(tmp_path, other)
    same_study(tmp_path, IDENTITY)


def test_study_is_extended_by_what_it_did_not_name_and_remembers_both(tmp_path: Path) -> None:
    same_study(tmp_path, {"seed": 0, "weights of a": "1f"})
    same_study(tmp_path, {"seed": 0, "weights of b": "2f"})
    noted = json.loads((tmp_path / "study.json").read_text("utf-8"))
    assert noted == {"seed": 0, "weights of a": "1f", "weights of b": "2f"}
    with pytest.raises(InvalidInputError, match="whose weights of a was '1f', not '3f'"):
        same_study(tmp_path, {"seed": 0, "weights of a": "3f"})


def test_only_files_of_the_pattern_that_were_not_written_are_deleted(tmp_path: Path) -> None:
    for name in ("attack-a.json", "attack-b.json", "notes.json", "attack-c.txt"):
        (tmp_path / name).touch()
    keep_only(tmp_path, "attack-*.json", ["attack-b"])
    left = {path.name for path in tmp_path.iterdir()}
    assert left == {"attack-b.json", "notes.json", "attack-c.txt"}
    keep_only(tmp_path / "none", "*", [])


@pytest.mark.parametrize("content", ["{", "[]"])
def test_note_that_cannot_be_read_is_refused(tmp_path: Path, content: str) -> None:
    (tmp_path / "study.json").write_text(content, "utf-8")
    with pytest.raises(InvalidInputError, match="the note on a study must be a JSON object"):
        same_study(tmp_path, IDENTITY)
