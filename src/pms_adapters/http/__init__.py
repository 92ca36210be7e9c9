"""The only door to HTTP: whoever calls out does it through here."""
