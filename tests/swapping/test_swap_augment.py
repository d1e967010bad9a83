import numpy as np
import pytest

from unmask.swapping.augment import colour_tables, draw, equalise, no_change


def test_draws_keep_the_published_limits_and_use_them() -> None:
    draws = draw(np.random.default_rng(0), 4000)
    for values, limits in (
        (np.degrees(draws.angle), (-10, 10)),
        (draws.zoom, (0.95, 1.05)),
        (draws.shift, (-0.05, 0.05)),
        (draws.colour[:, 0], (-0.3, 0.3)),
        (draws.colour[:, 1:], (-0.08, 0.08)),
        (draws.tiles, (0, 4)),
    ):
        assert (values.min(), values.max()) == pytest.approx(limits, rel=0.02, abs=0.02)
        assert limits[0] <= values.min()
        assert values.max() <= limits[1]
    assert draws.flip.mean() == pytest.approx(0.5, abs=0.03)
    assert draws.equalised.mean() == pytest.approx(0.5, abs=0.03)
    assert draws.jitter.std() == pytest.approx(1, abs=0.01)


def test_part_of_the_draws_is_that_of_the_same_faces() -> None:
    draws = draw(np.random.default_rng(0), 5)
    for name, values in vars(draws[1::2]).items():
        assert np.array_equal(values, getattr(draws, name)[[1, 3]])


def test_levels_move_by_a_share_of_the_way_to_either_end() -> None:
    tables = colour_tables(np.array([[0.3, -0.08, 0.0]]))
    levels = np.arange(256)
    assert tables.shape == (1, 256, 3)
    assert tables[0, :, 0] == pytest.approx(levels + 0.3 * (255 - levels), abs=0.5)
    assert tables[0, :, 1] == pytest.approx(0.92 * levels, abs=0.5)
    assert np.array_equal(tables[0, :, 2], levels)


def test_no_change_keeps_every_level() -> None:
    tables = colour_tables(no_change(2).colour)
    assert np.array_equal(tables, np.tile(np.arange(256)[:, None], (2, 1, 3)))


def test_equalising_spreads_the_lightness_of_a_dull_picture_and_keeps_its_colours() -> None:
    dull = np.random.default_rng(0).integers(100, 120, (64, 64, 3), dtype=np.uint8)
    before = dull.copy()
    changed = equalise(dull, 2)
    assert changed[..., 0].std() > 1.5 * dull[..., 0].std()
    assert np.array_equal(changed[..., 1:], dull[..., 1:])
    assert np.array_equal(dull, before)
