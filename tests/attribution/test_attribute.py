import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import polars as pl
import pytest
from numpy.typing import NDArray

from makers.tinted_fakes import FRAMES, GAIN, KNOWN, Tinted, Tints, card_of_tints, make_tinted
from unmask.attribution.attribute import AttributeSettings, attribute
from unmask.attribution.hold_out import CalibrateSettings, calibrate_checkpoint
from unmask.attribution.open_set import OPEN_SET, read_open_set
from unmask.errors import InvalidInputError, NotFoundError
from unmask.torch_contracts import Detector

Open = Callable[..., None]
NAMES = [f"p_{name}" for name in KNOWN]


@pytest.fixture(scope="module")
def tinted(tmp_path_factory: pytest.TempPathFactory) -> Tinted:
    return make_tinted(tmp_path_factory.mktemp("tinted"))


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> Open:
    """Let every checkpoint be of `Tints`, with what the card is to say otherwise."""

    def let(detector: Detector | None = None, **changes: Any) -> None:
        network = Tints().eval() if detector is None else detector.eval()
        card = card_of_tints(network, **changes)
        monkeypatch.setattr(
            "unmask.attribution.makers.load_checkpoint", lambda folder: (network, card)
        )

    let()
    return let


def asked(tinted: Tinted, folder: Path, **more: Any) -> AttributeSettings:
    (folder / "net").mkdir(exist_ok=True)
    plain: dict[str, Any] = {"split": "test", "device": "cpu"}
    places = (folder / "net", tinted.catalog, tinted.faces, folder / "out")
    return AttributeSettings(*places, **plain | more)


def calibrating(tinted: Tinted, folder: Path, **more: Any) -> CalibrateSettings:
    (folder / "net").mkdir(exist_ok=True)
    return CalibrateSettings(folder / "net", tinted.catalog, tinted.faces, device="cpu", **more)


def expected(tinted: Tinted, item: str, temperature: float = 1.0) -> NDArray[np.float64]:
    """Return the probabilities of a video, from its pictures and the definition."""
    root = tinted.faces.parent / "crops" / item
    files = [np.fromfile(root / f"{frame}.png", np.uint8) for frame in range(FRAMES)]
    faces = np.array([cv2.imdecode(one, cv2.IMREAD_COLOR_RGB) for one in files])
    odds = np.exp(GAIN * faces.mean((1, 2)) / 255)
    mean = (odds / odds.sum(1, keepdims=True)).mean(0) ** (1 / temperature)
    found: NDArray[np.float64] = mean / mean.sum()
    return found


@pytest.mark.usefixtures("opened")
def test_each_fake_is_given_its_maker_and_the_mean_probabilities_of_its_faces(
    tinted: Tinted, tmp_path: Path
) -> None:
    table = attribute(asked(tinted, tmp_path))
    known = table.filter(pl.col("method").is_in(KNOWN), pl.col("status") == "ok")
    assert known.filter(item="short").height == 1
    assert known["maker"].to_list() == known["method"].to_list()
    for row in known.filter(pl.col("item") != "short").iter_rows(named=True):
        wanted = expected(tinted, row["item"])
        np.testing.assert_allclose([row[name] for name in NAMES], wanted, atol=1e-5)
        assert row["probability"] == pytest.approx(wanted.max(), abs=1e-5)
        assert row["faces"] == FRAMES
        assert row["ranking"][0] == row["likeliest"] == row["maker"]
        assert row["seen"] is False


@pytest.mark.usefixtures("opened")
def test_no_item_vanishes_and_each_without_a_maker_says_why(tinted: Tinted, tmp_path: Path) -> None:
    table = attribute(asked(tinted, tmp_path))
    assert table.height == 4 * 5 + 5
    lost = table.filter(pl.col("status") != "ok")
    assert lost["maker"].null_count() == lost.height
    assert lost["faces"].sum() == 0
    assert dict(lost.select("item", "status").rows()) == {
        **{f"real/p{number}": "real" for number in range(4, 8)},
        "faceless": "no_face",
        "unprepared": "not_prepared",
        "broken": "unreadable",
    }
    reasons = dict(lost.select("item", "reason").rows())
    assert reasons["broken"] == "the file has no frame"
    assert reasons["faceless"] == "the frame shows no face"
    assert "knows makers of fakes only" in reasons["real/p4"]
    assert table["reason"].null_count() == table.height - lost.height


