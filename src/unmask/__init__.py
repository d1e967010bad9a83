"""Unmask: deepfake data sets and detectors, from footage to a table that can be trusted."""

__version__ = "0.1.0"
