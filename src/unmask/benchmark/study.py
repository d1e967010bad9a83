"""Keeping what does not belong to a study out of its folder."""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from unmask.errors import InvalidInputError
from unmask.files import write_whole

STUDY = "study.json"


def same_study(out: Path, identity: Mapping[str, Any]) -> None:
    """Refuse a folder that another study has files in; note in any other what it holds.

    Files on the way bear the name of what they show, not of the settings that they were made
    with, so those of two studies would take each other's place.

    Args:
        out: the folder of the study.
        identity: by name, as JSON can hold it, what its files depend on. What only one of both
            names is no difference, so that a study can be extended: by a victim, for instance.

    Raises:
        InvalidInputError: naming the first difference, or if the note cannot be read.
    """
    path = out / STUDY
    now = json.loads(json.dumps(dict(identity)))  # tuples become lists, as in the file
    there = _noted(path)
    for name, value in now.items():
        if there.get(name, value) != value:
            raise InvalidInputError(
                f"out must be new or hold the same study, got {out}, whose {name} was "
                f"{there[name]!r}, not {value!r}; choose another folder"
            )
    if there | now != there:
        write_whole(path, f"{json.dumps(there | now, indent=2)}\n".encode())


def keep_only(folder: Path, pattern: str, names: Iterable[str]) -> None:
    """Delete the files of a folder that fit a pattern but were not written by this run.

    Args:
        folder: which need not exist.
        pattern: the names that the protocol itself gives, such as `attack-*.json`.
        names: of what was written, without their endings.
    """
    kept = set(names)
    for path in folder.glob(pattern):
        if path.stem not in kept:
            path.unlink()


def _noted(path: Path) -> dict[str, Any]:
    if not path.is_file():
        return {}
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        found = error
    if not isinstance(found, dict):
        raise InvalidInputError(
            f"the note on a study must be a JSON object, got {path}: {found}; choose another folder"
        )
    return found
