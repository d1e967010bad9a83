"""Name the model that made a fake, or none of those that a checkpoint knows."""

from rich.console import Console

from unmask.attribution.attribute import AttributeSettings, attribute
from unmask.attribution.attributions import as_text
from unmask.attribution.hold_out import CalibrateSettings, calibrate_checkpoint
from unmask.cli.verb import verbs


def videos(settings: AttributeSettings) -> str:
    """Name the maker of each video of a catalog."""
    Console().print(as_text(attribute(settings)))
    return f"attributions in {settings.out}"


def calibrate(settings: CalibrateSettings) -> str:
    """Choose from which confidence on a checkpoint names a maker."""
    return f"{calibrate_checkpoint(settings)}, in {settings.checkpoint}"


app = verbs(__doc__, videos=(videos, AttributeSettings), calibrate=(calibrate, CalibrateSettings))
