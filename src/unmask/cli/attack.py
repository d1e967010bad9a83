"""Attack the faces of a catalog's videos, to fool a detector."""

from unmask.adversarial.attack import AttackSettings, attack
from unmask.cli.verb import verb

app = verb(attack, AttackSettings)
