"""From clips of people to a table that can be trusted: every verb once, in order."""

from pathlib import Path

import unmask
from unmask.benchmark.tables import cross_quality_table, markdown_table
from unmask.splitting import split_by_person

SIX = ("P001", "P002", "P004", "P005", "P006", "P007")


def main() -> None:
    # Clips to work on: any folder with one person a file, or person/clip.mp4, will do.
    unmask.make_corpus(
        unmask.CorpusSettings(
            Path("made"), people=SIX, actions=("smile",), frames=4, size=128, workers=1
        )
    )
    footage = unmask.index(
        unmask.IndexSettings("footage", Path("made/clips"), Path("footage"), workers=1)
    )
    people = Path("footage/split.parquet")
    split_by_person(footage, seed=0, fractions=(0.34, 0.33, 0.33)).write(people)

    unmask.forge(
        unmask.ForgeSettings(people, Path("fakes"), "landmark_swap", landmarks="5", workers=1)
    )
    unmask.degrade_videos(
        unmask.DegradeSettings(Path("fakes/catalog.parquet"), Path("videos"), ("c40",), workers=1)
    )
    videos, faces = Path("videos/catalog.parquet"), Path("faces/faces.parquet")
    unmask.prepare_faces(
        unmask.FacesSettings(videos, Path("faces"), sampling="spread:2", size=64, workers=1)
    )

    checkpoint = unmask.train(
        unmask.TrainSettings(
            videos, faces, Path("meso4"), detector="meso4", size=64, epochs=2, batch=8
        )
    )
    results = unmask.evaluate(
        unmask.EvaluateSettings(checkpoint, videos, faces, Path("measured"), resamples=200)
    )
    print(markdown_table(cross_quality_table(results, metric="auc")))


if __name__ == "__main__":
    main()
