"""Stay rules: when a stay may begin and end, how long it must be, and how far ahead it may be asked for."""
