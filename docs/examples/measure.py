"""Measure any table of scores: with intervals by video, and thresholds from validation."""

import numpy as np
import polars as pl

from unmask.benchmark.measure import SCORES, choose_thresholds, measure
from unmask.metrics.bootstrap import paired_difference


def made_scores(seed: int) -> pl.DataFrame:
    """Return scores of 40 videos with five faces each, fakes a little higher than reals."""
    random = np.random.default_rng(seed)
    rows = []
    for video in range(40):
        label = video % 2
        middle = random.normal(0.4 + 0.2 * label, 0.15)
        for frame in range(5):
            score = float(np.clip(random.normal(middle, 0.05), 0, 1))
            row = {"item": f"video{video}", "person": f"person{video % 10}", "label": label}
            rows.append(row | {"frame": frame, "track": 0, "score": score})
    return pl.DataFrame(rows, schema=SCORES)


def main() -> None:
    validation, test = made_scores(seed=0), made_scores(seed=1)
    thresholds = choose_thresholds(validation)
    measured = measure(test, thresholds=thresholds, seed=0, resamples=200)
    for name, one in measured.video.metrics.items():
        ends = "no interval" if one.low is None else f"{one.low:.2f} to {one.high:.2f}"
        print(f"{name:18} {one.value:.3f}  {ends}")

    # Is another detector better on the very same faces? This one is the first with noise added.
    first = test["score"].to_numpy()
    noise = np.random.default_rng(2).normal(0, 0.1, len(first))
    difference = paired_difference(
        first,
        np.clip(first + noise, 0, 1),
        test["label"].to_numpy(),
        test["item"].to_numpy(),
        random=np.random.default_rng(3),
        resamples=200,
    )
    print(f"difference in AUC: {difference.value:+.3f}, {difference.interval.method}")


if __name__ == "__main__":
    main()
