"""Choosing frames by number: all, every Nth, evenly spread, the first, or a run."""

from dataclasses import dataclass
from typing import Literal, cast, get_args

from unmask.errors import InvalidInputError

Kind = Literal["all", "every", "spread", "first", "consecutive"]


@dataclass(frozen=True)
class Sampling:
    """A rule that chooses frames, for a video of any length.

    Args:
        kind: `all`; `every` count-th frame from frame 0 on; `spread`, the middles of `count`
            equal stretches; the `first` count frames; `consecutive`, the count frames in the
            middle.
        count: what the kind counts; 1 for `all`.
    """

    kind: Kind
    count: int = 1

    def numbers(self, total: int) -> list[int]:
        """Return the chosen frame numbers, rising, for a video of `total` frames.

        A video with fewer frames than `spread`, `first` or `consecutive` ask for gives all it has.

        Example:
            >>> parse_sampling("every:50").numbers(120)
            [0, 50, 100]
            >>> parse_sampling("consecutive:3").numbers(9)
            [3, 4, 5]
        """
        if total == 0:
            return []
        count = min(self.count, total)
        if self.kind == "spread":
            return evenly_spaced(total, count)
        if self.kind == "first":
            return list(range(count))
        if self.kind == "consecutive":
            start = (total - count) // 2
            return list(range(start, start + count))
        return list(range(0, total, self.count))

    def __str__(self) -> str:
        return self.kind if self.kind == "all" else f"{self.kind}:{self.count}"


def parse_sampling(text: str) -> Sampling:
    """Return the sampling that a text such as `spread:32` names.

    Raises:
        InvalidInputError: if the text is none of `all`, `every:N`, `spread:N`, `first:N` and
            `consecutive:N` with N of 1 or more.

    Example:
        >>> parse_sampling("spread:3").numbers(270)
        [45, 135, 225]
    """
    kind, _, count = text.partition(":")
    if text == "all":
        return Sampling("all")
    if kind in get_args(Kind) and kind != "all" and count.isdecimal() and int(count) > 0:
        return Sampling(cast(Kind, kind), int(count))
    raise InvalidInputError(
        "sampling must be all, every:N, spread:N, first:N or consecutive:N with N of 1 or more, "
        f"got {text!r}; for instance spread:32"
    )


def evenly_spaced(total: int, count: int) -> list[int]:
    """Return `count` frame numbers spread over the whole of a video.

    Args:
        total: how many frames the video has.
        count: how many frames to choose.

    Returns:
        `count` distinct frame numbers in [0, total), rising, the middle of each of `count`
        equal stretches.

    Raises:
        InvalidInputError: if the video has fewer than `count` frames.

    Example:
        >>> evenly_spaced(total=270, count=3)
        [45, 135, 225]
    """
    if not 1 <= count <= total:
        raise InvalidInputError(
            f"count must lie between 1 and the {total} frames of the video, got {count}; "
            "lower count or skip the video"
        )
    return [(2 * i + 1) * total // (2 * count) for i in range(count)]
