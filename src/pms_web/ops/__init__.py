"""What operators look at: health and the start page."""
