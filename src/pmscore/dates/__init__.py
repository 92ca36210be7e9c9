"""Local dates, nights, ranges of them, and the one door to time zones."""
