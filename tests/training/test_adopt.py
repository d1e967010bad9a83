"""Weights of other projects as checkpoints: the right direction, and nothing pretended."""

import logging
from pathlib import Path

import cv2
import numpy as np
import polars as pl
import pytest
import torch

from makers.prepared_faces import Prepared, make_prepared
from unmask.benchmark.evaluate import EvaluateSettings, evaluate
from unmask.benchmark.leakage import LeakageError
from unmask.benchmark.results import Result
from unmask.catalog import Catalog, read_catalog
from unmask.cli.main import main
from unmask.detectors.create import create_detector
from unmask.errors import InvalidInputError, NotFoundError
from unmask.training.adopt import AdoptSettings, adopt
from unmask.training.carded import WEIGHTS
from unmask.training.checkpoint import UNKNOWN, load_checkpoint, read_card
from unmask.training.loop import train
from unmask.training.settings import TrainSettings

SIZE = 32


def published(folder: Path) -> Path:
    """Write the state dict of a Meso4 as another project would, its one output P(real)."""
    torch.manual_seed(0)
    detector = create_detector("meso4", size=SIZE)
    torch.save({"state_dict": detector.state_dict()}, folder / "theirs.pth")
    return folder / "theirs.pth"


def settings(tmp_path: Path, *classes: str, detector: str = "meso4") -> AdoptSettings:
    return AdoptSettings(detector, published(tmp_path), tmp_path / "ours", classes, SIZE)


