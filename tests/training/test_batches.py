import threading
from pathlib import Path

import numpy as np
import pytest
import torch

from makers.prepared_faces import make_prepared
from unmask.training.augment import Augmentation
from unmask.training.batches import Batch, Loader, Plan, ahead, as_faces, stacked
from unmask.training.data import Faces, load_data
from unmask.training.sampling import Order
from unmask.training.settings import TrainSettings
from unmask.training.store import FaceStore


def in_order(epoch: int) -> Order:
    return np.arange(10) + 100 * epoch


def rows(plan: Plan, step: int) -> list[list[int]]:
    return [[row for *_, row in batch] for batch in plan.places(step)]


def test_steps_go_through_the_epochs_one_after_the_other() -> None:
    plan = Plan(in_order, batch=4)
    assert plan.steps_per_epoch == 2
    assert [rows(plan, step) for step in range(3)] == [
        [[0, 1, 2, 3]],
        [[4, 5, 6, 7]],
        [[100, 101, 102, 103]],
    ]


def test_a_step_is_the_same_wherever_one_starts() -> None:
    assert rows(Plan(in_order, batch=4), 5) == rows(Plan(in_order, batch=4), 5)
    plan = Plan(in_order, batch=4)
    assert [plan.places(step) for step in (3, 0, 3)] == [
        Plan(in_order, batch=4).places(step) for step in (3, 0, 3)
    ]


def test_devices_share_the_faces_of_a_step_and_none_is_seen_twice() -> None:
    plans = [Plan(in_order, batch=2, accumulate=2, rank=rank, world=2) for rank in range(2)]
    assert rows(plans[0], 0) == [[0, 1], [4, 5]]
    assert rows(plans[1], 0) == [[2, 3], [6, 7]]


def test_an_epoch_shorter_than_a_step_is_repeated() -> None:
    plan = Plan(in_order, batch=12)
    assert plan.steps_per_epoch == 1
    assert rows(plan, 0) == [[*range(10), 0, 1]]


def some_faces(folder: Path) -> Faces:
    prepared = make_prepared(folder, frames=2)
    return load_data(TrainSettings(prepared.catalog, prepared.faces, folder)).train


def loaded(faces: Faces, workers: int, first: int = 0, last: int = 5) -> list[Batch]:
    plan = Plan(lambda epoch: np.random.default_rng(epoch).permutation(len(faces)), batch=5)
    strong = Augmentation(flip=0.5, colour=1.0, blur=0.5, downscale=0.5, jpeg=0.5)
    loader = Loader(faces, plan, FaceStore(), size=32, augmentation=strong, seed=3, workers=workers)
    return [batches[0] for batches in loader.batches(first, last)]


def test_batches_are_the_same_however_many_threads_make_them(tmp_path: Path) -> None:
    faces = some_faces(tmp_path)
    for one, other in zip(loaded(faces, 1), loaded(faces, 4), strict=True):
        assert torch.equal(one.faces, other.faces)
        assert torch.equal(one.labels, other.labels)


def test_a_run_that_continues_gets_the_batches_that_it_would_have_had(tmp_path: Path) -> None:
    faces = some_faces(tmp_path)
    whole, rest = loaded(faces, 2), loaded(faces, 2, first=3)
    assert all(torch.equal(one.faces, two.faces) for one, two in zip(whole[3:], rest, strict=True))


def test_a_face_is_changed_otherwise_in_each_epoch(tmp_path: Path) -> None:
    faces = Faces(some_faces(tmp_path).table.head(1))
    batches = loaded(faces, 1, last=2)
    assert not torch.equal(batches[0].faces, batches[1].faces)


def test_faces_of_a_batch_are_floats_in_channels_last() -> None:
    pictures = np.arange(4 * 4 * 4 * 3, dtype=np.uint8).reshape(2, 2, 4, 4, 3)
    faces = as_faces(stacked([[*clip] for clip in pictures]), torch.device("cpu"))
    assert faces.shape == (2, 2, 3, 4, 4)
    assert np.array_equal(faces.permute(0, 1, 3, 4, 2), pictures.astype(np.float32) / 255)
    assert faces.flatten(0, 1).is_contiguous(memory_format=torch.channels_last)


def test_work_ahead_comes_in_order_and_keeps_few_results_waiting() -> None:
    begun: list[int] = []

    def work(number: int) -> int:
        begun.append(number)
        return number * number

    results = ahead(work, iter(range(50)), workers=2)
    assert [next(results) for _ in range(3)] == [0, 1, 4]
    assert max(begun) <= 8
    assert list(results) == [number * number for number in range(3, 50)]


def test_an_error_in_a_thread_reaches_the_caller() -> None:
    def work(number: int) -> int:
        raise ValueError(f"at {number}")

    with pytest.raises(ValueError, match="at 0"):
        list(ahead(work, iter(range(9)), workers=1))


def test_threads_end_when_nobody_wants_more() -> None:
    results = ahead(lambda number: number, iter(range(1000)), workers=2)
    next(results)
    results.close()  # type: ignore[attr-defined]
    assert not [one for one in threading.enumerate() if one.name.startswith("unmask-batches")]
