"""What every maker of forgeries promises, whatever it does to the face."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np
import pytest

from makers.drawn_face import face_frame
from unmask.contracts import FaceFrame, ForgedFrame, Generator
from unmask.errors import InvalidInputError, NotFoundError
from unmask.generators import GENERATORS
from unmask.schema import FAMILIES

every_generator = pytest.mark.parametrize("name", list(GENERATORS))
every_scheme = pytest.mark.parametrize("count", [478, 68, 5])


def clip(count: int = 68, *, without: Sequence[int] = (), seed: int = 0) -> list[FaceFrame]:
    """Return five frames of a face that moves and turns, some of them without landmarks."""
    return [
        face_frame(i, count=count, seed=seed, shown=i not in without, x=90 + 5 * i, turn=0.05 * i)
        for i in range(5)
    ]


def forged(name: str, target: Iterable[FaceFrame], *, seed: int = 0) -> list[ForgedFrame]:
    part = GENERATORS[name]()
    source = clip(seed=1) if part.needs_source else []
    return list(part(target, source, np.random.default_rng(seed)))


@every_generator
def test_family_is_one_that_the_catalog_knows(name: str) -> None:
    assert GENERATORS[name].family in FAMILIES


@every_generator
@every_scheme
def test_every_frame_comes_back_changed_inside_the_mask_and_only_there(
    name: str, count: int
) -> None:
    target = clip(count)
    result = forged(name, target)
    assert len(result) == len(target)
    for frame, made in zip(target, result, strict=True):
        assert made.image.shape == frame.image.shape
        np.testing.assert_array_equal(made.image[made.mask == 0], frame.image[made.mask == 0])
        assert (made.image != frame.image).any(axis=2)[made.mask >= 128].mean() > 0.5
        assert 0.02 < (made.mask >= 128).mean() < 0.5


@every_generator
@pytest.mark.parametrize("without", [(0,), (2,), (4,), (0, 1, 3), (0, 1, 2, 3, 4)])
def test_frames_without_a_face_come_back_untouched_with_an_empty_mask(
    name: str, without: tuple[int, ...]
) -> None:
    target = clip(without=without)
    result = forged(name, target)
    assert [bool(made.mask.any()) for made in result] == [i not in without for i in range(5)]
    for i in without:
        np.testing.assert_array_equal(result[i].image, target[i].image)


@every_generator
def test_same_seed_gives_the_same_frames(name: str) -> None:
    for first, again in zip(forged(name, clip()), forged(name, clip()), strict=True):
        np.testing.assert_array_equal(first.image, again.image)
        np.testing.assert_array_equal(first.mask, again.mask)


@every_generator
def test_target_is_not_written_on(name: str) -> None:
    target = clip()
    kept = [frame.image.copy() for frame in target]
    forged(name, target)
    np.testing.assert_array_equal([frame.image for frame in target], kept)


@every_generator
def test_frames_are_made_one_by_one_as_they_come(name: str) -> None:
    taken: list[int] = []

    def stream() -> Iterator[FaceFrame]:
        for frame in clip():
            taken.append(frame.number)
            yield frame

    part = GENERATORS[name]()
    source = clip(seed=1) if part.needs_source else []
    for number, _ in enumerate(part(stream(), source, np.random.default_rng(0))):
        assert taken == list(range(number + 1))


@every_generator
def test_no_frames_in_no_frames_out(name: str) -> None:
    assert forged(name, []) == []


@every_generator
def test_frame_of_odd_size_and_a_face_across_its_border_keep_the_size(name: str) -> None:
    frame = face_frame(count=68, x=3)
    cut = FaceFrame(0, 0.0, np.ascontiguousarray(frame.image[:151, :97]), frame.landmarks)
    (made,) = forged(name, [cut])
    assert made.image.shape == (151, 97, 3)
    assert made.mask.shape == (151, 97)


@every_generator
def test_source_without_a_face_is_refused_where_one_is_needed(name: str) -> None:
    part = GENERATORS[name]()
    if part.needs_source:
        with pytest.raises(InvalidInputError, match=r"source must show a face .* got 2 frames"):
            part(clip(), clip(without=range(5))[:2], np.random.default_rng(0))


def test_misspelt_method_is_answered_with_the_closest() -> None:
    with pytest.raises(NotFoundError, match="has no 'landmark_swop'; did you mean 'landmark_swap'"):
        GENERATORS["landmark_swop"]


class HalvesTheMask(Generator):
    """A broken part."""

    family = "swap"
    needs_source = False

    def forge(
        self,
        target: Iterable[FaceFrame],
        source: Sequence[FaceFrame],
        random: np.random.Generator,
    ) -> Iterator[ForgedFrame]:
        for frame in target:
            yield ForgedFrame(frame.image, np.zeros((3, 3), np.uint8))


class ReturnsFloats(HalvesTheMask):
    """A broken part."""

    def forge(
        self,
        target: Iterable[FaceFrame],
        source: Sequence[FaceFrame],
        random: np.random.Generator,
    ) -> Iterator[ForgedFrame]:
        for frame in target:
            floats: Any = frame.image / 255
            yield ForgedFrame(floats, np.zeros(frame.image.shape[:2], np.uint8))


@pytest.mark.parametrize(
    ("broken", "message"),
    [(HalvesTheMask, "and a mask of .* keep the frame's size"), (ReturnsFloats, "got float64")],
)
def test_part_that_breaks_the_contract_is_caught(broken: type[Generator], message: str) -> None:
    with pytest.raises(InvalidInputError, match=message):
        list(broken()(clip(), [], np.random.default_rng(0)))
