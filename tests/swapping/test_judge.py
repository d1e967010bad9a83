"""The figures of swaps whose answer is known: nothing swapped, and the source's own clip."""

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from unmask.contracts import Image
from unmask.errors import InvalidInputError, MissingDependencyError
from unmask.faces.landmarks import find_landmarks
from unmask.generators.landmark_files import landmark_files
from unmask.generators.openpeople import CorpusSettings, make_corpus
from unmask.metrics.likeness import SIGMA, STEADY, WINDOW
from unmask.swapping import identity
from unmask.swapping.face_set import FaceSet, make_face_set
from unmask.swapping.identity import SAME_PERSON
from unmask.swapping.judge import Swap, judge_swap, surround_ssim
from unmask.swapping.strip import GAP, SIDE, draw_strip
from unmask.video.picture import read_picture, read_png_mark
from unmask.video.write import VideoWriter

FRAMES = 6

People = list[tuple[Path, FaceSet]]


@pytest.fixture(scope="module")
def people(tmp_path_factory: pytest.TempPathFactory) -> People:
    """Return a clip of each of two made people, and their faces."""
    folder = tmp_path_factory.mktemp("people")
    settings = CorpusSettings(
        folder, ("P001", "P002"), ("yaw",), frames=FRAMES, size=192, workers=1
    )
    catalog = make_corpus(settings)
    rows = catalog.rows()
    files = landmark_files(rows, folder, finder="68", workers=1, retry_failed=False)
    sets = [
        make_face_set([row], [file], folder, folder / "sets", size=128, workers=1)
        for row, file in zip(rows, files, strict=True)
    ]
    return [(catalog.media(row["path"]), one) for row, one in zip(rows, sets, strict=True)]


def mask(path: Path, frames: Sequence[Image]) -> Path:
    with VideoWriter(path, 25, lossless=True) as writer:
        for frame in frames:
            writer.write(np.repeat(frame[..., None], 3, axis=2))
    return path


def middle(share: float) -> Image:
    drawn = np.zeros((192, 192), np.uint8)
    edge = round(192 * (1 - share) / 2)
    drawn[edge : 192 - edge, edge : 192 - edge] = 255
    return drawn


def test_an_unchanged_clip_is_the_target_in_its_own_pose(people: People, tmp_path: Path) -> None:
    (own, first), (_, second) = people
    swap = Swap(own, own, mask(tmp_path / "mask.mp4", [middle(0.5)] * FRAMES))
    figures = judge_swap(swap, first, second, most=4)
    assert (figures.frames, figures.swapped, figures.found) == (4, 4, 4)
    assert figures.to_target is not None
    assert figures.to_target < SAME_PERSON < figures.apart
    assert figures.to_source == pytest.approx(figures.apart, abs=0.1)
    assert figures.nearer_to_source == 0
    assert figures.pose_error == pytest.approx(0, abs=1e-5)
    assert figures.landmark_error == 0
    assert figures.surround_ssim == 1
    assert str(figures).endswith("surround SSIM 1.0000; 4 of 4 frames")
    figures.write(tmp_path / "figures.json")
    assert json.loads((tmp_path / "figures.json").read_text())["found"] == 4


def test_the_sources_own_clip_is_the_source_and_has_no_surround(
    people: People, tmp_path: Path
) -> None:
    (one, first), (other, second) = people
    drawn = mask(tmp_path / "mask.mp4", [middle(1.0)] * FRAMES)
    swap = Swap(one, other, drawn)
    figures = judge_swap(swap, first, second, most=4)
    assert figures.to_source is not None
    assert figures.to_source < SAME_PERSON < figures.apart
    assert figures.nearer_to_source == 1
    assert figures.landmark_error is not None
    assert 0 < figures.landmark_error < 0.5
    assert figures.surround_ssim is None


def test_frames_that_were_not_replaced_are_counted_and_not_judged(
    people: People, tmp_path: Path
) -> None:
    (own, first), (_, second) = people
    drawn = mask(tmp_path / "mask.mp4", [middle(0.0)] * FRAMES)
    swap = Swap(own, own, drawn, find_landmarks(own, finder="68"))
    figures = judge_swap(swap, first, second)
    assert (figures.frames, figures.swapped, figures.found) == (FRAMES, 0, 0)
    assert figures.to_source is None
    assert figures.surround_ssim is None
    assert str(figures) == "no face was found again in 0 swapped frames"


