"""Networks that rebuild one person's face as another's, each found by its name."""

from unmask.families import Family
from unmask.torch_contracts import Autoencoder

AUTOENCODERS = Family("unmask.autoencoders", Autoencoder)  # type: ignore[type-abstract]
