from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from unmask.swapping.pictures import Batch
from unmask.swapping.preview import GAP, HEAD, sheet, write_preview
from unmask.torch_contracts import SOURCE, Autoencoder
from unmask.video.picture import read_picture, read_png_mark


class Levels(Autoencoder):
    """Gives each side a grey level of its own."""

    def __init__(self) -> None:
        super().__init__(input_size=64, output_size=64, own=[nn.Linear(1, 1), nn.Linear(1, 1)])

    def rebuild(self, faces: Tensor, own: nn.Module) -> Tensor:
        return torch.full_like(faces, 200 / 255 if own is self.own[SOURCE] else 100 / 255)


def plain(level: int, count: int) -> Batch:
    faces = torch.full((count, 3, 64, 64), level, dtype=torch.uint8)
    return Batch(faces, faces, faces)


def levels_of(image: np.ndarray, columns: int) -> list[int]:
    """Return the level in the middle of each column's first face."""
    pitch = (image.shape[1] + GAP) // columns
    return [int(image[HEAD + 60, pitch * one + 60, 0]) for one in range(columns)]


def test_sheet_shows_both_people_as_they_are_as_themselves_and_as_each_other(
    tmp_path: Path,
) -> None:
    path = write_preview(tmp_path, Levels(), [plain(10, 3), plain(20, 2)], made_by="a test")
    image = read_picture(path)
    assert image.shape == (HEAD + 2 * 130, 6 * 130 - GAP, 3)  # the fewer faces decide the rows
    assert levels_of(image, 6) == [10, 100, 200, 20, 200, 100]
    assert read_png_mark(path) == "a test"


def test_sheet_of_one_side_shows_it_alone(tmp_path: Path) -> None:
    image = read_picture(write_preview(tmp_path, Levels(), [plain(10, 1)], made_by="a test"))
    assert levels_of(image, 2) == [10, 100]


def test_sheet_has_a_title_over_each_column() -> None:
    image = sheet([np.full((1, 128, 128, 3), 255, np.uint8)] * 6)
    for one in range(6):
        head = image[:HEAD, 130 * one : 130 * one + 128]
        assert 0 < (head < 128).any(-1).sum() < 400
    assert (image[HEAD:] == 255).all()


def test_large_faces_keep_their_size() -> None:
    assert sheet([np.zeros((2, 256, 256, 3), np.uint8)]).shape == (HEAD + 2 * 258, 256, 3)
