"""Looking after endpoints, and bringing messages to them."""