@pytest.mark.usefixtures("opened")
def test_a_video_of_which_nothing_is_known_is_attributed_and_nobody_knows_whether_it_was_seen(
    tinted: Tinted, tmp_path: Path
) -> None:
    (row,) = attribute(asked(tinted, tmp_path)).filter(item="found").to_dicts()
    assert (row["maker"], row["method"], row["seen"]) == ("red", None, None)


def test_a_network_of_clips_leaves_out_videos_with_too_few_faces(
    tinted: Tinted, tmp_path: Path, opened: Open
) -> None:
    opened(Tints(frames=FRAMES))
    table = attribute(asked(tinted, tmp_path))
    (short,) = table.filter(item="short").to_dicts()
    assert (short["status"], short["maker"]) == ("too_few_faces", None)
    assert "as many faces as the network judges together" in short["reason"]
    whole = table.filter(pl.col("status") == "ok")
    assert whole["faces"].unique().to_list() == [1]


def test_a_network_that_knows_real_ones_is_asked_about_them(
    tinted: Tinted, tmp_path: Path, opened: Open
) -> None:
    network = Tints(classes=("real", "green", "blue"))
    trained_on = {"dataset": "other", "target": "maker", "qualities": [], "methods": []}
    opened(network, trained_on=trained_on)
    table = attribute(asked(tinted, tmp_path))
    real = table.filter(pl.col("item").str.starts_with("real/"))
    assert real["status"].to_list() == ["ok"] * 4
    assert "p_real" in table.columns


def test_temperature_of_the_card_makes_the_probabilities_and_leaves_the_confidence(
    tinted: Tinted, tmp_path: Path, opened: Open
) -> None:
    plain = attribute(asked(tinted, tmp_path))
    opened(temperature=3.0)
    cooled = attribute(asked(tinted, tmp_path))
    (row,) = cooled.filter(item="red/p5").to_dicts()
    wanted = expected(tinted, "red/p5", temperature=3.0)
    np.testing.assert_allclose([row[name] for name in NAMES], wanted, atol=1e-5)
    np.testing.assert_allclose(
        cooled["confidence"].drop_nulls(), plain["confidence"].drop_nulls(), atol=1e-9
    )


def test_without_a_threshold_an_unknown_maker_gets_a_name_and_the_user_a_warning(
    tinted: Tinted, tmp_path: Path, opened: Open, caplog: pytest.LogCaptureFixture
) -> None:
    table = attribute(asked(tinted, tmp_path))
    assert set(table["maker"].drop_nulls()) <= set(KNOWN)
    assert "each video is given a maker, as no threshold was chosen" in caplog.text


@pytest.mark.usefixtures("opened")
def test_held_out_maker_gives_the_threshold_that_refuses_another_unknown_video(
    tinted: Tinted, tmp_path: Path
) -> None:
    chosen = calibrate_checkpoint(calibrating(tinted, tmp_path, held_out=("grey",)))
    assert (chosen.calibration.known_videos, chosen.calibration.unknown_videos) == (12, 4)
    assert chosen.calibration.auroc == 1
    assert chosen.held_out == ("grey",)
    table = attribute(asked(tinted, tmp_path))
    grey = table.filter(method="grey")
    assert grey["maker"].unique().to_list() == ["unknown"]
    assert set(grey["likeliest"]) <= set(KNOWN)
    below = pl.col("confidence") < chosen.calibration.threshold
    assert table.filter(below)["maker"].unique().to_list() == ["unknown"]
    assert "unknown" not in table.filter(~below)["maker"]


@pytest.mark.usefixtures("opened")
@pytest.mark.parametrize("rule", ["max_softmax", "margin", "entropy", "energy", "max_logit"])
def test_threshold_of_any_rule_is_used_as_it_was_chosen(
    tinted: Tinted, tmp_path: Path, rule: str
) -> None:
    settings = calibrating(tinted, tmp_path, held_out=("grey",), rule=rule, aggregate="geometric")
    assert calibrate_checkpoint(settings).calibration.auroc == 1
    table = attribute(asked(tinted, tmp_path, split="val"))
    assert table.filter(maker="unknown")["method"].unique().to_list() == ["grey"]


@pytest.mark.usefixtures("opened")
def test_without_a_held_out_maker_the_threshold_accepts_the_wanted_share(
    tinted: Tinted, tmp_path: Path
) -> None:
    chosen = calibrate_checkpoint(calibrating(tinted, tmp_path, accepted=0.5)).calibration
    assert (chosen.known_accepted, chosen.unknown_refused) == (0.5, None)
    table = attribute(asked(tinted, tmp_path, split="val"))
    known = table.filter(pl.col("method").is_in(KNOWN))
    assert (known["maker"] == "unknown").sum() == 6


