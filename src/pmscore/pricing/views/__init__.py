"""Prices worked out beforehand, to be read fast: nightly tables, the matrix of a year."""
