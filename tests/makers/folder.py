"""A user's folder with real and fake videos."""

from pathlib import Path

from makers.named_clip import write_named_clip

CLIPS = (
    "real/ann/1.mp4",
    "real/ann/2.mov",
    "real/bob_smith.mp4",
    "real/cid.mp4",
    "fake/swap/ann_bob_smith.mp4",
    "fake/swap/cid/take1.mp4",
    "fake/reenact/bob_smith_long.mkv",
    "fake/unsorted.mp4",
)


def make(root: Path) -> None:
    """Write real videos of three people, and fakes of two methods and of none."""
    for name in CLIPS:
        write_named_clip(root / name, root)
