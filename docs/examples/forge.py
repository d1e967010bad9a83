"""Swap two people's faces, and read back what says that the result is not real."""

from pathlib import Path

import unmask
from unmask.faces.masks import is_forged
from unmask.video.read import read_frame
from unmask.video.write import read_mark


def main() -> None:
    unmask.make_corpus(
        unmask.CorpusSettings(
            Path("made"),
            people=("P001", "P002"),
            actions=("smile",),
            frames=6,
            size=128,
            workers=1,
        )
    )
    catalog = unmask.forge(
        unmask.ForgeSettings(
            Path("made/catalog.parquet"),
            Path("fakes"),
            "landmark_swap",
            options=("blending=poisson",),
            workers=1,
        )
    )
    for row in catalog.filter(label=1).rows():
        video, mask = catalog.media(row["path"]), catalog.media(row["mask"])
        forged = is_forged(read_frame(mask, 0).image)
        print(f"{row['id']}: {row['source_person']} in {row['person']}")
        print(f"  mark: {read_mark(video)}; {forged.mean():.0%} of frame 0 was replaced")


if __name__ == "__main__":
    main()
