"""Ways of executing the work: in this process or on local processes."""
