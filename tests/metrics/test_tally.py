import numpy as np
import pytest

from unmask.errors import InvalidInputError
from unmask.metrics.tally import Sample, tally


def test_equal_scores_are_counted_in_one_place() -> None:
    counts = tally([0.5, 0.25, 0.5, 0.5], [0, 1, 1, 1])
    assert counts.scores.tolist() == [0.5, 0.25]
    assert counts.reals.tolist() == [1, 0]
    assert counts.fakes.tolist() == [2, 1]


def test_weights_count_a_row_as_often_as_if_it_were_repeated() -> None:
    random = np.random.default_rng(0)
    scores, labels = random.integers(0, 6, 50) / 5, random.integers(0, 2, 50)
    weights = random.integers(1, 4, 50)
    weighted = Sample(scores, labels).tally(weights.astype(float))
    repeated = tally(np.repeat(scores, weights), np.repeat(labels, weights))
    assert weighted.reals.tolist() == repeated.reals.tolist()
    assert weighted.fakes.tolist() == repeated.fakes.tolist()


@pytest.mark.parametrize(
    ("scores", "labels", "message"),
    [
        ([], [], "scores must hold at least one value, got none; look at the statuses"),
        ([0.1], [0, 1], r"must be two lists of one length, got shapes \(1,\) and \(2,\)"),
        ([[0.1]], [[0]], "must be two lists of one length"),
        ([0.1, 1.5], [0, 1], r"lie in \[0, 1\], got 1.5 at position 1; apply the sigmoid"),
        ([-0.1, 0.5], [0, 1], "got -0.1 at position 0"),
        ([0.1, np.nan], [0, 1], "scores must be finite .* got nan at position 1"),
        ([0.1, np.inf], [0, 1], "got inf at position 1"),
        (["0.1", "0.2"], [0, 1], "scores must be numbers, got <U3; convert them"),
        ([0.1, 0.2], [0, 2], r"labels must be 0 \(real\) or 1 \(fake\), got .*2.* at position 1"),
        ([0.1, 0.2], [0, np.nan], "labels must be .* got .*nan.* at position 1; map the classes"),
        ([0.1, 0.2], ["real", "fake"], "labels must be .* got .*real.* at position 0"),
    ],
)
def test_wrong_scores_and_labels_are_refused_with_what_came(
    scores: list[float], labels: list[int], message: str
) -> None:
    with pytest.raises(InvalidInputError, match=message):
        tally(scores, labels)
