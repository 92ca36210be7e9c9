"""Carrying letters: to a mail server, or to the terminal."""
