"""A user's own videos: `real/` and `fake/<method>/`."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from functools import cached_property
from pathlib import Path

from unmask.contracts import FAKE, REAL, Finding, VideoDataset
from unmask.datasets.layout import Listing, elsewhere, list_tree, row_of, strays, subfolder
from unmask.datasets.people import people_of, person_of

TOPS = ("real", "fake")
PARTS = {"train": "train", "val": "val", "valid": "val", "validation": "val", "test": "test"}


class Folder(VideoDataset):
    """Videos under `real/` and `fake/<method>/`, or the same within `train/`, `val/` and `test/`.

    A real video shows the person whose folder it lies in (`real/ann/1.mp4`), or, directly under
    `real/`, a person of its own (`real/bob.mp4`). A fake shows whom its name or its folder's name
    begins with, and after that who was put in: `fake/swap/ann_bob.mp4`, `fake/swap/ann/1.mp4`.

    Args:
        root: the folder with `real` and `fake`.

    Raises:
        NotFoundError: if the folder does not exist.
    """

    def find(self) -> Iterator[Mapping[str, object]]:
        """Yield a row for each video."""
        for path, part, folder in self._videos("real"):
            yield row_of(path, self.root) | {
                "label": REAL,
                "original_label": "real",
                "person": person_of(path, folder),
                "split": part,
                "quality": "raw",
            }
        for path, part, folder in self._videos("fake"):
            target, source = self._people(path, folder)
            parts = path.relative_to(folder).parts
            yield row_of(path, self.root) | {
                "label": FAKE,
                "original_label": "fake",
                "method": parts[0] if len(parts) > 1 else None,
                "person": target,
                "source_person": source,
                "parents": self._only_videos(target) + self._only_videos(source),
                "split": part,
                "quality": "raw",
            }

    def check(self) -> Iterator[Finding]:
        """Yield how many videos there are, and of how many fakes nobody can say who is seen."""
        if not self._tops:
            yield elsewhere(self.root, TOPS)
            return
        for top in TOPS:
            yield from self._check_top(top)
        methods: defaultdict[str, int] = defaultdict(int)
        nameless = 0
        for path, _, folder in self._videos("fake"):
            parts = path.relative_to(folder).parts
            methods[parts[0] if len(parts) > 1 else "no method"] += 1
            nameless += self._people(path, folder)[0] is None
        for method, count in sorted(methods.items()):
            yield Finding("present", f"fake, {method}: {count} videos")
        if nameless:
            yield Finding(
                "suspicious",
                f"fake: {nameless} videos that do not begin with the name of a real person",
                "name them <person>_..., or put them into fake/<method>/<person>/; "
                "else they cannot be split by person",
            )
        yield from self._check_people()

    @cached_property
    def _tops(self) -> list[tuple[str, str | None, Path, Listing]]:
        """Each `real` and `fake` folder with its part of the split and its files."""
        places: list[tuple[str | None, Path | None]] = [(None, self.root)]
        places += [(part, subfolder(self.root, name)) for name, part in PARTS.items()]
        found = [
            (top, part, folder)
            for part, place in places
            for top in TOPS
            if (folder := subfolder(place, top))
        ]
        return [(top, part, folder, list_tree(folder)) for top, part, folder in found]

    def _videos(self, wanted: str) -> Iterator[tuple[Path, str | None, Path]]:
        """Yield each video with its part of the split and the top folder that it lies in."""
        for top, part, folder, listing in self._tops:
            if top == wanted:
                yield from ((path, part, folder) for path in listing.videos)

    @cached_property
    def _real(self) -> dict[str, list[str]]:
        """The ids of the real videos of each person."""
        videos: defaultdict[str, list[str]] = defaultdict(list)
        for path, _, folder in self._videos("real"):
            videos[person_of(path, folder)].append(str(row_of(path, self.root)["id"]))
        return dict(videos)

    def _only_videos(self, person: str | None) -> list[str]:
        """Return the id of a person's video if there is only one: a fake was made from that."""
        videos = self._real.get(person or "", [])
        return videos if len(videos) == 1 else []

    def _people(self, path: Path, folder: Path) -> tuple[str | None, str | None]:
        inside = path.relative_to(folder)
        for name in [path.stem, *reversed(inside.parts[1:-1])]:
            target, source = people_of(name, self._real)
            if target is not None:
                return target, source
        return None, None

    def _check_top(self, wanted: str) -> Iterator[Finding]:
        listings = [listing for top, _, _, listing in self._tops if top == wanted]
        if not any(listing.videos for listing in listings):
            yield Finding("missing", f"{wanted}: no videos", f"put some into {wanted}/")
        for listing in listings:
            yield from strays(listing, wanted)

    def _check_people(self) -> Iterator[Finding]:
        videos = list(self._videos("real"))
        alone = sum(path.parent == folder for path, _, folder in videos)
        if videos:
            yield Finding("present", f"real: {len(videos)} videos of {len(self._real)} people")
        if alone:
            yield Finding(
                "present",
                f"real: {alone} videos directly in the folder, each taken for a person of its own",
                "put several videos of one person into real/<person>/",
            )
