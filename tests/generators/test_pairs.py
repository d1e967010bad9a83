"""Pairs of targets and sources, counted by hand."""

import logging
from collections import Counter
from typing import Any

import pytest

from unmask.errors import InvalidInputError
from unmask.generators.pairs import Pair, with_sources, without_sources

Row = dict[str, Any]


def row(person: str | None, take: int = 0, split: str | None = None, dataset: str = "d") -> Row:
    return {
        "id": f"{dataset}/{person}/{take}",
        "person": person,
        "split": split,
        "dataset": dataset,
    }


def people(count: int, takes: int = 1, split: str | None = None) -> list[Row]:
    return [row(f"{split or 'p'}{i}", take, split) for i in range(count) for take in range(takes)]


def pairs(rows: list[Row], *, per_target: int = 1, seed: int = 0) -> list[Pair]:
    return with_sources(rows, rows, per_target=per_target, seed=seed)


def told(found: list[Pair]) -> dict[str, str]:
    return {pair.target["id"]: pair.source["id"] for pair in found if pair.source}


def test_every_target_has_a_source_of_another_person_of_its_split_and_data_set() -> None:
    rows = [
        *people(6, takes=3, split="train"),
        *people(3, split="val"),
        *(row(f"p{i}", dataset="other") for i in range(3)),
    ]
    found = pairs(rows)
    assert [pair.target["id"] for pair in found] == [one["id"] for one in rows]
    for pair in found:
        assert pair.source is not None
        assert pair.source["person"] != pair.target["person"]
        assert pair.source["split"] == pair.target["split"]
        assert pair.source["dataset"] == pair.target["dataset"]


def test_seed_repeats_the_pairs_and_another_one_changes_them() -> None:
    rows = people(12)
    assert told(pairs(rows)) == told(pairs(rows))
    assert told(pairs(rows)) == told(pairs(rows[::-1]))
    assert told(pairs(rows)) != told(pairs(rows, seed=1))


def test_everybody_lends_the_face_about_equally_often() -> None:
    lent = Counter(source.split("/")[1] for source in told(pairs(people(10, takes=60))).values())
    # 600 draws of 10 people: 60 each, give or take four standard deviations.
    assert len(lent) == 10
    assert all(abs(count - 60) < 4 * 60**0.5 for count in lent.values())


def test_new_person_changes_few_of_the_pairs() -> None:
    before = told(pairs(people(20, takes=5)))
    after = told(pairs(people(21, takes=5)))
    changed = [one for one, source in before.items() if after[one] != source]
    # One of twenty sources is the new person.
    assert len(changed) < 15
    assert all(after[one].startswith("d/p20/") for one in changed)


def test_several_sources_of_one_target_are_different_people(
    caplog: pytest.LogCaptureFixture,
) -> None:
    found = pairs(people(4, takes=2), per_target=3)
    assert len(found) == 24
    for target in {pair.target["id"] for pair in found}:
        own = [pair for pair in found if pair.target["id"] == target]
        assert len({pair.source["person"] for pair in own if pair.source}) == 3
        assert [pair.number for pair in own] == [0, 1, 2]
    with caplog.at_level(logging.WARNING):
        assert len(pairs(people(3), per_target=4)) == 6
    assert "6 forgeries fewer than asked: too few other people" in caplog.text


def test_who_has_nobody_else_or_no_name_is_left_out_and_counted(
    caplog: pytest.LogCaptureFixture,
) -> None:
    rows = [*people(3, split="train"), row("alone", split="test"), row(None, split="train")]
    with caplog.at_level(logging.WARNING):
        found = pairs(rows)
    assert len(found) == 3
    assert "left out: 1 videos of unknown people" in caplog.text
    assert "left out: 1 videos whose split shows nobody else" in caplog.text


def test_one_person_alone_cannot_be_swapped() -> None:
    with pytest.raises(
        InvalidInputError, match=r"two or more people in one split, got p0 \(no split\); add clips"
    ):
        pairs(people(1, takes=3))
    with pytest.raises(InvalidInputError, match=r"got a \(train\), b \(test\); add clips"):
        pairs([row("a", split="train"), row("b", split="test")])
    with pytest.raises(InvalidInputError, match="got nobody whose name and face are known"):
        pairs([row(None)])


def test_method_without_a_source_takes_every_target_as_often_as_asked() -> None:
    found = without_sources([row("a"), row(None)], per_target=2)
    assert [(pair.target["person"], pair.source, pair.number) for pair in found] == [
        ("a", None, 0),
        ("a", None, 1),
        (None, None, 0),
        (None, None, 1),
    ]
