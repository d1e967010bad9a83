"""The whole protocol on two small clips: attacks, codecs, faces found anew, judges, page."""

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
import torch

from makers.attackable import ANN, BEN, clip_row, make_attackable, make_victim
from unmask.adversarial.attack_clip import scores_of
from unmask.adversarial.opening import open_victim
from unmask.benchmark.attack import attack_benchmark
from unmask.benchmark.attack_results import AttackResult, read_attack_results
from unmask.benchmark.attack_settings import AttackBenchmarkSettings
from unmask.benchmark.leakage import LeakageError
from unmask.catalog import read_catalog
from unmask.errors import InvalidInputError
from unmask.training.checkpoint import load_checkpoint, save_checkpoint
from unmask.video.picture import read_picture
from unmask.video.read import read_frames

ATTACKS = ("iterative_fgsm", "fgsm:epsilon=1/255")


def asked(root: Path) -> AttackBenchmarkSettings:
    return AttackBenchmarkSettings(
        catalog=root / "catalog.parquet",
        out=root / "out",
        victims=(str(root / "meso"), str(root / "other")),
        attacks=ATTACKS,
        clip_frames=2,
        codecs=("mjpeg",),
        epsilons=("1", "4"),
        curve_faces=3,
        resamples=100,
        device="cpu",
        workers=1,
    )


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("attack")
    make_attackable(
        root,
        clip_row(root, "ann.mp4", ANN),
        clip_row(root, "both.mp4", ANN, BEN, method="blend"),
        clip_row(root, "real.mp4", BEN, label=0, family=None, method=None),
        clip_row(root, "train.mp4", BEN, split="train"),
        clip_row(root, "broken.mp4", ANN),
    )
    (root / "clips/broken.mp4").write_bytes(b"no video")
    make_victim(root / "meso")
    make_victim(root / "other", seed=1)
    attack_benchmark(asked(root))
    return root


@pytest.fixture(scope="module")
def results(made: Path) -> dict[tuple[str, str], AttackResult]:
    found = read_attack_results(made / "out/results")
    return {(one.victim.name, one.attack): one for one in found}


def test_every_attack_on_every_victim_has_a_result_of_the_test_fakes_only(
    results: dict[tuple[str, str], AttackResult],
) -> None:
    names = ("iterative_fgsm", "fgsm-epsilon=1_255")
    assert set(results) == {(victim, name) for victim in ("meso", "other") for name in names}
    for one in results.values():
        assert one.test.methods == ("blend", "swap")
        assert (one.counts.videos, one.counts.frames, one.counts.faces) == (2, 4, 6)
        assert one.channels == ("tensor", "file", "mjpeg")
        assert one.counts.dropped_videos == {"unreadable": 1}  # broken.mp4 could not be cut


def test_strong_attack_fools_its_victim_within_its_ball_and_less_so_once_found_anew(
    results: dict[tuple[str, str], AttackResult],
) -> None:
    result = results["meso", "iterative_fgsm"]
    assert result.counts.judged_fake == 6
    tensor, file = (result.share("success", channel) for channel in ("tensor", "file"))
    assert tensor is not None
    assert file is not None
    assert tensor.value == 1
    assert 0.5 <= file.value <= 1
    assert 0 < result.costs["linf"].value <= 16
    found = result.share("found", "file")
    assert found is not None
    assert found.value == 1


def test_rates_are_counts_of_the_faces_in_the_table_beside_them(
    made: Path, results: dict[tuple[str, str], AttackResult]
) -> None:
    judged = pl.read_parquet(made / "out/judged.parquet").rows(named=True)
    for (victim, attack), result in results.items():
        for channel in result.channels:
            wanted = (victim, attack, victim, channel)
            own = [
                row
                for row in judged
                if (row["victim"], row["attack"], row["judge"], row["channel"]) == wanted
            ]
            right = [row for row in own if row["before"] >= 0.5 and row["score"] is not None]
            success = result.share("success", channel)
            if not right:
                assert success is None
                continue
            assert success is not None
            fooled = sum(row["score"] < 0.5 for row in right)
            assert success.value == pytest.approx(fooled / len(right))


