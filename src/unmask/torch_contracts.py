"""The contracts of the parts that need PyTorch: detectors, purifiers and autoencoders."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import ClassVar, final

import torch
from torch import Tensor, nn
from torch.nn.functional import interpolate

from unmask.errors import InvalidInputError

BENIGN = ("real", "clean")  # the class that a detector raises no alarm at, by its names


class Detector(nn.Module, ABC):
    """A network that tells real faces from fakes.

    A part calls `super().__init__` with its input size and normalisation and fills in `logits`.
    Resizing and normalising happen in here, so that no caller can get them wrong.

    Most judge faces one by one. A network of clips judges `frames` faces of one track together,
    in their order in time.

    Args:
        size: side in pixels of the square input of the network.
        mean: per-channel mean (RGB, in [0, 1]) subtracted from the faces.
        deviation: per-channel value that the faces are divided by afterwards.
        classes: names of the outputs in order; `real` is the one, every other a kind of fake.
            A network that tells attacked faces has `clean` in its place, and its score is the
            probability of an attack. Without either the network has no `scores`.
        frames: how many faces it judges together; more than 1 in a network of clips.
    """

    def __init__(
        self,
        *,
        size: int,
        mean: tuple[float, float, float] = (0.0, 0.0, 0.0),
        deviation: tuple[float, float, float] = (1.0, 1.0, 1.0),
        classes: tuple[str, ...] = ("real", "fake"),
        frames: int = 1,
    ) -> None:
        super().__init__()
        if len(set(classes)) != len(classes) or len(classes) < 2:
            raise InvalidInputError(
                f"classes must be two or more different names, got {classes}; "
                "name the network's outputs in their order"
            )
        self.size = size
        self.classes = classes
        self.frames = frames
        self._normalises = any(mean) or set(deviation) != {1.0}
        self.register_buffer("mean", torch.tensor(mean).view(3, 1, 1), persistent=False)
        self.register_buffer("deviation", torch.tensor(deviation).view(3, 1, 1), persistent=False)

    @abstractmethod
    def logits(self, faces: Tensor) -> Tensor:
        """Return logits of normalised faces (N, T, 3, size, size).

        They are (N, T, classes), a row for each face; of a network of clips (N, classes).
        """

    @final  # type: ignore[misc]
    def forward(self, faces: Tensor) -> Tensor:
        """Return logits (N, classes): the mean over the T faces of each item, or of each clip.

        Args:
            faces: (N, T, 3, H, W) RGB in [0, 1], any H and W; T is `frames` in a network of clips.

        Raises:
            InvalidInputError: if the shape, the type or the range is another.
        """
        logits = self.logits(self.normalised(faces))
        is_clip = self.frames > 1
        wanted = (*faces.shape[: 1 if is_clip else 2], len(self.classes))
        if logits.shape != wanted:
            raise InvalidInputError(
                f"logits must have shape {wanted}, got {tuple(logits.shape)}; return one row of "
                f"logits for each {'clip' if is_clip else 'face'}"
            )
        return logits if is_clip else logits.mean(1)

    @final
    def normalised(self, faces: Tensor) -> Tensor:
        """Return what `logits` is given (N, T, 3, size, size) of faces (N, T, 3, H, W) in [0, 1].

        Raises:
            InvalidInputError: as `forward` does.
        """
        fitted = self.fitted(faces)
        if self.frames not in (1, faces.shape[1]):
            raise InvalidInputError(
                f"faces must be clips of {self.frames} frames, got {faces.shape[1]}; give as many "
                "consecutive faces of one track"
            )
        if not self._normalises:
            return fitted
        return (fitted - self.get_buffer("mean")) / self.get_buffer("deviation")

    @final
    def fitted(self, faces: Tensor) -> Tensor:
        """Return faces (N, T, 3, size, size) in [0, 1]: what the network sees of any size.

        Raises:
            InvalidInputError: as `forward` does.
        """
        _check(faces)
        height, width = faces.shape[-2:]
        if height == width == self.size:
            return faces
        resized = interpolate(
            faces.flatten(0, 1),
            (self.size, self.size),
            mode="bilinear",
            antialias=height > self.size or width > self.size,
        )
        return resized.clamp(0, 1).view(*faces.shape[:3], self.size, self.size)

    @final
    def odds(self, faces: Tensor) -> Tensor:
        """Return the logarithm of the odds (N,) that faces (N, T, 3, H, W) are fake.

        It is what `scores` puts through the sigmoid: above 0 the network says fake. Unlike the
        score it keeps a slope where the network is certain.

        Raises:
            InvalidInputError: as `scores` does.
        """
        return self.odds_of(self(faces))

    @final
    def odds_of(self, logits: Tensor) -> Tensor:
        """Return what `odds` returns, of logits (N, classes) that are known."""
        place = self.benign
        others = [other for other in range(len(self.classes)) if other != place]
        return logits[:, others].logsumexp(-1) - logits[:, place]

    @final
    def scores(self, faces: Tensor) -> Tensor:
        """Return P(fake) (N,) of faces (N, T, 3, H, W).

        Raises:
            InvalidInputError: if no class is of `BENIGN`, and as `forward` does.
        """
        place = self.benign
        logits: Tensor = self(faces)
        return 1 - logits.softmax(-1)[:, place]

    @property
    def benign(self) -> int:
        """The place of the class whose probability the score lacks to 1.

        Raises:
            InvalidInputError: if no class is of `BENIGN`.
        """
        for name in BENIGN:
            if name in self.classes:
                return self.classes.index(name)
        raise InvalidInputError(
            f"classes must contain 'real' for a score, got {self.classes}; "
            "declare the order of the classes when the network is made"
        )


class Purifier(ABC):
    """A change of faces that is to wash an attack out before a detector sees them.

    A part fills in `purify`. An attacker who knows it takes gradients through it, so a part whose
    exact operation has none that is useful hands back that of a stand-in
    (`unmask.defences.straight_through`).
    """

    is_random: ClassVar[bool] = False

    @abstractmethod
    def purify(self, faces: Tensor, random: torch.Generator) -> Tensor:
        """Return faces (N, T, 3, H, W) in [0, 1] after the change, in their own shape.

        Args:
            faces: (N, T, 3, H, W) in [0, 1].
            random: the only source of randomness, on the CPU, for a part that says `is_random`;
                it draws once for all the faces.
        """

    @final
    def __call__(self, faces: Tensor, random: torch.Generator | None = None) -> Tensor:
        """Return purified faces (N, T, 3, H, W).

        Args:
            faces: (N, T, 3, H, W) RGB in [0, 1].
            random: what to draw from; torch's own generator by default.

        Raises:
            InvalidInputError: if the shape, the type or the range is another, or if the part
                returns another shape, or values that are not finite or outside [0, 1].
        """
        _check(faces)
        purified = self.purify(faces, torch.default_generator if random is None else random)
        low, high = (bound.item() for bound in purified.detach().aminmax())
        if purified.shape != faces.shape or not (low >= 0 and high <= 1):
            raise InvalidInputError(
                f"{type(self).__name__} must return faces of shape {tuple(faces.shape)} in "
                f"[0, 1], got {tuple(purified.shape)} in [{low:.4g}, {high:.4g}]; keep the shape "
                "and clamp the values"
            )
        return purified


TARGET, SOURCE = 0, 1  # the sides of an autoencoder: whose clip it is, and whose face goes in


class Autoencoder(nn.Module, ABC):
    """A network that rebuilds a face as that of one of two persons: a face swap.

    It learns to rebuild each person's own distorted faces. Shown one person and asked for the
    other, it gives the other's face in the pose and with the expression that it sees.

    A part hands `super().__init__` what each person has alone and fills in `rebuild`. All other
    layers are shared.

    Args:
        input_size: side of the faces that it takes, in pixels.
        output_size: side of the faces that it returns.
        own: the layers of the target and of the source, built alike.
    """

    def __init__(self, *, input_size: int, output_size: int, own: Sequence[nn.Module]) -> None:
        super().__init__()
        self.input_size, self.output_size = input_size, output_size
        self.own = nn.ModuleList(own)
        if len(self.own) != 2:
            raise InvalidInputError(
                f"own must be the layers of two persons, got {len(self.own)}; give one for each"
            )

    @abstractmethod
    def rebuild(self, faces: Tensor, own: nn.Module) -> Tensor:
        """Return faces as those of the person whose own layers are given.

        Args:
            faces: (N, 3, input_size, input_size) in [0, 1].
            own: one of `self.own`.
        """

    @final  # type: ignore[misc]
    def forward(self, faces: Tensor, side: int) -> Tensor:
        """Return faces (N, 3, output_size, output_size) in [0, 1] of the person of a side.

        Args:
            faces: (N, 3, input_size, input_size) RGB in [0, 1].
            side: `TARGET` or `SOURCE`.

        Raises:
            InvalidInputError: if the faces have another shape, or the part returns another, or if
                there is no such side.
        """
        if side not in (TARGET, SOURCE):
            raise InvalidInputError(
                f"side must be TARGET ({TARGET}) or SOURCE ({SOURCE}), got {side}; say whose face "
                "to give back"
            )
        items, size = len(faces), self.input_size
        if faces.shape != (items, 3, size, size) or not items:
            raise InvalidInputError(
                f"faces must have shape (N, 3, {size}, {size}), got {tuple(faces.shape)}; resize "
                "them first"
            )
        rebuilt = self.rebuild(faces, self.own[side])
        if rebuilt.shape != (items, 3, self.output_size, self.output_size):
            raise InvalidInputError(
                f"{type(self).__name__} must return faces of {self.output_size} pixels, got "
                f"{tuple(rebuilt.shape)}; correct output_size or the layers"
            )
        return rebuilt


def _check(faces: Tensor) -> None:
    if faces.ndim != 5 or faces.shape[2] != 3 or 0 in faces.shape:
        raise InvalidInputError(
            f"faces must have shape (N, T, 3, H, W), got {tuple(faces.shape)}; "
            "add the axis that is missing with unsqueeze"
        )
    if not faces.is_floating_point():
        raise InvalidInputError(
            f"faces must be floating point, got {faces.dtype}; convert and divide by 255"
        )
    # In the order of the memory, where that is channels-last: aminmax would make a copy.
    dense = faces.detach() if faces.is_contiguous() else faces.detach().permute(0, 1, 3, 4, 2)
    low, high = (bound.item() for bound in dense.aminmax())
    if not (low >= 0 and high <= 1):
        raise InvalidInputError(
            f"faces must lie in [0, 1], got [{low:.4g}, {high:.4g}]; divide uint8 frames by 255"
        )
