"""What is there and what looks wrong."""

from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
import pytest

from makers.footage import make
from makers.named_clip import write_named_clip
from unmask.contracts import Finding, VideoDataset
from unmask.datasets import doctor
from unmask.datasets.doctor import examine
from unmask.errors import InvalidInputError, NotFoundError
from unmask.video.write import VideoWriter


def told(*arguments: object) -> list[tuple[str, str]]:
    return [(one.level, one.what) for one in examine(*arguments)]  # type: ignore[arg-type]


def test_a_sound_folder_is_present(tmp_path: Path) -> None:
    make(tmp_path)
    assert told("footage", tmp_path) == [
        ("present", "4 videos of 3 people"),
        ("present", "opened 4 of 4 files, spread over all: all can be read"),
    ]


def test_files_that_are_empty_or_cannot_be_read_are_told(tmp_path: Path) -> None:
    make(tmp_path)
    (tmp_path / "bob.mov").write_bytes(b"")
    (tmp_path / "cid.mp4").write_bytes(b"no video")
    findings = [one.what for one in examine("footage", tmp_path) if one.level == "suspicious"]
    assert findings[0].startswith("1 of 4 files are empty or broken links: ")
    assert findings[1].startswith("opened 3 of 3 files, spread over all: 1 cannot be read, such as")


class Refused(VideoDataset):
    """A reader that cannot list anything."""

    def find(self) -> Iterator[Mapping[str, object]]:
        raise InvalidInputError("a list must be whole, got half; copy it again")

    def check(self) -> Iterator[Finding]:
        yield Finding("present", "one list")


def test_a_data_set_that_is_refused_is_told_with_the_reason(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(doctor, "open_dataset", lambda name, path, options: Refused(path))
    assert told("refused", tmp_path) == [
        ("present", "one list"),
        ("suspicious", "no file was opened: a list must be whole, got half; copy it again"),
    ]


def test_of_many_videos_a_few_are_opened(tmp_path: Path) -> None:
    for number in range(30):
        write_named_clip(tmp_path / f"{number}.mp4", tmp_path)
    assert told("footage", tmp_path)[-1][1] == (
        "opened 24 of 30 files, spread over all: all can be read"
    )


def test_a_file_is_told_with_its_synthetic_mark(tmp_path: Path) -> None:
    with VideoWriter(tmp_path / "a.mp4", 25, crf=23, synthetic="a swapped face") as writer:
        writer.write(np.zeros((48, 64, 3), np.uint8))
    assert told(None, tmp_path / "a.mp4") == [
        ("present", "1 frames of 64x48, h264 at 25 a second, without sound"),
        ("suspicious", "synthetic mark: a swapped face"),
    ]


def test_files_of_a_folder_that_carry_a_mark_are_counted(tmp_path: Path) -> None:
    make(tmp_path)
    with VideoWriter(tmp_path / "eve.mp4", 25, crf=23, synthetic="a swapped face") as writer:
        writer.write(np.zeros((48, 64, 3), np.uint8))
    assert told("footage", tmp_path)[-1] == (
        "present",
        "opened 5 of 5 files, spread over all: all can be read, 1 with a synthetic mark",
    )


def test_a_file_without_a_mark_is_not_called_real(tmp_path: Path) -> None:
    write_named_clip(tmp_path / "a.mp4", tmp_path)
    finding = examine(None, tmp_path / "a.mp4")[-1]
    assert (finding.level, finding.what) == ("present", "no synthetic mark")
    assert "does not make it real" in finding.advice


def test_a_file_that_is_no_video_is_told(tmp_path: Path) -> None:
    (tmp_path / "a.mp4").write_text("no video")
    (finding,) = examine(None, tmp_path / "a.mp4")
    assert finding.level == "suspicious"
    assert finding.what.startswith("the file cannot be read: ")


def test_a_folder_needs_the_name_of_a_data_set(tmp_path: Path) -> None:
    with pytest.raises(InvalidInputError, match="name must say which data set lies in a folder"):
        examine(None, tmp_path)


def test_a_path_to_nothing_is_refused(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="path must exist, got"):
        examine("footage", tmp_path / "nowhere")
