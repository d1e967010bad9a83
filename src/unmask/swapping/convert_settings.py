"""How a trained swap goes back into a clip."""

from dataclasses import dataclass, fields

from unmask.errors import InvalidInputError, unknown_name
from unmask.settings import setting
from unmask.swapping.sharpen import SHARPENINGS
from unmask.swapping.swap_colour import COLOURS
from unmask.swapping.swap_mask import MASKS


@dataclass(frozen=True)
class ConvertSettings:
    """How a swapped face is masked, coloured, sharpened and put into its frame.

    The defaults are those of faceswap's converter (commit 183aee37), but for the smoothing, which
    it has not. Colours are measured in each frame alone: measures that run over frames follow the
    light late, and made the face flicker up to twice as much on real talkers.

    Raises:
        NotFoundError: if a choice has no such name.
        InvalidInputError: if a number is out of its range.
    """

    mask: str = setting("extended", "What is replaced: extended, hull, components or box.")
    erosion: float = setting(0.0, "How far the mask shrinks, as a share of the patch's side.")
    mask_blur: int = setting(3, "The blur's side, in pixels of a mask of 128.")
    mask_passes: int = setting(4, "How often the mask is blurred.")
    mask_threshold: float = setting(0.04, "Less of the mask is nothing, more than the rest all.")
    box_distance: float = setting(0.11, "How far from the patch's border the face begins.")
    box_blur: float = setting(0.05, "The deviation of that border's blur; both are shares.")
    colour: str = setting("average", "How colours follow: average, reinhard, histogram or none.")
    poisson: bool = setting(False, "Whether the face's gradients, not its colours, are put in.")
    sharpen: str = setting("none", "What is done against blur: none, box, gaussian or unsharp.")
    sharpen_amount: float = setting(1.5, "How much of the lost detail is added.")
    sharpen_radius: float = setting(0.003, "How fine it is, as a share of the frame's width.")
    sharpen_threshold: int = setting(5, "The grey levels of contrast from which unsharp works.")
    smoothing: int = setting(1, "How often the landmarks are averaged over five frames.")
    paper_quirks: bool = setting(False, "Whether unsharp sharpens low contrasts, as published.")

    def __post_init__(self) -> None:
        for name, known in (("mask", MASKS), ("colour", COLOURS), ("sharpen", SHARPENINGS)):
            if getattr(self, name) not in known:
                raise unknown_name(f"the setting {name}", getattr(self, name), known)
        for name, (low, high) in _RANGES.items():
            if not low <= getattr(self, name) <= high:
                (default,) = (one.default for one in fields(self) if one.name == name)
                raise InvalidInputError(
                    f"{name} must lie in [{low:g}, {high:g}], got {getattr(self, name)}; "
                    f"{default:g} is usual"
                )
        if self.mask_blur % 2 == 0:
            raise InvalidInputError(
                f"mask_blur must be odd, got {self.mask_blur}; 3 is usual, 1 blurs nothing"
            )


_RANGES: dict[str, tuple[float, float]] = {
    "erosion": (0, 0.4),
    "mask_blur": (1, 63),
    "mask_passes": (0, 64),
    "mask_threshold": (0, 0.49),
    "box_distance": (0, 0.4),
    "box_blur": (0, 0.2),
    "sharpen_amount": (0, 10),
    "sharpen_radius": (0, 0.05),
    "sharpen_threshold": (0, 255),
    "smoothing": (0, 64),
}
