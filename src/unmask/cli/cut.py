"""Cut the videos of a catalog short, without loss."""

from unmask.cli.verb import verb
from unmask.datasets.cut import CutSettings, cut

app = verb(cut, CutSettings)
