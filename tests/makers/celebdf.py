"""A tiny Celeb-DF with the real folders and file names."""

from pathlib import Path

from makers.named_clip import write_named_clip

# The people of the test list are in no training video, other than in the published one.
VIDEOS = {
    "Celeb-real": ("id0_0007", "id1_0007", "id20_0008", "id28_0008"),
    "YouTube-real": ("00007", "00170"),
    "Celeb-synthesis": ("id0_id1_0007", "id1_id0_0007", "id20_id28_0008", "id28_id20_0008"),
}
LIST = (
    "1 YouTube-real/00170.mp4",
    "1 Celeb-real/id0_0007.mp4",
    "1 Celeb-real/id1_0007.mp4",
    "0 Celeb-synthesis/id0_id1_0007.mp4",
    "0 Celeb-synthesis/id1_id0_0007.mp4",
)


def make(root: Path) -> None:
    """Write a few videos of each folder and the list of test videos."""
    for folder, names in VIDEOS.items():
        for name in names:
            write_named_clip(root / folder / f"{name}.mp4", root)
    write_list(root, *LIST)


def write_list(root: Path, *lines: str) -> None:
    """Write the list of test videos."""
    (root / "List_of_testing_videos.txt").write_text("\n".join(lines) + "\n")