def test_no_frames_to_look_at_are_refused(people: People) -> None:
    (one, first), (other, second) = people
    with pytest.raises(InvalidInputError, match="most must be 1 frame or more, got 0; 24 are"):
        judge_swap(Swap(one, other, other), first, second, most=0)


def test_judging_without_dlib_says_what_to_install(
    people: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    (one, first), (other, second) = people
    monkeypatch.setattr(identity, "find_spec", lambda name: None)
    with pytest.raises(MissingDependencyError, match=r"pip install 'unmask\[landmarks\]'"):
        judge_swap(Swap(one, other, other), first, second)


def test_ssim_of_the_surround_is_the_mean_over_windows_that_see_any_of_it() -> None:
    random = np.random.default_rng(3)
    original, noisy = random.integers(0, 256, (2, 30, 34, 3)).astype(np.uint8)
    replaced = np.zeros((30, 34), np.uint8)
    replaced[4:24, 6:28] = 255
    noisy[10:15, 10:15] = 0  # inside: must not matter
    found = surround_ssim(original, noisy, replaced)
    noisy[replaced > 0] = original[replaced > 0]
    assert found == pytest.approx(_by_definition(original, noisy, replaced), abs=1e-9)


def _by_definition(one: Image, other: Image, replaced: Image) -> float:
    line = np.exp(-0.5 * ((np.arange(WINDOW) - WINDOW // 2) / SIGMA) ** 2)
    weights = np.outer(line, line) / line.sum() ** 2
    light, structure = STEADY
    values = []
    for top in range(one.shape[0] - WINDOW + 1):
        for left in range(one.shape[1] - WINDOW + 1):
            window = (slice(top, top + WINDOW), slice(left, left + WINDOW))
            if (replaced[window] > 0).all():
                continue
            for channel in range(3):
                a, b = (image[(*window, channel)].astype(float) for image in (one, other))
                mean_a, mean_b = (weights * a).sum(), (weights * b).sum()
                spread = (weights * (a - mean_a) ** 2).sum() + (weights * (b - mean_b) ** 2).sum()
                joint = (weights * (a - mean_a) * (b - mean_b)).sum()
                near = (2 * mean_a * mean_b + light) / (mean_a**2 + mean_b**2 + light)
                values.append(near * (2 * joint + structure) / (spread + structure))
    return float(np.mean(values))


def test_strip_shows_original_swap_and_source_below_each_other(
    people: People, tmp_path: Path
) -> None:
    (one, _), (other, second) = people
    known = find_landmarks(one, finder="68")
    path = draw_strip(
        tmp_path / "strip.png", one, other, known, second, moments=2, synthetic="a test"
    )
    sheet = read_picture(path)
    assert sheet.shape == (3 * (SIDE + GAP) - GAP, 2 * (SIDE + GAP) - GAP, 3)
    assert read_png_mark(path) == "a test"
    rows = [sheet[top : top + SIDE] for top in range(0, sheet.shape[0], SIDE + GAP)]
    again = draw_strip(tmp_path / "own.png", one, one, known, second, moments=2, synthetic="a test")
    own = read_picture(again)
    np.testing.assert_array_equal(own[SIDE + GAP : 2 * SIDE + GAP], rows[0])
    assert (own[SIDE + GAP : 2 * SIDE + GAP] != rows[1]).mean() > 0.5
    np.testing.assert_array_equal(own[2 * (SIDE + GAP) :], rows[2])


def test_strip_of_a_clip_without_a_face_is_refused(people: People, tmp_path: Path) -> None:
    (own, _), (_, second) = people
    nowhere = np.full((FRAMES, 68, 2), np.nan, np.float32)
    with pytest.raises(InvalidInputError, match="got 6 of 0 frames with a face; choose another"):
        draw_strip(tmp_path / "a.png", own, own, nowhere, second, synthetic="a test")
