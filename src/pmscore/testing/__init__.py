"""What authors of adapters, and our own tests, run: in-memory stores, strategies, laws and histories."""
