"""Catalogs are read, written, filtered, joined and moved without losing an item or a path."""

from hashlib import sha256
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from makers.catalogs import catalog_of, originals, row, swap, swapped_in_pairs
from unmask.catalog import IDENTITY, Catalog, hash_file, make_catalog, read_catalog
from unmask.errors import InvalidInputError, NotFoundError
from unmask.schema import SCHEMA


def ids(catalog: Catalog) -> list[str]:
    return catalog.table["id"].to_list()


def test_what_a_row_lacks_is_null_and_kind_and_status_have_defaults() -> None:
    (made,) = catalog_of(row("a", label=1)).rows()
    given = {"id": "a", "path": "a.mp4", "dataset": "made", "label": 1}
    assert made == dict.fromkeys(SCHEMA) | given | {"kind": "video", "status": "ok"}


def test_rows_make_the_catalog_that_they_came_from() -> None:
    catalog = catalog_of(*swapped_in_pairs(["a", "b"]))
    assert make_catalog(catalog.rows(), catalog.root).table.equals(catalog.table)


def test_no_rows_make_an_empty_catalog() -> None:
    assert len(make_catalog([], Path())) == 0


def test_a_table_makes_a_catalog(tmp_path: Path) -> None:
    file = tmp_path / "mine.csv"
    file.write_text("id,path,dataset,label,person\n1,a.mp4,mine,0,17\n2,b.mp4,mine,,\n")
    catalog = make_catalog(pl.read_csv(file), tmp_path)
    assert catalog.table.select("id", "label", "person", "kind", "status").rows() == [
        ("1", 0, "17", "video", "ok"),
        ("2", None, None, "video", "ok"),
    ]


@pytest.mark.parametrize("form", [list, pl.DataFrame])
def test_an_unknown_column_is_answered_with_the_closest_one(form: type) -> None:
    with pytest.raises(NotFoundError, match=r"the catalog has no 'lable'; did you mean 'label'\?"):
        make_catalog(form([row("a", lable=1)]), Path())


@pytest.mark.parametrize(
    "rows",
    [
        [row("a", crf=23), row("b", crf="c23")],
        pl.DataFrame([row("a", crf="23"), row("b", crf="c23")]),
    ],
)
def test_a_value_of_another_type_is_refused_with_its_row(
    rows: list[dict[str, Any]] | pl.DataFrame,
) -> None:
    with pytest.raises(InvalidInputError, match="row 1: column 'crf' must be of type Int16, got"):
        make_catalog(rows, Path())


def test_a_wrong_row_is_refused_when_a_catalog_is_made() -> None:
    with pytest.raises(InvalidInputError, match=r"row 1 \(id 'a'\): column 'id' must be used once"):
        catalog_of(row("a"), row("a"))


def test_columns_may_come_in_any_order() -> None:
    table = catalog_of(row("a")).table
    turned = Catalog(table.select(reversed(table.columns)), Path())
    assert turned.table.equals(table)


def test_usable_items_are_those_whose_status_is_ok() -> None:
    catalog = catalog_of(row("a"), row("b", status="no_face", reason="nobody"))
    assert ids(catalog.usable()) == ["a"]


def test_filter_keeps_items_that_match_every_column() -> None:
    catalog = catalog_of(
        row("a", split="train", label=0),
        row("b", split="test", label=1),
        row("c", split="test", label=0),
        row("d"),
    )
    assert ids(catalog.filter(split="test", label=0)) == ["c"]
    assert ids(catalog.filter(split=["train", "test"])) == ["a", "b", "c"]
    assert ids(catalog.filter(split={"train", None})) == ["a", "d"]
    assert ids(catalog.filter(label=None)) == ["d"]
    assert ids(catalog.filter(split=())) == []
    assert ids(catalog.filter()) == ["a", "b", "c", "d"]


def test_filter_by_parents_takes_whole_lists() -> None:
    catalog = catalog_of(row("a", parents=[]), row("b", parents=["a"]), row("c", parents=["a"]))
    assert ids(catalog.filter(parents=[["a"]])) == ["b", "c"]


def test_filter_refuses_unknown_columns_and_other_types() -> None:
    catalog = catalog_of(row("a"))
    with pytest.raises(NotFoundError, match=r"the catalog has no 'splt'; did you mean 'split'\?"):
        catalog.filter(splt="test")
    with pytest.raises(InvalidInputError, match="column 'label' must be of type Int8, got 'fake'"):
        catalog.filter(label="fake")


def test_a_written_catalog_is_read_as_it_was(tmp_path: Path) -> None:
    catalog = catalog_of(*swapped_in_pairs(["a", "b", "ü"]), root=tmp_path)
    catalog.write(tmp_path / "catalog.parquet")
    again = read_catalog(tmp_path / "catalog.parquet")
    assert again.table.equals(catalog.table)
    assert again.root == tmp_path
    assert [one.name for one in tmp_path.iterdir()] == ["catalog.parquet"]


