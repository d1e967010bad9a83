"""The verb `forge swap`: whose face goes where, what it writes, keeps, and says."""

import fcntl
import json
import logging
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from makers import forgeable
from makers.forgeable import clip_row
from makers.small_swap import SMALL, drawn, settings, swaps
from unmask.catalog import hash_file, read_catalog
from unmask.errors import InvalidInputError, NotFoundError
from unmask.generators.openpeople import CorpusSettings, make_corpus
from unmask.swapping.encoder import EncoderSettings, warm_start
from unmask.swapping.forge_swap import forge_swap
from unmask.swapping.learner import SwapLearner
from unmask.swapping.mirror import mirrored
from unmask.swapping.ranks import one_after_another
from unmask.swapping.swap_model import load_swap, read_swap_card
from unmask.torch_contracts import SOURCE, TARGET
from unmask.video.probe import probe
from unmask.video.read import read_frames
from unmask.video.write import read_mark


def contents(folder: Path) -> dict[str, bytes]:
    """Return the videos, the pictures and the catalog."""
    files = [one for kind in ("*.mp4", "*.png", "*.parquet") for one in folder.rglob(kind)]
    return {one.relative_to(folder).as_posix(): one.read_bytes() for one in files}


def test_row_tells_how_the_swap_came_to_be(tmp_path: Path) -> None:
    rows = [clip_row(tmp_path, one, frames=6, split="train") for one in ("ann", "bob")]
    rows[1]["licence"] = "theirs"
    catalog = forge_swap(settings(forgeable.make(tmp_path, *rows), tmp_path / "out", seed=5))
    assert len(catalog) == 3
    (row,) = swaps(catalog)
    recorded = json.loads(row["settings"])
    assert row | {"settings": None, "sha256": None, "mask": None} == {
        "id": "original/ann-a_bob.mp4",
        "path": "original/ann-a_bob.mp4",
        "kind": "video",
        "dataset": "drawn",
        "label": 1,
        "original_label": None,
        "family": "swap",
        "method": "original",
        "action": None,
        "person": "ann",
        "source_person": "bob",
        "parents": ["ann/a.mp4", "bob/a.mp4"],
        "split": "train",
        "quality": None,
        "crf": None,
        "seed": 5,
        "settings": None,
        "licence": "ours + theirs",
        "sha256": None,
        "mask": None,
        "landmarks": "../known/ann-a.npz",
        "frames": 6,
        "frames_per_second": 25,
        "width": 96,
        "height": 96,
        "status": "ok",
        "reason": None,
    }
    (model,) = (tmp_path / "out" / "models").iterdir()
    card = read_swap_card(model)
    assert recorded["model"]["weights_sha256"] == card.weights_sha256
    assert (card.names, card.iterations) == (("ann", "bob"), 2)
    assert row["sha256"] == hash_file(catalog.media(row["path"]))
    assert read_mark(catalog.media(row["path"])) == "original"
    assert read_catalog(tmp_path / "out" / "catalog.parquet").rows() == catalog.rows()


def test_face_is_replaced_where_the_mask_says_and_nowhere_else(tmp_path: Path) -> None:
    catalog = forge_swap(settings(drawn(tmp_path), tmp_path / "out"))
    (row,) = swaps(catalog)
    paths = (tmp_path / "ann" / "a.mp4", catalog.media(row["path"]), catalog.media(row["mask"]))
    for before, after, mask in zip(*map(read_frames, paths), strict=True):
        is_left = mask.image[..., 0] == 0
        assert 0.3 < is_left.mean() < 1
        np.testing.assert_array_equal(before.image[is_left], after.image[is_left])
        assert (before.image[~is_left] != after.image[~is_left]).any()


def test_second_run_does_nothing_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = settings(drawn(tmp_path), tmp_path / "out")
    forge_swap(made)
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.mp4")}
    monkeypatch.setattr(SwapLearner, "step", None)
    forge_swap(made)
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.mp4")} == before


def test_interrupted_training_continues_to_the_same_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, more = drawn(tmp_path), {"iterations": 4, "preview_every": 2, "save_every": 0.0}
    forge_swap(settings(path, tmp_path / "whole", **more))
    step = SwapLearner.step
    steps = 0

    def counted(self: SwapLearner, batches: Any) -> Any:
        nonlocal steps
        steps += 1
        if steps == 4:
            raise KeyboardInterrupt
        return step(self, batches)

    monkeypatch.setattr(SwapLearner, "step", counted)
    with pytest.raises(KeyboardInterrupt):
        forge_swap(settings(path, tmp_path / "cut", **more))
    forge_swap(settings(path, tmp_path / "cut", **more))
    assert steps == 5  # three, the one that was interrupted, and the one that was missing
    assert contents(tmp_path / "cut") == contents(tmp_path / "whole")


