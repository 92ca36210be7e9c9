"""Setting up a house, holding rooms, blocking units."""
