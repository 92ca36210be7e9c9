"""Agencies, people, keys, and coming in."""
