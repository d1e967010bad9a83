"""Make labelled fakes of real videos: of a catalog's clips, or one person's face in another's."""

from unmask.cli.verb import verbs
from unmask.generators.forge import ForgeSettings, forge
from unmask.swapping.encoder import EncoderSettings, warm_start
from unmask.swapping.forge_swap import SwapSettings, forge_swap

app = verbs(
    __doc__,
    clips=(forge, ForgeSettings),
    swap=(forge_swap, SwapSettings),
    encoder=(warm_start, EncoderSettings),
)