def test_scores_are_those_of_the_judge_on_crops_of_the_written_files(made: Path) -> None:
    faces = pl.read_parquet(made / "out/faces/faces.parquet")
    judged = pl.read_parquet(made / "out/judged.parquet")
    attacked = "other/iterative_fgsm/swap/ann.mp4"
    row = faces.filter(pl.col("item") == f"mjpeg-3/{attacked}", frame=1)
    crop = read_picture(made / "out/faces" / row["crop"][0])
    (score,) = scores_of(open_victim(str(made / "meso")).detector, [crop])
    told = judged.filter(
        victim="other",
        attack="iterative_fgsm",
        judge="meso",
        channel="mjpeg",
        item="swap/ann.mp4",
        frame=1,
    )
    assert told["score"].to_list() == pytest.approx([score], abs=1e-6)


def test_control_is_the_clean_clip_through_the_same_codec(made: Path) -> None:
    judged = pl.read_parquet(made / "out/judged.parquet")
    written = judged.filter(pl.col("channel") == "file")
    assert written["control"].to_list() == written["before"].to_list()
    copies = judged.filter(pl.col("channel") == "mjpeg")
    assert copies["control"].to_list() != copies["before"].to_list()
    # The same clean faces, whatever attacked them.
    control = copies.filter(judge="meso").sort("item", "frame", "track")
    assert (
        control.group_by("item", "frame", "track")
        .agg(pl.col("control").n_unique())["control"]
        .to_list()
        == [1] * 6
    )


def test_attacked_clip_differs_from_the_clean_one_by_no_more_than_its_radius(made: Path) -> None:
    catalog = read_catalog(made / "out/attacked/catalog.parquet")
    for attack, most in (("iterative_fgsm", 16), ("fgsm-epsilon=1_255", 1)):
        clean, moved = (
            np.stack([frame.image for frame in read_frames(catalog.media(path))]).astype(np.int16)
            for path in catalog.filter(id=["swap/ann.mp4", f"meso/{attack}/swap/ann.mp4"]).table[
                "path"
            ]
        )
        change = np.abs(clean - moved)
        assert 0 < change.max() <= most


def test_curve_rises_with_the_radius(results: dict[tuple[str, str], AttackResult]) -> None:
    curve = results["meso", "iterative_fgsm"].curve
    assert [round(255 * one.epsilon) for one in curve] == [1, 4]
    assert curve[0].success.value <= curve[1].success.value


def test_page_and_tables_lie_beside_and_show_a_strip_for_each_attack(made: Path) -> None:
    page = (made / "out/report.html").read_text("utf-8")
    assert page.count('class="strip"') == 4
    assert page.count("<img") == 4 * 2 * 3  # file and mjpeg; clean, attacked, difference
    assert (made / "out/tables/attack_transfer_mjpeg.csv").is_file()


def test_second_run_attacks_nothing_anew_and_gives_the_same_figures(
    made: Path, results: dict[tuple[str, str], AttackResult]
) -> None:
    files = {path: path.stat().st_mtime_ns for path in (made / "out").rglob("*.mp4")}
    torch.manual_seed(9)
    attack_benchmark(asked(made))
    assert {path: path.stat().st_mtime_ns for path in (made / "out").rglob("*.mp4")} == files
    for again in read_attack_results(made / "out/results"):
        before = results[again.victim.name, again.attack]
        assert replace(again, created="", commit="") == replace(before, created="", commit="")


def test_fewer_videos_and_another_attack_in_one_folder_lose_no_attacked_video(
    made: Path, tmp_path: Path
) -> None:
    again = shutil.copytree(made, tmp_path / "again")
    before = read_catalog(made / "out/attacked/catalog.parquet").filter(family="adversarial")
    attack_benchmark(replace(asked(again), videos=1, attacks=("fgsm:epsilon=2/255",)))
    after = read_catalog(again / "out/attacked/catalog.parquet").filter(family="adversarial")
    new = set(after.table["id"]) - set(before.table["id"])
    assert set(before.table["id"]) < set(after.table["id"])
    assert {item.split("/")[0] for item in new} == {"meso", "other"}
    assert len(new) == 2


def test_results_tell_no_path_of_this_machine(made: Path) -> None:
    for path in (made / "out/results").glob("*.json"):
        assert str(made) not in path.read_text("utf-8")
        assert json.loads(path.read_text("utf-8"))["settings"]["codecs"] == ["mjpeg"]


def test_victim_that_has_seen_a_person_is_refused(made: Path, tmp_path: Path) -> None:
    detector, card = load_checkpoint(made / "meso")
    save_checkpoint(tmp_path / "knows", detector, replace(card, seen_persons=("made/P001",)))
    knowing = replace(asked(made), out=tmp_path / "out", victims=(str(tmp_path / "knows"),))
    with pytest.raises(LeakageError, match="1 seen persons"):
        attack_benchmark(knowing)


