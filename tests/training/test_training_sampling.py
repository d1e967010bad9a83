from collections import Counter

import numpy as np
import polars as pl
import pytest

from unmask.errors import InvalidInputError
from unmask.training.data import Faces
from unmask.training.sampling import benign_counterparts, sampler_for

NO_ANCESTORS = pl.DataFrame(schema={"id": pl.String, "ancestor": pl.String})


def faces(*rows: tuple[str, int, int, str, str]) -> Faces:
    columns = ["item", "frame", "label", "quality", "person"]
    return Faces(pl.DataFrame(rows, schema=columns, orient="row"))


def some(reals: int, fakes: int) -> Faces:
    real = [("r.mp4", number, 0, "raw", "p") for number in range(reals)]
    fake = [("f.mp4", number, 1, "raw", "p") for number in range(fakes)]
    return faces(*real, *fake)


def test_all_takes_each_face_once_in_another_order_each_epoch() -> None:
    order = sampler_for("all", some(3, 7), NO_ANCESTORS, seed=0)
    assert sorted(order(0)) == sorted(order(1)) == list(range(10))
    assert order(0).tolist() != order(1).tolist()


@pytest.mark.parametrize("sampling", ["all", "balanced"])
def test_the_order_depends_on_the_seed_and_the_epoch_alone(sampling: str) -> None:
    first, second = (sampler_for(sampling, some(9, 9), NO_ANCESTORS, seed=1) for _ in range(2))
    later = second(5)
    assert first(5).tolist() == later.tolist()
    other = sampler_for(sampling, some(9, 9), NO_ANCESTORS, seed=2)
    assert first(5).tolist() != other(5).tolist()


def test_balanced_takes_every_fake_once_and_the_rarer_reals_equally_often() -> None:
    data = some(3, 7)
    order = sampler_for("balanced", data, NO_ANCESTORS, seed=0)(0)
    assert data.labels[order].tolist() == [0, 1] * 7
    counts = Counter(order.tolist())
    assert all(counts[fake] == 1 for fake in range(3, 10))
    assert sorted(counts[real] for real in range(3)) == [2, 2, 3]


LINEAGE = pl.DataFrame(
    [
        ("f_raw", "a_raw"),  # a's face was swapped for b's
        ("f_raw", "b_raw"),
        ("f_c23", "f_raw"),
        ("f_c23", "a_raw"),
        ("f_c23", "b_raw"),
        ("a_c23", "a_raw"),
        ("b_c23", "b_raw"),
    ],
    schema=["id", "ancestor"],
    orient="row",
)


def test_a_fake_is_paired_with_its_target_at_its_quality_and_the_nearest_frame() -> None:
    data = faces(
        ("a_raw", 3, 0, "raw", "a"),
        ("a_c23", 0, 0, "c23", "a"),
        ("a_c23", 10, 0, "c23", "a"),
        ("b_c23", 9, 0, "c23", "b"),
        ("f_c23", 9, 1, "c23", "a"),
        ("f_c23", 1, 1, "c23", "a"),
        ("f_raw", 7, 1, "raw", "a"),
    )
    assert benign_counterparts(data, LINEAGE).tolist() == [[2, 4], [1, 5], [0, 6]]


def test_paired_puts_the_real_face_before_its_fake() -> None:
    data = faces(
        *(("a_raw", number, 0, "raw", "a") for number in range(4)),
        *(("f_raw", number, 1, "raw", "a") for number in range(4)),
    )
    pairs = sampler_for("paired", data, LINEAGE, seed=0)(0).reshape(-1, 2)
    assert sorted(pairs[:, 1]) == [4, 5, 6, 7]
    assert np.array_equal(pairs[:, 0] + 4, pairs[:, 1])


def test_fakes_without_a_counterpart_are_left_out_and_told(
    caplog: pytest.LogCaptureFixture,
) -> None:
    data = faces(("a_raw", 0, 0, "raw", "a"), ("f_raw", 0, 1, "raw", "a"), ("x", 0, 1, "raw", "a"))
    assert benign_counterparts(data, LINEAGE).tolist() == [[0, 1]]
    assert "1 fakes have no real face to pair" in caplog.text


def test_no_counterpart_at_all_is_refused() -> None:
    with pytest.raises(
        InvalidInputError, match="must find the real face of a fake, got none for 2"
    ):
        benign_counterparts(some(2, 2), NO_ANCESTORS)
