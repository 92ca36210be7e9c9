"""Connections, mappings, what a platform can, what it was told, and what it has told us."""
