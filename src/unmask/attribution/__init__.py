"""Which model made a fake: what is said of it, and when nothing can be said."""
