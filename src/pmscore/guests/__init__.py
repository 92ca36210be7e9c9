"""Who stays: profiles and what they add up to."""
