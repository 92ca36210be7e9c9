"""What a house has for a platform, and what people are shown of a connection."""
