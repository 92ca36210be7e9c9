"""Calendar feeds (RFC 5545): the way to any platform that reads and writes them, without prices and without haste."""

from __future__ import annotations
