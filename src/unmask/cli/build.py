"""Build a data set: faces that were attacked, or faces swapped by five models."""

from unmask.adversarial.defense_dataset import DefenseDatasetSettings, build_defense_dataset
from unmask.cli.verb import verbs
from unmask.swapping.dfdm import DfdmSettings, build_dfdm

app = verbs(
    __doc__,
    defense_dataset=(build_defense_dataset, DefenseDatasetSettings),
    dfdm=(build_dfdm, DfdmSettings),
)