def test_other_settings_train_another_pair_beside_and_make_the_swap_again(tmp_path: Path) -> None:
    path, out = drawn(tmp_path), tmp_path / "out"
    (first,) = swaps(forge_swap(settings(path, out)))
    (again,) = swaps(forge_swap(settings(path, out, learning_rate=0.01)))
    assert again["id"] == first["id"]
    assert again["sha256"] != first["sha256"]
    assert len(list((out / "models").iterdir())) == 2
    (hard,) = swaps(forge_swap(settings(path, out, learning_rate=0.01, erosion=0.2, crf=23)))
    assert len(list((out / "models").iterdir())) == 2
    assert (hard["quality"], hard["crf"]) == ("c23", 23)
    assert json.loads(hard["settings"])["options"]["erosion"] == 0.2


def test_both_ways_are_made_with_one_training(tmp_path: Path) -> None:
    catalog = forge_swap(settings(drawn(tmp_path), tmp_path / "out", both=True))
    there, back = swaps(catalog)
    assert (there["person"], there["source_person"]) == ("ann", "bob")
    assert (back["person"], back["source_person"]) == ("bob", "ann")
    assert back["id"] == "original/bob-a_ann.mp4"
    (model,) = (tmp_path / "out" / "models").iterdir()
    network, _ = load_swap(model)
    turned, card = load_swap(mirrored(model))
    faces = torch.rand(1, 3, 64, 64, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(turned(faces, SOURCE), network(faces, TARGET), rtol=0, atol=0)
    torch.testing.assert_close(turned(faces, TARGET), network(faces, SOURCE), rtol=0, atol=0)
    forward = read_swap_card(model)
    assert card.names == ("bob", "ann")
    assert card.losses["validation_target"] == forward.losses["validation_source"]


def test_all_clips_of_the_target_are_changed_and_all_of_the_source_are_learned(
    tmp_path: Path,
) -> None:
    people = [("ann", "a"), ("ann", "b"), ("bob", "a"), ("bob", "b"), ("cid", "a")]
    rows = [clip_row(tmp_path, *one, frames=5) for one in people]
    catalog = forge_swap(settings(forgeable.make(tmp_path, *rows), tmp_path / "out"))
    assert [row["id"] for row in swaps(catalog)] == [
        "original/ann-a_bob.mp4",
        "original/ann-b_bob.mp4",
    ]
    for row in swaps(catalog):
        assert row["parents"][1:] == ["bob/a.mp4", "bob/b.mp4"]
    (model,) = (tmp_path / "out" / "models").iterdir()
    counts = read_swap_card(model).faces
    assert [sum(both) for both in zip(counts["learned"], counts["held_out"], strict=True)] == [
        10,
        10,
    ]


def test_clip_without_a_face_gets_a_row_with_the_reason(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    rows = [
        clip_row(tmp_path, "ann", frames=5),
        clip_row(tmp_path, "ann", "b", frames=3, faceless=(0, 1, 2)),
        clip_row(tmp_path, "bob", frames=5),
    ]
    with caplog.at_level(logging.WARNING):
        catalog = forge_swap(settings(forgeable.make(tmp_path, *rows), tmp_path / "out"))
    good, bad = swaps(catalog)
    assert (good["status"], bad["status"]) == ("ok", "no_face")
    assert bad["reason"].startswith("none of the 3 frames shows a face")
    assert "1 of 2 videos could not be made" in caplog.text


def test_person_without_any_face_is_refused_by_name(tmp_path: Path) -> None:
    rows = [
        clip_row(tmp_path, "ann", frames=5),
        clip_row(tmp_path, "bob", frames=2, faceless=(0, 1)),
    ]
    path = forgeable.make(tmp_path, *rows)
    with pytest.raises(InvalidInputError, match="bob: the clips must show a face that can be cut"):
        forge_swap(settings(path, tmp_path / "out"))


def test_people_of_two_splits_give_a_swap_of_none(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    rows = [
        clip_row(tmp_path, "ann", frames=5, split="train"),
        clip_row(tmp_path, "bob", frames=5, split="test"),
    ]
    with caplog.at_level(logging.WARNING):
        catalog = forge_swap(settings(forgeable.make(tmp_path, *rows), tmp_path / "out"))
    assert swaps(catalog)[0]["split"] is None
    assert "ann and bob are not in one split" in caplog.text


def test_swaps_are_added_to_a_catalog_and_never_lost(tmp_path: Path) -> None:
    path, out = drawn(tmp_path), tmp_path / "out"
    forge_swap(settings(path, out))
    with pytest.raises(InvalidInputError, match=r"got 1 such as 'original/ann-a_bob\.mp4'"):
        forge_swap(settings(path, out, source="cid"))
    catalog = forge_swap(settings(out / "catalog.parquet", out, source="cid"))
    assert [row["source_person"] for row in swaps(catalog)] == ["bob", "cid"]
    assert len(catalog) == 5


def test_swap_in_the_place_of_another_item_is_refused(tmp_path: Path) -> None:
    clips = [clip_row(tmp_path, one, frames=5) for one in ("ann", "bob")]
    other = clips[0] | {"id": "original/ann-a_bob.mp4", "parents": ["x"], "person": None}
    path = forgeable.make(tmp_path, *clips, other)
    with pytest.raises(InvalidInputError, match=r"must be free, got 'original/ann-a_bob\.mp4', w"):
        forge_swap(settings(path, tmp_path / "out"))


def test_one_person_on_both_sides_is_refused(tmp_path: Path) -> None:
    path = drawn(tmp_path)
    with pytest.raises(InvalidInputError, match="must be two people, got ann and drawn/ann; choo"):
        forge_swap(settings(path, tmp_path / "out", source="drawn/ann"))
    clip = tmp_path / "ann" / "a.mp4"
    files = {"target": str(clip), "source": str(clip.parent)}
    with pytest.raises(InvalidInputError, match="target and source must be two people"):
        forge_swap(settings(None, tmp_path / "out", **files))


def test_unknown_and_ambiguous_names_are_answered(tmp_path: Path) -> None:
    path = drawn(tmp_path)
    with pytest.raises(NotFoundError, match="the catalog has no 'anne'; did you mean 'ann'"):
        forge_swap(settings(path, tmp_path / "out", target="anne"))
    rows = [clip_row(tmp_path / one, "ann", frames=5, dataset=one) for one in ("d1", "d2")]
    for row, folder in zip(rows, ("d1", "d2"), strict=True):
        row |= {name: f"{folder}/{row[name]}" for name in ("id", "path", "landmarks")}
    two = forgeable.make(tmp_path, *rows, clip_row(tmp_path, "bob", frames=5))
    with pytest.raises(InvalidInputError, match="got 'ann', which is d1/ann and d2/ann; give one"):
        forge_swap(settings(two, tmp_path / "out"))
    catalog = forge_swap(settings(two, tmp_path / "out", target="d2/ann"))
    assert swaps(catalog)[0]["dataset"] == "d2"


def test_catalog_without_names_is_refused(tmp_path: Path) -> None:
    rows = [clip_row(tmp_path, one) | {"person": None} for one in ("ann", "bob")]
    path = forgeable.make(tmp_path, *rows)
    with pytest.raises(InvalidInputError, match="must name the people of its videos, got none f"):
        forge_swap(settings(path, tmp_path / "out"))


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"crf": 52}, r"crf must lie in \[0, 51\], got 52"),
        ({"faces": 1}, "faces must be 2 or more, got 1"),
        ({"face_size": 32}, "face_size must be 64 pixels or more, got 32"),
        ({"batch": 0}, "batch must be 1 or more, got 0"),
        ({"erosion": 0.9}, "erosion must lie in"),
        ({"colour": "averge"}, "has no 'averge'; did you mean 'average'"),
        ({"model": "dfakr"}, "has no 'dfakr'; did you mean 'dfaker'"),
        ({"options": ("lowmen=true",)}, "has no 'lowmen'; did you mean 'lowmem'"),
    ],
)
def test_wrong_settings_are_refused_at_once(wrong: dict[str, Any], words: str) -> None:
    with pytest.raises((InvalidInputError, NotFoundError), match=words):
        settings(Path("catalog.parquet"), Path("out"), **wrong)


