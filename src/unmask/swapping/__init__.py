"""Face swaps by autoencoders: the faces of two persons, the training of a pair, the conversion."""
