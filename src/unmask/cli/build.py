"""Build a data set of attacked faces."""

from unmask.adversarial.defense_dataset import DefenseDatasetSettings, build_defense_dataset
from unmask.cli.verb import verbs

app = verbs(__doc__, defense_dataset=(build_defense_dataset, DefenseDatasetSettings))
