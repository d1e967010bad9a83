"""The verb `build dfdm`: the published names, the same pairs for all, and a run that goes on."""

import json
import logging
from collections import Counter
from itertools import product
from pathlib import Path
from typing import Any

import pytest

from makers import forgeable
from makers.forgeable import clip_row
from unmask.catalog import Catalog, hash_file, read_catalog
from unmask.datasets.opening import open_dataset
from unmask.errors import InvalidInputError, NotFoundError
from unmask.swapping import dfdm_make
from unmask.swapping.convert import convert_clip
from unmask.swapping.dfdm import DfdmSettings, build_dfdm
from unmask.swapping.learner import SwapLearner
from unmask.swapping.swap_model import read_swap_card
from unmask.video.probe import probe
from unmask.video.read import read_frames
from unmask.video.write import read_mark

TAGS = {
    "original": "1original",
    "lightweight": "2lightweight",
    "iae": "3iae",
    "dfaker": "4dfaker",
    "dfl_h128": "5dfl-h128",
}
SMALL: dict[str, Any] = {
    "width": 0.05,
    "iterations": 1,
    "batch": 2,
    "faces": 20,
    "face_size": 96,
    "workers": 1,
}
ONE: dict[str, Any] = {"models": ("original",), "rates": (23,), "reals": False}


def settings(catalog: Path, out: Path, **more: Any) -> DfdmSettings:
    return DfdmSettings(catalog, out=out, **(SMALL | {"pairs": 2} | more))


def footage(root: Path) -> Path:
    """Write a catalog with clips of two people in train and of two in test."""
    people = {"ann": "train", "bob": "train", "eve": "test", "id7": "test"}
    rows = [clip_row(root, name, frames=5, split=split) for name, split in people.items()]
    return forgeable.make(root, *rows)


def made(catalog: Catalog, label: int = 1) -> list[dict[str, Any]]:
    return [row for row in catalog.filter(label=label).rows() if row["crf"] is not None]


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Catalog:
    """Return a data set of two pairs by all models at all rates."""
    folder = tmp_path_factory.mktemp("dfdm")
    return build_dfdm(settings(footage(folder), folder / "out"))


def test_folders_and_names_are_as_published(built: Catalog) -> None:
    stems = {Path(row["id"]).stem.rsplit("_", 1)[0] for row in made(built)}
    assert len(stems) == 2
    assert {row["id"] for row in made(built)} == {
        f"DFDM_crf{crf}/{stem}_{tag}.mp4"
        for crf, stem, tag in product((0, 10, 23), stems, TAGS.values())
    }
    for row in made(built):
        assert TAGS[row["method"]] == row["id"].removesuffix(".mp4").rsplit("_", 1)[1]
        assert (row["quality"], row["crf"]) == (f"c{row['crf']}", row["crf"])
        assert (row["family"], row["status"]) == ("swap", "ok")
        assert row["sha256"] == hash_file(built.media(row["path"]))
        assert read_mark(built.media(row["path"])) == row["method"]
        assert probe(built.media(row["mask"])).frames == 5


def test_every_model_makes_the_same_pairs_within_a_split(built: Catalog) -> None:
    pairs = {
        model: {
            (row["person"], row["source_person"])
            for row in made(built, 1)
            if row["method"] == model
        }
        for model in TAGS
    }
    assert len({frozenset(one) for one in pairs.values()}) == 1
    home = {"ann": "train", "bob": "train", "eve": "test", "id7": "test"}
    for row in made(built):
        assert row["split"] == home[row["person"]] == home[row["source_person"]]
        assert row["person"] != row["source_person"]
        assert row["parents"] == [f"{row['person']}/a.mp4", f"{row['source_person']}/a.mp4"]
    assert {row["split"] for row in made(built)} == {"train", "test"}


def test_real_videos_are_coded_at_the_same_rates_and_the_originals_stay(built: Catalog) -> None:
    reals = made(built, 0)
    names = {Path(row["id"]).name for row in reals}
    assert {row["id"] for row in reals} == {
        f"real_crf{crf}/{name}" for crf, name in product((0, 10, 23), names)
    }
    assert Counter(row["crf"] for row in reals) == {0: 2, 10: 2, 23: 2}
    for row in reals:
        assert row["quality"] == f"c{row['crf']}"
        assert row["parents"] == [f"{row['person']}/a.mp4"]
        assert json.loads(row["settings"]) == {"degradation": f"h264:{row['crf']}"}
        assert probe(built.media(row["path"])).frames == 5
        assert read_mark(built.media(row["path"])) is None
    assert [row["id"] for row in built.rows()[:4]] == [
        "ann/a.mp4",
        "bob/a.mp4",
        "eve/a.mp4",
        "id7/a.mp4",
    ]


