"""A data set like DFDM that grows: who keeps which number, and what a fake is learned from."""

from pathlib import Path
from typing import Any

import pytest

from makers import forgeable
from makers.forgeable import clip_row
from makers.small_swap import SMALL, swaps
from unmask.catalog import hash_file, read_catalog
from unmask.errors import InvalidInputError
from unmask.swapping.dfdm import DfdmSettings, build_dfdm

ONE: dict[str, Any] = {
    **SMALL, "iterations": 1, "models": ("original",), "rates": (23,), "reals": False,
}  # fmt: skip


def settings(catalog: Path, out: Path, pairs: int, **more: Any) -> DfdmSettings:
    return DfdmSettings(catalog, pairs=pairs, out=out, **ONE | more)


def clips(root: Path, *names: str) -> list[dict[str, object]]:
    return [clip_row(root, name[:3], name[3:], frames=5, split="train") for name in names]


def test_people_and_fakes_stay_when_somebody_is_added(tmp_path: Path) -> None:
    out = tmp_path / "out"
    first = build_dfdm(settings(forgeable.make(tmp_path, *clips(tmp_path, "anna", "evea")), out, 2))
    before = {row["id"]: row for row in swaps(first)}
    assert set(before) == {f"DFDM_crf23/{two}_0000_1original.mp4" for two in ("id0_id1", "id1_id0")}
    grown = forgeable.make(tmp_path, *clips(tmp_path, "anna", "boba", "evea"))
    after = {row["id"]: row for row in swaps(build_dfdm(settings(grown, out, 6)))}
    assert {name: after[name] for name in before} == before
    for row in after.values():
        assert hash_file(out / row["path"]) == row["sha256"]
        numbers = {"ann": "id0", "eve": "id1", "bob": "id2"}
        two = f"{numbers[row['person']]}_{numbers[row['source_person']]}"
        assert Path(row["id"]).name == f"{two}_0000_1original.mp4"


def test_fakes_that_would_become_those_of_others_are_refused(tmp_path: Path) -> None:
    out = tmp_path / "out"
    build_dfdm(settings(forgeable.make(tmp_path, *clips(tmp_path, "anna", "evea")), out, 2))
    (out / "persons.csv").unlink()
    grown = forgeable.make(tmp_path, *clips(tmp_path, "anna", "boba", "evea"))
    with pytest.raises(InvalidInputError, match=r"got 2 such as .*id0_id1_0000_1original\.mp4"):
        build_dfdm(settings(grown, out, 6))
    assert not (out / "persons.csv").exists()
    assert len(read_catalog(out / "catalog.parquet").filter(label=1)) == 2


def test_clips_of_the_same_two_people_share_one_training(tmp_path: Path) -> None:
    path = forgeable.make(tmp_path, *clips(tmp_path, "anna", "annb", "boba", "bobb"))
    catalog = build_dfdm(settings(path, tmp_path / "out", 4))
    assert [row["status"] for row in swaps(catalog)] == ["ok"] * 4
    models = sorted((tmp_path / "out" / "models").iterdir())
    assert [model.name.rsplit("-", 1)[0] for model in models] == [
        "id0_id1_1original",
        "id1_id0_1original",
    ]
    assert not list((tmp_path / "out" / "models").glob("*/weights.safetensors"))


def test_all_clips_that_a_face_is_learned_from_are_parents(tmp_path: Path) -> None:
    rows = clips(tmp_path, "anna", "boba", "bobb")
    rows.append(clip_row(tmp_path, "bob", "c", frames=2, faceless=(0, 1), split="train"))
    catalog = build_dfdm(settings(forgeable.make(tmp_path, *rows), tmp_path / "out", 4))
    parents = {row["id"]: row["parents"] for row in swaps(catalog)}
    forth = parents.pop("DFDM_crf23/id0_id1_0000_1original.mp4")
    assert forth[0] == "ann/a.mp4"
    assert set(forth[1:]) == {"bob/a.mp4", "bob/b.mp4"}  # bob/c.mp4 shows no face
    assert set(map(tuple, parents.values())) == {(f"bob/{take}.mp4", "ann/a.mp4") for take in "abc"}


def test_failed_fakes_have_the_rate_that_they_would_have(tmp_path: Path) -> None:
    rows = clips(tmp_path, "anna")
    rows.append(clip_row(tmp_path, "cid", frames=2, faceless=(0, 1), split="train"))
    path = forgeable.make(tmp_path, *rows)
    failed = swaps(build_dfdm(settings(path, tmp_path / "out", 2, rates=(0, 23))))
    assert [row["status"] for row in failed] == ["no_face"] * 4
    for row in failed:
        crf = int(row["id"].split("/")[0].removeprefix("DFDM_crf"))
        assert (row["quality"], row["crf"]) == (f"c{crf}", crf)


def test_clip_without_a_face_does_not_keep_others_from_being_made_again(tmp_path: Path) -> None:
    rows = clips(tmp_path, "anna", "boba")
    rows.append(clip_row(tmp_path, "ann", "b", frames=2, faceless=(0, 1), split="train"))
    path = forgeable.make(tmp_path, *rows)
    for erosion in (0, 0.2, 0):
        catalog = build_dfdm(settings(path, tmp_path / "out", 3, erosion=erosion))
        assert sorted(row["status"] for row in swaps(catalog)) == ["no_face", "ok", "ok"]
        for row in catalog.filter(label=1, status="ok").rows():
            assert hash_file(catalog.media(row["path"])) == row["sha256"]