def scores(folder: Path) -> torch.Tensor:
    faces = torch.rand(3, 1, 3, SIZE, SIZE, generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        return load_checkpoint(folder)[0].scores(faces)


def test_an_adopted_checkpoint_scores_as_the_published_network(tmp_path: Path) -> None:
    folder = adopt(settings(tmp_path, "real", "fake"))
    torch.manual_seed(0)
    theirs = create_detector("meso4", size=SIZE).eval()
    faces = torch.rand(3, 1, 3, SIZE, SIZE, generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        assert torch.equal(scores(folder), theirs.scores(faces))


def test_the_order_of_their_classes_turns_the_scores_round(tmp_path: Path) -> None:
    same = scores(adopt(settings(tmp_path, "real", "fake")))
    (tmp_path / "other").mkdir()
    turned = scores(adopt(settings(tmp_path / "other", "fake", "real")))
    torch.testing.assert_close(turned, 1 - same)


def test_the_card_says_what_is_unknown_and_decides_at_one_half(tmp_path: Path) -> None:
    _, card = load_checkpoint(adopt(settings(tmp_path, "real", "fake")))
    assert not card.seen_is_known
    assert card.trained_on["dataset"] == card.catalog_hash == UNKNOWN
    assert card.settings["adopted_from"] == "theirs.pth"
    assert {card.face_threshold, *card.video_thresholds.values()} == {0.5}


def test_what_is_measured_with_it_says_that_nobody_knows_what_it_has_seen(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    folder, prepared = adopt(settings(tmp_path, "real", "fake")), make_prepared(tmp_path / "made")
    caplog.clear()
    with caplog.at_level(logging.WARNING):
        (result,) = evaluate(
            EvaluateSettings(
                folder, prepared.catalog, prepared.faces, tmp_path / "out", split="", resamples=100
            )
        )
    assert result.notes[0].startswith("Nobody knows what the weights of meso4 were trained on")
    assert result.notes[0] in caplog.messages
    assert (result.thresholds.rule, result.thresholds.chosen_on) == ("fixed at 0.5", "no data")


def test_classes_must_be_given_for_a_torch_file(tmp_path: Path) -> None:
    with pytest.raises(InvalidInputError, match=r"classes must be given for .*theirs\.pth"):
        adopt(settings(tmp_path))


def test_other_classes_than_the_detectors_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidInputError, match="classes must be an order of"):
        adopt(settings(tmp_path, "genuine", "forged"))


def test_a_folder_that_holds_a_checkpoint_is_left_alone(tmp_path: Path) -> None:
    adopt(settings(tmp_path, "real", "fake"))
    with pytest.raises(InvalidInputError, match=r"out must be a new folder, got .* choose another"):
        adopt(settings(tmp_path, "fake", "real"))


def test_missing_weights_are_named(tmp_path: Path) -> None:
    absent = AdoptSettings("meso4", tmp_path / "absent.h5", tmp_path / "ours")
    with pytest.raises(NotFoundError, match=r"the weight file must exist, got .*absent\.h5"):
        adopt(absent)


def test_a_keras_file_of_another_network_is_refused(tmp_path: Path) -> None:
    (tmp_path / "w.h5").write_bytes(b"")
    wrong = AdoptSettings("xception", tmp_path / "w.h5", tmp_path / "ours")
    with pytest.raises(InvalidInputError, match="Keras file must be meso4 or mesoinception4, got"):
        adopt(wrong)


def test_classes_of_a_keras_file_are_known_and_refused(tmp_path: Path) -> None:
    (tmp_path / "w.h5").write_bytes(b"")
    wrong = AdoptSettings("meso4", tmp_path / "w.h5", tmp_path / "ours", ("real", "fake"))
    with pytest.raises(InvalidInputError, match="classes must not be given for a Keras file"):
        adopt(wrong)


def test_the_command_refuses_an_order_that_nobody_gave(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["adopt", "meso4", str(published(tmp_path)), str(tmp_path / "ours")]
    monkeypatch.setattr("sys.argv", ["unmask", *arguments, "--size", f"{SIZE}"])
    with pytest.raises(SystemExit):
        main()
    assert "classes must be given" in capsys.readouterr().err
    monkeypatch.setattr(
        "sys.argv", ["unmask", *arguments, "--size", "32", "--classes", "fake,real"]
    )
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 0
    assert not load_checkpoint(tmp_path / "ours")[1].seen_is_known


@pytest.mark.shared
def test_published_mesonet_knows_real_from_fake_as_a_checkpoint(
    shared: Path, tmp_path: Path
) -> None:
    data = shared / "data/mesonet"
    adopt(AdoptSettings("meso4", data / "Meso4_DF.h5", tmp_path / "ours"))
    detector, _ = load_checkpoint(tmp_path / "ours")
    faces = []
    for name in ("df00204", "df01254", "real00240", "real00772"):
        image = cv2.imread(str(data / f"{name}.jpg"))
        assert image is not None
        small = cv2.resize(image, (256, 256), interpolation=cv2.INTER_NEAREST_EXACT)
        faces.append(torch.from_numpy(small[..., ::-1].copy()).permute(2, 0, 1)[None] / 255)
    with torch.inference_mode():
        fake = detector.scores(torch.stack(faces)).numpy()
    # P(real), as the published network gives it.
    np.testing.assert_allclose(1 - fake, (0.0414, 0.0487, 0.9897, 0.9977), atol=1e-3)


NETWORK = "resnet18"  # the smallest that starts from weights


def short_training(prepared: Prepared, out: Path, weights: Path) -> Path:
    settings = TrainSettings(
        prepared.catalog, prepared.faces, out, detector=NETWORK, size=SIZE, weights=weights,
        steps=1, batch=4, device="cpu",
    )  # fmt: skip
    return train(settings)


def result_of(prepared: Prepared, folder: Path, out: Path, split: str = "test") -> Result:
    settings = EvaluateSettings(
        folder, prepared.catalog, prepared.faces, out, split, resamples=100, device="cpu"
    )
    (result,) = evaluate(settings)
    return result


def test_what_starts_from_them_does_not_know_either_but_knows_its_own(tmp_path: Path) -> None:
    torch.manual_seed(0)
    weights = tmp_path / "theirs.pth"
    torch.save(create_detector(NETWORK, size=SIZE).state_dict(), weights)
    theirs = adopt(AdoptSettings(NETWORK, weights, tmp_path / "ours", ("real", "fake"), SIZE))
    prepared = make_prepared(tmp_path / "made")
    first = short_training(prepared, tmp_path / "first", theirs / WEIGHTS)
    again = short_training(prepared, tmp_path / "again", first / WEIGHTS)
    for folder in (first, again):
        card = read_card(folder)
        assert card.trained_on["dataset"] == "made+unknown"
        assert card.trained_on["started_from"] == WEIGHTS
        result = result_of(prepared, folder, tmp_path / "out")
        assert result.notes[0].startswith(f"Nobody knows what the weights of {NETWORK} were")
        assert result.thresholds.chosen_on == "validation"
        with pytest.raises(LeakageError, match="2 seen persons"):
            result_of(prepared, folder, tmp_path / "out", "val")


def test_a_training_remembers_what_the_checkpoint_that_it_starts_from_has_seen(
    tmp_path: Path,
) -> None:
    torch.manual_seed(0)
    prepared = make_prepared(tmp_path / "made")
    plain = tmp_path / "imagenet.pth"
    torch.save(create_detector(NETWORK, size=SIZE).state_dict(), plain)
    first = short_training(prepared, tmp_path / "first", plain)
    assert read_card(first).trained_on["started_from"] == "imagenet.pth"
    assert result_of(prepared, first, tmp_path / "out").notes == ()
    turned = {"train": "test", "val": "train", "test": "val"}
    catalog = read_catalog(prepared.catalog)
    Catalog(catalog.table.with_columns(pl.col("split").replace(turned)), catalog.root).write(
        prepared.catalog
    )
    second = short_training(prepared, tmp_path / "second", first / WEIGHTS)
    assert set(read_card(first).seen_hashes) < set(read_card(second).seen_hashes)
    with pytest.raises(LeakageError, match="3 seen persons"):
        result_of(prepared, second, tmp_path / "out")