def test_writing_makes_the_folder_and_tells_paths_from_it(tmp_path: Path) -> None:
    clip = tmp_path / "clips" / "a.mp4"
    clip.parent.mkdir()
    clip.touch()
    catalog_of(row("a", path="clips/a.mp4"), root=tmp_path).write(tmp_path / "x/y/c.parquet")
    again = read_catalog(tmp_path / "x/y/c.parquet")
    assert again.table["path"].item() == "../../clips/a.mp4"
    assert again.media(again.table["path"].item()).samefile(clip)


def test_a_write_that_fails_leaves_the_old_catalog(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "catalog.parquet"
    catalog_of(row("old"), root=tmp_path).write(path)

    def fail(self: pl.DataFrame, file: object, **options: object) -> None:
        raise OSError("no space left on device")

    monkeypatch.setattr(pl.DataFrame, "write_parquet", fail)
    with pytest.raises(OSError, match="no space left"):
        catalog_of(row("new"), root=tmp_path).write(path)
    assert ids(read_catalog(path)) == ["old"]


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(
        NotFoundError, match=r"a catalog file must exist, got .*nothing\.parquet; correct the path"
    ):
        read_catalog(tmp_path / "nothing.parquet")


@pytest.mark.parametrize("keep", [0, 4, 200])
def test_a_file_that_is_not_whole_is_refused(tmp_path: Path, keep: int) -> None:
    path = tmp_path / "catalog.parquet"
    catalog_of(row("a"), root=tmp_path).write(path)
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(InvalidInputError, match="a catalog must be a whole Parquet file, got"):
        read_catalog(path)


def test_a_table_of_another_program_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "other.parquet"
    pl.DataFrame({"id": ["a"]}).write_parquet(path)
    with pytest.raises(InvalidInputError, match="a catalog must be of version 1, got version none"):
        read_catalog(path)


def test_a_catalog_of_another_version_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "later.parquet"
    catalog_of(row("a")).table.write_parquet(path, metadata={"unmask.catalog": "2"})
    with pytest.raises(InvalidInputError, match=r"must be of version 1, got version 2 in .*later"):
        read_catalog(path)


def test_a_file_with_a_wrong_row_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "wrong.parquet"
    table = catalog_of(row("a"), row("b")).table.with_columns(split=pl.lit("dev"))
    table.write_parquet(path, metadata={"unmask.catalog": "1"})
    with pytest.raises(InvalidInputError, match=r"row 0 \(id 'a'\): column 'split' must be one of"):
        read_catalog(path)


@pytest.mark.parametrize(
    ("path", "root", "wanted"),
    [
        ("clips/a.mp4", "data/sub", "../clips/a.mp4"),
        ("a.mp4", "data/sub/deep", "../../a.mp4"),
        ("a.mp4", ".", "data/a.mp4"),
        ("../other/a.mp4", "other", "a.mp4"),
        ("../other/deep/a.mp4", "other", "deep/a.mp4"),
        ("/elsewhere/a.mp4", "other", "/elsewhere/a.mp4"),
        ("a.mp4", "data", "a.mp4"),
    ],
)
def test_moved_paths_are_as_short_as_can_be(
    tmp_path: Path, path: str, root: str, wanted: str
) -> None:
    catalog = catalog_of(row("a", path=path, mask=path), row("b"), root=tmp_path / "data")
    table = catalog.moved(tmp_path / root).table
    assert (table["path"][0], table["mask"].to_list()) == (wanted, [wanted, None])


def test_moving_there_and_back_changes_nothing(tmp_path: Path) -> None:
    catalog = catalog_of(row("a", path="../x/a.mp4"), row("b", mask="m/b.mp4"), root=tmp_path / "c")
    back = catalog.moved(tmp_path / "somewhere/else").moved(catalog.root)
    assert back.table.equals(catalog.table)


def test_a_moved_path_leads_to_the_same_file_through_a_link(tmp_path: Path) -> None:
    clip = tmp_path / "real" / "data" / "a.mp4"
    clip.parent.mkdir(parents=True)
    clip.touch()
    (tmp_path / "link").symlink_to(clip.parent)
    moved = catalog_of(row("a"), root=tmp_path / "link").moved(tmp_path / "out")
    (tmp_path / "out").mkdir()
    assert moved.media(moved.table["path"].item()).samefile(clip)


def test_join_keeps_every_item_and_its_media(tmp_path: Path) -> None:
    left = catalog_of(row("a"), root=tmp_path / "left")
    right = catalog_of(row("b"), root=tmp_path / "right")
    both = left.join(right, catalog_of(root=tmp_path))
    assert both.table.select("id", "path").rows() == [("a", "a.mp4"), ("b", "../right/b.mp4")]
    assert both.root == left.root


def test_join_refuses_an_id_that_stands_in_two() -> None:
    with pytest.raises(InvalidInputError, match=r"row 1 \(id 'a'\): column 'id' must be used once"):
        catalog_of(row("a")).join(catalog_of(row("a")))


def test_people_are_told_within_their_data_set() -> None:
    target, source = originals(["1", "2"])
    other = row("other", person="1", dataset="another")
    people = catalog_of(target, source, other, swap(target, source), row("nobody")).people()
    assert people.sort("id", "person").rows() == [
        ("fake/real/1/0/2", "made/1"),
        ("fake/real/1/0/2", "made/2"),
        ("other", "another/1"),
        ("real/1/0", "made/1"),
        ("real/2/0", "made/2"),
    ]


def test_ancestors_reach_from_copies_to_originals() -> None:
    catalog = catalog_of(*swapped_in_pairs(["a", "b"]))
    found = catalog.ancestors().filter(pl.col("id") == "c23/fake/real/a/0/b")
    assert set(found["ancestor"]) == {"fake/real/a/0/b", "real/a/0", "real/b/0"}


def test_media_that_exist_are_accepted(tmp_path: Path) -> None:
    (tmp_path / "clips").mkdir()
    for name in ("a.mp4", "clips/b.mp4", "clips/m.mp4"):
        (tmp_path / name).touch()
    rows = [row("a"), row("b", path="clips/b.mp4", mask="clips/m.mp4")]
    gone = row("gone", status="unreadable", reason="deleted")
    catalog_of(*rows, gone, root=tmp_path).check_media()
    catalog_of(*rows, root=tmp_path / "clips/..").check_media()
    catalog_of(row("a", path=str(tmp_path / "a.mp4"))).check_media()


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        (
            {"path": "b.mp4"},
            r"row 1 \(id 'b'\): column 'path' must name a file that exists, got .*b",
        ),
        ({"path": "no/folder/b.mp4"}, r"column 'path' .*no/folder/b\.mp4 \(1 are absent\)"),
        ({"path": "clips"}, "column 'path' must name a file"),
        ({"path": "a.mp4", "mask": "m.mp4"}, "column 'mask' must name a file"),
        ({"path": "a.mp4", "landmarks": "l.npz"}, "column 'landmarks' must name a file"),
    ],
)
def test_missing_media_are_refused_with_their_row(
    tmp_path: Path, wrong: dict[str, str], words: str
) -> None:
    (tmp_path / "clips").mkdir()
    (tmp_path / "a.mp4").touch()
    catalog = catalog_of(row("a"), row("b", **wrong), root=tmp_path)
    with pytest.raises(NotFoundError, match=words):
        catalog.check_media()


