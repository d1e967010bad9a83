"""Take frames through a chain of degradations, and a catalog through several."""

from pathlib import Path

import numpy as np

import unmask
from unmask.degrade.spec import parse_degradation


def main() -> None:
    ramp = np.linspace(0, 255, 64 * 64 * 3).reshape(64, 64, 3).astype(np.uint8)
    chain = parse_degradation("resize:4+noise:5+c40")
    for image in chain([ramp] * 3, np.random.default_rng(0)):
        print(f"{chain.name}: {np.abs(image.astype(int) - ramp).mean():.1f} grey levels off")

    unmask.make_corpus(
        unmask.CorpusSettings(
            Path("made"), people=("P001",), actions=("nod",), frames=6, size=128, workers=1
        )
    )
    unmask.index(unmask.IndexSettings("footage", Path("made/clips"), Path("data"), workers=1))
    catalog = unmask.degrade_videos(
        unmask.DegradeSettings(
            Path("data/catalog.parquet"), Path("videos"), ("c23", "jpeg:50"), workers=1
        )
    )
    print(catalog.table.select("id", "quality", "crf", "parents"))


if __name__ == "__main__":
    main()
