"""Make a checkpoint out of weights that another project has published."""

from unmask.cli.verb import verb
from unmask.training.adopt import AdoptSettings, adopt

app = verb(adopt, AdoptSettings)
