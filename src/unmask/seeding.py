"""Randomness that depends on a seed and on names, never on the order of the work."""

from hashlib import sha256

import numpy as np


def seed_for(seed: int, *names: object) -> int:
    """Return a 63-bit seed that is a fixed function of `seed` and of the names.

    Example:
        >>> seed_for(0, "self_blend", "a.mp4") == seed_for(0, "self_blend", "a.mp4")
        True
        >>> seed_for(0, "a") == seed_for(1, "a")
        False
    """
    text = "\x1f".join([str(seed), *map(str, names)])
    return int.from_bytes(sha256(text.encode()).digest()[:8], "big") >> 1


def generator_for(seed: int, *names: object) -> np.random.Generator:
    """Return the random generator of one named piece of work.

    An item draws the same numbers whichever process works on it, and in whichever order.
    """
    return np.random.default_rng(seed_for(seed, *names))
