"""Finding, following, aligning and cropping faces."""
