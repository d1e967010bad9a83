"""What each kind of part promises, and the one method that a new part fills in.

The public call of each contract is final: it checks what goes in and what comes out, once for all
parts. Detectors, which need PyTorch, have theirs in `unmask.torch_contracts`.
"""

from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Literal, final

import numpy as np
from numpy.typing import NDArray

from unmask.errors import InvalidInputError, NotFoundError

REAL, FAKE = 0, 1

Image = NDArray[np.uint8]  # (H, W, 3) RGB, or (H, W) for a mask


@dataclass(frozen=True)
class FaceFrame:
    """One frame of a clip with the landmarks of the face to work on.

    Args:
        number: the frame's number, counted from 0.
        time: its time in seconds.
        image: (H, W, 3) uint8 RGB.
        landmarks: (K, 2) float32 pixels, or None where the frame shows no face.
    """

    number: int
    time: float
    image: Image
    landmarks: NDArray[np.float32] | None


@dataclass(frozen=True)
class ForgedFrame:
    """One frame after the forgery.

    Args:
        image: (H, W, 3) uint8 RGB.
        mask: (H, W) uint8, 255 where the picture was replaced, 0 where it is untouched.
    """

    image: Image
    mask: Image


class Generator(ABC):
    """A maker of forged videos.

    A part gives `family`, says with `needs_source` whether a second person's face goes in, and
    fills in `forge`. Frames without a face are never shown to it: they are copied.
    """

    family: ClassVar[str]
    needs_source: ClassVar[bool]

    @abstractmethod
    def forge(
        self,
        target: Iterable[FaceFrame],
        source: Sequence[FaceFrame],
        random: np.random.Generator,
    ) -> Iterator[ForgedFrame]:
        """Yield one forged frame for each frame of `target`, in order.

        Args:
            target: the frames to change; each has landmarks.
            source: frames with landmarks of the person whose face is put in; empty where
                `needs_source` is False.
            random: the only source of randomness.
        """

    @final
    def __call__(
        self,
        target: Iterable[FaceFrame],
        source: Sequence[FaceFrame],
        random: np.random.Generator,
    ) -> Iterator[ForgedFrame]:
        """Yield one forged frame for each target frame; frames without a face come back unchanged.

        Raises:
            InvalidInputError: if a source is needed and has no face, or if the part returns more
                or fewer frames than it took, or a frame or mask of the wrong shape or type.
        """
        faces = [frame for frame in source if frame.landmarks is not None]
        if self.needs_source and not faces:
            raise InvalidInputError(
                f"source must show a face in at least one frame, got {len(source)} frames without; "
                "choose another source clip"
            )
        return self._forged(iter(target), faces if self.needs_source else [], random)

    def _forged(
        self, target: Iterator[FaceFrame], source: Sequence[FaceFrame], random: np.random.Generator
    ) -> Iterator[ForgedFrame]:
        owed = _Owed(target)
        count, name = 0, type(self).__name__
        yield from owed.untouched()
        for forged in self.forge(owed.with_faces(), source, random):
            if not owed.frames:
                raise InvalidInputError(
                    f"{name} must return one frame for each with a face, got one more than the "
                    f"{count} there are; yield one for each that is taken from target"
                )
            yield _checked(forged, owed.frames.popleft(), name)
            count += 1
            yield from owed.untouched()
        if owed.frames:
            raise InvalidInputError(
                f"{name} must return one frame for each with a face, got {count} and none for "
                f"frame {owed.frames[0].number}; yield one for each that is taken from target"
            )


class _Owed:
    """The frames of a clip that were read and are still to be given back, in order.

    A part may read ahead as far as it wants; one that does not lets no frames pile up here.
    """

    def __init__(self, target: Iterator[FaceFrame]) -> None:
        self.target = target
        self.frames: deque[FaceFrame] = deque()
        self.not_taken: deque[FaceFrame] = deque()  # by the part, of those with a face

    def with_faces(self) -> Iterator[FaceFrame]:
        """Yield what the part takes: each frame with a face."""
        while self.not_taken or self._read():
            if self.not_taken:
                yield self.not_taken.popleft()

    def untouched(self) -> Iterator[ForgedFrame]:
        """Yield the frames before the next one with a face, as they are."""
        while (self.frames or self._read()) and self.frames[0].landmarks is None:
            image = self.frames.popleft().image
            yield ForgedFrame(image, np.zeros(image.shape[:2], np.uint8))

    def _read(self) -> bool:
        frame = next(self.target, None)
        if frame is None:
            return False
        self.frames.append(frame)
        if frame.landmarks is not None:
            self.not_taken.append(frame)
        return True


