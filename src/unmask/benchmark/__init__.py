"""Protocols, results, tables, plots and the report."""
