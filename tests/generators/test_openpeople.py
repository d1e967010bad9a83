"""The made people: each action measured on the result, by our landmarks and by another network."""

import importlib.metadata
import importlib.util
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from unmask.catalog import Catalog, read_catalog
from unmask.errors import InvalidInputError, MissingDependencyError, NotFoundError
from unmask.generators.openpeople import Clip, CorpusSettings, animate, make_corpus, people
from unmask.generators.stills_gesture import ACTIONS
from unmask.video.read import read_frames
from unmask.video.write import read_mark

pytest.importorskip("openpeople")

Points = NDArray[np.floating]
PEOPLE = ("P002", "P006")


def settings_for(out: Path) -> CorpusSettings:
    return CorpusSettings(out, people=PEOPLE, size=192, workers=1)


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Catalog:
    return make_corpus(settings_for(tmp_path_factory.mktemp("corpus")))


def images_of(corpus: Catalog, person: str, action: str) -> list[NDArray[np.uint8]]:
    (row,) = corpus.filter(person=person, action=action).rows()
    return [frame.image for frame in read_frames(corpus.media(row["path"]))]


def landmarks_of(corpus: Catalog, person: str, action: str) -> NDArray[np.float32]:
    (row,) = corpus.filter(person=person, action=action).rows()
    with np.load(corpus.media(row["landmarks"])) as file:
        return np.asarray(file["landmarks"])


# What is measured, on the 68 landmarks of iBUG's scheme, in distances of the eyes.


def eyes_of(points: Points) -> tuple[Points, Points, float]:
    left, right = points[36:42].mean(axis=0), points[42:48].mean(axis=0)
    return left, right, float(np.linalg.norm(right - left))


def apart(points: Points, one: int, other: int) -> float:
    return float(np.linalg.norm(points[one] - points[other])) / eyes_of(points)[2]


def eye_opening(points: Points) -> float:
    """Return the eye aspect ratio (Soukupova and Cech 2016, equation 1), both eyes' mean."""
    heights = sum(apart(points, *pair) for pair in ((37, 41), (38, 40), (43, 47), (44, 46)))
    return heights / (2 * (apart(points, 36, 39) + apart(points, 42, 45)))


def mouth_gap(points: Points) -> float:
    return apart(points, 62, 66)


def mouth_width(points: Points) -> float:
    return apart(points, 48, 54)


def nose_sideways(points: Points) -> float:
    return float(points[30, 0] - points[[0, 16], 0].mean()) / eyes_of(points)[2]


def nose_down(points: Points) -> float:
    return float(points[30, 1] - points[[0, 16], 1].mean()) / eyes_of(points)[2]


def slope(points: Points) -> float:
    left, right, _ = eyes_of(points)
    return float(np.arctan2(right[1] - left[1], right[0] - left[0]))


def brow_height(points: Points) -> float:
    return float(points[36:48, 1].mean() - points[17:27, 1].mean()) / eyes_of(points)[2]


Measure = Callable[[Points], float]

# Action, measure, and between what its largest change from the first frame must lie: on the
# landmarks that come with the clip, and on those that dlib's network sees in the pixels.
EXPECTED: tuple[tuple[str, Measure, tuple[float, float], tuple[float, float]], ...] = (
    ("blink", eye_opening, (-0.40, -0.20), (-0.30, -0.06)),
    ("mouth", mouth_gap, (0.20, 0.60), (0.12, 0.50)),
    ("nod", nose_down, (0.12, 0.35), (0.10, 0.40)),
    ("right_slope", slope, (-0.35, -0.20), (-0.37, -0.18)),
    ("left_slope", slope, (0.20, 0.35), (0.18, 0.37)),
    ("up", nose_down, (-0.35, -0.12), (-0.40, -0.10)),
    ("smile", mouth_width, (0.15, 0.50), (0.12, 0.50)),
    ("surprise", brow_height, (0.06, 0.18), (0.04, 0.20)),
    ("surprise", mouth_gap, (0.12, 0.45), (0.08, 0.40)),
    ("surprise", eye_opening, (0.02, 0.15), (0.0, 0.15)),
    ("embarrass", nose_down, (0.07, 0.30), (0.05, 0.35)),
    ("embarrass", eye_opening, (-0.25, -0.06), (-0.20, -0.02)),
    ("embarrass", mouth_width, (0.04, 0.25), (0.02, 0.30)),
)


