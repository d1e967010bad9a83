"""Official splits as published: lists of pairs of ids."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from unmask.errors import InvalidInputError
from unmask.schema import SPLITS


@dataclass(frozen=True)
class PairSplits:
    """A split by pairs of ids, both of which stand in the same part.

    Args:
        by_id: the part of each id.
        pairs: how many pairs each part has.
    """

    by_id: dict[str, str]
    pairs: dict[str, int]

    def of(self, *ids: str) -> str | None:
        """Return the part in which all the ids stand; None if they stand in several or in none."""
        parts = {self.by_id.get(one) for one in ids}
        return parts.pop() if len(parts) == 1 else None


def read_pair_splits(folder: Path) -> PairSplits:
    """Return the split in `train.json`, `val.json` and `test.json`, as far as they are there.

    Raises:
        InvalidInputError: if a file holds no list of pairs, or an id stands in two parts.
    """
    by_id: dict[str, str] = {}
    pairs = {}
    for part in SPLITS:
        file = folder / f"{part}.json"
        if file.is_file():
            listed = list(_read_pairs(file))
            pairs[part] = len(listed)
            for one in (one for pair in listed for one in pair):
                if by_id.setdefault(one, part) != part:
                    raise InvalidInputError(
                        f"an id must stand in one part of a split, got {one!r} in {by_id[one]} "
                        f"and {part} of {folder}; download the lists again"
                    )
    return PairSplits(by_id, pairs)


def _read_pairs(file: Path) -> Iterator[tuple[str, str]]:
    try:
        for first, second in json.loads(file.read_text(encoding="utf-8")):
            yield str(first), str(second)
    except (ValueError, TypeError):
        raise InvalidInputError(
            f'a split must be a JSON list of pairs such as ["071", "054"], got {file}; '
            "download it again"
        ) from None
