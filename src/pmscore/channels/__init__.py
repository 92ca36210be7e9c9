"""Distribution: what each platform is told of a house, and what it has sold for it."""
