"""Who is seen in a video, told from the names that a user gave to folders and files."""

from collections.abc import Collection
from pathlib import Path


def person_of(path: Path, folder: Path) -> str:
    """Return the person of a real video: the folder below `folder` it lies in, else its own name.

    Example:
        >>> [person_of(Path(name), Path("real")) for name in ("real/ann/1.mp4", "real/bob.mp4")]
        ['ann', 'bob']
    """
    parts = path.relative_to(folder).parts
    return parts[0] if len(parts) > 1 else path.stem


def people_of(name: str, known: Collection[str]) -> tuple[str | None, str | None]:
    """Return the person who is seen and the one who was put in, as far as a fake's name tells.

    Args:
        name: `<target>_<source>`, `<target>`, or either with more behind a further `_`.
        known: the people of the real videos; nobody else is recognised.

    Example:
        >>> people = {"ann", "bob_smith"}
        >>> people_of("ann_bob_smith", people), people_of("ann_take2", people)
        (('ann', 'bob_smith'), ('ann', None))
        >>> people_of("clip7", people)
        (None, None)
    """
    target = _longest_start(name, known)
    if target is None:
        return None, None
    return target, _longest_start(name[len(target) + 1 :], known)


def _longest_start(name: str, known: Collection[str]) -> str | None:
    words = name.split("_")
    starts = ("_".join(words[:count]) for count in range(len(words), 0, -1))
    return next((start for start in starts if start in known), None)
