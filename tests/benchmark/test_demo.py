"""The whole pipeline in one command, on very little of everything."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pytest

from unmask.benchmark import demo as module
from unmask.benchmark.demo import DemoSettings, Plan, demo
from unmask.benchmark.evaluate import EvaluateSettings, evaluate
from unmask.benchmark.leakage import LeakageError
from unmask.benchmark.results import read_results
from unmask.catalog import read_catalog
from unmask.errors import InvalidInputError, NotFoundError
from unmask.video.write import read_mark

TINY = Plan(
    actions=("smile",),
    size=160,
    frames=2,
    faces=2,
    qualities=("c40",),
    training={"meso4": {"size": 64, "steps": 2, "batch": 4, "sampling": "paired"}},
)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "QUICK", TINY)
        out = tmp_path_factory.mktemp("demo")
        demo(DemoSettings(out=out, quick=True, workers=1))
        yield out


def files(folder: Path) -> dict[str, int]:
    return {
        path.relative_to(folder).as_posix(): path.stat().st_mtime_ns
        for kind in ("*.mp4", "*.png", "*.safetensors", "scores/*.parquet", "results/*.json")
        for path in folder.rglob(kind)
    }


def test_every_person_is_filmed_forged_twice_and_compressed(made: Path) -> None:
    catalog = read_catalog(made / "videos/catalog.parquet")
    counts = catalog.table.group_by("quality", "method").len().sort("quality", "method")
    assert counts.rows() == [
        (quality, method, 9)
        for quality in ("c40", "raw")
        for method in (None, "landmark_swap", "self_blend")
    ]
    assert catalog.table["status"].unique().to_list() == ["ok"]
    catalog.check_media()


def test_nobody_stands_in_two_splits(made: Path) -> None:
    catalog = read_catalog(made / "videos/catalog.parquet")
    people = catalog.people().join(catalog.table.select("id", "split"), on="id")
    assert people.group_by("person").agg(pl.col("split").n_unique())["split"].max() == 1


def test_every_made_file_says_that_it_is_synthetic(made: Path) -> None:
    catalog = read_catalog(made / "videos/catalog.parquet")
    assert all(read_mark(catalog.media(row["path"])) for row in catalog.rows())


def test_each_training_is_tested_at_every_quality_on_all_faces(made: Path) -> None:
    results = read_results(made / "results")
    assert {(one.train.quality, one.test.quality) for one in results} == {
        (trained, tested) for trained in ("raw", "c40", "mixed") for tested in ("raw", "c40")
    }
    for one in results:
        assert (one.counts.videos, one.counts.faces, dict(one.counts.dropped)) == (6, 12, {})
        assert (made / f"scores/{one.name}.parquet").is_file()


def test_page_and_tables_tell_the_figures_of_the_results(made: Path) -> None:
    page = (made / "report.html").read_text()
    csv = pl.read_csv(made / "tables/cross_quality_auc_video.csv")
    assert "people who do not exist" in page
    for one in read_results(made / "results"):
        value = one.measured("auc", "video").value
        assert f"{value:.3f}" in page
        found = csv.filter(trained_on=one.train.quality, tested_on=one.test.quality)
        assert found["value"].item() == pytest.approx(value)


def test_a_second_run_makes_nothing_again(made: Path) -> None:
    before = files(made)

    demo(DemoSettings(out=made, quick=True, workers=1))

    assert files(made) == before


def test_a_lost_checkpoint_is_trained_again_to_the_same_weights(made: Path) -> None:
    folder = made / "checkpoints/meso4-raw"
    weights = (folder / "weights.safetensors").read_bytes()
    shutil.rmtree(folder)
    for lost in (made / "results").glob("*.json"):
        if json.loads(lost.read_text())["train"]["qualities"] == ["raw"]:
            lost.unlink()

    demo(DemoSettings(out=made, quick=True, workers=1))

    assert (folder / "weights.safetensors").read_bytes() == weights


def test_a_split_that_the_checkpoint_has_seen_is_refused(made: Path, tmp_path: Path) -> None:
    settings = EvaluateSettings(
        made / "checkpoints/meso4-raw",
        made / "videos/catalog.parquet",
        made / "faces/faces.parquet",
        tmp_path,
        split="train",
    )
    with pytest.raises(LeakageError, match="and 5 seen persons"):
        evaluate(settings)


def test_a_split_that_is_not_there_is_answered_with_those_that_are(
    made: Path, tmp_path: Path
) -> None:
    settings = EvaluateSettings(
        made / "checkpoints/meso4-raw",
        made / "videos/catalog.parquet",
        made / "faces/faces.parquet",
        tmp_path,
        split="tset",
    )
    with pytest.raises(InvalidInputError, match=r"got none for split 'tset'.*\['test', 'train'"):
        evaluate(settings)


def test_own_footage_takes_the_same_way_and_keeps_a_row_for_what_is_no_video(
    made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "QUICK", TINY)
    footage = tmp_path / "footage"
    for clip in (made / "people/clips").glob("*/*.mp4"):
        (footage / clip.parent.name).mkdir(parents=True)
        shutil.copy(clip, footage / clip.parent.name)
    (footage / "P001/broken.mp4").write_bytes(b"")

    page = demo(DemoSettings(footage, tmp_path / "out", quick=True, workers=1))

    catalog = read_catalog(tmp_path / "out/videos/catalog.parquet")
    assert catalog.filter(quality="raw", status="ok", label=0).table["person"].n_unique() == 9
    assert catalog.filter(id="P001/broken.mp4").table["status"].to_list() == ["unreadable"]
    assert "your footage" in page.read_text()


def test_footage_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="the data set's folder must exist"):
        demo(DemoSettings(tmp_path / "absent", tmp_path / "out", quick=True, workers=1))
