"""Make labelled fakes of real videos: of a catalog's clips, or one person's face in another's."""

from unmask.cli.verb import verbs
from unmask.generators.forge import ForgeSettings, forge

app = verbs(__doc__, clips=(forge, ForgeSettings))
