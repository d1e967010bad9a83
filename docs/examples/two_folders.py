"""The reader of a data set with real videos in one folder and forged ones in another."""

from collections.abc import Iterator, Mapping

from unmask.contracts import FAKE, REAL, Finding, VideoDataset
from unmask.datasets.layout import elsewhere, list_folder, row_of, subfolder

FOLDERS = {"original": REAL, "altered": FAKE}


class TwoFolders(VideoDataset):
    """Videos in `original/` and `altered/`, each named after its person: `ann_1.mp4`."""

    licence = "CC BY 4.0"

    def find(self) -> Iterator[Mapping[str, object]]:
        """Yield a row for each video."""
        for folder, label in FOLDERS.items():
            for path in list_folder(subfolder(self.root, folder)).videos:
                yield row_of(path, self.root) | {
                    "label": label,
                    "method": "alteration" if label == FAKE else None,
                    "person": path.stem.split("_")[0],
                    "quality": "raw",
                }

    def check(self) -> Iterator[Finding]:
        """Yield how many videos are in each folder."""
        for folder in FOLDERS:
            count = len(list_folder(subfolder(self.root, folder)).videos)
            if count:
                yield Finding("present", f"{folder}: {count} videos")
            else:
                yield elsewhere(self.root, list(FOLDERS))