def largest_change(clip: list[Points], measure: Measure) -> float:
    changes = [measure(points) - measure(clip[0]) for points in clip]
    return max(changes, key=abs)


@pytest.mark.parametrize("person", PEOPLE)
def test_each_action_moves_its_own_measure_by_the_right_amount(
    corpus: Catalog, person: str
) -> None:
    from unmask.faces.topology import contours_of

    for action, measure, (low, high), _ in EXPECTED:
        clip: list[Points] = [contours_of(one) for one in landmarks_of(corpus, person, action)]
        assert low < largest_change(clip, measure) < high, (action, measure.__name__)
    for action in ("yaw", "embarrass"):
        turned = [contours_of(one) for one in landmarks_of(corpus, person, action)]
        assert 0.1 < abs(largest_change(list(turned), nose_sideways)) < 0.45, action


@pytest.mark.parametrize("person", PEOPLE)
def test_another_network_sees_each_action_in_the_pixels(corpus: Catalog, person: str) -> None:
    dlib = pytest.importorskip("dlib")
    package = importlib.util.find_spec("face_recognition_models")
    if package is None or package.submodule_search_locations is None:
        pytest.skip("dlib's landmark model is not installed")
    models = Path(package.submodule_search_locations[0]) / "models"
    network = dlib.shape_predictor(str(models / "shape_predictor_68_face_landmarks.dat"))
    detector = dlib.get_frontal_face_detector()

    def seen(image: NDArray[np.uint8]) -> Points:
        (face,) = detector(image, 0)
        return np.array([(point.x, point.y) for point in network(image, face).parts()], float)

    for action in ACTIONS:
        clip = [seen(image) for image in images_of(corpus, person, action)[::3]]
        if action == "yaw":
            assert 0.1 < abs(largest_change(clip, nose_sideways)) < 0.5
        for name, measure, _, (low, high) in EXPECTED:
            if name == action:
                assert low < largest_change(clip, measure) < high, (action, measure.__name__)


def test_eyes_shut_wholly_in_a_blink_and_open_again(corpus: Catalog) -> None:
    from unmask.faces.topology import contours_of

    openings = [eye_opening(contours_of(one)) for one in landmarks_of(corpus, "P002", "blink")]
    assert min(openings) < 0.02
    assert openings[-1] > 0.9 * openings[0]


def test_shoulders_and_the_lower_border_stay_still(corpus: Catalog) -> None:
    for action in ACTIONS:
        clip = np.stack(images_of(corpus, "P006", action)).astype(float)
        assert np.abs(clip[:, -4:] - clip[0, -4:]).mean() < 0.5, action


def test_neighbouring_frames_differ_little_and_never_not_at_all(corpus: Catalog) -> None:
    for action in ACTIONS:
        clip = np.stack(images_of(corpus, "P002", action)).astype(float)
        steps = np.abs(np.diff(clip, axis=0)).mean(axis=(1, 2, 3))
        assert steps.min() > 0, action
        assert steps.max() < 30, action


def test_catalog_says_what_the_clips_are(corpus: Catalog) -> None:
    assert len(corpus) == len(PEOPLE) * len(ACTIONS)
    assert set(corpus.table["status"]) == {"ok"}
    assert set(corpus.table["label"]) == {0}
    assert set(corpus.table["licence"]) == {"MIT"}
    assert set(corpus.table["quality"]) == {"studio"}
    row = corpus.rows()[0]
    assert row["id"] == "P002/blink_0.mp4"
    assert (row["frames"], row["width"], row["height"]) == (16, 192, 192)
    assert json.loads(row["settings"])["action"] == "blink"
    assert read_catalog(corpus.root / "catalog.parquet").table.equals(corpus.table)


def test_clip_carries_the_synthetic_mark(corpus: Catalog) -> None:
    mark = read_mark(corpus.media(corpus.rows()[0]["path"]))
    assert mark is not None
    assert "does not exist" in mark


