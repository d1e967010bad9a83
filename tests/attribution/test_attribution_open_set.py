import json
import re
from collections.abc import Callable
from dataclasses import asdict, replace
from hashlib import sha256
from pathlib import Path

import numpy as np
import pytest

from makers.cards import card_of
from makers.known_detectors import Curved
from unmask.attribution.open_set import (
    OPEN_SET,
    Calibration,
    OpenSet,
    calibrate,
    read_open_set,
    save_open_set,
)
from unmask.errors import InvalidInputError

MADE = OpenSet(
    weights_sha256="a" * 64,
    classes=("dfaker", "iae"),
    rule="max_softmax",
    aggregate="mean",
    calibration=Calibration(0.62, "balanced", 40, 10, 0.9, 0.7, 0.8512),
    held_out=("original",),
    dataset="made",
    split="val",
    catalog_sha256="c" * 64,
    seen_hashes=("1" * 64,),
    seen_persons=("made/anna",),
    commit="0" * 40,
    created="2026-11-21T12:00:00+00:00",
)
CARD = card_of(Curved(classes=("dfaker", "iae")), weights_sha256="a" * 64)


def test_threshold_between_known_and_unknown_is_the_best_of_all_there_are() -> None:
    random = np.random.default_rng(3)
    for _ in range(40):
        known = random.normal(1, 1, 30).round(1)
        unknown = random.normal(0, 1, 20).round(1)
        found = calibrate(known, unknown)
        best = max(
            (known >= one).mean() + (unknown < one).mean()
            for one in np.unique(np.concatenate([known, unknown]))
        )
        assert found.unknown_refused is not None
        assert found.known_accepted + found.unknown_refused == pytest.approx(best)
        assert found.known_accepted == (known >= found.threshold).mean()
        assert found.unknown_refused == (unknown < found.threshold).mean()


def test_threshold_lies_midway_so_that_new_videos_have_room_on_both_sides() -> None:
    assert calibrate([5.0, 4.0], [2.0, 1.0]).threshold == 3


def test_of_equally_good_thresholds_the_one_that_accepts_most_is_taken() -> None:
    found = calibrate([4.0, 1.0], [3.0, 0.0])
    assert found.threshold == 0.5
    assert (found.known_accepted, found.unknown_refused) == (1, 0.5)


def test_where_the_unknown_is_the_more_confident_all_is_accepted() -> None:
    found = calibrate([1.0, 2.0], [3.0, 4.0])
    assert (found.threshold, found.known_accepted, found.unknown_refused) == (1, 1, 0)
    assert found.auroc == 0


def test_without_the_unknown_the_wanted_share_of_the_known_is_accepted() -> None:
    known = np.random.default_rng(4).permutation(20).astype(float)
    found = calibrate(known, accepted=0.95)
    assert (found.threshold, found.known_accepted, found.by) == (1, 0.95, "accepted")
    assert (found.unknown_videos, found.unknown_refused, found.auroc) == (0, None, None)
    assert calibrate(known, accepted=0.96).known_accepted == 1


def test_videos_that_tie_at_the_quantile_are_accepted_together() -> None:
    assert calibrate([3.0, 2.0, 2.0, 2.0], accepted=0.5).known_accepted == 1


def test_open_set_comes_back_as_it_was_saved(tmp_path: Path) -> None:
    assert save_open_set(tmp_path, MADE) == tmp_path / OPEN_SET
    assert read_open_set(tmp_path, CARD) == MADE


def test_open_set_of_a_release_that_kept_no_qualities_is_read(tmp_path: Path) -> None:
    plain = asdict(MADE)
    del plain["qualities"]
    told = sha256(json.dumps(plain, sort_keys=True).encode()).hexdigest()
    (tmp_path / OPEN_SET).write_text(json.dumps(plain | {"open_set_sha256": told}))
    assert read_open_set(tmp_path, CARD) == MADE


def test_a_checkpoint_without_an_open_set_has_none(tmp_path: Path) -> None:
    assert read_open_set(tmp_path, CARD) is None


def test_open_set_says_what_it_does_and_what_it_was_chosen_on() -> None:
    assert str(MADE) == (
        "threshold 0.62 of max_softmax accepts 90% of 40 videos of known makers and refuses "
        "70% of 10 of original (AUROC 0.851)"
    )
    alone = replace(MADE, calibration=calibrate([0.5, 0.25], accepted=0.5))
    assert str(alone) == "threshold 0.5 of max_softmax accepts 50% of 2 videos of known makers"


def test_open_set_of_another_checkpoint_is_refused(tmp_path: Path) -> None:
    save_open_set(tmp_path, MADE)
    with pytest.raises(InvalidInputError, match="must be of the weights beside it, got that of"):
        read_open_set(tmp_path, replace(CARD, weights_sha256="b" * 64))


def test_a_changed_open_set_is_refused(tmp_path: Path) -> None:
    path = save_open_set(tmp_path, MADE)
    plain = json.loads(path.read_text())
    plain["calibration"]["threshold"] = 0.1
    path.write_text(json.dumps(plain))
    with pytest.raises(InvalidInputError, match="as it was written, got a changed one"):
        read_open_set(tmp_path, CARD)


@pytest.mark.parametrize("text", ["no JSON", "[]", "{}"])
def test_what_is_no_open_set_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / OPEN_SET).write_text(text)
    with pytest.raises(
        InvalidInputError, match=re.escape("run `unmask attribute calibrate` again")
    ):
        read_open_set(tmp_path, CARD)


def test_an_open_set_of_another_format_is_refused(tmp_path: Path) -> None:
    save_open_set(tmp_path, replace(MADE, format=2))
    with pytest.raises(InvalidInputError, match="must be of format 1, got 2"):
        read_open_set(tmp_path, CARD)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: calibrate([]), "known must be one finite confidence or more, got 0"),
        (lambda: calibrate([0.5, np.nan]), "known must be one finite"),
        (lambda: calibrate([0.5], []), "unknown must be one finite"),
        (lambda: calibrate([0.5], accepted=95), "(0, 1], got 95"),
    ],
)
def test_bad_input_is_refused_with_what_to_do(call: Callable[[], object], message: str) -> None:
    with pytest.raises(InvalidInputError, match=re.escape(message)):
        call()
