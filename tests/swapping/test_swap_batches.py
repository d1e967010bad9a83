from dataclasses import replace

import numpy as np
import pytest
import torch

from makers.drawn_face_sets import drawn_faces
from unmask.swapping import batches
from unmask.swapping.batches import Side, held_out_rows, make_sides
from unmask.swapping.learner import new_network
from unmask.swapping.pair_settings import PairSettings
from unmask.swapping.pictures import Pictures
from unmask.swapping.prepared import prepare


@pytest.fixture(scope="module")
def shown() -> Pictures:
    faces = prepare([drawn_faces(count=41)], largest=64)
    return Pictures(faces, input_size=64, output_size=64, settings=PairSettings())


def side(shown: Pictures, number: int = 0, *, rank: int = 0, world: int = 1, seed: int = 0) -> Side:
    return Side(shown, PairSettings(batch=6, seed=seed), number, rank=rank, world=world)


def test_each_face_is_learned_once_before_any_comes_again(shown: Pictures) -> None:
    one = side(shown)
    assert (len(one.learned), len(one.held_out)) == (39, 2)
    rows = np.concatenate([one.rows(step) for step in range(26)])  # 156 faces
    for epoch in range(4):
        assert sorted(rows[39 * epoch : 39 * (epoch + 1)]) == one.learned.tolist()
    assert rows[:39].tolist() != rows[39:78].tolist()


def test_faces_held_out_are_never_learned(shown: Pictures) -> None:
    one = side(shown)
    assert not set(one.held_out) & set(one.learned)
    assert sorted({*one.held_out, *one.learned}) == list(range(41))


def test_batch_depends_on_seed_side_and_step_alone(shown: Pictures) -> None:
    first, again = side(shown), side(shown)
    late = first.batch(9)
    assert torch.equal(again.batch(3).inputs, first.batch(3).inputs)
    assert torch.equal(again.batch(9).targets, late.targets)
    others = (first.batch(8), side(shown, 1).batch(9), side(shown, seed=1).batch(9))
    assert not any(torch.equal(late.inputs, one.inputs) for one in others)


def test_devices_share_the_batch_of_one(shown: Pictures) -> None:
    whole = side(shown).batch(2)
    parts = [side(shown, rank=rank, world=3).batch(2) for rank in range(3)]
    for name in ("inputs", "targets", "masks"):
        for rank, part in enumerate(parts):
            assert torch.equal(getattr(part, name), getattr(whole, name)[rank::3])


def test_unchanged_faces_are_held_out_and_not_warped(shown: Pictures) -> None:
    found = side(shown).unchanged(8)
    assert len(found.inputs) == 2
    assert (found.inputs.float() - found.targets.float()).abs().mean() < 0.5


@pytest.mark.parametrize("count", [2, 19, 20, 39, 160, 1000, 1017])
def test_a_twentieth_is_held_out_in_runs_all_over_the_set(count: int) -> None:
    rows = held_out_rows(count, seed=3, side=1)
    assert len(rows) == len(set(rows.tolist())) == max(1, count // 20)
    assert rows.min() >= 0
    assert rows.max() < count
    runs = 1 + (np.diff(rows) > 1).sum()
    assert runs <= 8
    if count >= 160:
        assert np.histogram(rows, bins=4, range=(0, count))[0].min() > 0


def test_sides_are_warped_towards_each_other_where_that_is_asked_for() -> None:
    sets = [[drawn_faces(0)], [drawn_faces(1)]]
    settings = PairSettings(width=0.02, batch=4)
    network = new_network(settings)
    usual = make_sides(sets, network, settings)
    towards = make_sides(sets, network, replace(settings, warp_to_landmarks=True))
    for one, other in zip(usual, towards, strict=True):
        assert torch.equal(one.batch(0).targets, other.batch(0).targets)
        assert not torch.equal(one.batch(0).inputs, other.batch(0).inputs)
    (alone,) = make_sides(sets[:1], network, replace(settings, warp_to_landmarks=True))
    assert len(alone.batch(0).inputs) == 4


def test_sets_of_a_side_give_alike_many_faces_where_there_are_too_many(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(batches, "MOST_FACES", 10)
    settings = PairSettings(width=0.02)
    sets = [drawn_faces(0, count=12), drawn_faces(1, count=3)]
    (side,) = make_sides([sets], new_network(settings), settings)
    assert len(side.pictures.faces.images) == 5 + 3


def test_faces_that_would_fill_the_memory_are_fewer_the_larger_they_are(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    settings = PairSettings(width=0.02, paper_quirks=True)
    network = new_network(settings)
    for size in (64, 96):
        monkeypatch.setattr(batches, "MOST_BYTES", 2 * 3 * 96 * 96 * 4)
        (side,) = make_sides([[drawn_faces(0, count=12, size=size)]], network, settings)
        prepared = side.pictures.faces
        assert len(prepared.images) == {64: 9, 96: 4}[size]
        assert prepared.images.nbytes + prepared.masks.nbytes <= batches.MOST_BYTES