def test_a_higher_rate_loses_more(built: Catalog) -> None:
    row = next(row for row in made(built, 0) if row["crf"] == 0)
    original = [frame.image for frame in read_frames(built.media("../" + row["parents"][0]))]
    errors = []
    for crf in (0, 10, 23):
        path = built.media(row["path"].replace("crf0", f"crf{crf}"))
        pairs = zip(original, read_frames(path), strict=True)
        errors.append(sum(abs(a.astype(int) - b.image).mean() for a, b in pairs))
    assert errors == sorted(errors)
    assert errors[0] < errors[2]


def test_numbers_are_those_of_the_table_and_own_ones_stay(built: Catalog) -> None:
    lines = (built.root / "persons.csv").read_text().splitlines()
    assert lines == [
        "id,scene,dataset,person,clip",
        "id0,0000,drawn,ann,ann/a.mp4",
        "id1,0000,drawn,bob,bob/a.mp4",
        "id2,0000,drawn,eve,eve/a.mp4",
        "id7,0000,drawn,id7,id7/a.mp4",
    ]
    number = {line.split(",")[3]: line.split(",")[0] for line in lines[1:]}
    for row in made(built):
        stem = f"{number[row['person']]}_{number[row['source_person']]}_0000_"
        assert Path(row["id"]).name.startswith(stem)


def test_lists_name_what_was_made_of_each_split(built: Catalog) -> None:
    for split in ("train", "test"):
        listed = (built.root / f"{split}_list.txt").read_text().splitlines()
        assert listed == sorted(
            row["path"] for row in made(built) + made(built, 0) if row["split"] == split
        )
    assert not (built.root / "val_list.txt").exists()


def test_reader_of_dfdm_finds_all_of_it(built: Catalog) -> None:
    dataset = open_dataset("dfdm", built.root)
    found = {row["path"]: row for row in dataset.find()}
    ours = {row["path"]: row for row in made(built) + made(built, 0)}
    assert set(found) == set(ours)
    for path, row in ours.items():
        for name in ("label", "method", "crf", "quality", "split", "family"):
            assert found[path].get(name) == row[name], (path, name)
    assert not [one for one in dataset.check() if one.level == "missing"]


def test_weights_go_and_what_was_learned_is_told(built: Catalog) -> None:
    models = sorted((built.root / "models").iterdir())
    assert len(models) == 10
    for folder in models:
        assert {one.name for one in folder.iterdir()} == {"card.json", "log.csv", "preview.png"}
    hashes = {read_swap_card(folder).weights_sha256 for folder in models}
    recorded = {json.loads(row["settings"])["model"]["weights_sha256"] for row in made(built)}
    assert recorded == hashes


def _differing(one: Path, other: Path) -> list[str]:
    """Return the names of the files that are not the same in two folders."""
    first, second = contents(one), contents(other)
    return sorted(name for name in first | second if first.get(name) != second.get(name))


def contents(folder: Path) -> dict[str, bytes]:
    """Return every file but journals, and cards and logs, which hold times."""
    kinds = (".mp4", ".png", ".parquet", ".txt", ".csv", ".npy", ".npz")
    files = [one for one in folder.rglob("*") if one.suffix in kinds and one.name != "log.csv"]
    return {one.relative_to(folder).as_posix(): one.read_bytes() for one in files}


def test_run_that_is_interrupted_anywhere_continues_to_the_same_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = footage(tmp_path)
    more = {**ONE, "reals": True, "iterations": 2, "save_every": 0.0}
    build_dfdm(settings(path, tmp_path / "whole", **more))
    calls = 0
    stops = {2, 4, 6}  # in the middle of both trainings and within a conversion

    def counted(work: Any) -> Any:
        def wrapped(*given: Any) -> Any:
            nonlocal calls
            calls += 1
            if calls in stops:
                raise KeyboardInterrupt
            return work(*given)

        return wrapped

    monkeypatch.setattr(SwapLearner, "step", counted(SwapLearner.step))
    monkeypatch.setattr(dfdm_make, "convert_clip", counted(convert_clip))
    interrupted = 0
    while True:
        try:
            build_dfdm(settings(path, tmp_path / "cut", **more))
            break
        except KeyboardInterrupt:
            interrupted += 1
    assert interrupted == 3
    assert calls == 4 + 2 + 3  # two steps and a conversion of each pair, and what was repeated
    assert _differing(tmp_path / "cut", tmp_path / "whole") == []
    build_dfdm(settings(path, tmp_path / "cut", **more))
    assert calls == 9  # nothing is done again


