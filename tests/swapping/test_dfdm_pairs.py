"""Pairs and numbers of a data set like DFDM, counted by hand."""

import csv
import logging
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from unmask.errors import InvalidInputError
from unmask.generators.pairs import Pair
from unmask.swapping.dfdm_numbers import number, number_people, number_scenes, read_lines
from unmask.swapping.dfdm_pairs import draw_pairs, usable_clips

Row = dict[str, Any]


def row(person: str | None, take: int = 0, split: str | None = "train", dataset: str = "d") -> Row:
    return {
        "id": f"{dataset}/{person}/{take}.mp4",
        "person": person,
        "split": split,
        "dataset": dataset,
    }


def people(count: int, takes: int = 1, split: str = "train") -> list[Row]:
    return [row(f"{split}{i}", take, split) for i in range(count) for take in range(takes)]


def told(pairs: list[Pair]) -> list[tuple[str, str]]:
    return [(pair.target["id"], pair.source["person"]) for pair in pairs if pair.source]


def test_pairs_stay_within_their_split_and_each_split_has_its_share() -> None:
    clips = [*people(8, takes=3), *people(2, takes=3, split="val"), *people(6, split="test")]
    pairs = draw_pairs(clips, 18, seed=0)
    assert len(pairs) == 18
    for pair in pairs:
        assert pair.source is not None
        assert pair.source["split"] == pair.target["split"]
        assert pair.source["person"] != pair.target["person"]
    # Of 24, 6 and 6 clips: 12, 3 and 3 pairs.
    assert Counter(pair.target["split"] for pair in pairs) == {"train": 12, "val": 3, "test": 3}


def test_no_pair_is_drawn_twice_and_everybody_comes_first_once() -> None:
    clips = people(5, takes=4)
    pairs = draw_pairs(clips, 60, seed=3)
    assert len(set(told(pairs))) == 60
    first = Counter(pair.target["person"] for pair in pairs[:5])
    assert set(first.values()) == {1}
    assert len({pair.target["id"] for pair in pairs[:20]}) == 20


def test_more_pairs_keep_those_that_there_were() -> None:
    clips = people(6, takes=2)
    few, many = (told(draw_pairs(clips, count, seed=1)) for count in (7, 20))
    assert many[:7] == few
    assert told(draw_pairs(clips[::-1], 7, seed=1)) == few
    assert told(draw_pairs(clips, 7, seed=2)) != few


