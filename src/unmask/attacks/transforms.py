"""What may happen to a face between the attack and the detector, differentiable."""

from collections.abc import Callable
from functools import partial
from math import floor
from typing import Any, Literal, get_args

import torch
from torch import Tensor
from torch.nn.functional import interpolate, pad

from unmask.attack_contracts import Change
from unmask.errors import missing_extra, unknown_name

Transforms = Literal["published", "symmetric", "random", "recut"]

# Right and down, in pixels. The published list breaks its pattern once: (-20, 10).
PUBLISHED_SHIFTS = (
    (10, 10), (10, -10), (-10, 10), (-10, -10), (20, 20), (20, -20), (-20, 10), (-20, -20),
)  # fmt: skip
RECUTS, MOST_CUT = 4, 0.03  # of the side; MTCNN's boxes move by up to 2 % under 2 grey levels
SYMMETRIC_SHIFTS = tuple((-20, 20) if shift == (-20, 10) else shift for shift in PUBLISHED_SHIFTS)


def identity(faces: Tensor) -> Tensor:
    """Return the faces as they are."""
    return faces


def noise(faces: Tensor, *, deviation: float, random: torch.Generator) -> Tensor:
    """Return faces (n, T, 3, H, W) with Gaussian noise, clamped to [0, 1].

    Args:
        faces: in [0, 1].
        deviation: of the noise, in values of [0, 1].
        random: on the CPU.
    """
    drawn = torch.randn(faces.shape, generator=random).to(faces)
    return (faces + deviation * drawn).clamp(0, 1)


def blur(faces: Tensor, *, kernel: int, sigma: float) -> Tensor:
    """Return faces (n, T, 3, H, W) blurred by a Gaussian; the edge pixels are repeated outwards.

    Args:
        faces: in [0, 1], of any size.
        kernel: width of the window in pixels, odd.
        sigma: standard deviation in pixels.

    Raises:
        MissingDependencyError: if Kornia is not installed.
    """
    # On a CPU Kornia's two narrow windows take four times as long as the one that is whole.
    blurred = _kornia().filters.gaussian_blur2d(
        faces.flatten(0, 1),
        (kernel, kernel),
        (sigma, sigma),
        border_type="replicate",
        separable=False,
    )
    return _in_range(blurred.view(faces.shape))


def shift(faces: Tensor, *, right: int, down: int) -> Tensor:
    """Return faces (n, T, 3, H, W) moved by whole pixels; what comes in is black.

    Example:
        >>> shift(torch.ones(1, 1, 3, 1, 4), right=1, down=0)[0, 0, 0].tolist()
        [[0.0, 1.0, 1.0, 1.0]]
    """
    height, width = faces.shape[-2:]
    right, down = max(-width, min(right, width)), max(-height, min(down, height))
    return pad(faces, (right, -right, down, -down))


def shrink(faces: Tensor, *, factor: float) -> Tensor:
    """Return faces (n, T, 3, H, W) made smaller and large again, bilinear and corner-aligned.

    Args:
        faces: in [0, 1], of any size.
        factor: of height and width, below 1.
    """
    height, width = faces.shape[-2:]
    small = (max(floor(height * factor), 1), max(floor(width * factor), 1))
    flat = faces.flatten(0, 1)
    for size in (small, (height, width)):
        flat = interpolate(flat, size, mode="bilinear", align_corners=True)
    return _in_range(flat.view(faces.shape))


def jpeg(faces: Tensor, *, quality: float) -> Tensor:
    """Return faces (n, T, 3, H, W) as JPEG would leave them; its rounding has a slope here.

    Args:
        faces: in [0, 1], of any size.
        quality: from 1 to 99.

    Raises:
        MissingDependencyError: if Kornia is not installed.

    Reference:
        Reich et al., "Differentiable JPEG: The Devil is in the Details", WACV 2024, section 3.
        https://arxiv.org/abs/2309.06978
    """
    coded: Tensor = _kornia().enhance.jpeg_codec_differentiable(
        faces.flatten(0, 1), torch.tensor([quality], device=faces.device)
    )
    return _in_range(coded.view(faces.shape))


def recut(faces: Tensor, *, edges: tuple[float, float, float, float]) -> Tensor:
    """Return faces (n, T, 3, H, W) cut out once more, a little inside, and made as large again.

    Args:
        faces: of any size.
        edges: what is cut off at the left, top, right and bottom, in shares of the side below 0.5.
    """
    height, width = faces.shape[-2:]
    left, top, right, bottom = (
        floor(share * side) for share, side in zip(edges, (width, height) * 2, strict=True)
    )
    inner = faces[..., top : height - bottom, left : width - right].flatten(0, 1)
    return _in_range(interpolate(inner, (height, width), mode="bilinear").view(faces.shape))


def transforms_of(kind: Transforms, random: torch.Generator) -> Callable[[], list[Change]]:
    """Return what gives the transforms of one iteration, each of faces (n, T, 3, H, W).

    `published` gives the same 17 in each iteration, where only the noise is new: the identity,
    the noise, four blurs, eight shifts and three sizes. `symmetric` is that list with its one
    shift that breaks the pattern, (-20, 10), put right as (-20, 20). `random` draws six in each
    iteration: the identity and one of noise, blur, shift, size and JPEG, of random strength.
    `recut` draws five: the identity and four cuts of the face, up to 3 % of the side further in at
    each edge, as a face is cut out that was found anew after the attack.

    Args:
        kind: which of the three.
        random: of the noise and of the draws, on the CPU.

    Raises:
        NotFoundError: if there is no such kind.
    """
    if kind not in get_args(Transforms):
        raise unknown_name("the choice of transforms", kind, get_args(Transforms))
    if kind == "random":
        return partial(_drawn, random)
    if kind == "recut":
        return partial(_recuts, random)
    shifts = PUBLISHED_SHIFTS if kind == "published" else SYMMETRIC_SHIFTS
    return partial(_listed, shifts, random)


def _listed(shifts: tuple[tuple[int, int], ...], random: torch.Generator) -> list[Change]:
    return [
        identity,
        partial(noise, deviation=0.01, random=random),
        *(partial(blur, kernel=kernel, sigma=sigma) for kernel in (5, 7) for sigma in (5.0, 10.0)),
        *(partial(shift, right=right, down=down) for right, down in shifts),
        *(partial(shrink, factor=factor) for factor in (0.1, 0.2, 0.3)),
    ]


def _drawn(random: torch.Generator) -> list[Change]:
    def whole(low: int, high: int) -> int:
        return int(torch.randint(low, high + 1, (), generator=random))

    def between(low: float, high: float) -> float:
        return low + (high - low) * float(torch.rand((), generator=random))

    return [
        identity,
        partial(noise, deviation=between(0, 0.02), random=random),
        partial(blur, kernel=2 * whole(1, 3) + 1, sigma=between(0.5, 10)),
        partial(shift, right=whole(-20, 20), down=whole(-20, 20)),
        partial(shrink, factor=between(0.1, 0.6)),
        partial(jpeg, quality=between(30, 95)),
    ]


def _recuts(random: torch.Generator) -> list[Change]:
    edges = (MOST_CUT * torch.rand((RECUTS, 4), generator=random)).tolist()
    return [identity, *(partial(recut, edges=tuple(some)) for some in edges)]


def _in_range(faces: Tensor) -> Tensor:
    """Return the faces without what rounding took out of [0, 1], their slopes untouched."""
    return faces.detach().clamp(0, 1) + (faces - faces.detach())


def _kornia() -> Any:
    try:
        import kornia
    except ImportError:
        raise missing_extra("kornia", "attacks", "a robust attack") from None
    return kornia
