"""What every degradation promises, whatever it does to the picture."""

from collections.abc import Iterator

import numpy as np
import pytest

from unmask.contracts import Degradation, Image
from unmask.degrade import DEGRADATIONS
from unmask.degrade.spec import parse_degradation
from unmask.errors import InvalidInputError

every_degradation = pytest.mark.parametrize("name", list(DEGRADATIONS))


def clip(*, frames: int = 5, height: int = 48, width: int = 64) -> list[Image]:
    """Return smooth coloured frames, each with a grey level of its own."""
    down, across = np.mgrid[:height, :width]
    return [
        np.stack([down * 3 + 20 * i, across * 2 + 15 * i, (down + across) + 30 * i], -1)
        .clip(0, 255)
        .astype(np.uint8)
        for i in range(frames)
    ]


def degraded(name: str, frames: list[Image], seed: int = 0) -> list[Image]:
    return list(DEGRADATIONS[name]()(frames, np.random.default_rng(seed)))


@every_degradation
@pytest.mark.parametrize("size", [(48, 64), (33, 47), (5, 3)])
def test_every_frame_comes_back_in_its_own_shape(name: str, size: tuple[int, int]) -> None:
    frames = clip(height=size[0], width=size[1])
    result = degraded(name, frames)
    assert [frame.shape for frame in result] == [frame.shape for frame in frames]


@every_degradation
def test_something_is_lost_but_the_picture_is_still_there(name: str) -> None:
    frames = clip()
    loss = [
        np.abs(a.astype(int) - b).mean()
        for a, b in zip(frames, degraded(name, frames), strict=True)
    ]
    assert min(loss) > 0
    assert max(loss) < 40


@every_degradation
def test_frames_stay_in_their_order(name: str) -> None:
    brightness = [frame.mean() for frame in degraded(name, clip())]
    assert brightness == sorted(brightness)


@every_degradation
def test_the_same_seed_gives_the_same_frames(name: str) -> None:
    frames = clip()
    np.testing.assert_array_equal(degraded(name, frames, seed=3), degraded(name, frames, seed=3))


@every_degradation
def test_the_frames_that_go_in_are_not_written_on(name: str) -> None:
    frames = clip()
    kept = [frame.copy() for frame in frames]
    degraded(name, frames)
    np.testing.assert_array_equal(frames, kept)


@every_degradation
def test_no_frames_in_no_frames_out(name: str) -> None:
    assert degraded(name, []) == []


@every_degradation
def test_frames_that_are_not_bytes_are_refused(name: str) -> None:
    with pytest.raises(InvalidInputError, match=r"a frame must be \(H, W, 3\) uint8 RGB, got"):
        degraded(name, [np.zeros((8, 8, 3), np.float32)])


@every_degradation
def test_its_name_leads_back_to_it(name: str) -> None:
    chain = parse_degradation(name)
    assert type(chain.steps[0]) is DEGRADATIONS[name]
    assert parse_degradation(chain.name).name == chain.name
    assert chain.crf == chain.steps[0].crf


class DropsTheFirst(Degradation):
    """A broken part."""

    def degrade(self, frames: Iterator[Image], random: np.random.Generator) -> Iterator[Image]:
        next(frames)
        return frames


class Halves(Degradation):
    """A broken part."""

    def degrade(self, frames: Iterator[Image], random: np.random.Generator) -> Iterator[Image]:
        return (frame[::2, ::2] for frame in frames)


@pytest.mark.parametrize(
    ("broken", "message"),
    [(DropsTheFirst, "must return as many frames as it"), (Halves, "in its own shape")],
)
def test_a_part_that_breaks_the_contract_is_caught(broken: type[Degradation], message: str) -> None:
    with pytest.raises(InvalidInputError, match=message):
        list(broken()(clip(), np.random.default_rng(0)))
