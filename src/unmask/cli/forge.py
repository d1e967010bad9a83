"""Make labelled fakes of the real videos of a catalog."""

from unmask.cli.verb import verb
from unmask.generators.forge import ForgeSettings, forge

app = verb(forge, ForgeSettings)
