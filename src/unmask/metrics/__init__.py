"""Measures of a detector's scores: pure functions on arrays."""