@pytest.mark.usefixtures("opened")
def test_open_set_keeps_what_it_was_chosen_on_and_marks_it_as_seen(
    tinted: Tinted, tmp_path: Path
) -> None:
    chosen = calibrate_checkpoint(calibrating(tinted, tmp_path, held_out=("grey",)))
    assert chosen == read_open_set(tmp_path / "net", card_of_tints(Tints()))
    assert chosen.seen_persons == tuple(f"tinted/p{number}" for number in range(4))
    assert len(chosen.seen_hashes) == 4 * 5  # with the real videos that fakes were made from
    table = attribute(asked(tinted, tmp_path, split=None))
    assert table.filter(pl.col("seen"))["item"].str.extract(r"p(\d)").unique().sort().to_list() == [
        "0",
        "1",
        "2",
        "3",
    ]


def test_items_that_the_checkpoint_has_seen_are_marked_and_not_hidden(
    tinted: Tinted, tmp_path: Path, opened: Open
) -> None:
    opened(seen_persons=("tinted/p5",))
    table = attribute(asked(tinted, tmp_path))
    marked = table.filter(pl.col("seen"))
    assert set(marked["item"]) == {f"{kind}/p5" for kind in ("real", *KNOWN, "grey")}
    assert marked.filter(pl.col("status") == "ok")["maker"].null_count() == 0


def test_of_weights_from_elsewhere_nobody_knows_what_they_have_seen(
    tinted: Tinted, tmp_path: Path, opened: Open
) -> None:
    trained_on = {"dataset": "unknown", "target": "method", "qualities": [], "methods": []}
    opened(trained_on=trained_on)
    table = attribute(asked(tinted, tmp_path))
    assert table["seen"].null_count() == table.height


@pytest.mark.usefixtures("opened")
def test_a_threshold_that_is_given_wins_over_the_one_beside_the_checkpoint(
    tinted: Tinted, tmp_path: Path
) -> None:
    calibrate_checkpoint(calibrating(tinted, tmp_path, held_out=("grey",)))
    table = attribute(asked(tinted, tmp_path, threshold=0.0))
    assert "unknown" not in table["maker"]
    table = attribute(asked(tinted, tmp_path, threshold=99.0, rule="energy"))
    assert table["maker"].drop_nulls().unique().to_list() == ["unknown"]


@pytest.mark.usefixtures("opened")
def test_files_hold_what_is_returned(tinted: Tinted, tmp_path: Path) -> None:
    table = attribute(asked(tinted, tmp_path))
    assert pl.read_parquet(tmp_path / "out/attributions.parquet").equals(table)
    told = pl.read_csv(tmp_path / "out/attributions.csv", infer_schema_length=None)
    assert told.columns == table.columns
    assert told["maker"].to_list() == table["maker"].to_list()
    assert told.filter(item="red/p4")["ranking"].item().startswith("red > ")
    assert sorted(one.name for one in (tmp_path / "out").iterdir()) == [
        "attributions.csv",
        "attributions.parquet",
    ]


def test_a_detector_of_fakes_is_refused_with_advice(
    tinted: Tinted, tmp_path: Path, opened: Open
) -> None:
    trained_on = {"dataset": "other", "qualities": [], "methods": []}
    opened(Tints(classes=("real", "fake", "other")), trained_on=trained_on)
    message = "must tell makers apart to attribute, got one of target 'label'.*--target method"
    with pytest.raises(InvalidInputError, match=message):
        attribute(asked(tinted, tmp_path))
    with pytest.raises(InvalidInputError, match=message):
        calibrate_checkpoint(calibrating(tinted, tmp_path))


def test_an_open_set_of_other_weights_is_refused(
    tinted: Tinted, tmp_path: Path, opened: Open
) -> None:
    calibrate_checkpoint(calibrating(tinted, tmp_path))
    opened(weights_sha256="b" * 64)
    with pytest.raises(InvalidInputError, match="must be of the weights beside it"):
        attribute(asked(tinted, tmp_path))


@pytest.mark.usefixtures("opened")
def test_another_rule_than_that_of_the_threshold_is_refused(tinted: Tinted, tmp_path: Path) -> None:
    calibrate_checkpoint(calibrating(tinted, tmp_path))
    with pytest.raises(InvalidInputError, match="rule must be max_softmax, that of the threshold"):
        attribute(asked(tinted, tmp_path, rule="energy"))
    with pytest.raises(InvalidInputError, match="aggregate must be mean"):
        attribute(asked(tinted, tmp_path, aggregate="geometric"))


