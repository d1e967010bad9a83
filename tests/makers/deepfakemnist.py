"""A tiny DeepFakeMnist+ with the real folders and file names."""

from pathlib import Path

from makers.named_clip import write_named_clip

FOLDERS = (
    "blink", "embarrass", "left_slope", "mouth", "nod",
    "right_slope", "smile", "surpise", "up", "yaw",
)  # fmt: skip
NUMBERS = (9, 10, 101, 1302, 1304, 1305, 4000)  # with gaps, and not in the order of their texts
REALS = {
    "train": ("id10001#7w0IBEWc9Qw#001298#001705", "id10001#J9lHsKG98U8#000007#000113"),
    "val": ("id10002#0_laIeN-Q44#000156#000351",),
    "test": ("id10003#5ablueV_1tw#000384#000511",),
}


def make(root: Path) -> None:
    """Write seven fakes of every action and a few real videos of every part."""
    for folder in FOLDERS:
        for number in NUMBERS:
            write_named_clip(root / "fake_dataset" / folder / f"{number}.mp4", root)
    for part, names in REALS.items():
        for name in names:
            write_named_clip(root / "real_dataset" / f"selected_{part}" / f"{name}.mp4", root)
