"""The contract of attacks: what they may ask of a detector, and what they must give back."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from math import inf
from typing import ClassVar, Literal, final, get_args

import torch
from torch import Tensor

from unmask.contracts import FAKE, REAL
from unmask.errors import InvalidInputError, unknown_name
from unmask.torch_contracts import Detector

Norm = Literal["linf", "l2"]
Change = Callable[[Tensor], Tensor]  # of faces (n, T, 3, H, W), into any height and width

GREY = 1 / 255  # one level of an 8-bit image
BISECTIONS = 20


@dataclass(frozen=True)
class Attacked:
    """What an attack has made of N items.

    Args:
        faces: (T, 3, H, W) in [0, 1] for each item, at its own size.
        scores_before: (N,) P(fake) of the clean faces.
        scores_after: (N,) P(fake) of `faces`.
        fooled: (N,) whether the detector now says the other label: fake from 0.5 on.
        iterations: (N,) steps that the attack took.
        queries: (N,) times that the attack asked the detector about an item.
        linf: (N,) the largest change of a value, in [0, 1].
        l2: (N,) the Euclidean length of the change, of values in [0, 1].
    """

    faces: tuple[Tensor, ...]
    scores_before: Tensor
    scores_after: Tensor
    fooled: Tensor
    iterations: Tensor
    queries: Tensor
    linf: Tensor
    l2: Tensor


class Victim:
    """A detector as an attack sees it: each question is counted.

    Faces of several sizes stand in one batch, padded with zeros at the right and the bottom. The
    detector is shown each at its own size, so the padding has neither effect nor gradient.

    Args:
        detector: what is attacked.
        labels: (N,) REAL or FAKE, of the items.
        sizes: height and width of each item.
        black_box: whether only probabilities may be asked for.
    """

    def __init__(
        self,
        detector: Detector,
        labels: Tensor,
        sizes: Sequence[tuple[int, int]],
        *,
        black_box: bool,
    ) -> None:
        self.sizes = list(sizes)
        self.iterations = torch.zeros(len(labels), dtype=torch.int64)
        self.queries = torch.zeros(len(labels), dtype=torch.int64)
        self._detector, self._black_box = detector, black_box
        self._sign = torch.where(labels == FAKE, 1.0, -1.0)

    def margin(self, faces: Tensor, items: Tensor, through: Change | None = None) -> Tensor:
        """Return the log-odds (n,) of the items' own labels; below 0 the detector is fooled.

        It is differentiable. One call is one question about each item.

        Args:
            faces: (n, T, 3, H, W) in [0, 1].
            items: (n,) which item each is; an item may come several times.
            through: what happens to the faces, at their own sizes, before the detector sees them.

        Raises:
            InvalidInputError: if the attack has declared itself a black-box one.
        """
        if self._black_box:
            raise InvalidInputError(
                "a black-box attack must ask for probabilities only, got a call of margin; use "
                "confidence, or declare black_box = False"
            )
        return self._margin(faces, items, through)

    @torch.no_grad()
    def confidence(self, faces: Tensor, items: Tensor, through: Change | None = None) -> Tensor:
        """Return the probability (n,) of the items' own labels: float64, on the CPU, no gradient.

        It is all that a black-box attack sees. In 32 bits it would be exactly 1 from log-odds of
        17 on, where the published attack, which asks for the small probability of the other label,
        still sees it change. A service that tells fewer digits hides more.

        The arguments are those of `margin`.
        """
        # First to the CPU: not every device has 64 bits.
        return self._margin(faces, items, through).cpu().double().sigmoid()

    def inside(self, items: Tensor, shape: Sequence[int]) -> Tensor:
        """Return (n, 1, 1, H, W): 1 where an item has pixels, 0 in its padding.

        Args:
            items: (n,) which items.
            shape: of the padded faces.
        """
        masks = torch.zeros(
            len(items), 1, 1, *shape[-2:], device=self._detector.get_buffer("mean").device
        )
        for mask, item in zip(masks, items.tolist(), strict=True):
            height, width = self.sizes[item]
            mask[..., :height, :width] = 1
        return masks

    def took_a_step(self, items: Tensor) -> None:
        """Count one iteration for each of the items."""
        self.iterations[items.cpu()] += 1

    def _margin(self, faces: Tensor, items: Tensor, through: Change | None) -> Tensor:
        self.queries.index_add_(0, items.cpu(), torch.ones(len(items), dtype=torch.int64))
        if len({self.sizes[item] for item in items.tolist()}) == 1:
            odds = self._detector.odds(self._alike(faces, int(items[0]), through))
        else:
            odds = self._detector.odds(self.shown(faces, items, through))
        return odds * self._sign[items.cpu()].to(odds.device)

    def shown(self, faces: Tensor, items: Tensor, through: Change | None = None) -> Tensor:
        """Return the faces (n, T, 3, size, size) that the network sees; this is no question.

        The arguments are those of `margin`.
        """
        places: dict[tuple[int, int], list[int]] = {}
        for place, item in enumerate(items.tolist()):
            places.setdefault(self.sizes[item], []).append(place)
        # Apart at once: indexing would give each group a gradient as large as the whole batch.
        rows = faces.unbind() if len(places) > 1 else ()
        parts = []
        for (height, width), group in places.items():
            part = faces
            if rows:
                part = torch.stack([rows[place][..., :height, :width] for place in group])
            parts.append(self._detector.fitted(self._alike(part, int(items[group[0]]), through)))
        if len(parts) == 1:
            return parts[0]
        order = torch.tensor([place for group in places.values() for place in group])
        return torch.cat(parts)[order.argsort().to(faces.device)]

    def _alike(self, faces: Tensor, item: int, through: Change | None) -> Tensor:
        """Return faces of items of one size, without padding and changed."""
        height, width = self.sizes[item]
        faces = faces[..., :height, :width]
        return through(faces) if through else faces


class Attack(ABC):
    """A search for a small change of faces that makes a detector say the other label.

    A part says with `black_box` what it needs and fills in `perturb`. Where it has settings of its
    own, it hands `epsilon` and `norm` to `super().__init__`.

    Args:
        epsilon: radius of the ball about the clean faces, in values of [0, 1]; infinite for none.
        norm: linf (the largest change of a value) or l2 (the length of the change of an item).

    Raises:
        NotFoundError: if there is no such norm.
        InvalidInputError: if epsilon is not above 0.
    """

    black_box: ClassVar[bool] = False

    def __init__(self, *, epsilon: float = 16 * GREY, norm: Norm = "linf") -> None:
        if norm not in get_args(Norm):
            raise unknown_name("the choice of norm", norm, get_args(Norm))
        if not 0 < epsilon <= inf:
            raise InvalidInputError(
                f"epsilon must be above 0, got {epsilon}; it is in values of [0, 1], such as 16/255"
            )
        self.epsilon = epsilon
        self.norm: Norm = norm

    @abstractmethod
    def perturb(self, victim: Victim, faces: Tensor, random: torch.Generator) -> Tensor:
        """Return faces (N, T, 3, H, W) whose margin is as low as can be.

        What leaves the ball or [0, 1] is brought back afterwards; an attack that needs it on its
        way calls `inside_ball` itself. Items that are fooled well enough should be left alone, so
        that they cost no more queries.

        Args:
            victim: what may be asked; the items are 0 to N - 1.
            faces: (N, T, 3, H, W) in [0, 1], the clean ones.
            random: the only source of randomness, on the CPU.
        """

    @final
    def inside_ball(self, faces: Tensor, clean: Tensor) -> Tensor:
        """Return the faces (n, T, 3, H, W) moved into the ball about the clean ones and [0, 1]."""
        return project(faces, clean, self.epsilon, self.norm).clamp(0, 1)

    @final
    def __call__(
        self,
        detector: Detector,
        faces: Tensor | Sequence[Tensor],
        labels: Tensor,
        *,
        seed: int = 0,
        eight_bit: bool = True,
    ) -> Attacked:
        """Attack the detector's judgement of each item.

        Args:
            detector: which declares its classes; it is put into evaluation mode meanwhile.
            faces: (N, T, 3, H, W) RGB in [0, 1], or one (T, 3, H, W) for each item, of any size.
                They are attacked in the detector's type and on its device.
            labels: (N,) REAL or FAKE: what the detector is kept from saying.
            seed: of all randomness, also of a victim that is random itself.
            eight_bit: whether the faces come back in 256 levels, still inside the ball. Where no
                level lies in it (a narrow ball about a clean face that is not in 256 levels), the
                one next to the clean face is taken.

        Raises:
            InvalidInputError: if the detector declares no class `real`, if shapes, types or ranges
                are wrong, or if the part returns other shapes or values that are not finite.
        """
        _check(detector, faces, labels)
        clean = _channels_last(_padded(faces).detach().to(detector.get_buffer("mean")))
        victim = Victim(detector, labels, sizes_of(faces), black_box=self.black_box)
        with _evaluating(detector), _seeded(seed), torch.enable_grad():
            moved = self.perturb(victim, clean, torch.Generator().manual_seed(seed)).detach()
            _check_moved(moved, clean, type(self).__name__)
            with torch.no_grad():
                return self._judged(detector, victim, clean, moved, labels, eight_bit=eight_bit)

    def _judged(
        self,
        detector: Detector,
        victim: Victim,
        clean: Tensor,
        moved: Tensor,
        labels: Tensor,
        *,
        eight_bit: bool,
    ) -> Attacked:
        every = torch.arange(len(clean))
        finished = torch.zeros_like(clean)
        for new, old, one, (height, width) in zip(
            finished, clean, moved, victim.sizes, strict=True
        ):
            part = (..., slice(height), slice(width))
            new[part] = self._finished(one[part], old[part], eight_bit=eight_bit)
        scores = [detector.scores(victim.shown(them, every)).cpu() for them in (clean, finished)]
        change = (finished - clean).flatten(1).cpu()
        return Attacked(
            faces=tuple(
                one[..., :height, :width]
                for one, (height, width) in zip(finished, victim.sizes, strict=True)
            ),
            scores_before=scores[0],
            scores_after=scores[1],
            fooled=(scores[1] >= 0.5) != (labels.cpu() == FAKE),
            iterations=victim.iterations,
            queries=victim.queries,
            linf=change.abs().amax(1),
            l2=change.norm(dim=1),
        )

    def _finished(self, face: Tensor, clean: Tensor, *, eight_bit: bool) -> Tensor:
        """Return one item (T, 3, H, W) inside the ball and, where asked for, in 256 levels."""
        face = self.inside_ball(face[None], clean[None])[0]
        if not eight_bit:
            return face
        rounded = _levels_in_box if self.norm == "linf" else _levels_in_sphere
        return rounded(face, clean, self.epsilon)


def project(faces: Tensor, clean: Tensor, epsilon: float, norm: Norm) -> Tensor:
    """Return the nearest faces (n, T, 3, H, W) in a ball about the clean ones.

    Example:
        >>> clean = torch.zeros(1, 1, 3, 1, 1)
        >>> project(clean + 0.5, clean, 0.25, "linf").flatten().tolist()
        [0.25, 0.25, 0.25]
    """
    change = faces - clean
    if norm == "linf":
        return change.clamp_(-epsilon, epsilon).add_(clean)
    length: Tensor = torch.linalg.vector_norm(change, dim=(1, 2, 3, 4), keepdim=True)
    return clean + change * (epsilon / length.clamp_min(1e-12)).clamp_max(1)


def rounded(faces: Tensor) -> Tensor:
    """Return the faces in the nearest of 256 levels."""
    return (faces * 255).round() / 255


def _levels_in_box(face: Tensor, clean: Tensor, epsilon: float) -> Tensor:
    """Return the face in the nearest levels that are no further from the clean one than epsilon."""
    nearest = (clean * 255).round()
    # Half a thousandth of a level for what a float cannot hold.
    low = ((clean - epsilon) * 255 - 5e-4).ceil().minimum(nearest)
    high = ((clean + epsilon) * 255 + 5e-4).floor().maximum(nearest)
    return (face * 255).round().maximum(low).minimum(high).clamp(0, 255) / 255


def _levels_in_sphere(face: Tensor, clean: Tensor, epsilon: float) -> Tensor:
    """Return the levels furthest on the way to the face whose change is at most epsilon long."""
    if (rounded(face) - clean).norm() <= epsilon:
        return rounded(face)
    reached, limit = 0.0, 1.0  # shares of the way; the length grows with each, in small leaps
    for _ in range(BISECTIONS):
        share = (reached + limit) / 2
        if (rounded(clean + share * (face - clean)) - clean).norm() <= epsilon:
            reached = share
        else:
            limit = share
    return rounded(clean + reached * (face - clean))


def sizes_of(faces: Tensor | Sequence[Tensor]) -> list[tuple[int, int]]:
    """Return height and width of each item."""
    return [(one.shape[-2], one.shape[-1]) for one in faces]


def _padded(faces: Tensor | Sequence[Tensor]) -> Tensor:
    """Return all items (N, T, 3, H, W) in the size of the largest."""
    if isinstance(faces, Tensor):
        return faces
    height, width = (max(edge) for edge in zip(*sizes_of(faces), strict=True))
    batch = faces[0].new_zeros(len(faces), *faces[0].shape[:2], height, width)
    for place, one in zip(batch, faces, strict=True):
        place[..., : one.shape[-2], : one.shape[-1]] = one
    return batch


def _channels_last(faces: Tensor) -> Tensor:
    """Return the faces in the order of memory that networks want, so that no step reorders them."""
    return faces.permute(0, 1, 3, 4, 2).contiguous().permute(0, 1, 4, 2, 3)


@contextmanager
def _evaluating(detector: Detector) -> Iterator[None]:
    """Keep batch statistics and dropout as they are when faces are scored."""
    training = [module for module in detector.modules() if module.training]
    detector.eval()
    try:
        yield
    finally:
        for module in training:  # a part of it may have been frozen: `train` would wake it
            module.training = True


@contextmanager
def _seeded(seed: int) -> Iterator[None]:
    """Let a victim that is random itself draw from the attack's seed."""
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(seed)
        yield


