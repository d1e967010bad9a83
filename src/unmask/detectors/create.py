"""Making a detector from its name and settings."""

from collections.abc import Sequence
from inspect import signature

from unmask.detectors import DETECTORS
from unmask.detectors.timm_model import TimmModel, closest_timm_names, timm_names
from unmask.errors import InvalidInputError, unknown_name
from unmask.options import Value, parse_options
from unmask.torch_contracts import Detector

TIMM = "timm:"


def create_detector(name: str, **settings: object) -> Detector:
    """Return a new detector.

    Args:
        name: a part of `unmask.detectors` or of an installed package, else a network of timm;
            `timm:<name>` always means timm's.
        settings: what the part's class takes, such as `size` or `weights`.

    Raises:
        NotFoundError: if there is no such detector or setting; the message has the closest one.
        InvalidInputError: if a setting that is needed is missing, or has a wrong value.

    Example:
        >>> create_detector("meso4", size=64).classes
        ('real', 'fake')
    """
    part, implied = _part(name)
    given = settings | implied
    known = signature(part).parameters
    for setting in settings:
        if setting not in known:
            raise unknown_name(f"detector {name}", setting, known)
    for setting, parameter in known.items():
        if parameter.default is parameter.empty and setting not in given:
            raise InvalidInputError(
                f"{setting} must be given to detector {name}, got nothing; add it"
            )
    return part(**given)  # type: ignore[arg-type]  # each part has its own settings


def takes(name: str, setting: str) -> bool:
    """Return whether a detector has such a setting.

    Raises:
        NotFoundError: if there is no such detector.

    Example:
        >>> takes("meso4", "size"), takes("meso4", "pretrained")
        (True, False)
    """
    return setting in signature(_part(name)[0]).parameters


def frames_of(name: str, options: Sequence[str]) -> int:
    """Return how many faces a detector judges together, without making it.

    Raises:
        NotFoundError: if there is no such detector or setting.
        InvalidInputError: if an option is not `name=value`, or the value is of another type.

    Example:
        >>> frames_of("meso4", []), frames_of("dma_sta", []), frames_of("dma_sta", ["frames=5"])
        (1, 10, 5)
    """
    return int(parse_options(_part(name)[0], options).get("frames", 1))


def read_options(name: str, options: Sequence[str]) -> dict[str, Value]:
    """Return settings of a detector that are written as text, `depth=14`.

    Raises:
        NotFoundError: if there is no such detector or setting.
        InvalidInputError: if one is not `name=value`, or the value is of another type.

    Example:
        >>> read_options("phase_resnet", ["depth=14"])
        {'depth': 14}
    """
    given = {option.partition("=")[0] for option in options}
    known = parse_options(_part(name)[0], options)
    return {setting: value for setting, value in known.items() if setting in given}


def _part(name: str) -> tuple[type[Detector], dict[str, object]]:
    if name.startswith(TIMM):
        return TimmModel, {"architecture": name.removeprefix(TIMM)}
    if name in DETECTORS:
        return DETECTORS[name], {}
    if name.split(".")[0] in timm_names():
        return TimmModel, {"architecture": name}
    raise unknown_name("unmask.detectors", name, {*DETECTORS, *closest_timm_names(name)})
