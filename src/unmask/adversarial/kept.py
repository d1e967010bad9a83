"""Refusing to write a table over one that names more."""

from collections.abc import Iterable
from pathlib import Path

from unmask.catalog import read_catalog
from unmask.errors import InvalidInputError
from unmask.faces.attack_table import TABLE, read_attack_table


def check_kept(path: Path, kept: Iterable[str], *, advice: str) -> None:
    """Refuse to write over a catalog or an attack table whose items the new one would not name.

    Args:
        path: of the table; it need not exist.
        kept: the ids that the new one will name.
        advice: how to keep the others.

    Raises:
        InvalidInputError: if an item would be lost, or if the file is no such table.
    """
    if not path.is_file():
        return
    is_attack_table = path.name == TABLE
    named = read_attack_table(path)["item"] if is_attack_table else read_catalog(path).table["id"]
    lost = sorted({*named} - {*kept})
    if lost:
        raise InvalidInputError(
            f"out must not hold items that its new {path.name} would not name, got {len(lost)} "
            f"such as {lost[0]!r} in {path}; {advice}, or choose another folder"
        )