def test_clip_read_back_is_bit_for_bit_what_was_animated(corpus: Catalog) -> None:
    clip = Clip(corpus.root, "P006", "smile", 0, 16, 192, 25.0, 0)
    images, landmarks = zip(*animate(clip), strict=True)
    np.testing.assert_array_equal(np.stack(images_of(corpus, "P006", "smile")), np.stack(images))
    stored = landmarks_of(corpus, "P006", "smile")
    assert (stored.shape, stored.dtype.name) == ((16, 478, 2), "float32")
    np.testing.assert_array_equal(stored, np.stack(landmarks))


def small(out: Path, **changes: object) -> CorpusSettings:
    base = CorpusSettings(out, ("P010",), ("blink", "smile"), frames=4, size=64, workers=1)
    return replace(base, **changes)  # type: ignore[arg-type]


def test_same_seed_gives_the_same_bytes_however_many_processes_work(tmp_path: Path) -> None:
    alone = make_corpus(small(tmp_path / "one"))
    several = make_corpus(small(tmp_path / "two", workers=2))
    assert alone.table.equals(several.table)


def test_another_seed_and_another_take_give_other_clips(tmp_path: Path) -> None:
    first = make_corpus(small(tmp_path / "one", takes=2))
    second = make_corpus(small(tmp_path / "two", seed=1))
    hashes = [*first.table["sha256"], *second.table["sha256"]]
    assert len(set(hashes)) == len(hashes) == 6


def test_second_run_makes_nothing_and_a_deleted_clip_is_made_again(tmp_path: Path) -> None:
    first = make_corpus(small(tmp_path))
    kept, lost = (first.media(path) for path in first.table["path"])
    written = kept.stat().st_mtime_ns
    lost.unlink()
    second = make_corpus(small(tmp_path))
    assert kept.stat().st_mtime_ns == written
    assert lost.exists()
    assert second.table.equals(first.table)


def test_killed_run_continued_gives_the_same_corpus_as_an_unbroken_one(
    corpus: Catalog, tmp_path: Path
) -> None:
    code = (
        "from pathlib import Path; from unmask.generators.openpeople import *;"
        f"make_corpus(CorpusSettings(Path({str(tmp_path)!r}), {PEOPLE}, size=192, workers=1))"
    )
    process = subprocess.Popen([sys.executable, "-c", code])
    journal = tmp_path / "journal.jsonl"
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and process.poll() is None:
        if journal.exists() and journal.read_bytes().count(b"\n") >= 3:
            break
        time.sleep(0.01)
    os.kill(process.pid, signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL
    assert not (tmp_path / "catalog.parquet").exists()
    assert make_corpus(settings_for(tmp_path)).table.equals(corpus.table)


def test_nine_people_are_there_and_the_one_who_resembles_somebody_is_not() -> None:
    assert len(people()) == 9
    assert "P003" not in people()


def test_missing_package_is_named_with_the_extra(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "openpeople", None)
    with pytest.raises(MissingDependencyError, match=r"needs the package openpeople.*\[demo\]"):
        make_corpus(small(tmp_path))


def test_another_version_of_the_stills_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importlib.metadata, "version", lambda name: "9.9")
    with pytest.raises(InvalidInputError, match=r"openpeople must be 0\.1\.2.*got 9\.9"):
        make_corpus(small(tmp_path))


def test_unknown_person_and_misspelt_action_are_answered_with_the_closest(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="openpeople has no 'P003'; did you mean 'P0"):
        make_corpus(small(tmp_path, people=("P003",)))
    with pytest.raises(NotFoundError, match="no 'surpise'; did you mean 'surprise'"):
        make_corpus(small(tmp_path, actions=("surpise",)))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"frames": 1}, "frames must be 2 or more, got 1"),
        ({"takes": 0}, "takes must be 1 or more, got 0"),
        ({"size": 32}, "size must lie between 64 and 1024 pixels, got 32"),
        ({"frames_per_second": 0.5}, "frames_per_second must lie between 5 and 120, got 0.5"),
    ],
)
def test_setting_out_of_range_is_refused(
    tmp_path: Path, changes: dict[str, object], message: str
) -> None:
    with pytest.raises(InvalidInputError, match=message):
        make_corpus(small(tmp_path, **changes))
