"""List a data set on disk as a catalog."""

from unmask.cli.verb import verb
from unmask.datasets.index import IndexSettings, index

app = verb(index, IndexSettings)
