from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from torch import Tensor

from unmask.contracts import Image
from unmask.errors import InvalidInputError, UnreadableMediaError
from unmask.torch_contracts import Detector
from unmask.training.store import FaceStore, read_face


@pytest.fixture
def crop(tmp_path: Path) -> str:
    image = np.random.default_rng(0).integers(0, 256, (90, 70, 3), np.uint8)
    cv2.imwrite(str(tmp_path / "crop.png"), image[..., ::-1])
    np.save(tmp_path / "crop.npy", image)
    return str(tmp_path / "crop.png")


def original(crop: str) -> Image:
    return np.asarray(np.load(crop.replace(".png", ".npy")), np.uint8)


class _Eye(Detector):
    """Shows what reaches a network."""

    def logits(self, faces: Tensor) -> Tensor:
        self.seen = faces
        return faces.new_zeros(*faces.shape[:2], 2)


@pytest.mark.parametrize("size", [32, 64, 128])
def test_a_face_is_resized_as_the_detector_would_resize_it(crop: str, size: int) -> None:
    eye = _Eye(size=size)
    eye(torch.from_numpy(original(crop)).permute(2, 0, 1)[None, None] / 255)
    wanted = eye.seen[0, 0].permute(1, 2, 0).numpy() * 255
    assert np.abs(read_face(crop, size) - wanted).max() <= 1.01


def test_a_face_of_the_right_size_stays_as_it_is(tmp_path: Path) -> None:
    image = np.random.default_rng(0).integers(0, 256, (48, 48, 3), np.uint8)
    cv2.imwrite(str(tmp_path / "crop.png"), image[..., ::-1])
    assert np.array_equal(read_face(str(tmp_path / "crop.png"), 48), image)


def test_a_face_is_read_once_for_each_size(crop: str) -> None:
    store = FaceStore()
    first = store.face(crop, 32)
    assert store.face(crop, 32) is first
    assert store.face(crop, 64).shape == (64, 64, 3)
    Path(crop).unlink()
    assert store.face(crop, 32) is first


def test_what_does_not_fit_the_memory_is_not_kept(crop: str) -> None:
    store = FaceStore(gib=32 * 32 * 3 / 2**30)
    assert store.face(crop, 32) is store.face(crop, 32)
    assert store.face(crop, 16) is not store.face(crop, 16)


def test_a_negative_memory_is_refused() -> None:
    with pytest.raises(InvalidInputError, match="gib must be 0 or more, got -1"):
        FaceStore(gib=-1)


@pytest.mark.parametrize("content", [None, b"", b"no picture"])
def test_an_unreadable_crop_is_named(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "crop.png"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(UnreadableMediaError, match=r"a crop must be a readable image, got .*crop"):
        FaceStore().face(str(path), 32)
