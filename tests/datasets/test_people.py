"""Who is seen, told from names."""

from pathlib import Path

import pytest

from unmask.datasets.people import people_of, person_of

KNOWN = {"ann", "ann_marie", "bob", "id1"}


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("ann_bob", ("ann", "bob")),
        ("ann_marie_bob", ("ann_marie", "bob")),
        ("bob_ann_marie_take2", ("bob", "ann_marie")),
        ("ann_take2", ("ann", None)),
        ("ann", ("ann", None)),
        ("id1_id1_0007", ("id1", "id1")),
        ("id12_0001", (None, None)),
        ("clip_ann", (None, None)),
        ("", (None, None)),
    ],
)
def test_a_name_tells_the_target_and_then_the_source(
    name: str, expected: tuple[str | None, str | None]
) -> None:
    assert people_of(name, KNOWN) == expected


def test_a_folder_names_the_person_before_the_file_does() -> None:
    top = Path("real")
    paths = ["real/ann/a.mp4", "real/ann/2024/b.mp4", "real/bob.v2.mp4"]
    assert [person_of(Path(path), top) for path in paths] == ["ann", "ann", "bob.v2"]
