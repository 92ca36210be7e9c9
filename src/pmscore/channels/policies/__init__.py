"""What follows from values alone: differences, messages, dialects, waiting, and what a revision means."""
