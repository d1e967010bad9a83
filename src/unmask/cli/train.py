"""Train a detector on prepared faces."""

from unmask.cli.verb import verb
from unmask.training.loop import TrainSettings, train

app = verb(train, TrainSettings)
