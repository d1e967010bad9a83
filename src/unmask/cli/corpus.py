"""Make talking clips of people who do not exist."""

from unmask.cli.verb import verb
from unmask.generators.openpeople import CorpusSettings, make_corpus

app = verb(make_corpus, CorpusSettings)
