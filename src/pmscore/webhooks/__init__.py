"""Telling other programs what happened: endpoints, signed messages, and the log of their deliveries."""
