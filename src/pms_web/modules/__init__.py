"""Modules: what can be switched on beside the core, ours and third parties'."""
