"""Training detectors: data, augmentation, loop, checkpoints."""
