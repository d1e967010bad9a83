"""People who are seen in training and again in testing, as published splits have them."""

from collections.abc import Iterable, Mapping

from unmask.contracts import Finding


def check_people(rows: Iterable[Mapping[str, object]], *, advice: str) -> Finding | None:
    """Return the finding on who is seen in training and in testing; None if nobody could be.

    Args:
        rows: what a reader finds, with `person`, `source_person` and `split`.
        advice: what to do where people are in both.

    Example:
        >>> ann = {"person": "ann", "source_person": None}
        >>> rows = [ann | {"split": "train"}, ann | {"split": "test"}]
        >>> check_people(rows, advice="split by person").what
        'people: all 1 in test videos are in training too, where 1 of 1 videos show them'
    """
    named = [(row["split"], _people(row)) for row in rows]
    trained = [people for split, people in named if split in ("train", "val")]
    tested = set[object]().union(*(people for split, people in named if split == "test"))
    if not trained or not tested:
        return None
    both = tested & set[object]().union(*trained)
    if not both:
        return Finding(
            "present", f"people: none of the {len(tested)} in test videos is in training"
        )
    of = f"all {len(both)}" if both == tested else f"{len(both)} of the {len(tested)}"
    shown = sum(not people.isdisjoint(both) for people in trained)
    told = (
        f"people: {of} in test videos are in training too, where {shown} of {len(trained)} videos "
        "show them"
    )
    return Finding("suspicious", told, advice)


def _people(row: Mapping[str, object]) -> set[object]:
    return {row.get("person"), row.get("source_person")} - {None}
