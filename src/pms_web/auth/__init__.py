"""Proving who somebody is: passwords, sessions, tokens, keys."""