def test_too_few_people_give_fewer_pairs_and_that_is_said(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with caplog.at_level(logging.WARNING):
        pairs = draw_pairs([*people(2), *people(1, split="test")], 5, seed=0)
    assert len(pairs) == 2
    assert "2 pairs instead of 5: too few people" in caplog.text
    assert "the split test has one person only of d, who gets no pair" in caplog.text


def test_as_many_pairs_are_drawn_as_people_give(caplog: pytest.LogCaptureFixture) -> None:
    lonely = [row("zoe", take, dataset="e") for take in range(9)]
    pairs = draw_pairs([*people(3, takes=2), *lonely], 8, seed=0)
    assert len(set(told(pairs))) == 8
    assert "the split train has one person only of e, who gets no pair" in caplog.text
    # A data set of two people has 2 pairs, one of four has 12: 14 in all.
    mixed = [*people(4), *(row(name, dataset="e") for name in ("zoe", "yan"))]
    assert len(draw_pairs(mixed, 13, seed=0)) == 13
    # Of two splits with 20 and 6 clips, the first has 20 pairs and the other one 30.
    unequal = [*people(2, takes=10), *people(6, split="test")]
    assert Counter(pair.target["split"] for pair in draw_pairs(unequal, 40, seed=0)) == {
        "train": 20,
        "test": 20,
    }
    assert "instead of" not in caplog.text
    assert len(draw_pairs(unequal, 60, seed=0)) == 50


def test_one_person_alone_and_too_few_pairs_are_refused() -> None:
    with pytest.raises(InvalidInputError, match="two or more people in one split, got train0"):
        draw_pairs(people(1, takes=3), 1, seed=0)
    with pytest.raises(InvalidInputError, match="pairs must be 2 or more, one for each of the spl"):
        draw_pairs([*people(2), *people(2, split="test")], 1, seed=0)


def test_clips_are_chosen_by_the_seed_and_at_most_so_many_of_each_person() -> None:
    clips = people(4, takes=5)
    chosen = usable_clips(clips, most=2, seed=0)
    assert Counter(one["person"] for one in chosen) == dict.fromkeys(
        ("train0", "train1", "train2", "train3"), 2
    )
    assert [one for one in clips if one in chosen] == chosen
    assert sorted(one["id"] for one in usable_clips(clips[::-1], most=2, seed=0)) == sorted(
        one["id"] for one in chosen
    )
    assert usable_clips(clips, most=2, seed=1) != chosen
    assert usable_clips(clips, most=0, seed=0) == clips


def test_clips_without_person_or_split_are_left_out_and_counted(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with caplog.at_level(logging.WARNING):
        chosen = usable_clips([*people(2), row(None), row("eve", split=None)], most=0, seed=0)
    assert [one["person"] for one in chosen] == ["train0", "train1"]
    assert "left out: 2 videos of unknown people or without a split" in caplog.text
    with pytest.raises(InvalidInputError, match=r"must name person and split .* got neither for 1"):
        usable_clips([row("eve", split=None)], most=0, seed=0)


def test_somebody_in_two_splits_is_refused_by_name() -> None:
    clips = [row("id1", 0), row("id1", 1, "test"), row("id2")]
    with pytest.raises(InvalidInputError, match="two splits, got d/id1 in test and train; split"):
        usable_clips(clips, most=0, seed=0)


def test_people_and_scenes_of_celeb_df_keep_their_numbers() -> None:
    clips = [
        {"id": f"Celeb-real/{name}.mp4", "person": name.split("_")[0], "dataset": "celebdf"}
        for name in ("id3_0007", "id3_0000", "id20_0002")
    ]
    numbers = number(clips)
    assert [numbers.real(clip) for clip in clips] == [
        "id3_0007.mp4",
        "id3_0000.mp4",
        "id20_0002.mp4",
    ]
    pair = Pair(clips[0], clips[2], 0)
    assert numbers.fake(pair, "dfl_h128") == "id3_id20_0007_5dfl-h128.mp4"


def test_others_get_the_numbers_that_are_free() -> None:
    clips = [row("zoe", 1), row("zoe", 0), row("ann"), row("id1"), row("id1", dataset="e")]
    assert number_people(clips) == {
        ("d", "ann"): "id0",
        ("d", "id1"): "id1",  # the first of two who are called so
        ("d", "zoe"): "id2",
        ("e", "id1"): "id3",
    }
    assert number_scenes(clips)["d/zoe/0.mp4"] == "0000"
    assert number_scenes(clips)["d/zoe/1.mp4"] == "0001"


def test_scenes_of_one_name_in_two_folders_get_numbers_of_their_own() -> None:
    clips = [{"id": f"{one}/id1_0004.mp4", "person": "id1", "dataset": "d"} for one in "ab"]
    assert sorted(number_scenes(clips).values()) == ["0000", "0001"]


def test_table_says_who_has_which_number(tmp_path: Path) -> None:
    clips = [row("zoe"), row("ann")]
    number(clips).write(tmp_path, clips)
    with (tmp_path / "persons.csv").open(newline="") as lines:
        assert list(csv.DictReader(lines)) == [
            {
                "id": name,
                "scene": "0000",
                "dataset": "d",
                "person": person,
                "clip": f"d/{person}/0.mp4",
            }
            for name, person in (("id0", "ann"), ("id1", "zoe"))
        ]


def test_whoever_is_in_an_earlier_table_keeps_the_numbers(tmp_path: Path) -> None:
    first = [row("ann", 1), row("eve")]
    number(first, read_lines(tmp_path)).write(tmp_path, first)
    later = [row("ann", 0), row("ann", 1), row("bob"), row("id1")]
    numbers = number(later, read_lines(tmp_path))
    numbers.write(tmp_path, later)
    assert numbers.people == {("d", "ann"): "id0", ("d", "bob"): "id2", ("d", "id1"): "id3"}
    assert numbers.scenes == {
        "d/ann/0.mp4": "0001",
        "d/ann/1.mp4": "0000",
        "d/bob/0.mp4": "0000",
        "d/id1/0.mp4": "0000",
    }
    # Who is not asked for any more keeps the number, too.
    assert [(line["id"], line["clip"]) for line in read_lines(tmp_path)] == [
        ("id0", "d/ann/1.mp4"),
        ("id0", "d/ann/0.mp4"),
        ("id2", "d/bob/0.mp4"),
        ("id1", "d/eve/0.mp4"),
        ("id3", "d/id1/0.mp4"),
    ]


def test_table_with_other_columns_is_refused(tmp_path: Path) -> None:
    (tmp_path / "persons.csv").write_text("name,number\n")
    with pytest.raises(InvalidInputError, match=r"must have the columns id, .* name, number in"):
        read_lines(tmp_path)
