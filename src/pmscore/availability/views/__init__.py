"""What search reads from memory: the board of nights, and the board of an agency's whole stock."""