@pytest.mark.usefixtures("opened")
def test_a_held_out_maker_that_was_learned_or_is_not_there_is_refused(
    tinted: Tinted, tmp_path: Path
) -> None:
    with pytest.raises(InvalidInputError, match="has not learned, got 'red' of red, green, blue"):
        calibrate_checkpoint(calibrating(tinted, tmp_path, held_out=("red",)))
    with pytest.raises(NotFoundError, match="the split val of the catalog has no 'gray'; did you"):
        calibrate_checkpoint(calibrating(tinted, tmp_path, held_out=("gray",)))
    assert not (tmp_path / "net" / OPEN_SET).exists()


def test_a_confidence_that_says_nothing_of_unknown_makers_is_warned_of(
    tinted: Tinted, tmp_path: Path, opened: Open, caplog: pytest.LogCaptureFixture
) -> None:
    opened(Tints(classes=("grey", "green", "blue")))  # sees red fakes as surely as its own
    calibrate_checkpoint(calibrating(tinted, tmp_path, held_out=("red",)))
    assert "about as sure of makers that it has not learned" in caplog.text


@pytest.mark.usefixtures("opened")
def test_a_split_without_fakes_is_refused(tinted: Tinted, tmp_path: Path) -> None:
    with pytest.raises(InvalidInputError, match="must hold usable fakes to attribute, got 0 items"):
        attribute(asked(tinted, tmp_path, split="train"))


def test_misspelt_settings_are_answered_with_the_closest(tinted: Tinted, tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="did you mean 'margin'"):
        asked(tinted, tmp_path, rule="margins")
    with pytest.raises(NotFoundError, match="did you mean 'geometric'"):
        calibrating(tinted, tmp_path, aggregate="geometry")
    with pytest.raises(NotFoundError, match="did you mean 'mean'"):
        asked(tinted, tmp_path, aggregate="means")
    with pytest.raises(NotFoundError, match="did you mean 'energy'"):
        calibrating(tinted, tmp_path, rule="energie")
    with pytest.raises(InvalidInputError, match=r"accepted must lie in \(0, 1\], got 95"):
        calibrating(tinted, tmp_path, accepted=95.0)


@pytest.mark.usefixtures("opened")
def test_open_set_is_json_that_names_the_rule_and_the_held_out_makers(
    tinted: Tinted, tmp_path: Path
) -> None:
    chosen = calibrate_checkpoint(calibrating(tinted, tmp_path, held_out=("grey",)))
    told = json.loads((tmp_path / "net" / OPEN_SET).read_text())
    assert (told["rule"], told["held_out"]) == ("max_softmax", ["grey"])
    assert told["calibration"]["threshold"] == chosen.calibration.threshold
    assert replace(chosen, dataset="tinted", split="val") == chosen


def test_threshold_is_chosen_on_the_qualities_of_the_training_unless_others_are_asked_for(
    tmp_path: Path, opened: Open
) -> None:
    tinted = make_tinted(tmp_path / "several", copies=("c10", "c23"))
    held_out = {"held_out": ("grey",)}
    chosen = calibrate_checkpoint(calibrating(tinted, tmp_path, **held_out))
    assert (chosen.calibration.known_videos, chosen.calibration.unknown_videos) == (12, 4)
    assert chosen.qualities == ("raw",)
    asked_for = calibrating(tinted, tmp_path, **held_out, qualities=("c10", "raw"))
    chosen = calibrate_checkpoint(asked_for)
    assert (chosen.calibration.known_videos, chosen.calibration.unknown_videos) == (24, 8)
    assert read_open_set(tmp_path / "net", card_of_tints(Tints())) == chosen
    assert chosen.qualities == ("c10", "raw")
    trained_on = {"dataset": "unknown", "target": "method", "qualities": ["unknown"], "methods": []}
    opened(trained_on=trained_on)
    assert calibrate_checkpoint(calibrating(tinted, tmp_path)).qualities == ("c10", "c23", "raw")


def test_qualities_that_are_not_there_are_refused(
    tinted: Tinted, tmp_path: Path, opened: Open
) -> None:
    with pytest.raises(NotFoundError, match="the split val of the catalog has no 'rwa'; did you"):
        calibrate_checkpoint(calibrating(tinted, tmp_path, qualities=("rwa",)))
    trained_on = {"dataset": "other", "target": "method", "qualities": ["c10"], "methods": []}
    opened(trained_on=trained_on)
    message = "that the checkpoint has learned, c10, got raw; name those .* with --qualities"
    with pytest.raises(InvalidInputError, match=message):
        calibrate_checkpoint(calibrating(tinted, tmp_path))
