"""Strips of pictures: a clean face, the attacked one, their difference, codec by codec."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from unmask.benchmark.attack_tables import channel_title
from unmask.benchmark.markup import Markup, tag
from unmask.benchmark.pictures import data_uri
from unmask.benchmark.plots import COLOURS
from unmask.benchmark.study import keep_only
from unmask.benchmark.tables import figure
from unmask.contracts import Image
from unmask.errors import InvalidInputError
from unmask.files import write_whole

GAIN = 20
ROWS = ("clean", "attacked", f"difference × {GAIN}")


@dataclass(frozen=True)
class Sight:
    """One face as it comes through one channel, cut out in the same place of both files.

    Args:
        channel: `file` or the name of a codec.
        clean: (H, W, 3) uint8 RGB, without an attack.
        attacked: of the same shape.
        clean_score: P(fake) of the face that was found in the clean file; None if none was.
        attacked_score: P(fake) of the face that was found in the attacked file; None if none was.
    """

    channel: str
    clean: Image
    attacked: Image
    clean_score: float | None
    attacked_score: float | None


@dataclass(frozen=True)
class Strip:
    """One attacked face on all channels.

    Args:
        title: which attack on which victim.
        detail: which frame of which video.
        sights: channel by channel.
    """

    title: str
    detail: str
    sights: tuple[Sight, ...]


def difference(clean: Image, attacked: Image, *, gain: int = GAIN) -> Image:
    """Return a picture of the change: grey where there is none, `gain` times as strong elsewhere.

    Raises:
        InvalidInputError: if the shapes differ.

    Example:
        >>> clean = np.full((1, 1, 3), 50, np.uint8)
        >>> difference(clean, clean + np.uint8([0, 2, 9])).tolist()
        [[[128, 168, 255]]]
    """
    if clean.shape != attacked.shape:
        raise InvalidInputError(
            f"both pictures must have one shape, got {clean.shape} and {attacked.shape}; cut them "
            "out of the same place"
        )
    change = attacked.astype(np.int32) - clean.astype(np.int32)
    return np.clip(128 + gain * change, 0, 255).astype(np.uint8)


def strip_element(strip: Strip) -> Markup:
    """Return the strip as a table for a page: a column for each channel, scores below."""
    heads = [tag("th", "", scope="col")]
    heads += [tag("th", channel_title(one.channel), scope="col") for one in strip.sights]
    lines = [
        tag(
            "tr",
            tag("th", name, scope="row"),
            *(
                tag(
                    "td",
                    _picture(image, f"{name}, {channel_title(one.channel)}"),
                    tag("small", told),
                )
                for one, image, told in _row(strip.sights, place)
            ),
        )
        for place, name in enumerate(ROWS)
    ]
    caption = tag("caption", strip.title, tag("small", strip.detail))
    table = tag(
        "table", caption, tag("thead", tag("tr", *heads)), tag("tbody", *lines), class_="strip"
    )
    return tag("div", table, class_="table wide", tabindex=0)


def strip_figure(strip: Strip, *, inches: float = 1.5) -> Figure:
    """Return the strip as a figure, to be saved beside a page of the manual.

    Args:
        strip: what to show.
        inches: the side of each picture.
    """
    count = len(strip.sights)
    drawn = Figure(figsize=(inches * count + 0.3, 3 * (inches + 0.25) + 0.3), layout="constrained")
    drawn.suptitle(f"{strip.title} · {strip.detail}", fontsize=8.5, color=COLOURS["ink"])
    grid = drawn.subplots(len(ROWS), count, squeeze=False)
    for place, name in enumerate(ROWS):
        for axes, (one, image, told) in zip(grid[place], _row(strip.sights, place), strict=True):
            axes.imshow(image)
            axes.set(xticks=[], yticks=[])
            axes.set_xlabel(told, fontsize=7, color=COLOURS["ink"])
            if place == 0:
                axes.set_title(channel_title(one.channel), fontsize=8.5, color=COLOURS["muted"])
        grid[place][0].set_ylabel(name, fontsize=8.5, color=COLOURS["muted"])
    return drawn


def write_strips(strips: Sequence[Strip], folder: Path) -> None:
    """Write each strip as a PNG file named after its title; those of an earlier run are deleted."""
    written = {re.sub(r"[^a-z0-9]+", "-", one.title.lower()).strip("-"): one for one in strips}
    for name, strip in written.items():
        content = BytesIO()
        strip_figure(strip).savefig(content, format="png", dpi=160, metadata={"Software": None})
        write_whole(folder / f"{name}.png", content.getvalue())
    keep_only(folder, "*-on-*.png", written)


def _row(sights: Sequence[Sight], place: int) -> list[tuple[Sight, Image, str]]:
    """Return what stands in one row: each sight with its picture and what is said of it."""
    if place == 0:
        return [(one, one.clean, _told(one.clean_score)) for one in sights]
    if place == 1:
        return [(one, one.attacked, _told(one.attacked_score)) for one in sights]
    return [(one, difference(one.clean, one.attacked), _largest(one)) for one in sights]


def _picture(image: Image, told: str) -> Markup:
    return tag("img", src=data_uri(image), alt=told, loading="lazy")


def _told(score: float | None) -> str:
    return "no face found" if score is None else f"P(fake) {figure(score)}"


def _largest(sight: Sight) -> str:
    change = np.abs(sight.attacked.astype(np.int32) - sight.clean)
    return f"largest {change.max()}, mean {change.mean():.1f} of 255"