def test_two_victims_of_one_name_are_refused(made: Path, tmp_path: Path) -> None:
    make_victim(tmp_path / "meso", seed=2)
    twice = replace(asked(made), victims=(str(made / "meso"), str(tmp_path / "meso")))
    with pytest.raises(InvalidInputError, match="victims must have different names, got 'meso'"):
        attack_benchmark(twice)


def test_split_without_fakes_is_refused_with_what_is_there(made: Path, tmp_path: Path) -> None:
    with pytest.raises(InvalidInputError, match="got test raw, train raw"):
        attack_benchmark(replace(asked(made), out=tmp_path, split="val"))


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"clip_frames": 3}, "clip_frames was 2, not 3"),
        ({"frames": "every:2"}, "frames was 'all', not 'every:2'"),
        ({"seed": 5}, "seed was 0, not 5"),
        ({"batch": 2}, "batch was 32, not 2"),
    ],
)
def test_folder_of_other_settings_is_refused_before_a_file_changes(
    made: Path, changes: dict[str, Any], told: str
) -> None:
    files = {path: path.stat().st_mtime_ns for path in (made / "out").rglob("*")}
    with pytest.raises(InvalidInputError, match=f"whose {told}; choose another folder"):
        attack_benchmark(replace(asked(made), **changes))
    assert {path: path.stat().st_mtime_ns for path in (made / "out").rglob("*")} == files


def test_other_weights_under_the_name_of_a_victim_are_refused(made: Path, tmp_path: Path) -> None:
    make_victim(tmp_path / "meso", seed=2)
    with pytest.raises(InvalidInputError, match="whose victim meso was"):
        attack_benchmark(replace(asked(made), victims=(str(tmp_path / "meso"),)))


def test_crop_and_copy_that_are_lost_are_counted_and_pass_for_no_face_that_was_not_found(
    made: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    shutil.copytree(made / "out", out)
    attacked = "meso/iterative_fgsm/swap/ann.mp4"
    faces = pl.read_parquet(out / "faces/faces.parquet").filter(item=attacked, status="ok")
    (out / "faces" / faces["crop"][0]).write_bytes(b"no picture")
    (out / "judged.jsonl").unlink()
    _fail(out / "copies", f"mjpeg-3/{attacked}")
    attack_benchmark(replace(asked(made), out=out))
    found = {(one.victim.name, one.attack): one for one in read_attack_results(out / "results")}
    result = found["meso", "iterative_fgsm"]
    for judge in ("meso", "other"):
        file, copy = (result.judgement(channel, judge) for channel in ("file", "mjpeg"))
        assert file is not None
        assert copy is not None
        assert file.dropped == {"crop unreadable": 1}
        assert copy.dropped == {"file failed": 2}
        assert (file.shares["found"].value, copy.shares["found"].value) == (1, 1)
    assert "faces, mjpeg: file failed" in (out / "report.html").read_text("utf-8")


def test_results_tables_and_pictures_of_what_is_no_longer_asked_for_are_deleted(
    made: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    shutil.copytree(made / "out", out)
    (out / "tables/mine.md").touch()
    one = replace(asked(made), out=out, victims=(str(made / "meso"),), attacks=ATTACKS[:1])
    attack_benchmark(replace(one, codecs=()))
    (result,) = read_attack_results(out / "results")
    assert (result.victim.name, result.attack) == ("meso", "iterative_fgsm")
    assert not (out / "tables/attack_transfer_mjpeg.csv").exists()
    assert (out / "tables/mine.md").is_file()
    names = [path.name for path in (out / "pictures").iterdir()]
    assert names == ["iterative-fgsm-on-meso.png"]


def _fail(copies: Path, item: str) -> None:
    """Let the journal say that a copy could not be made."""
    made = read_catalog(copies / "catalog.parquet").filter(id=item).table["sha256"].item()
    journal = copies / "journal.jsonl"
    lines = [json.loads(line) for line in journal.read_text("utf-8").splitlines()]
    for line in lines:
        if line["rows"][0]["sha256"] == made:
            line["rows"] = [{"status": "failed", "reason": "no space", "sha256": None}]
    journal.write_text("".join(f"{json.dumps(line)}\n" for line in lines), "utf-8")
