"""The verb that finds, follows and cuts out the faces of a catalog's videos."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path, PurePosixPath
from typing import Any, cast, get_args

from unmask.catalog import Catalog, read_catalog
from unmask.errors import InvalidInputError, unknown_name
from unmask.execution.journal import key_of, run_journaled
from unmask.faces.clip import Clip, Way, prepare_clips
from unmask.faces.crop import SIZES, CropFormat, Profile
from unmask.faces.mtcnn import CELL
from unmask.faces.table import FaceTable, make_face_table
from unmask.faces.track import SEARCH_EVERY
from unmask.files import stamp
from unmask.settings import setting, to_plain
from unmask.video.sample import parse_sampling

TABLE = "faces.parquet"
NOT_IN_KEY = ("catalog", "out", "workers", "retry_failed")
# What a copy in another quality has in common with what it was made from.
SAME_IN_COPIES = ("dataset", "kind", "label", "method", "frames", "width", "height", "status")


@dataclass(frozen=True)
class FacesSettings:
    """What `unmask faces` needs.

    Raises:
        NotFoundError: if there is no such profile, choice or format.
        InvalidInputError: if a number makes no sense.
    """

    catalog: Path = setting(help="The catalog whose videos and images are searched.")
    out: Path = setting(help="The folder for the face table and the crops.")
    profile: str = setting(
        "square", "square (FaceForensics++'s), aligned (by landmarks) or clip (one place a clip)."
    )
    sampling: str = setting(
        "spread:32", "Which frames: all, every:N, spread:N, first:N or consecutive:N."
    )
    size: int | None = setting(
        None, "Side of the crops in pixels: 256, for clip 350; 0 leaves square and clip as found."
    )
    smallest: int | None = setting(
        None, "Smallest face in pixels: 80, or a fifth of the shorter side where that is less."
    )
    confidence: float = setting(0.9, "Least confidence of a face, in (0, 1).")
    faces: str = setting("main", "main or all; where there is a mask, it chooses the face.")
    crop_format: str = setting("png", "png (lossless) or jpg (quality 95, a fifth of the size).")
    search_every: int = setting(
        SEARCH_EVERY, "Frames between searches of the whole frame; in between faces are followed."
    )
    boxes_from_parents: bool = setting(
        True, "Whether copies in another quality get the boxes of what they were made from."
    )
    workers: int = setting(0, "Processes; 0 takes one for each core.")
    retry_failed: bool = setting(False, "Try again what could not be read before.")

    def __post_init__(self) -> None:
        _check_name("profile", self.profile, get_args(Profile))
        _check_name("crop_format", self.crop_format, get_args(CropFormat))
        _check_name("faces", self.faces, ("main", "all"))
        parse_sampling(self.sampling)
        if self.size is not None and self.size < (1 if self.profile == "aligned" else 0):
            raise InvalidInputError(
                f"size must be 1 or more, or 0 for square and clip, got {self.size}; "
                "leave it out for the usual one"
            )
        if self.smallest is not None and self.smallest < CELL:
            raise InvalidInputError(
                f"smallest must be {CELL} pixels or more, got {self.smallest}; "
                "leave it out for the usual one"
            )
        if not 0 < self.confidence < 1:
            raise InvalidInputError(
                f"confidence must lie between 0 and 1, got {self.confidence}; "
                "leave it out for the usual one"
            )
        if self.search_every < 1:
            raise InvalidInputError(
                f"search_every must be 1 or more, got {self.search_every}; 1 searches every frame"
            )


def prepare_faces(settings: FacesSettings) -> FaceTable:
    """Find the faces of a catalog's videos, follow them, and cut them out.

    Every frame that the sampling asks for has a row with its status: no face, a face other than
    the chosen one, an empty mask. An item that cannot be read has one row.

    Returns:
        The face table, which is written to `faces.parquet` in the output folder, beside `crops/`.

    Raises:
        NotFoundError: if the catalog does not exist.
        InvalidInputError: if it is no catalog, or an id is no name for a folder.
    """
    catalog = read_catalog(settings.catalog)
    way = _way(settings)
    kept = {name: value for name, value in to_plain(settings).items() if name not in NOT_IN_KEY}
    own = settings.out / f"journal-{key_of(kept)[:8]}.jsonl"
    for other in settings.out.glob("journal-*.jsonl"):
        if other != own:  # what it lists as done, this run overwrites
            other.unlink()
    made = run_journaled(
        _groups(catalog, settings),
        partial(_prepare_group, way),
        key=partial(_key, kept),
        journal=own,
        workers=settings.workers,
        description="finding faces",
        retry_failed=settings.retry_failed,
        files=partial(_crops, settings.out),
    )
    by_item: dict[str, list[dict[str, Any]]] = {}
    for (done,) in made:
        for row in done["rows"]:
            by_item.setdefault(row["item"], []).append(row)
    rows = (row for item in catalog.table["id"] for row in by_item[item])
    table = make_face_table(rows, settings.out, kept)
    table.write(settings.out / TABLE)
    return table


def _check_name(name: str, value: str, known: tuple[str, ...]) -> None:
    if value not in known:
        raise unknown_name(f"the choice of {name}", value, known)


def _way(settings: FacesSettings) -> Way:
    profile = cast(Profile, settings.profile)
    return Way(
        out=settings.out,
        profile=profile,
        size=SIZES[profile] if settings.size is None else settings.size,
        sampling=settings.sampling,
        suffix=settings.crop_format,
        smallest=settings.smallest,
        confidence=settings.confidence,
        keeps_all=settings.faces == "all",
        search_every=settings.search_every,
    )


def _groups(catalog: Catalog, settings: FacesSettings) -> list[list[Clip]]:
    """Return the items to work on together: each original with its copies in other qualities."""
    rows = {row["id"]: row for row in catalog.rows()}
    groups: dict[str, list[Clip]] = {}
    for row in rows.values():
        original = row["id"]
        while settings.boxes_from_parents and (parent := _original(rows[original], rows)):
            original = parent
        groups.setdefault(original, []).append(_clip(row, catalog))
    # The original stands first, wherever the catalog has it.
    return [
        sorted(group, key=lambda clip: clip.id != original) for original, group in groups.items()
    ]


def _original(row: Mapping[str, Any], rows: Mapping[str, Mapping[str, Any]]) -> str | None:
    """Return the item that a row is a copy of in another quality, None if it is no copy."""
    parents = row["parents"] or []
    parent = rows.get(parents[0]) if len(parents) == 1 else None
    if parent is None or parent["quality"] == row["quality"] or not row["frames"]:
        return None
    is_copy = all(parent[name] == row[name] for name in SAME_IN_COPIES)
    return str(parent["id"]) if is_copy else None


def _clip(row: Mapping[str, Any], catalog: Catalog) -> Clip:
    item = str(row["id"])
    parts = item.split("/")
    if PurePosixPath(item).is_absolute() or {"", ".", ".."} & set(parts) or "\\" in item:
        raise InvalidInputError(
            f"an id must name a folder below `crops`, got {item!r}; rename it in the catalog"
        )
    size = (row["frames"], row["width"], row["height"])
    return Clip(
        id=item,
        path=catalog.media(row["path"]),
        size=cast(tuple[int, int, int], size) if all(size) else None,
        is_image=row["kind"] == "image",
        mask=catalog.media(row["mask"]) if row["mask"] else None,
        fault="" if row["status"] == "ok" else f"{row['status']}: {row['reason']}",
        content=row["sha256"],
    )


def _key(kept: Mapping[str, Any], group: list[Clip]) -> str:
    """Return what changes with the settings and with the content of the clips."""
    told = [
        (clip.id, clip.content or stamp(clip.path), clip.fault, clip.mask and stamp(clip.mask))
        for clip in group
    ]
    return key_of("faces", kept, told)


def _crops(out: Path, group: list[Clip], made: list[dict[str, Any]]) -> list[Path]:
    return [out / row["crop"] for one in made for row in one["rows"] if row.get("crop")]


def _prepare_group(way: Way, group: list[Clip]) -> list[dict[str, Any]]:
    """Return the faces of a group as one line of the journal."""
    rows = prepare_clips(group, way)
    failed = any(row["status"].startswith("unreadable") for row in rows)
    return [{"status": "unreadable" if failed else "ok", "rows": rows}]
