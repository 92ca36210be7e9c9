"""How prices, taxes and terms are worked out."""
