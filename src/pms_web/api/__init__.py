"""The HTTP API, a module a context."""
