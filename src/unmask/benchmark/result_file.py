"""Result files: a frozen dataclass as JSON with a version, written whole and read strictly."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any, TypeVar

from unmask.benchmark.decode import decoded
from unmask.errors import InvalidInputError, NotFoundError
from unmask.files import write_whole

VERSION = 1
Record = TypeVar("Record")


def write_record(record: Any, name: str, folder: Path) -> Path:
    """Write a dataclass as `<name>.json`, whole or not at all, and return its path.

    Raises:
        InvalidInputError: if a number is not finite.
    """
    try:
        text = json.dumps({"version": VERSION} | asdict(record), indent=2, allow_nan=False)
    except ValueError:
        raise InvalidInputError(
            f"a result must hold finite numbers, got others in {name}; measure it again"
        ) from None
    return write_whole(folder / f"{name}.json", f"{text}\n".encode())


def read_record(kind: type[Record], path: Path) -> Record:
    """Return the dataclass in a file.

    Raises:
        InvalidInputError: if the file is no such result; the message has the file and the key.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise InvalidInputError(
            f"{path.name}: a result must be whole JSON, got {error}; measure it again"
        ) from None
    version = content.pop("version", None) if isinstance(content, dict) else None
    if version != VERSION:
        raise InvalidInputError(
            f"{path.name}: version must be {VERSION}, got {version!r}; "
            "measure it again with this release of unmask"
        )
    return decoded(kind, content, file=path.name)


def read_records(
    kind: type[Record], folder: Path, pattern: str, *, of: str, by: str
) -> list[Record]:
    """Return the dataclasses in the files of a folder, in the order of their names.

    Args:
        kind: the dataclass.
        folder: where they lie.
        pattern: of their names.
        of: what they are, for the message.
        by: what makes them, for the message.

    Raises:
        NotFoundError: if there are none.
        InvalidInputError: if a file is no such result; the message has the file and the key.
    """
    paths = sorted(folder.glob(pattern))
    if not paths:
        raise NotFoundError(f"the folder must hold {of}, got none in {folder}; run {by} first")
    return [read_record(kind, path) for path in paths]
