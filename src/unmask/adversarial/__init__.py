"""What attacks and defences need of trained detectors: attacked videos and data sets made of them."""