def _check(detector: Detector, faces: Tensor | Sequence[Tensor], labels: Tensor) -> None:
    if not isinstance(detector, Detector) or "real" not in detector.classes:
        raise InvalidInputError(
            "the victim must be a Detector that declares which of its classes is 'real', got "
            f"{getattr(detector, 'classes', type(detector).__name__)}; an attack on classes in "
            "unknown order may go the wrong way"
        )
    shapes = {(one.ndim, *one.shape[:2]) for one in faces}
    if (
        len(shapes) != 1
        or shapes != {(4, faces[0].shape[0], 3)}
        or not all(map(torch.numel, faces))
    ):
        raise InvalidInputError(
            "faces must be (N, T, 3, H, W), or one (T, 3, H, W) for each item, got "
            f"{[tuple(one.shape) for one in faces][:3]}; stack them, or add the axis T"
        )
    if not all(one.is_floating_point() and one.min() >= 0 and one.max() <= 1 for one in faces):
        raise InvalidInputError(
            f"faces must be floating point in [0, 1], got {faces[0].dtype} in "
            f"[{min(one.min() for one in faces):.4g}, {max(one.max() for one in faces):.4g}]; "
            "divide uint8 frames by 255"
        )
    values = sorted(set(labels.flatten().tolist()))
    if labels.shape != (len(faces),) or not ((labels == REAL) | (labels == FAKE)).all():
        raise InvalidInputError(
            f"labels must be {len(faces)} of {REAL} (real) and {FAKE} (fake), one for each item, "
            f"got shape {tuple(labels.shape)} with values {values[:5]}; "
            "give the true label of each"
        )


def _check_moved(moved: Tensor, clean: Tensor, name: str) -> None:
    if moved.shape != clean.shape or not moved.isfinite().all():
        raise InvalidInputError(
            f"{name} must return finite faces of shape {tuple(clean.shape)}, got "
            f"{tuple(moved.shape)}{'' if moved.isfinite().all() else ' with NaN or infinity'}; "
            "return one for each that is taken, and lower the step where it overflows"
        )
