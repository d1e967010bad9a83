import numpy as np
import pytest

from unmask.faces.boxes import Boxes, corrected, overlaps, squared, suppress


def random_boxes(count: int, seed: int) -> Boxes:
    random = np.random.default_rng(seed)
    corner = random.uniform(0, 60, (count, 2))
    return np.concatenate([corner, corner + random.uniform(1, 50, (count, 2))], axis=1)


def test_a_square_has_the_same_centre_and_the_longer_side() -> None:
    boxes = random_boxes(50, seed=0)
    squares = squared(boxes, scale=1.3)
    assert np.allclose(squares[:, :2] + squares[:, 2:], boxes[:, :2] + boxes[:, 2:])
    sides = squares[:, 2:] - squares[:, :2]
    assert np.allclose(sides, 1.3 * (boxes[:, 2:] - boxes[:, :2]).max(axis=1)[:, None])


def test_a_correction_moves_each_edge_by_a_fraction_of_its_side() -> None:
    moved = corrected(np.array([[10.0, 20.0, 110.0, 70.0]]), np.array([[0.1, 0.2, -0.1, 0]]))
    assert np.allclose(moved, [[20, 30, 100, 70]])


def test_overlaps_equal_counting_the_cells_of_a_grid() -> None:
    boxes = np.floor(random_boxes(12, seed=1))
    boxes[:, 2:] += 1
    cells = np.zeros((12, 120, 120), bool)
    for one, (left, top, right, bottom) in zip(cells, boxes.astype(int), strict=True):
        one[top:bottom, left:right] = True
    both = (cells[:, None] & cells).sum((2, 3))
    either = (cells[:, None] | cells).sum((2, 3))
    areas = cells.sum((1, 2))
    assert np.allclose(overlaps(boxes, boxes), both / either)
    of_smaller = both / np.minimum.outer(areas, areas)
    assert np.allclose(overlaps(boxes, boxes, of_smaller=True), of_smaller)


def test_a_box_without_area_overlaps_nothing() -> None:
    boxes = np.array([[5.0, 5.0, 5.0, 5.0], [0.0, 0.0, 10.0, 10.0]])
    assert overlaps(boxes, boxes).round(6).tolist() == [[0, 0], [0, 1]]


@pytest.mark.parametrize("seed", range(20))
def test_suppression_equals_the_textbook_loop(seed: int) -> None:
    boxes = random_boxes(60, seed)
    scores = np.random.default_rng(seed).integers(0, 20, 60).astype(np.float32)  # with ties
    shared = overlaps(boxes, boxes)
    kept: list[int] = []
    for one in sorted(range(60), key=lambda one: (-scores[one], one)):
        if all(shared[one, other] <= 0.3 for other in kept):
            kept.append(one)
    assert suppress(boxes, scores, 0.3).tolist() == kept


def test_a_chain_of_boxes_loses_every_second_one() -> None:
    # Each overlaps the next: the worst case for settling all of them at once.
    boxes = np.array([[10.0 * k, 0, 10.0 * k + 18, 10] for k in range(9)])
    assert suppress(boxes, -np.arange(9, dtype=np.float32), 0.2).tolist() == [0, 2, 4, 6, 8]
