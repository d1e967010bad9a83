"""Attacked videos, data sets made of them, and the detectors that they are made against."""
