"""Official splits by pairs."""

import json
from pathlib import Path

import pytest

from unmask.datasets.splits import read_pair_splits
from unmask.errors import InvalidInputError


def test_both_ids_of_a_pair_are_in_its_part(tmp_path: Path) -> None:
    (tmp_path / "train.json").write_text(json.dumps([["071", "054"], ["087", "081"]]))
    (tmp_path / "test.json").write_text(json.dumps([["953", "974"]]))
    splits = read_pair_splits(tmp_path)
    assert splits.pairs == {"train": 2, "test": 1}
    assert (splits.of("071"), splits.of("054", "071"), splits.of("974")) == (
        "train",
        "train",
        "test",
    )


def test_ids_of_two_parts_or_of_none_have_no_split(tmp_path: Path) -> None:
    (tmp_path / "train.json").write_text(json.dumps([["071", "054"]]))
    (tmp_path / "test.json").write_text(json.dumps([["953", "974"]]))
    splits = read_pair_splits(tmp_path)
    assert (splits.of("071", "953"), splits.of("999"), splits.of("071", "999")) == (
        None,
        None,
        None,
    )


@pytest.mark.parametrize("content", ["[[", '{"071": 1}', "[1, 2]", '[["071"]]', "\xff"])
def test_a_file_that_is_no_list_of_pairs_is_refused(tmp_path: Path, content: str) -> None:
    (tmp_path / "val.json").write_text(content, encoding="latin-1")
    with pytest.raises(
        InvalidInputError, match=r"a split must be a JSON list of pairs .*val\.json"
    ):
        read_pair_splits(tmp_path)


def test_an_id_in_two_parts_is_refused(tmp_path: Path) -> None:
    (tmp_path / "train.json").write_text(json.dumps([["071", "054"]]))
    (tmp_path / "val.json").write_text(json.dumps([["720", "071"]]))
    with pytest.raises(InvalidInputError, match="one part of a split, got '071' in train and val"):
        read_pair_splits(tmp_path)
