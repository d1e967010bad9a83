"""Changes of faces that take an attack out again, each found by its name."""
