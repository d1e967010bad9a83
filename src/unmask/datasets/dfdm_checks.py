"""What looks wrong within and between the rates of DFDM."""

from collections import Counter
from collections.abc import Iterator, Sequence

from unmask.contracts import Finding
from unmask.datasets.dfdm_names import TAGS
from unmask.datasets.dfdm_tree import Rate
from unmask.datasets.layout import Listing, strays

FAKES_OF_A_MODEL = 430  # at each rate


def check_rate(rate: Rate, *, is_built: bool) -> Iterator[Finding]:
    """Yield how many videos of each model there are, and which files are none.

    Args:
        rate: the rate.
        is_built: whether it was made with `unmask build dfdm`, which makes any number.
    """
    if rate.listing.videos:
        yield _counted(rate, is_built=is_built)
    named = {path for path, _, _ in rate.fakes}
    if strange := [path.name for path in rate.listing.videos if path not in named]:
        yield Finding(
            "suspicious",
            f"{rate.name}: {len(strange)} videos with other names or tags than published: "
            f"{strange[0]}",
            "they are left out; move them elsewhere",
        )
    names = Counter(path.stem for path in named)
    if twice := sorted(name for name, count in names.items() if count > 1):
        yield Finding(
            "suspicious",
            f"{rate.name}: {len(twice)} names stand for several videos: {twice[0]}",
            "keep one of each",
        )
    lists = Counter({".txt": rate.listing.others[".txt"]})
    yield from strays(Listing(others=rate.listing.others - lists), rate.name)


def check_rates_agree(rates: Sequence[Rate]) -> Iterator[Finding]:
    """Yield whether every video is there at every rate of which there are any."""
    filled = [rate for rate in rates if rate.listing.videos]
    names = [{path.stem for path, _, _ in rate.fakes} for rate in filled]
    if len(names) < 2:
        return
    if torn := sorted(set[str]().union(*names) - names[0].intersection(*names)):
        there = [rate.name for rate, found in zip(filled, names, strict=True) if torn[0] in found]
        yield Finding(
            "suspicious",
            f"{len(torn)} videos are not there at every rate: {torn[0]} is in "
            f"{' and '.join(there)} only",
            "rates are compared on the same videos: copy the others again",
        )
    else:
        yield Finding("present", f"the same {len(names[0])} videos at {len(names)} rates")


def _counted(rate: Rate, *, is_built: bool) -> Finding:
    counts = Counter(model for _, _, model in rate.fakes)
    told = f"{rate.name}: {counts.total()} videos, "
    models = sorted(counts) if is_built else list(TAGS)
    is_alike = len({counts[model] for model in models}) == 1
    if is_alike and len(models) == len(TAGS):
        told += f"{counts['original']} of each model"
    else:
        told += ", ".join(f"{counts[model]} {model}" for model in models)
    if is_alike and (is_built or counts["original"] == FAKES_OF_A_MODEL):
        return Finding("present", told)
    if is_built:
        return Finding("suspicious", told, "run the same unmask build dfdm again")
    return Finding(
        "suspicious",
        f"{told}; published are {FAKES_OF_A_MODEL} of each",
        "finish the download, or work with this part of it",
    )
