"""Name the makers of videos, or none of those that are known, and measure how well."""

import numpy as np
import polars as pl

from unmask.attribution.open_set import calibrate
from unmask.attribution.video import named, video_confidence, video_probabilities
from unmask.metrics.class_intervals import class_intervals
from unmask.metrics.multiclass import accuracy, confusion_matrix, macro_f1
from unmask.metrics.open_set import fpr_at_tpr, unknown_auroc

MAKERS = ("dfaker", "iae", "original")


def made_faces(seed: int) -> pl.DataFrame:
    """Return probabilities of five faces of 30 videos by each maker, and by one more."""
    random = np.random.default_rng(seed)
    rows = []
    for maker in (*MAKERS, "new"):
        for video in range(30):
            leaning = 3.0 * np.array([name == maker for name in MAKERS]) + random.normal(0, 1, 3)
            for logits in leaning + random.normal(0, 0.5, (5, 3)):
                odds = np.exp(logits)
                chances = dict(
                    zip((f"p_{name}" for name in MAKERS), odds / odds.sum(), strict=True)
                )
                rows.append({"item": f"{maker}/{video}", "maker": maker} | chances)
    return pl.DataFrame(rows)


def main() -> None:
    validation, test = (
        video_probabilities(faces, MAKERS).with_columns(
            truth=pl.col("item").str.split("/").list.first()
        )
        for faces in (made_faces(seed=0), made_faces(seed=1))
    )
    is_known = pl.col("truth").is_in(MAKERS)
    chosen = calibrate(
        video_confidence(validation.filter(is_known), MAKERS),
        video_confidence(validation.filter(~is_known), MAKERS),
    )
    told = named(test, MAKERS, threshold=chosen.threshold)
    print(told["maker"].value_counts(sort=True))

    known = told.filter(is_known)
    place = {name: number for number, name in enumerate(MAKERS)}
    truth, judged = (known[column].replace_strict(place) for column in ("truth", "likeliest"))
    matrix = confusion_matrix(truth, judged, len(MAKERS))
    found = class_intervals(
        truth, judged, known["item"], classes=len(MAKERS), random=np.random.default_rng(2)
    )
    ends = found.measures["accuracy"]
    print(matrix)
    print(f"accuracy {accuracy(matrix):.3f}, {ends.low:.3f} to {ends.high:.3f} ({ends.method})")
    print(f"macro F1 {macro_f1(matrix):.3f}")
    sure, learned = told["confidence"], told["truth"].is_in(MAKERS)
    print(f"AUROC of unknown makers {unknown_auroc(sure, learned):.3f}")
    print(f"false positives at 95 % true {fpr_at_tpr(sure, learned):.3f}")


if __name__ == "__main__":
    main()