def test_only_the_columns_asked_for_are_looked_at(tmp_path: Path) -> None:
    (tmp_path / "a.mp4").touch()
    catalog_of(row("a", mask="m.mp4"), root=tmp_path).check_media(["path"])


def told(catalog: Catalog) -> str:
    """Return the hash by its definition, one value after the other."""
    hashed = sha256()
    for one in sorted(catalog.rows(), key=lambda one: one["id"].encode()):
        for name in IDENTITY:
            value = "-" if one[name] is None else str(one[name])
            length = "" if one[name] is None else f"{len(value.encode())}:"
            hashed.update((length + value).encode())
    return hashed.hexdigest()


def test_the_content_hash_follows_from_its_definition() -> None:
    for rows in (
        [],
        [row("a")],
        [row("-", person="-"), row("é", label=1)],
        swapped_in_pairs(["a", "b", "c"]),
    ):
        catalog = catalog_of(*rows)
        assert catalog.content_hash() == told(catalog)


def test_the_content_hash_is_the_same_in_every_release() -> None:
    wanted = "489b42cd79c61d143710a6ef7a0c1a309f9911ee5fad9a0917ef8bf1f116ab6c"
    assert catalog_of(*swapped_in_pairs(["a", "b"])).content_hash() == wanted


def test_the_content_hash_covers_a_catalog_of_many_parts() -> None:
    catalog = catalog_of(*(row(f"{number:06}") for number in range(70_000)))
    assert catalog.content_hash() == told(catalog)


def test_the_content_hash_depends_on_what_items_are_and_not_on_where_they_lie() -> None:
    rows = swapped_in_pairs(["a", "b"])
    plain = catalog_of(*rows).content_hash()
    assert catalog_of(*rows[::-1], root=Path("elsewhere")).content_hash() == plain
    assert (
        catalog_of(*[one | {"path": "x.mp4", "frames": 3} for one in rows]).content_hash() == plain
    )
    for change in ({"label": None}, {"split": "val"}, {"person": "z"}, {"sha256": "0" * 64}):
        changed = catalog_of(rows[0] | change, *rows[1:])
        assert changed.content_hash() != plain


def test_values_cannot_move_between_columns_unnoticed() -> None:
    one = catalog_of(row("a", method="b", action=None)).content_hash()
    assert catalog_of(row("a", method=None, action="b")).content_hash() != one
    assert catalog_of(row("a", method="b", action="-")).content_hash() != one


def test_a_file_is_hashed_as_the_standard_says(tmp_path: Path) -> None:
    path = tmp_path / "abc"
    path.write_bytes(b"abc")  # The first example of FIPS 180-2, appendix B.1.
    assert hash_file(path) == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
