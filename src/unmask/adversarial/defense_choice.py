"""Which forged videos the defence data set is made from, and what their faces' files are called."""

import logging
import re
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Any

from unmask.catalog import Catalog, read_catalog
from unmask.contracts import FAKE
from unmask.datasets.defense_names import METHODS, image_name
from unmask.datasets.index import IndexSettings, list_items
from unmask.datasets.layout import natural
from unmask.datasets.opening import open_dataset
from unmask.errors import InvalidInputError, unknown_name
from unmask.execution.journal import key_of
from unmask.schema import ADVERSARIAL, PRISTINE

logger = logging.getLogger(__name__)

Row = Mapping[str, Any]

FACEFORENSICS = "faceforensics"
NUMBERINGS = ("ids", "listing")
LONGEST_NAME = 180  # of the 255 bytes that file systems allow, with a mark, a frame and an ending


def chosen_videos(
    source: Path,
    out: Path,
    *,
    videos: int,
    numbering: str,
    methods: Sequence[str],
    quality: str,
    splits: Path | None,
    workers: int,
    retry_failed: bool,
) -> Catalog:
    """Return the catalog, told from `out`, of the first forged videos of each method.

    Of a folder of FaceForensics++ only the chosen videos are read; their catalog is kept in
    `out/source`.

    Args:
        source: a folder of FaceForensics++, or a catalog.
        out: the folder of the data set.
        videos: how many of each method.
        numbering: see `first_videos`.
        methods: of the forgery; none for the four published ones, or in a catalog for all.
        quality: of the videos; `raw` also means that none is known.
        splits: the folder of the official lists of FaceForensics++.
        workers: processes that read.
        retry_failed: whether to look again at files that could not be read.

    Raises:
        NotFoundError: if a method is not there.
        InvalidInputError: if there is no forged video of that quality.
    """
    if source.is_file():
        catalog = read_catalog(source).moved(out)
        found = first_videos(
            _forged(catalog.rows(), quality, methods),
            videos=videos,
            numbering=numbering,
        )
        return catalog.filter(id=[row["id"] for row in found])
    options = [f"splits={splits}"] if splits else []
    dataset = open_dataset(FACEFORENSICS, source, options)
    rows = [{"kind": "video", "status": "ok", **row} for row in dataset.find()]
    found = first_videos(
        _forged(rows, quality, methods or METHODS), videos=videos, numbering=numbering
    )
    settings = IndexSettings(
        FACEFORENSICS, source, out / "source", workers=workers, retry_failed=retry_failed
    )
    return list_items(dataset, found, settings).moved(out)


def _forged(rows: Sequence[Row], quality: str, methods: Sequence[str]) -> list[Row]:
    """Return the forged videos of a quality and of some methods, as far as they are usable."""
    forged = [
        row
        for row in rows
        if row["label"] == FAKE
        and row["kind"] == "video"
        and row["family"] != ADVERSARIAL
        and row["status"] == "ok"
    ]
    wanted = PRISTINE if quality == "raw" else (quality,)
    there = [row for row in forged if row["quality"] in wanted]
    if not there:
        told = ", ".join(sorted({str(row["quality"]) for row in forged})) or "none"
        raise InvalidInputError(
            f"the source must hold usable forged videos of the quality {quality}, got "
            f"{len(forged)} of {told}; set quality to one that is there"
        )
    known = {str(row["method"]) for row in there}
    lacking = [method for method in methods if method not in known]
    if lacking and len(lacking) == len(methods):
        raise unknown_name("the source", lacking[0], known)
    if lacking:
        logger.warning("there is no video by %s", ", ".join(lacking))
    return [row for row in there if not methods or row["method"] in methods]


def first_videos(rows: Sequence[Row], *, videos: int, numbering: str) -> list[Row]:
    """Return the first videos of each method, ordered by method.

    Args:
        rows: of forged videos.
        videos: how many of each method.
        numbering: `ids`: where all have the three-digit ids of FaceForensics++, those whose first
            id, the target's, is 001 to `videos`; elsewhere the first by person and id.
            `listing`: the first in the order of their ids, in FaceForensics++ from 000 on.

    Raises:
        NotFoundError: if there is no such numbering.

    Example:
        >>> rows = [{"id": f"{n:03}_870", "method": "Deepfakes", "person": f"{n:03}"}
        ...         for n in range(1000)]
        >>> [row["id"] for row in first_videos(rows, videos=2, numbering="ids")]
        ['001_870', '002_870']
        >>> [row["id"] for row in first_videos(rows, videos=2, numbering="listing")]
        ['000_870', '001_870']
    """
    if numbering not in NUMBERINGS:
        raise unknown_name("the choice of numbering", numbering, NUMBERINGS)
    by_method: defaultdict[str, list[Row]] = defaultdict(list)
    for row in rows:
        by_method[str(row["method"])].append(row)
    return [row for _, few in sorted(by_method.items()) for row in _first(few, videos, numbering)]


def _first(rows: Sequence[Row], videos: int, numbering: str) -> list[Row]:
    listed = sorted(rows, key=lambda row: natural(Path(row["id"])))
    if numbering == "listing":
        return listed[:videos]
    if all(re.fullmatch(r"\d{3}", row["person"] or "") for row in rows):
        return [row for row in listed if 1 <= int(row["person"]) <= videos]
    # A sort keeps the order of equals.
    return sorted(listed, key=lambda row: natural(Path(row["person"] or "")))[:videos]


def file_names(rows: Sequence[Row]) -> dict[str, str]:
    """Return for each id what the names of its faces begin with: `Deepfakes/001_870`.

    It is the name of the video's file. Where two videos of a method would get the same names, or
    one is too long, a short hash of the id stands at its end.
    """
    plain = {row["id"]: (_folder(row["method"]), PurePosixPath(row["id"]).stem) for row in rows}
    # As image names, and on file systems that do not tell upper from lower case.
    taken = Counter(_place(*names) for names in plain.values())
    names = {}
    for item, (folder, stem) in plain.items():
        is_long = len(stem.encode()) > LONGEST_NAME
        if is_long or taken[_place(folder, stem)] > 1:
            stem = f"{stem[: LONGEST_NAME // 4]}-{key_of(item)[:8]}"
        names[item] = f"{folder}/{stem}"
    return names


def _place(folder: str, stem: str) -> str:
    return f"{folder}/{image_name(stem, 0)}".lower()


def _folder(method: str | None) -> str:
    return re.sub(r"[^\w+.=-]", "-", method or "forged").lstrip(".") or "forged"
