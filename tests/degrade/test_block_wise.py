"""The perturbation BW."""

import numpy as np
import pytest

from unmask.degrade.block_wise import BlockWise

BLACK = np.zeros((256, 300, 3), np.uint8)


@pytest.mark.parametrize(("level", "blocks"), [(1, 16), (2, 32), (3, 48), (4, 64), (5, 80)])
def test_the_published_counts_hold_at_256_pixels(level: int, blocks: int) -> None:
    assert BlockWise(level).count(256, 300) == blocks
    assert BlockWise(level, paper_quirks=True).count(256, 300) == blocks


def test_the_count_follows_the_size_of_the_picture() -> None:
    assert [BlockWise(1).count(side, side) for side in (64, 128, 384, 512)] == [4, 8, 24, 32]


def test_the_published_form_has_no_blocks_below_256_pixels() -> None:
    quirky = BlockWise(1, paper_quirks=True)
    assert [quirky.count(side, side) for side in (64, 255, 511, 512)] == [0, 0, 16, 32]


def test_blocks_are_grey_squares_of_eight_pixels() -> None:
    result = BlockWise(1).degrade_image(BLACK, np.random.default_rng(0))
    assert set(np.unique(result)) == {0, 128}
    covered = (result[..., 0] == 128).sum()
    assert 12 * 64 < covered <= 16 * 64  # a few of the 16 overlap


def test_each_frame_loses_blocks_of_its_own() -> None:
    first, second = BlockWise(1)([BLACK, BLACK], np.random.default_rng(0))
    assert (first != second).any()
