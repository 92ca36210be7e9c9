"""What is done with prices: change them, quote, keep and hold quotes."""
