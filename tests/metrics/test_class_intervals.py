import numpy as np
import pytest
from scipy.stats import binom

from unmask.errors import InvalidInputError
from unmask.metrics.bootstrap import Interval
from unmask.metrics.class_intervals import ClassClusters, class_intervals

CLASSES = 3
SHARES = np.array([0.6, 0.75, 0.85])  # how often each class is named right


def holds(found: Interval, truth: float) -> bool:
    assert found.low is not None
    assert found.high is not None
    return found.low <= truth <= found.high


def width(found: Interval) -> float:
    assert found.low is not None
    assert found.high is not None
    return found.high - found.low


def guesses(truth: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Return predictions that are right as often as SHARES say, else the next class."""
    right = random.random(len(truth)) < SHARES[truth]
    return np.where(right, truth, (truth + 1) % CLASSES)


def test_intervals_hold_the_true_accuracy_f1_and_recall_in_95_of_100_sets() -> None:
    truth = np.repeat(np.arange(CLASSES), 40)
    precision = SHARES / (SHARES + 1 - np.roll(SHARES, 1))
    f1 = 2 * precision * SHARES / (precision + SHARES)
    held = np.zeros(4)
    sets = 200
    for seed in range(sets):
        random = np.random.default_rng([3, seed])
        found = class_intervals(
            truth,
            guesses(truth, random),
            np.arange(len(truth)),
            classes=CLASSES,
            random=random,
            resamples=300,
        )
        held += [
            holds(found.measures["accuracy"], SHARES.mean()),
            holds(found.measures["balanced_accuracy"], SHARES.mean()),
            holds(found.measures["macro_f1"], f1.mean()),
            holds(found.recall[0], SHARES[0]),
        ]
    fewest, most = binom.ppf([0.001, 0.999], sets, 0.95)
    assert ((fewest <= held) & (held <= most)).all()


def test_rows_of_one_video_widen_the_interval_as_if_they_were_one() -> None:
    random = np.random.default_rng(4)
    truth = np.repeat(np.arange(CLASSES), 30)
    predicted = guesses(truth, random)
    once = class_intervals(truth, predicted, np.arange(90), classes=CLASSES, random=random)
    videos, rows = np.repeat(np.arange(90), 10), np.repeat(np.arange(90), 10)
    tenfold = class_intervals(truth[rows], predicted[rows], videos, classes=CLASSES, random=random)
    one, ten = once.measures["accuracy"], tenfold.measures["accuracy"]
    assert width(ten) == pytest.approx(width(one), rel=0.15)


def test_videos_are_drawn_within_their_class() -> None:
    truth = np.array([0, 0, 0, 1, 1, 2, 2, 2, 2])
    groups = ClassClusters(truth, list("aabccdefg"), 4)
    drawn = groups.draws(50, np.random.default_rng(0))
    assert groups.of_class.tolist() == [2, 1, 4, 0]
    assert groups.fewest == 1
    assert (drawn[:, :2].sum(1) == 2).all()
    assert (drawn[:, 2] == 1).all()
    assert (drawn[:, 3:].sum(1) == 4).all()


def test_persons_with_fakes_of_several_makers_are_drawn_whole() -> None:
    groups = ClassClusters(np.array([0, 1, 0, 1, 0]), list("aabbc"), 2)
    drawn = groups.draws(50, np.random.default_rng(0))
    assert (drawn.sum(1) == 3).all()
    assert len(np.unique(drawn[:, 2])) > 1
    assert groups.of_class.tolist() == [3, 2]


def test_a_perfect_result_has_the_interval_of_as_many_trials_as_videos() -> None:
    truth = np.repeat([0, 1], 10)
    found = class_intervals(truth, truth, np.arange(20), classes=2, random=np.random.default_rng(0))
    assert found.recall[0].low == pytest.approx(0.722, abs=5e-4)  # Wilson: 10 of 10
    assert found.measures["accuracy"].low == pytest.approx(0.839, abs=5e-4)  # 20 of 20
    assert "Wilson" in found.recall[0].method
    assert "the same value" in found.measures["macro_f1"].method


def test_a_class_of_one_video_leaves_the_others_their_recall_only() -> None:
    truth, predicted = [0, 0, 0, 0, 1], [0, 0, 1, 1, 1]
    found = class_intervals(
        truth, predicted, list("abcde"), classes=2, random=np.random.default_rng(0)
    )
    assert found.recall[0].low is not None
    for one in (found.measures["macro_f1"], found.recall[1], found.f1[0]):
        assert one.low is None
        assert one.method == "no interval: only 1 video of a class"


def test_a_class_that_is_never_named_has_no_interval_of_its_precision() -> None:
    found = class_intervals(
        [0, 0, 1, 1], [0, 0, 0, 0], list("abcd"), classes=2, random=np.random.default_rng(0)
    )
    assert found.precision[1].method == "no interval: too few resamples have something to measure"


def test_a_class_without_items_takes_no_interval_from_the_others() -> None:
    truth = np.repeat([0, 2], 15)
    found = class_intervals(
        truth,
        guesses(truth, np.random.default_rng(1)),
        np.arange(30),
        classes=3,
        random=np.random.default_rng(0),
    )
    assert found.measures["macro_f1"].low is not None
    assert found.recall[1].method == "no interval: only 0 video of a class"


def test_rows_without_one_cluster_each_are_refused() -> None:
    with pytest.raises(InvalidInputError, match="clusters must name one video for each row"):
        class_intervals([0, 1], [0, 1], ["a"], classes=2, random=np.random.default_rng(0))
