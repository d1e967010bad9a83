"""Reading, writing, probing and sampling videos."""
