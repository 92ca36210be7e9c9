"""Endpoints, the messages that are on their way to them, and what happened to an endpoint."""
