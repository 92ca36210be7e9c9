"""What can be sold: search, calendar, refusals that explain themselves, the nearest stays that would pass."""
