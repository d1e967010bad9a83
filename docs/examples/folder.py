"""Examine a folder of real and fake clips, and list it as a catalog."""

from pathlib import Path

import numpy as np

import unmask
from unmask.datasets.doctor import examine
from unmask.video.write import VideoWriter

CLIPS = (
    "real/ann/1.mp4",  # shows ann
    "real/ann/2.mp4",
    "real/bob.mp4",  # a file directly in real/ is a person of its own
    "fake/swap/ann_bob.mp4",  # ann is seen, bob's face was put in
    "fake/swap/clip7.mp4",  # nobody can say who is seen
)


def main() -> None:
    for seed, name in enumerate(CLIPS):
        noise = np.random.default_rng(seed).integers(0, 256, (48, 64, 3), np.uint8)
        with VideoWriter(Path("mine") / name, 25, crf=23) as writer:
            writer.write(noise)
            writer.write(noise)

    for finding in examine("folder", Path("mine")):
        print(f"{finding.level}: {finding.what}")

    catalog = unmask.index(unmask.IndexSettings("folder", Path("mine"), Path("data"), workers=1))
    print(catalog.table.select("id", "label", "method", "person", "source_person"))


if __name__ == "__main__":
    main()
