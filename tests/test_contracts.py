"""The contracts refuse parts that break them, and hand frames through in order."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import chain, islice
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from unmask.contracts import (
    Degradation,
    FaceFrame,
    Finding,
    ForgedFrame,
    Generator,
    Image,
    VideoDataset,
)
from unmask.errors import InvalidInputError, NotFoundError

LANDMARKS = np.zeros((5, 2), np.float32)
WHITE = np.full((4, 6), 255, np.uint8)


def picture(number: int) -> Image:
    return np.full((4, 6, 3), number, np.uint8)


def clip(shown: str) -> list[FaceFrame]:
    """Return one frame for each letter: `f` shows a face, anything else does not."""
    return [
        FaceFrame(number, number / 25, picture(number), LANDMARKS if letter == "f" else None)
        for number, letter in enumerate(shown)
    ]


def forged(frame: FaceFrame) -> ForgedFrame:
    return ForgedFrame(frame.image + 100, WHITE)


class Part(Generator):
    """Forge by a function of the frames that the contract hands on."""

    family, needs_source = "expression", False

    def __init__(self, how: Callable[[Iterable[FaceFrame]], Iterator[ForgedFrame]]) -> None:
        self.how = how

    def forge(
        self,
        target: Iterable[FaceFrame],
        source: Sequence[FaceFrame],
        random: np.random.Generator,
    ) -> Iterator[ForgedFrame]:
        return self.how(target)


class Swap(Part):
    needs_source = True

    def __init__(self) -> None:
        pass

    def forge(
        self,
        target: Iterable[FaceFrame],
        source: Sequence[FaceFrame],
        random: np.random.Generator,
    ) -> Iterator[ForgedFrame]:
        return (ForgedFrame(source[0].image, WHITE) for _ in target)


def one_by_one(target: Iterable[FaceFrame]) -> Iterator[ForgedFrame]:
    return map(forged, target)


def read_ahead(target: Iterable[FaceFrame]) -> Iterator[ForgedFrame]:
    return iter([forged(frame) for frame in target])


def stop_after_two(target: Iterable[FaceFrame]) -> Iterator[ForgedFrame]:
    return (forged(frame) for frame, _ in zip(target, range(2), strict=False))


def skip_every_second(target: Iterable[FaceFrame]) -> Iterator[ForgedFrame]:
    return map(forged, list(target)[::2])


def give_one_more(target: Iterable[FaceFrame]) -> Iterator[ForgedFrame]:
    return chain(map(forged, target), [ForgedFrame(picture(0), WHITE)])


def run(generator: Generator, shown: str, source: str = "") -> list[ForgedFrame]:
    return list(generator(clip(shown), clip(source), np.random.default_rng(0)))


@pytest.mark.parametrize("how", [one_by_one, read_ahead])
@pytest.mark.parametrize("shown", ["", "f", "-", "--f--ff-f--", "ffff", "----"])
def test_frames_come_back_in_order_and_those_without_a_face_unchanged(
    how: Callable[[Iterable[FaceFrame]], Iterator[ForgedFrame]], shown: str
) -> None:
    made = run(Part(how), shown)
    for number, (letter, frame) in enumerate(zip(shown, made, strict=True)):
        np.testing.assert_array_equal(frame.image, picture(number + 100 * (letter == "f")))
        assert (frame.mask == 255 * (letter == "f")).all()


def test_a_long_stretch_without_a_face_is_given_back_as_it_is_read() -> None:
    read = 0

    def counting() -> Iterator[FaceFrame]:
        nonlocal read
        for frame in clip("f" + "-" * 100 + "f"):
            read += 1
            yield frame

    made = Part(one_by_one)(counting(), [], np.random.default_rng(0))
    for given, _ in enumerate(made, 1):
        assert read <= given + 1


def test_parts_see_only_source_frames_with_a_face() -> None:
    made = run(Swap(), "f", source="--f")
    np.testing.assert_array_equal(made[0].image, picture(2))


def test_a_swap_without_a_face_in_its_source_is_refused() -> None:
    with pytest.raises(InvalidInputError, match=r"source must show a face .* got 3 frames without"):
        run(Swap(), "f", source="---")


@pytest.mark.parametrize(
    ("how", "shown", "words"),
    [
        (stop_after_two, "ffff", "got 2 and none for frame 2"),
        (stop_after_two, "ff-" + "-" * 20 + "f", "got 2 and none for frame 23"),
        (skip_every_second, "f-f-f", "got 2 and none for frame 4"),
        (give_one_more, "-ff-", "got one more than the 2 there are"),
    ],
)
def test_a_generator_that_loses_or_adds_frames_is_refused(
    how: Callable[[Iterable[FaceFrame]], Iterator[ForgedFrame]], shown: str, words: str
) -> None:
    with pytest.raises(InvalidInputError, match=f"Part must return one frame for each.*{words}"):
        run(Part(how), shown)


def test_a_generator_may_stop_before_the_last_frames_without_a_face() -> None:
    assert len(run(Part(stop_after_two), "-f-f---")) == 7


@pytest.mark.parametrize(
    ("image", "mask", "words"),
    [
        (np.zeros((4, 5, 3), np.uint8), WHITE, r"shape \(4, 6, 3\) .* got \(4, 5, 3\)"),
        (picture(0), WHITE[:2], r"a mask of \(4, 6\), got \(4, 6, 3\) and \(2, 6\)"),
        (picture(0).astype(np.float32), WHITE, "uint8 images and masks, got float32 and uint8"),
        (picture(0), WHITE > 0, "uint8 images and masks, got uint8 and bool"),
    ],
)
def test_a_generator_that_changes_shape_or_type_is_refused(
    image: NDArray[np.generic], mask: NDArray[np.generic], words: str
) -> None:
    made = ForgedFrame(image, mask)  # type: ignore[arg-type]
    with pytest.raises(InvalidInputError, match=f"Part must return .*{words}"):
        run(Part(lambda target: (made for _ in target)), "f")


class Loss(Degradation):
    """Degrade by a function of all frames."""

    def __init__(self, how: Callable[[Iterator[Image]], Iterator[Image]]) -> None:
        self.how = how

    def degrade(self, frames: Iterator[Image], random: np.random.Generator) -> Iterator[Image]:
        return self.how(frames)


def darken(frames: Iterator[Image]) -> Iterator[Image]:
    return (frame // 2 for frame in frames)


def degraded(degradation: Degradation, frames: Iterable[Image]) -> list[Image]:
    return list(degradation(frames, np.random.default_rng(0)))


def test_degraded_frames_come_back_in_order() -> None:
    made = degraded(Loss(darken), [picture(number) for number in (10, 20, 30)])
    assert [int(frame[0, 0, 0]) for frame in made] == [5, 10, 15]


@pytest.mark.parametrize(
    ("how", "words"),
    [
        (lambda frames: list(frames)[:-1], "as many frames as it takes, got 2 and then no more"),
        (lambda frames: islice(frames, 1), "as many frames as it takes, got 1 and then no more"),
        (lambda frames: [*frames, picture(0)], "as many frames as it takes, got one more than 3"),
        (lambda frames: (one[::2] for one in frames), r"got \(2, 6, 3\) uint8 as frame 0"),
        (lambda frames: (one / 255 for one in frames), r"got \(4, 6, 3\) float64 as frame 0"),
    ],
)
def test_a_degradation_that_breaks_its_contract_is_refused(
    how: Callable[[Iterator[Image]], Iterator[Image]], words: str
) -> None:
    with pytest.raises(InvalidInputError, match=f"Loss must return .*{words}"):
        degraded(Loss(how), [picture(number) for number in range(3)])


@pytest.mark.parametrize(
    "frame", [WHITE, np.zeros((4, 6, 4), np.uint8), np.zeros((4, 6, 3), np.float32)]
)
def test_a_degradation_refuses_what_is_no_frame(frame: Image) -> None:
    with pytest.raises(InvalidInputError, match=r"a frame must be \(H, W, 3\) uint8 RGB, got"):
        degraded(Loss(darken), [frame])


class Empty(VideoDataset):
    def find(self) -> Iterator[Mapping[str, object]]:
        return iter([])

    def check(self) -> Iterator[Finding]:
        return iter([])


def test_a_data_set_without_its_folder_is_refused(tmp_path: Path) -> None:
    assert Empty(tmp_path).root == tmp_path
    with pytest.raises(NotFoundError, match=r"the data set's folder must exist, got .*nowhere"):
        Empty(tmp_path / "nowhere")


@pytest.mark.parametrize("contract", [Generator, Degradation, VideoDataset])
def test_a_contract_cannot_be_made_without_its_method(contract: type) -> None:
    with pytest.raises(TypeError, match="abstract"):
        contract()