def _checked(forged: ForgedFrame, original: FaceFrame, name: str) -> ForgedFrame:
    wanted = original.image.shape
    if forged.image.shape != wanted or forged.mask.shape != wanted[:2]:
        raise InvalidInputError(
            f"{name} must return an image of shape {wanted} and a mask of {wanted[:2]}, got "
            f"{forged.image.shape} and {forged.mask.shape}; keep the frame's size"
        )
    if forged.image.dtype != np.uint8 or forged.mask.dtype != np.uint8:
        raise InvalidInputError(
            f"{name} must return uint8 images and masks, got {forged.image.dtype} and "
            f"{forged.mask.dtype}; round and convert"
        )
    return forged


class Degradation(ABC):
    """A loss of quality that a video suffers on its way, such as compression or noise.

    A part fills in `degrade`. Where the loss lies in the encoding itself, `crf` is the H.264 rate
    at which the video is written when this degradation comes last; None writes it losslessly.
    """

    crf: int | None = None

    @abstractmethod
    def degrade(self, frames: Iterator[Image], random: np.random.Generator) -> Iterator[Image]:
        """Yield each frame (H, W, 3) uint8 RGB after the loss, in order, none lost or added."""

    @final
    def __call__(self, frames: Iterable[Image], random: np.random.Generator) -> Iterator[Image]:
        """Yield the degraded frames.

        Raises:
            InvalidInputError: if a frame is not (H, W, 3) uint8, or if the part loses frames or
                changes their shape or type.
        """
        shapes: deque[tuple[int, ...]] = deque()  # of the frames that are not given back yet
        given = map(_frame, frames)

        def noted() -> Iterator[Image]:
            for image in given:
                shapes.append(image.shape)
                yield image

        count, name = 0, type(self).__name__
        for image in self.degrade(noted(), random):
            if not shapes:
                raise InvalidInputError(
                    f"{name} must return as many frames as it takes, got one more than {count}; "
                    "neither drop nor add any"
                )
            if image.shape != shapes.popleft() or image.dtype != np.uint8:
                raise InvalidInputError(
                    f"{name} must return each frame in its own shape as uint8, got "
                    f"{image.shape} {image.dtype} as frame {count}; keep the shape and the order"
                )
            count += 1
            yield image
        if shapes or next(given, None) is not None:
            raise InvalidInputError(
                f"{name} must return as many frames as it takes, got {count} and then no more; "
                "neither drop nor add any"
            )


def _frame(image: Image) -> Image:
    if image.ndim != 3 or image.shape[2] != 3 or image.dtype != np.uint8:
        raise InvalidInputError(
            f"a frame must be (H, W, 3) uint8 RGB, got {image.shape} {image.dtype}; "
            "convert it first"
        )
    return image


@dataclass(frozen=True)
class Finding:
    """One line of what `unmask doctor` says about a folder.

    Args:
        level: `present` (as it should be), `missing` or `suspicious`.
        what: what was looked at and what was found, with counts.
        advice: what to do; empty where all is well.
    """

    level: Literal["present", "missing", "suspicious"]
    what: str
    advice: str = ""


class VideoDataset(ABC):
    """The reader of one data set's layout on disk.

    A part fills in `find` and `check`. Hashes, sizes and frame counts are added by `unmask index`.

    Args:
        root: the data set's folder.

    Raises:
        NotFoundError: if that folder does not exist.
    """

    licence: ClassVar[str | None] = None

    def __init__(self, root: Path) -> None:
        if not root.is_dir():
            raise NotFoundError(
                f"the data set's folder must exist, got {root}; check the path or its mount"
            )
        self.root = root

    @abstractmethod
    def find(self) -> Iterator[Mapping[str, object]]:
        """Yield a catalog row for each video; `path` and `mask` are relative to the root."""

    @abstractmethod
    def check(self) -> Iterator[Finding]:
        """Yield what is there, what is missing and what looks wrong, from names alone."""
