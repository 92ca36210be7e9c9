"""Agencies, roles, permissions, and who is asking."""