def test_several_processes_make_the_same_files(tmp_path: Path) -> None:
    path = footage(tmp_path)
    for name, workers in (("one", 1), ("two", 2)):
        build_dfdm(settings(path, tmp_path / name, **ONE, workers=workers))
    assert _differing(tmp_path / "one", tmp_path / "two") == []


def test_pairs_that_show_no_face_or_too_few_get_rows_with_the_reason(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    rows = [
        clip_row(tmp_path, "ann", frames=5, split="train"),
        clip_row(tmp_path, "bob", frames=3, faceless=(0, 1, 2), split="train"),
        clip_row(tmp_path, "eve", frames=5, split="test"),
        clip_row(tmp_path, "fay", frames=3, faceless=(0, 1), split="test"),
    ]
    path = forgeable.make(tmp_path, *rows)
    with caplog.at_level(logging.WARNING):
        catalog = build_dfdm(settings(path, tmp_path / "out", **ONE, pairs=4))
    found = {(row["person"], row["source_person"]): row for row in catalog.filter(label=1).rows()}
    assert {pair: row["status"] for pair, row in found.items()} == {
        ("ann", "bob"): "no_face",
        ("bob", "ann"): "no_face",
        ("eve", "fay"): "failed",
        ("fay", "eve"): "failed",
    }
    assert found["ann", "bob"]["reason"].startswith("bob: the clips must show a face")
    assert "must be 2 or more, got 1" in found["eve", "fay"]["reason"]
    assert "4 of 4 videos could not be made" in caplog.text
    assert not (tmp_path / "out" / "train_list.txt").exists()


def test_pairs_start_from_an_encoder_that_saw_the_people_of_train(tmp_path: Path) -> None:
    more = {**ONE, "warm_up_iterations": 2, "keep_weights": True}
    catalog = build_dfdm(settings(footage(tmp_path), tmp_path / "out", **more))
    (encoder,) = (tmp_path / "out" / "encoders").iterdir()
    card = read_swap_card(encoder)
    assert (card.iterations, len(card.faces["sha256"][0])) == (2, 2)
    for row in catalog.filter(label=1).rows():
        assert json.loads(row["settings"])["model"]["started_from"] == card.weights_sha256
    weights = list((tmp_path / "out" / "models").glob("*/weights.safetensors"))
    assert len(weights) == 2


def test_more_pairs_and_models_are_added_and_none_is_lost(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, out = footage(tmp_path), tmp_path / "out"
    build_dfdm(settings(path, out, **ONE))
    more = {**ONE, "models": ("original", "iae")}
    catalog = build_dfdm(settings(path, out, **more))
    assert Counter(row["method"] for row in made(catalog)) == {"original": 2, "iae": 2}
    with pytest.raises(InvalidInputError, match=r"got 2 such as .*_3iae\.mp4.*ask for all pairs"):
        build_dfdm(settings(path, out, **ONE))
    assert len(read_catalog(out / "catalog.parquet")) == len(catalog)


def test_catalog_without_splits_is_refused(tmp_path: Path) -> None:
    path = forgeable.make(tmp_path)
    with pytest.raises(InvalidInputError, match="got neither for 3; split it with `unmask catalog"):
        build_dfdm(settings(path, tmp_path / "out"))


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"pairs": 0}, "pairs must be 1 or more, got 0"),
        ({"clips": -1}, "clips must be 0 or more, got -1"),
        ({"rates": (0, 40)}, r"rates must be among the published \(0, 10, 23\), got \(0, 40\)"),
        ({"models": ("dfakr",)}, "DFDM has no 'dfakr'; did you mean 'dfaker'"),
        ({"models": ()}, "models and rates must be one or more and devices 1"),
        ({"devices": 2}, "models and rates must be one or more and devices 1"),
        ({"options": ("lowmen=true",)}, "has no 'lowmen'; did you mean 'lowmem'"),
        ({"mask_blur": 4}, "mask_blur must be odd, got 4"),
    ],
)
def test_wrong_settings_are_refused_at_once(wrong: dict[str, Any], words: str) -> None:
    with pytest.raises((InvalidInputError, NotFoundError), match=words):
        settings(Path("catalog.parquet"), Path("out"), **wrong)
