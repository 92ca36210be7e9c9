"""Values of the inventory: the house, the claims on it, holds and blocks."""