@pytest.fixture(scope="module")
def clips(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with the folders ann/ and bob/, each with a clip of a made person."""
    made = tmp_path_factory.mktemp("corpus")
    corpus = CorpusSettings(made, ("P001", "P002"), ("yaw",), frames=6, size=160, workers=1)
    folder = tmp_path_factory.mktemp("clips")
    for name, row in zip(("ann", "bob"), make_corpus(corpus).rows(), strict=True):
        (folder / name).mkdir()
        (folder / name / "clip.mp4").write_bytes((made / row["path"]).read_bytes())
    return folder


def test_two_files_are_swapped_both_ways_judged_and_drawn(
    clips: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    files = {"target": str(clips / "ann" / "clip.mp4"), "source": str(clips / "bob" / "clip.mp4")}
    asked = settings(None, tmp_path, **files, both=True, judge=True)
    with caplog.at_level(logging.INFO):
        catalog = forge_swap(asked)
    # Both are called clip.mp4: their folders tell them apart.
    assert [row["id"] for row in catalog.rows()] == [
        "ann/clip.mp4",
        "bob/clip.mp4",
        "original/ann-clip_bob-clip.mp4",
        "original/bob-clip_ann-clip.mp4",
    ]
    assert catalog.table["person"].to_list() == ["ann-clip", "bob-clip"] * 2
    assert catalog.usable().table.height == 4
    for row in swaps(catalog):
        path = catalog.media(row["path"])
        figures = json.loads(path.with_suffix(".json").read_text())
        assert figures["frames"] == figures["swapped"] == 6
        assert figures["surround_ssim"] == 1
        assert path.with_suffix(".png").is_file()
        assert probe(path).frames == 6
    assert "the preview is refreshed in" in caplog.text
    assert "original/ann-clip_bob-clip.mp4 before and after:" in caplog.text


def test_folders_of_clips_show_one_person_each(clips: Path, tmp_path: Path) -> None:
    asked = settings(None, tmp_path, target=str(clips / "ann"), source=str(clips / "bob"))
    (row,) = swaps(forge_swap(asked))
    assert (row["id"], row["person"]) == ("original/ann-clip_bob.mp4", "ann")


def test_places_without_a_video_are_refused(clips: Path, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "broken.mp4").write_bytes(b"no video")
    asked = settings(None, tmp_path / "out", source=str(clips / "bob"))
    for name, words in (
        ("absent.mp4", "must be a video or a folder of videos, got .*absent.mp4; check the path"),
        ("empty", "a person's folder must hold videos, got .*empty without any"),
        ("broken.mp4", "broken.mp4 must hold a video that can be read, got none"),
    ):
        with pytest.raises((InvalidInputError, NotFoundError), match=words):
            forge_swap(replace(asked, target=str(tmp_path / name)))


def test_encoder_learns_all_people_and_pairs_start_from_it(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    rows = [clip_row(tmp_path, one, frames=5, split="train") for one in ("ann", "bob")]
    rows.append(clip_row(tmp_path, "cid", frames=5, split="test"))
    rows.append(clip_row(tmp_path, "dan", frames=2, faceless=(0, 1), split="train"))
    path = forgeable.make(tmp_path, *rows)
    asked = EncoderSettings(path, tmp_path / "encoder", **SMALL)
    with caplog.at_level(logging.WARNING):
        encoder = warm_start(asked)
    assert "1 of 4 people are left out: dan: the clips must show a face" in caplog.text
    assert len(read_swap_card(encoder).faces["sha256"][0]) == 3
    other = replace(asked, out=tmp_path / "train", split="train")
    assert len(read_swap_card(warm_start(other)).faces["sha256"][0]) == 2

    catalog = forge_swap(settings(path, tmp_path / "out", start=encoder))
    (row,) = swaps(catalog)
    begun = json.loads(row["settings"])["model"]["started_from"]
    assert begun == read_swap_card(encoder).weights_sha256


def test_encoder_of_nobody_is_refused(tmp_path: Path) -> None:
    path = forgeable.make(tmp_path, clip_row(tmp_path, "dan", frames=2, faceless=(0, 1)))
    with pytest.raises(InvalidInputError, match="dan: the clips must show a face"):
        warm_start(EncoderSettings(path, tmp_path / "encoder", **SMALL))


def test_further_processes_of_a_run_train_and_leave_the_rest_to_the_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = settings(drawn(tmp_path), tmp_path / "out")
    monkeypatch.setenv("RANK", "1")
    assert not swaps(forge_swap(asked))
    assert not (tmp_path / "out" / "catalog.parquet").exists()
    monkeypatch.setenv("RANK", "0")
    assert len(swaps(forge_swap(asked))) == 1


def test_processes_of_a_run_prepare_one_after_the_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken: list[int] = []
    monkeypatch.setattr(fcntl, "flock", lambda file, how: taken.append(how))
    with one_after_another(tmp_path / "lock"):
        assert not taken
    monkeypatch.setenv("WORLD_SIZE", "2")
    with one_after_another(tmp_path / "lock"):
        assert taken == [fcntl.LOCK_EX]
