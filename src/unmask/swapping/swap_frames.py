"""The faces of a clip's frames: cut out for the network, and put back as it gives them."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from unmask.contracts import ForgedFrame, Image
from unmask.errors import InvalidInputError
from unmask.faces.blend import poisson_blend
from unmask.faces.landmarks import Landmarks, face_at, smoothed
from unmask.faces.topology import Points
from unmask.swapping.alignment import PADDING
from unmask.swapping.convert_settings import ConvertSettings
from unmask.swapping.patch import COVERAGE, Patch, patch_of
from unmask.swapping.sharpen import sharpened
from unmask.swapping.swap_colour import Levels, match_colours
from unmask.swapping.swap_mask import MASK_SIDE, box_mask, eroded, face_mask, softened
from unmask.torch_contracts import SOURCE, Autoencoder
from unmask.video.read import Frame

# Frames whose faces go through the network together. Not a setting: in groups of another size
# its results differ in their last digits.
TOGETHER = 8


@dataclass(frozen=True)
class Face:
    """The face of a frame.

    Args:
        landmarks: (K, 2) pixels of the frame.
        patch: where it lies.
        image: (side, side, 3) uint8, the patch as the frame shows it.
    """

    landmarks: Points
    patch: Patch
    image: Image


Found = tuple[Frame, Face | None]


@dataclass(frozen=True)
class View:
    """What a network sees of a face.

    Args:
        side: of its faces in pixels.
        padding: see `unmask.swapping.alignment.face_matrix`.
        coverage: the share of the aligned picture's side, around its middle.
    """

    side: int
    padding: float = PADDING
    coverage: float = COVERAGE


def faces_in(
    frames: Iterable[Frame], landmarks: Landmarks, view: View, *, smoothing: int
) -> Iterator[list[Found]]:
    """Yield the frames, some together, each with its face or None.

    Args:
        frames: of the clip, from the first on.
        landmarks: (T, K, 2), NaN in frames without a face.
        view: how the faces are cut out.
        smoothing: how often the landmarks are averaged over five frames of one shot.

    Raises:
        InvalidInputError: if there are more frames than landmarks.
    """
    for _ in range(smoothing):
        landmarks = smoothed(landmarks)
    found = ((frame, _face(frame, landmarks, view)) for frame in frames)
    while several := list(islice(found, TOGETHER)):
        yield several


def _face(frame: Frame, landmarks: Landmarks, view: View) -> Face | None:
    points = face_at(landmarks, frame.number)
    if points is None:
        return None
    patch = patch_of(points, padding=view.padding, coverage=view.coverage)
    image = patch.cut(frame.image, view.side)
    return None if image is None else Face(points, patch, image)


@torch.inference_mode()
def as_source(network: Autoencoder, faces: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return faces as those of the source: (N, output_size, output_size, 3) in [0, 255].

    Args:
        network: a trained pair.
        faces: (N, H, H, 3) uint8 RGB, of the network's input size or larger.

    Raises:
        InvalidInputError: if the network gives something else than numbers.
    """
    size = network.input_size
    small = np.stack([resized(one, size) for one in faces])
    device = next((one.device for one in network.parameters()), torch.device("cpu"))
    images = torch.from_numpy(small).to(device).permute(0, 3, 1, 2).float() / 255
    swapped = network(images, SOURCE)
    if not swapped.isfinite().all():
        raise InvalidInputError(
            f"the network must give finite faces, got NaN or infinity from {type(network).__name__}"
            "; train it again, or take an earlier state"
        )
    levels = (swapped * 255).clamp_(0, 255).permute(0, 2, 3, 1)
    return np.ascontiguousarray(levels.cpu().numpy())


def resized(image: Image, side: int) -> Image:
    """Return a square picture or mask made smaller, means over areas."""
    if image.shape[0] == side:
        return image
    return np.asarray(cv2.resize(image, (side, side), interpolation=cv2.INTER_AREA), np.uint8)


def composite(new: Levels, old: Image, mask: Image) -> Image:
    """Return (mask * new + (255 - mask) * old) / 255, rounded.

    Args:
        new: (H, W, 3) float32; it may leave [0, 255].
        old: (H, W, 3) uint8.
        mask: (H, W) uint8; 0 keeps the old pixel bit for bit.
    """
    change = cv2.subtract(new, old, dtype=cv2.CV_32F)
    share = cv2.merge([mask] * 3)
    change = cv2.multiply(change, share, scale=1 / 255, dtype=cv2.CV_32F)
    return np.asarray(cv2.add(old, change, dtype=cv2.CV_8U), np.uint8)


class Paster:
    """Puts swapped faces into their frames.

    Args:
        settings: how.
    """

    def __init__(self, settings: ConvertSettings) -> None:
        self._settings = settings
        self._box = box_mask(distance=settings.box_distance, blur=settings.box_blur)

    def __call__(self, frame: Frame, face: Face | None, new: Levels | None) -> ForgedFrame:
        """Return the frame's picture with the new face in it, and the mask.

        The mask is the share of the new face in each pixel, 0 to 255: where it is 0 the picture
        is the frame's bit for bit.

        Args:
            frame: of the clip.
            face: the face that it shows.
            new: (S, S, 3) in [0, 255], the swapped face; None leaves the frame as it is.
        """
        image, mask = frame.image.copy(), np.zeros(frame.image.shape[:2], np.uint8)
        if face is None or new is None:
            return ForgedFrame(image, mask)
        soft = self._mask(face)
        new = self._matched(face, new, soft)
        radius = self._radius(image)
        window = face.patch.window(soft, image, margin=radius + 1)
        if window is not None:
            inside = face.patch.drawn(soft, window)
            drawn = self._sharpened(face.patch.drawn(new, window), radius)
            image[window], mask[window] = self._blended(drawn, image[window], inside)
        return ForgedFrame(image, mask)

    def _blended(self, drawn: Levels, image: Image, mask: Image) -> tuple[Image, Image]:
        if not self._settings.poisson:
            return composite(drawn, image, mask), mask
        replaced = np.where(mask >= 128, 255, 0).astype(np.uint8)
        whole = np.rint(np.clip(drawn, 0, 255)).astype(np.uint8)
        return poisson_blend(whole, image, replaced), replaced

    def _mask(self, face: Face) -> Image:
        """Return the mask in the patch, (MASK_SIDE, MASK_SIDE)."""
        settings = self._settings
        whole = face_mask(face.patch.landmarks(face.landmarks, MASK_SIDE), settings.mask)
        soft = softened(
            eroded(whole, settings.erosion * MASK_SIDE),
            blur=settings.mask_blur,
            passes=settings.mask_passes,
            threshold=settings.mask_threshold,
        )
        return np.asarray(np.rint(soft * self._box), np.uint8)

    def _matched(self, face: Face, new: Levels, mask: Image) -> Levels:
        side = new.shape[0]
        old, inside = resized(face.image, side), resized(mask, side) >= 128
        return match_colours(self._settings.colour, new, old, inside)

    def _radius(self, image: Image) -> int:
        """Return the sharpening's radius in pixels, 0 without any."""
        settings = self._settings
        is_wanted = settings.sharpen != "none"
        return max(round(settings.sharpen_radius * image.shape[1]), 1) if is_wanted else 0

    def _sharpened(self, drawn: Levels, radius: int) -> Levels:
        settings = self._settings
        return sharpened(
            drawn,
            settings.sharpen,
            amount=settings.sharpen_amount,
            radius=radius,
            threshold=settings.sharpen_threshold,
            paper_quirks=settings.paper_quirks,
        )
