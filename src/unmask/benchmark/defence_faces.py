"""Which faces the defence protocol shows to the detectors, and which of them are attacked."""

from collections.abc import Sequence

import polars as pl

from unmask.benchmark.defence_runs import Face
from unmask.benchmark.defence_settings import DefenceSettings
from unmask.catalog import Catalog
from unmask.contracts import FAKE, REAL
from unmask.errors import InvalidInputError
from unmask.schema import ADVERSARIAL, PRISTINE
from unmask.training.data import joined, read_faces


def items_to_test(catalog: Catalog, settings: DefenceSettings) -> Catalog:
    """Return the usable items of the split and the quality.

    Raises:
        InvalidInputError: if there is no real, or no fake.
    """
    wanted = PRISTINE if settings.quality is None else (settings.quality,)
    test = catalog.filter(split=settings.split) if settings.split else catalog
    test = test.usable().filter(quality=list(wanted))
    # Copies that are under attack already are no clean faces.
    test = Catalog(test.table.filter(pl.col("family").ne_missing(ADVERSARIAL)), test.root)
    labels = test.table["label"].unique()
    if REAL not in labels or FAKE not in labels:
        there = catalog.usable().table.select("split", "quality").unique().sort("split", "quality")
        told = ", ".join(f"{split} {quality}" for split, quality in there.rows())
        raise InvalidInputError(
            f"the catalog must hold usable reals and fakes of split {settings.split or 'any'} and "
            f"quality {settings.quality or 'raw'}, got {told or 'nothing usable'}; set split and "
            "quality to what is there"
        )
    return test


def faces_of(test: Catalog, settings: DefenceSettings) -> list[Face]:
    """Return every face to be judged, in the order of the items.

    Raises:
        NotFoundError: if there is no face table.
        InvalidInputError: if it has no usable face of a class.
    """
    found = joined(test.table, read_faces(settings.faces), settings.faces_per_video or None)
    faces = [Face(*row) for row in found.table.select(*Face.__annotations__).iter_rows()]
    labels = {one.label for one in faces}
    if labels != {REAL, FAKE}:
        raise InvalidInputError(
            f"the face table must have usable faces of reals and of fakes, got {len(faces)} faces "
            "of the test items; prepare them"
        )
    return faces


def spread(faces: Sequence[Face], count: int) -> list[Face]:
    """Return `count` evenly spread faces; all where there are no more, or the count is 0.

    Example:
        >>> faces = [Face(f"{place}.mp4", 0, 0, "", 1) for place in range(6)]
        >>> [one.item for one in spread(faces, 2)]
        ['1.mp4', '4.mp4']
    """
    count = min(count or len(faces), len(faces))
    return [faces[(2 * place + 1) * len(faces) // (2 * count)] for place in range(count)]
