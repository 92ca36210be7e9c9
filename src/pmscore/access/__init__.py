"""Who acts, and for which agency."""
